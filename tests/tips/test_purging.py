"""Records go by themselves when their time has come, never before it, and nothing of them stays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import pytest
from renkei.policy.v1.handling_pb2 import PERMITTED_ACTION_INDEX_ONLY, Handling, Review
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1.events_pb2 import TipPurged, TipRecorded
from renkei.tips.v1.tips_pb2 import Grading, Tip
from sqlalchemy import func, select

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.errors import FailedPrecondition, NotFoundOrDenied
from renkei_chassis.records import purging as module
from renkei_chassis.telemetry.metrics import Metrics
from renkei_tips.record import TIPS
from renkei_tips.retention import retention_of
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint, purging_of
from tests.agency import AGENCY, MEMBERS, SAPPORO, TOKYO, Agency, request_id, run_agency
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection

    from renkei_chassis.ports import PortClaims
    from renkei_chassis.records.purging import Purging

HOURS: Final = 4
DAY: Final = 24
MARKER: Final = "RKPURGE5d1f"
SETTINGS: Final = Settings(
    members=MEMBERS,
    release_without_instrument=True,
    undelete_days=1,
    purge_hours=HOURS,
    unconfirmed_review_days=2,
    review_days=4,
    unreviewed_days=1,
)


@dataclass(slots=True, kw_only=True)
class House:
    """A tips service whose clock stands still, and what purges its tips."""

    agency: Agency
    tips: Tips
    clock: ManualClock
    directory: Path

    def purging(self, **changes: Any) -> Purging:  # noqa: ANN401 (values of settings)
        settings = SETTINGS.model_copy(update=changes)
        service = self.agency.service
        return purging_of(
            settings, agency=AGENCY, database=service.database, writer=service.writer, metrics=Metrics("tips")
        )

    async def run(self, hours: float, *, purging: Purging | None = None) -> int:
        """Let the service run so long; returns how many tips were purged."""
        at_work = purging or self.purging()
        purged = 0
        for _ in range(round(hours)):
            self.clock.advance(3600)
            purged += (await at_work.look()).purged
        return purged

    async def names(self) -> set[str]:
        return {tip.name for tip in (await self.tips.page(show_deleted=True)).tips}

    async def rows(self) -> dict[str, int]:
        """Count what the tables of tips hold."""
        found = (TIPS.tables.records, TIPS.tables.versions, TIPS.tables.deletions, TIPS.tables.identifiers)

        def ask(connection: Connection) -> dict[str, int]:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in found
            }

        return await self.agency.service.database.read(ask)

    async def told(self) -> list[tuple[str, bool, dict[str, int]]]:
        return [
            (event.type.rpartition(".")[2], event.erased, {entry.agency: entry.grade for entry in event.audience})
            for event in await self.agency.events()
        ]


@pytest.fixture
async def house(tmp_path: Path, ports: PortClaims, kind: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)  # days are played by the hour, and nobody waits for a turn
    clock = ManualClock(WallClock().now())
    async with run_agency(blueprint(SETTINGS), tmp_path, ports, clock=clock) as agency:
        yield House(agency=agency, tips=Tips(agency.client()), clock=clock, directory=tmp_path)


def search(directory: Path) -> tuple[list[str], list[str]]:
    """Name the files that are there, and those that hold the marker. Blocks."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path.name for path in files], [path.name for path in files if MARKER.encode() in path.read_bytes()]


def labelled(clock: ManualClock, **times: timedelta) -> Handling:
    handling = Handling(purpose_code="organised-robbery")
    for field, span in times.items():
        getattr(handling, field).FromDatetime(clock.now() + span)
    return handling


async def test_a_deleted_tip_goes_some_hours_after_its_purge_time_and_not_before(house: House) -> None:
    kept, gone = await house.tips.create(), await house.tips.create()
    purge_time = (await house.tips.delete(gone.name)).purge_time.ToDatetime()

    early = await house.run(DAY + HOURS - 1)
    still = await house.names()
    late = await house.run(3)

    assert (early, still, late) == (0, {kept.name, gone.name}, 1)
    assert await house.names() == {kept.name}
    assert house.clock.now().replace(tzinfo=None) >= purge_time + timedelta(hours=HOURS)
    with pytest.raises(NotFoundOrDenied):
        await house.tips.get(gone.name)


async def test_nothing_is_left_of_a_purged_tip_but_that_it_was(house: House, kind: str) -> None:
    tip = a_tip(releasable_to=[TOKYO], text=f"(演習データ) {MARKER}", identifiers=[an_occurrence(original=MARKER)])
    made = await house.tips.create(tip)
    made.text = f"(演習データ) {MARKER} 訂正"
    await house.tips.update(made, "text", reason=MARKER)
    await house.tips.delete(made.name)
    await house.run(2)
    before = await house.rows()

    await house.run(DAY + HOURS)

    assert all(before.values())
    assert not any((await house.rows()).values())
    assert await house.told() == [
        ("TipRecorded", True, {TOKYO: GRADE_FULL}),
        ("TipRevised", True, {TOKYO: GRADE_FULL}),
        ("TipDeleted", False, {TOKYO: GRADE_FULL}),
        ("TipPurged", False, {TOKYO: GRADE_FULL}),
    ]
    last = (await house.agency.events())[-1]
    assert TipPurged.FromString(last.data.value) == TipPurged(name=made.name, version=2)
    searched, found = await asyncio.to_thread(search, house.directory)
    assert ("tips.db" in searched) == (kind == "sqlite")
    assert found == []


