"""Tips with their writer in a process of its own: officers see no difference, and its death costs nobody a record."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis.errors import Aborted, InvalidArgument, NotFoundOrDenied, SettingsError
from renkei_chassis.service import Blueprint, Wiring
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint
from tests.agency import MEMBERS, TOCHIGI, Agency, request_id, run_agency
from tests.chassis.courier.servers import until
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from renkei_chassis.service import Parts


@pytest.fixture
async def agency(tmp_path: Path, ports: PortClaims) -> AsyncIterator[Agency]:
    settings = Settings(members=MEMBERS, release_without_instrument=True, contact_desk="(演習データ) 内線 1234")
    async with run_agency(blueprint(settings), tmp_path, ports, writer_process=True) as running:
        yield running


async def test_a_tip_is_recorded_corrected_and_told_of_as_ever(agency: Agency, tips: Tips) -> None:
    request = request_id()

    recorded = await tips.create(a_tip(releasable_to=[TOCHIGI], identifiers=[an_occurrence()]), request=request)
    again = await tips.create(a_tip(releasable_to=[TOCHIGI], identifiers=[an_occurrence()]), request=request)
    recorded.display_name = "(演習データ) 訂正後"
    revised = await tips.update(recorded, "display_name")

    assert again.name == recorded.name
    assert revised.version == 2
    assert await tips.get(recorded.name) == revised
    events = await agency.events()
    assert [(event.sequence, event.type.rpartition(".")[2]) for event in events] == [
        (1, "TipRecorded"),
        (2, "TipRevised"),
    ]
    assert [entry.agency for entry in events[0].audience] == [TOCHIGI]


async def test_refusals_come_back_whole(tips: Tips) -> None:
    recorded = await tips.create()

    with pytest.raises(InvalidArgument) as invalid:
        await tips.create(a_tip(identifiers=[an_occurrence("")]))
    with pytest.raises(NotFoundOrDenied):
        await tips.delete(recorded.name.rpartition("/")[0] + f"/{request_id()}")
    recorded.etag = "stale"
    with pytest.raises(Aborted) as stale:
        await tips.update(recorded, "display_name")

    assert [violation.field for violation in invalid.value.violations] == ["tip.identifiers[0].identifier.original"]
    assert stale.value.reason == "ETAG_MISMATCH"


async def test_numbers_count_what_the_other_process_commits_and_how_often_it_began(agency: Agency, tips: Tips) -> None:
    writer = agency.service.writer
    for _ in range(3):
        await tips.create()
    os.kill(writer.process_id, signal.SIGKILL)
    await until(lambda: writer.process_starts == 2)
    await tips.create()

    numbers = generate_latest(agency.service.metrics.registry).decode()
    assert "renkei_writer_starts 2.0" in numbers
    assert "renkei_log_sequence 4.0" in numbers
    (jobs,) = [line for line in numbers.splitlines() if line.startswith("renkei_commit_jobs ")]
    assert float(jobs.split()[1]) >= 4


async def test_what_others_release_comes_in_beside_what_is_recorded(agency: Agency, tips: Tips) -> None:
    """Effects are carried out in the service itself, calls in the other process: the two take turns."""
    name = f"{MEMBERS[2]}/tips/{request_id()}"
    await tips.create()
    await agency.bring(
        events_pb2.TipRecorded(tip=tips_pb2.Tip(name=name, version=1, text="(演習データ)")), grade=GRADE_FULL
    )
    await tips.create()

    assert (await tips.get(name)).name == name
    assert [event.sequence for event in await agency.events()] == [1, 2, 3]


async def test_a_service_whose_rules_cannot_be_carried_there_does_not_start(tmp_path: Path, ports: PortClaims) -> None:
    settings = Settings(members=MEMBERS)
    whole = blueprint(settings)

    def wire(parts: Parts) -> Wiring:
        return whole.wire(parts)

    with pytest.raises(SettingsError, match="writer_process: tips"):
        async with run_agency(
            Blueprint(name="tips", schema=whole.schema, wire=wire), tmp_path, ports, writer_process=True
        ):
            pytest.fail("it started")
