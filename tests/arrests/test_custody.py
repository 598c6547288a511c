"""The clocks of an arrest over a real connection, and the order that the law gives its times."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2

from renkei_arrests.settings import Settings
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock, from_us
from renkei_chassis.errors import (
    InvalidArgument,
    Unavailable,
)
from tests.agency import MEMBERS, Agency, run_agency
from tests.arrests.calls import (
    RESTRAINT,
    Arrests,
    an_arrest,
    japan,
    stamp,
)
from tests.running import HASTY

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims


TO_PROSECUTOR = arrests_pb2.Clock.KIND_TO_PROSECUTOR

DETENTION_REQUEST = arrests_pb2.Clock.KIND_DETENTION_REQUEST


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prosecutor_receipt_time": stamp(japan(1, 3, 14))}, "arrest.prosecutor_receipt_time"),
        ({"detention_request_time": stamp(japan(1))}, "arrest.detention_request_time"),
        (
            {"prosecutor_receipt_time": stamp(japan(2)), "detention_request_time": stamp(japan(1, 23))},
            "arrest.detention_request_time",
        ),
    ],
)
async def test_times_out_of_the_order_of_the_law_are_refused(
    arrests: Arrests, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(**changes))

    assert refused.value.reason == "TIMES_OUT_OF_ORDER"
    assert refused.value.metadata["field"] == field


async def test_the_clocks_are_shown_with_each_reading_and_never_stored(arrests: Arrests, agency: Agency) -> None:
    made = await arrests.create(an_arrest(prosecutor_receipt_time=stamp(japan(2, 10))))

    first, second, longest = made.clocks
    assert longest.kind == arrests_pb2.Clock.KIND_LONGEST
    assert (first.kind, first.start_time, first.due_time) == (TO_PROSECUTOR, stamp(RESTRAINT), stamp(japan(3, 3, 15)))
    assert (first.met_time, first.overdue) == (stamp(japan(2, 10)), False)
    assert (second.kind, second.start_time, second.due_time) == (
        DETENTION_REQUEST,
        stamp(japan(2, 10)),
        stamp(japan(3, 10)),
    )
    assert (second.HasField("met_time"), second.overdue) == (False, True)
    (event,) = await agency.events()
    payload = arrests_pb2.Arrest()
    payload.ParseFromString(event.data.value[event.data.value.index(made.name.encode()) - 2 :])
    assert not payload.clocks
    for shown in (await arrests.page()).arrests:
        assert list(shown.clocks) == [first, second, longest]


async def test_a_clock_becomes_overdue_as_time_goes_by(tmp_path: Path, ports: PortClaims, kind: str) -> None:
    now = WallClock().now()
    clock = ManualClock(now)
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        made = await arrests.create(an_arrest(restraint=now))

        clock.advance(48 * 3600)
        in_time = (await arrests.get(made.name)).clocks[0].overdue
        clock.advance(1)
        late = (await arrests.get(made.name)).clocks[0].overdue

        assert (made.clocks[0].overdue, in_time, late) == (False, False, True)


class TurnedClock(ManualClock):
    """A clock that refuses to tell the time once somebody turned it, as the real one does."""

    turned = False

    def now_us(self) -> int:
        if self.turned:
            raise Unavailable("CLOCK_JUMPED", "the wall clock jumped")
        return super().now_us()

    def now(self) -> datetime:
        return from_us(self.now_us())


async def test_a_turned_clock_stops_writes_and_no_reads(tmp_path: Path, ports: PortClaims, kind: str) -> None:
    clock = TurnedClock(WallClock().now())
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports, clock=clock) as agency:
        arrests = Arrests(agency.client())
        made = await arrests.create()
        hasty = Arrests(agency.client(patience=HASTY))
        clock.turned = True

        with pytest.raises(Unavailable) as refused:
            await hasty.create()

        assert refused.value.reason == "CLOCK_JUMPED"
        assert await arrests.get(made.name) == made
        assert list((await arrests.page()).arrests) == [made]


async def test_the_facts_of_custody_are_recorded_step_by_step(arrests: Arrests) -> None:
    made = await arrests.create()
    change = arrests_pb2.Arrest(name=made.name, etag=made.etag, prosecutor_receipt_time=stamp(japan(3, 3)))
    received = await arrests.update(change, "prosecutor_receipt_time")
    change = arrests_pb2.Arrest(name=made.name, etag=received.etag, detention_request_time=stamp(japan(4, 3)))

    requested = await arrests.update(change, "detention_request_time")

    assert [clock.overdue for clock in requested.clocks[:2]] == [False, False]
    assert requested.clocks[1].due_time == requested.clocks[1].met_time == stamp(japan(4, 3))
    assert requested.version == 3


def test_the_moments_of_the_tests_are_in_japan() -> None:
    assert datetime.fromisoformat("2024-09-30T18:15:00+00:00") == RESTRAINT