async def test_everybody_who_ever_had_a_tip_hears_of_its_purge(house: House) -> None:
    made = await house.tips.create(a_tip(releasable_to=[TOKYO, SAPPORO]))
    made.handling.ClearField("releasable_to")
    made.handling.releasable_to.append(SAPPORO)
    made.handling.permitted_action = PERMITTED_ACTION_INDEX_ONLY
    await house.tips.update(made, "handling")
    await house.tips.delete(made.name)

    await house.run(DAY + HOURS + 2)

    assert (await house.told())[-1] == ("TipPurged", False, {TOKYO: GRADE_FULL, SAPPORO: GRADE_FULL})


async def test_a_request_that_made_a_purged_tip_is_not_carried_out_again(house: House) -> None:
    request = request_id()
    made = await house.tips.create(request=request)
    await house.tips.delete(made.name)
    await house.run(DAY + HOURS + 2)

    with pytest.raises(FailedPrecondition) as refused:
        await house.tips.create(a_tip(), request=request)

    assert refused.value.reason == "REQUEST_ANSWER_GONE"
    assert await house.names() == set()


async def test_a_clock_that_is_years_ahead_for_a_while_purges_nothing(house: House) -> None:
    made = await house.tips.create()
    await house.tips.delete(made.name)
    await house.run(2)

    house.clock.advance(3650 * 86_400)
    ahead = await house.run(HOURS - 1)
    house.clock.advance(-3650 * 86_400)
    back = await house.run(DAY - HOURS - 2)

    assert (ahead, back, await house.names()) == (0, 0, {made.name})
    assert not (await house.tips.undelete(made.name)).HasField("purge_time")


async def test_a_clock_that_was_put_back_only_delays(house: House) -> None:
    await house.tips.delete((await house.tips.create()).name)
    await house.run(DAY + 1)

    house.clock.advance(-2 * DAY * 3600)
    behind = await house.run(DAY)
    house.clock.advance(2 * DAY * 3600)
    first, later = await house.run(HOURS - 1), await house.run(2)

    assert (behind, first, later) == (0, 0, 1)


async def test_the_label_says_when_a_tip_goes_and_a_correction_can_put_it_off(house: House) -> None:
    labels = [labelled(house.clock, purge_by=timedelta(hours=span)) for span in (5, 5, 90)]
    goes, stays, _ = [await house.tips.create(under(one)) for one in labels]
    await house.run(6)
    stays.handling.purge_by.FromDatetime(house.clock.now() + timedelta(hours=100))
    await house.tips.update(stays, "handling.purge_by")

    purged = await house.run(HOURS)

    assert purged == 1
    assert goes.name not in await house.names()
    assert len(await house.names()) == 2
    assert not (await house.told())[-1][2]


def under(label: Handling) -> Tip:
    tip = a_tip()
    tip.handling.CopyFrom(label)
    return tip


async def test_what_nobody_reviews_goes_and_what_is_borne_out_stays_longer(house: House) -> None:
    borne_out = Grading(reliability=Grading.RELIABILITY_B, accuracy=Grading.ACCURACY_3)
    unsure, sure = await house.tips.create(), await house.tips.create(a_tip(grading=borne_out))

    await house.run(2 * DAY + 1)
    reviews = (await house.purging().look()).for_review
    await house.run(DAY + HOURS)

    assert reviews == 1
    assert await house.names() == {sure.name}
    assert unsure.name != sure.name


def test_without_a_setting_a_tip_that_nobody_reviews_lasts_a_year_longer_than_its_review() -> None:
    assert retention_of(Settings(), Tip(text="(演習)")).unreviewed == timedelta(days=365)
    assert retention_of(Settings(unreviewed_days=0), Tip(text="(演習)")).unreviewed is None


async def test_a_review_in_time_keeps_a_tip_and_the_next_one_is_due_as_much_later(house: House) -> None:
    kept, left = await house.tips.create(), await house.tips.create()
    await house.run(2 * DAY + 1)
    due = await house.tips.ask("ListTipsDueForReview", parent=AGENCY)
    await house.tips.step("ReviewTip", kept, outcome=Review.OUTCOME_KEEP)
    again = await house.tips.ask("ListTipsDueForReview", parent=AGENCY)

    await house.run(DAY + HOURS)

    assert [tip.name for tip in due.tips] == [kept.name, left.name]
    assert [tip.name for tip in again.tips] == [left.name]
    assert await house.names() == {kept.name}


