"""What clocks of custody warn of over a real connection: when, once, and who answered."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from renkei.arrests.v1.events_pb2 import ClockAcknowledged, ClockEscalated

from renkei_chassis.clock import ManualClock, from_us
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, Unavailable
from renkei_chassis.ids import uuid7
from tests.agency import AGENCY, TOKYO, request_id
from tests.arrests.calls import RESTRAINT, Arrests, a_disposition, an_arrest, stamp
from tests.arrests.custodians import DESK, HOUR, KIND, NOW, Custodians, levels
from tests.running import HASTY


async def test_the_48_hours_warn_at_50_80_and_100_percent_once_each(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW, releasable_to=[TOKYO]))
        assert await custodians.told() == []

        for hours, count in ((24, 1), (14.4, 2), (9.6, 3)):
            custodians.clock.advance(hours * HOUR)
            await custodians.until(count)
        (shown,) = (await arrests.board(kinds=[KIND.KIND_TO_PROSECUTOR])).clocks
        custodians.clock.advance(1)
        (late,) = (await arrests.board(overdue=True)).clocks

        warned = await custodians.told()
        assert levels(warned, KIND.KIND_TO_PROSECUTOR) == [50, 80, 100]
        assert {event.name for event in warned} == {made.name}
        assert warned[0].due_time == stamp(NOW + timedelta(hours=48))
        assert (shown.level, shown.warned_level, shown.overdue) == (100, 100, False)
        assert (late.name, late.overdue) == (f"{made.name}/clocks/to-prosecutor", True)
        events = [event for event in await custodians.agency.events() if event.type.endswith("ClockWarned")]
        assert all(not event.audience and event.may_ignore for event in events), "nothing of a clock leaves the agency"


async def test_a_node_that_was_off_warns_of_everything_at_its_next_start_and_never_twice(
    custodians: Custodians,
) -> None:
    async with custodians.service() as arrests:
        await arrests.create(an_arrest(restraint=NOW))
        custodians.clock.advance(24 * HOUR)
        await custodians.until(1)
    custodians.clock.advance(30 * HOUR)
    async with custodians.service():
        await custodians.until(3)
    async with custodians.service():
        await custodians.quiet()
        warned = await custodians.told()

    assert levels(warned[:3], KIND.KIND_TO_PROSECUTOR) == [50, 80, 100]
    assert len(warned) == 4, "the fourth is the marker's of `quiet`"


async def test_a_clock_that_jumped_ahead_and_back_loses_and_doubles_nothing(custodians: Custodians) -> None:
    """Ahead it warns early, which protects. Back, the log waits for its own time, and then all the rest comes."""
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW))
        custodians.clock.advance(40 * HOUR)
        await custodians.until(2)
        custodians.clock.advance(-39 * HOUR)
        with pytest.raises(Unavailable):
            await Arrests(custodians.agency.client(patience=HASTY)).create()
        (behind, _) = (await arrests.board()).clocks
        custodians.clock.set(NOW + timedelta(hours=48))
        await custodians.until(3)
        await custodians.quiet()

        assert levels(await custodians.told(), KIND.KIND_TO_PROSECUTOR, made.name) == [50, 80, 100]
        assert (behind.level, behind.warned_level) == (0, 80)


class TurnedClock(ManualClock):
    """A clock that refuses to tell the time once somebody turned it, as the real one does."""

    turned = False

    def now_us(self) -> int:
        if self.turned:
            raise Unavailable("CLOCK_JUMPED", "the wall clock jumped")
        return super().now_us()

    def now(self) -> datetime:
        return from_us(self.now_us())


async def test_a_turned_clock_leaves_the_board_readable_and_its_warnings_come_when_it_is_right(
    custodians: Custodians,
) -> None:
    custodians.clock = clock = TurnedClock(NOW)
    async with custodians.service() as arrests:
        await arrests.create(an_arrest(restraint=NOW - timedelta(hours=20)))
        clock.turned = True
        clock.advance(10 * HOUR)
        shown = (await arrests.board()).clocks[0]
        told = await custodians.told()
        clock.turned = False
        await custodians.until(1)

    assert shown.kind == KIND.KIND_TO_PROSECUTOR
    assert told == []


async def test_an_acknowledged_warning_names_who_and_is_not_escalated(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW))
        custodians.clock.advance(24 * HOUR)
        await custodians.until(1)
        waiting = (await arrests.board(unacknowledged=True)).clocks
        again = request_id()

        answer = await arrests.acknowledge(waiting[0].name, 50, request=again)

        assert await arrests.acknowledge(waiting[0].name, 50, request=again) == answer
        assert (answer.acknowledger, answer.warned_level) == (f"{AGENCY}/officers/sato", 50)
        assert list((await arrests.board(unacknowledged=True)).clocks) == []
        (told,) = await custodians.told(ClockAcknowledged)
        assert (told.name, told.level, told.note) == (made.name, 50, "(演習)")
        custodians.clock.advance(2 * HOUR)
        await custodians.quiet()
        assert await custodians.told(ClockEscalated) == []
        custodians.clock.advance(13 * HOUR)
        await custodians.until(3)
        (anew,) = (await arrests.board(unacknowledged=True)).clocks
        assert (anew.warned_level, anew.acknowledger) == (80, "")


async def test_a_warning_that_nobody_acknowledges_goes_to_the_named_desk_once(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW))
        custodians.clock.advance(24 * HOUR)
        await custodians.until(1)
        custodians.clock.advance(1799)
        await custodians.quiet()
        early = await custodians.told(ClockEscalated)
        custodians.clock.advance(1)
        (event,) = await custodians.until(1, ClockEscalated)
        await custodians.quiet()

        shown = (await arrests.board(kinds=[KIND.KIND_TO_PROSECUTOR])).clocks[0]
        assert early == []
        assert (event.name, event.level, event.desk) == (made.name, 50, DESK)
        assert shown.escalation_desk == DESK
        assert shown.escalate_time == stamp(custodians.clock.now())
        assert len(await custodians.told(ClockEscalated)) == 1
        late = await arrests.acknowledge(shown.name, 50)
        assert (late.acknowledger, late.escalation_desk) == (f"{AGENCY}/officers/sato", DESK)


async def test_what_cannot_be_acknowledged_is_refused(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW))
        name = f"{made.name}/clocks/to-prosecutor"
        refusals: list[str] = []

        async def refused(name: str, level: int) -> None:
            with pytest.raises((FailedPrecondition, InvalidArgument, NotAllowed)) as told:
                await arrests.acknowledge(name, level)
            refusals.append(told.value.reason)

        await refused(name, 50)  # of nothing was warned yet
        custodians.clock.advance(24 * HOUR)
        await custodians.until(1)
        await refused(name, 80)  # another than was warned of
        await refused(name, 101)
        await refused(f"{made.name}/clocks/detention", 50)
        await refused(f"{made.name}/clocks/unheard-of", 50)
        await refused(f"{AGENCY}/arrests/{uuid7()}/clocks/to-prosecutor", 50)
        await refused(f"{TOKYO}/arrests/{uuid7()}/clocks/to-prosecutor", 50)
        await arrests.acknowledge(name, 50)
        await refused(name, 50)  # it is acknowledged
        await arrests.dispose(made, a_disposition(NOW + timedelta(hours=24)))
        await refused(name, 50)

        assert refusals == [
            "NOTHING_TO_ACKNOWLEDGE",
            "NOTHING_TO_ACKNOWLEDGE",
            "FIELD_INVALID",
            "CLOCK_NOT_RUNNING",
            "CLOCK_NOT_RUNNING",
            "DENIED",
            "FOREIGN_ORIGINATOR",
            "NOTHING_TO_ACKNOWLEDGE",
            "CLOCK_NOT_RUNNING",
        ]
        with pytest.raises(NotAllowed):
            await Arrests(custodians.agency.client("AUDITOR")).acknowledge(name, 50)
        with pytest.raises(NotAllowed):
            await Arrests(custodians.agency.client("AUDITOR")).board()
        with pytest.raises(FailedPrecondition):
            await arrests.board(parent=TOKYO)


async def test_old_records_are_history_and_warn_nobody(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        await arrests.create(an_arrest(restraint=RESTRAINT))
        await custodians.quiet()

        assert list((await arrests.board()).clocks) == []
        assert (await arrests.page()).arrests[-1].clocks[0].overdue


async def test_every_level_of_many_arrests_is_told_once_whatever_the_times(custodians: Custodians) -> None:
    """More than the task takes at once, all due in the same moment."""
    async with custodians.service(clock_acknowledge_minutes=1440) as arrests:
        rows = [an_arrest(restraint=NOW) for _ in range(130)]
        await arrests.load(rows, load_id=request_id())
        custodians.clock.advance(48 * HOUR)
        warned = await custodians.until(3 * 130)
        await custodians.quiet()

        told: dict[str, list[int]] = {}
        for event in warned:
            told.setdefault(event.name, []).append(event.level)
        assert list(told.values()) == [[50, 80, 100]] * 130