async def test_the_purge_of_a_tip_frees_those_that_are_part_of_it(house: House) -> None:
    """Their own label lets them stay; they must not point at nothing."""
    target = await house.tips.create(under(labelled(house.clock, purge_by=timedelta(hours=5))))
    tip = await house.tips.triaged(a_tip(releasable_to=[TOKYO]))
    await house.tips.step("MergeTip", tip, into=target.name)

    await house.run(5 + HOURS + 1)

    freed = await house.tips.get(tip.name)
    assert await house.names() == {tip.name}
    assert (freed.state, freed.merged_into, freed.version) == (Tip.STATE_TRIAGED, "", 4)
    assert freed.recorder == f"{AGENCY}/services/tips"
    assert [(kind, audience) for kind, _, audience in await house.told()][-2:] == [
        ("TipRevised", {TOKYO: GRADE_FULL}),
        ("TipPurged", {}),
    ]


async def test_a_tip_and_one_that_is_part_of_it_can_be_purged_together(house: House) -> None:
    label = labelled(house.clock, purge_by=timedelta(hours=5))
    target = await house.tips.create(under(label))
    tip = await house.tips.triaged(under(label))
    await house.tips.step("MergeTip", tip, into=target.name)

    purged = await house.run(5 + HOURS + 1)

    last = [TipPurged.FromString(event.data.value) for event in (await house.agency.events())[-1:]]
    assert (purged, await house.names()) == (2, set())
    assert last == [TipPurged(name=tip.name, version=4)]


async def test_the_source_of_a_purged_tip_is_erased_and_who_opened_it_stays_without_the_reason(house: House) -> None:
    tip = await house.tips.create(under(labelled(house.clock, purge_by=timedelta(hours=5))))
    await house.tips.ask("SetTipSource", tip=tip.name, identity={"person_name": f"{MARKER} 太郎", "note": MARKER})
    await house.tips.ask("RevealTipSource", tip=tip.name, reason=f"(演習) {MARKER}")

    await house.run(5 + HOURS + 1)

    openings = (await house.tips.ask("ListTipSourceOpenings", parent=AGENCY, tip=tip.name)).openings
    assert [(each.tip, each.caller, each.reason) for each in openings] == [(tip.name, f"{AGENCY}/officers/sato", "")]
    assert (await asyncio.to_thread(search, house.directory))[1] == []
    with pytest.raises(NotFoundOrDenied):
        await house.tips.ask("RevealTipSource", tip=tip.name, reason="(演習)")


async def test_nothing_goes_unreviewed_where_the_agency_says_never(house: House) -> None:
    made = await house.tips.create()

    purged = await house.run(2 * DAY + 1, purging=house.purging(unreviewed_days=0))
    house.clock.advance(3650 * 86_400)
    purged += await house.run(HOURS + 2, purging=house.purging(unreviewed_days=0))

    assert (purged, await house.names()) == (0, {made.name})


async def test_a_crash_in_the_middle_leaves_a_tip_whole_and_the_next_look_purges_it_once(house: House) -> None:
    made = await house.tips.create(a_tip(text=f"(演習データ) {MARKER}"))
    await house.tips.delete(made.name)
    await house.run(DAY)
    at_work = house.purging()

    power_cut = mock.patch.object(module, "erase_resource", side_effect=RuntimeError("a power cut"))
    with power_cut, pytest.raises(RuntimeError):
        await house.run(HOURS + 2, purging=at_work)
    whole = await house.tips.get(made.name)
    rows = await house.rows()
    purged = await house.run(1) + await house.run(2)

    assert whole.text.endswith(MARKER)
    assert rows["tip"] == rows["tip_deletion"] == 1
    assert purged == 1
    assert [kind for kind, _, _ in await house.told()] == ["TipRecorded", "TipDeleted", "TipPurged"]


async def test_a_purged_copy_of_anothers_tip_is_removed_and_cannot_come_back(house: House) -> None:
    theirs = a_tip(name=f"{TOKYO}/tips/0191aaaa-0000-7000-8000-000000000001", version=2)
    await house.agency.bring(TipRecorded(tip=theirs), grade=GRADE_INDEX_ONLY)

    await house.agency.bring(TipPurged(name=theirs.name, version=2), grade=GRADE_INDEX_ONLY)
    await house.agency.bring(TipRecorded(tip=theirs), grade=GRADE_FULL)

    assert await house.names() == set()
    assert [kind for kind, _, _ in await house.told()] == ["TipReceived", "TipRemoved"]


async def test_the_service_looks_by_itself(tmp_path: Path, ports: PortClaims) -> None:
    clock = ManualClock(WallClock().now())
    settings = SETTINGS.model_copy(update={"purge_seconds": 0.01, "purge_hours": 1})
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        tips = Tips(agency.client())
        await tips.delete((await tips.create()).name)
        clock.advance(DAY * 3600)

        async with asyncio.timeout(20):
            while agency.service.log.position.sequence < 3:
                clock.advance(3600)
                await _looked(agency)

        assert [event.type.rpartition(".")[2] for event in await agency.events()][-1] == "TipPurged"


async def _looked(agency: Agency) -> None:
    """Wait until the service has looked at its clock twice: once it may have been in the middle."""
    writer = agency.service.writer
    jobs = writer.jobs
    while writer.jobs < jobs + 2:  # noqa: ASYNC110 (the service sets no event for it)
        await asyncio.sleep(0.005)
