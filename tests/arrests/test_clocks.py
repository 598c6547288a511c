"""The board over a real connection: what is warned of, when, once; who answered; and what leaves it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2, clocks_pb2
from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub
from renkei.arrests.v1.custody_pb2 import CUSTODY_NOTICE_CHILD_GUIDANCE_CENTRE, Custody, Detention, Warrant
from renkei.arrests.v1.events_pb2 import ClockAcknowledged, ClockEscalated, ClockWarned
from sqlalchemy import MetaData, create_engine, inspect, select

from renkei_arrests.settings import Settings
from renkei_arrests.store import CLOCKS, SCHEMA, TABLES
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock, from_us
from renkei_chassis.database.schema import Schema, migrate
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, Unavailable
from renkei_chassis.ids import uuid7
from renkei_chassis.records.tables import record_tables
from tests.agency import AGENCY, MEMBERS, TOKYO, Agency, request_id, run_agency
from tests.arrests.calls import RESTRAINT, Arrests, a_disposition, an_arrest, japan, stamp
from tests.running import HASTY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

KIND = arrests_pb2.Clock
HOUR = 3600.0
NOW = WallClock().now().replace(microsecond=0)
DESK = "(演習) 当直責任者"


class Custodians:
    """A service whose clock is moved by hand, and that can be started again over the same database."""

    def __init__(self, directory: Path, ports: PortClaims) -> None:
        self.directory = directory
        self.ports = ports
        self.clock = ManualClock(NOW)
        self.arrests: Arrests
        self.agency: Agency

    @asynccontextmanager
    async def service(self, **changes: Any) -> AsyncIterator[Arrests]:  # noqa: ANN401 (settings of many types)
        given = {"clock_seconds": 0.01, "clock_escalation_desk": DESK, "release_without_instrument": True}
        settings = Settings(members=MEMBERS, **{**given, **changes})
        async with run_agency(blueprint(settings), self.directory, self.ports, clock=self.clock) as self.agency:
            self.arrests = Arrests(self.agency.client())
            yield self.arrests

    async def until(self, count: int, of: type = ClockWarned) -> list[Any]:
        """Wait until so many events of a kind are there; the looking is the clocks' own."""
        async with asyncio.timeout(20):
            while len(found := await self.told(of)) < count:  # noqa: ASYNC110 (another task sets no event)
                await asyncio.sleep(0.005)
        return found

    async def told(self, of: type = ClockWarned) -> list[Any]:
        kind: Any = of
        return [
            kind.FromString(event.data.value)
            for event in await self.agency.events()
            if event.type == kind.DESCRIPTOR.full_name
        ]

    async def quiet(self) -> None:
        """Wait until the task has looked twice more, so that whatever is due has happened."""
        struck = await self.arrests.create(an_arrest(restraint=self.clock.now() - timedelta(hours=24)))
        async with asyncio.timeout(20):
            while struck.name not in {event.name for event in await self.told()}:  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.005)
        await self.arrests.delete(struck.name)


@pytest.fixture
def custodians(tmp_path: Path, ports: PortClaims, kind: str) -> Custodians:
    return Custodians(tmp_path, ports)


def levels(events: list[Any], kind: KIND.Kind.ValueType, name: str = "") -> list[int]:
    return [event.level for event in events if event.kind == kind and name in {"", event.name}]


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


async def test_the_board_is_paged_soonest_first_and_filtered(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = [
            await arrests.create(an_arrest(restraint=NOW - timedelta(hours=hours), case_reference=f"演習{hours}"))
            for hours in (1, 30, 45, 50)
        ]
        await custodians.until(6)
        pages, token = [], ""
        while True:
            page = await arrests.board(page_size=3, page_token=token)
            pages.append(page.clocks)
            token = page.next_page_token
            if not token:
                break

        found = [clock for page in pages for clock in page]
        soonest = (await arrests.board(min_level=80, kinds=[KIND.KIND_TO_PROSECUTOR])).clocks
        assert [len(page) for page in pages] == [3, 3, 2]
        assert [clock.due_time.seconds for clock in found] == sorted(clock.due_time.seconds for clock in found)
        assert [clock.arrest for clock in found[:4]] == [arrest.name for arrest in reversed(made)]
        assert found[0].case_reference == "演習50"
        assert [(clock.arrest, clock.level) for clock in soonest] == [(made[3].name, 100), (made[2].name, 80)]
        assert [clock.arrest for clock in (await arrests.board(overdue=True)).clocks] == [made[3].name]
        assert len((await arrests.board(unacknowledged=True)).clocks) == 3


async def test_each_fact_moves_the_board_and_a_disposition_clears_it(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        restraint = japan(1, 3, 15).replace(year=NOW.year + 1)
        custodians.clock.set(restraint)
        made = await arrests.create(an_arrest(restraint=restraint, kind=KIND_URGENT))

        async def kinds() -> list[str]:
            shown = (await arrests.board()).clocks
            return [KIND.Kind.Name(clock.kind).removeprefix("KIND_") for clock in shown]

        async def record(*paths: str, **facts: Any) -> list[str]:  # noqa: ANN401 (fields of many types)
            nonlocal made
            custodians.clock.advance(60)
            change = arrests_pb2.Arrest(name=made.name, etag=made.etag, **facts)
            made = await arrests.update(change, *paths)
            return await kinds()

        at = custodians.clock.now
        assert await kinds() == ["URGENT_WARRANT", "TO_PROSECUTOR", "LONGEST"]
        warrant = Warrant(number="(演習)7", issuing_court="(演習) 簡易裁判所", issue_time=stamp(at()))
        assert await record("custody.warrant", custody=Custody(warrant=warrant)) == ["TO_PROSECUTOR", "LONGEST"]
        received = await record("prosecutor_receipt_time", prosecutor_receipt_time=stamp(at()))
        assert received == ["DETENTION_REQUEST", "LONGEST"]
        requested = await record("detention_request_time", detention_request_time=stamp(at()))
        assert requested == ["DETENTION", "LONGEST"]
        extension = Detention(grant_time=stamp(at()), extension_grant_time=stamp(at()), extension_days=10)
        extended = await record("custody.detention", custody=Custody(detention=extension))
        assert extended == ["DETENTION_EXTENSION", "LONGEST"]
        first, last = (await arrests.board()).clocks
        assert (first.due_time.ToDatetime(), last.due_time.ToDatetime()) == (
            datetime(NOW.year + 1, 10, 20, 15),  # noqa: DTZ001 (UTC: the end of the 20th in Japan)
            datetime(NOW.year + 1, 10, 23, 15),  # noqa: DTZ001
        )
        assert made.custody.warrant.number == "(演習)7"
        await arrests.dispose(made, a_disposition(at()))
        assert await kinds() == []


KIND_URGENT = arrests_pb2.Arrest.KIND_URGENT


async def test_a_deleted_record_leaves_the_board_and_comes_back_with_what_was_warned(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)
        await arrests.acknowledge(f"{made.name}/clocks/to-prosecutor", 50)

        await arrests.delete(made.name)
        gone = (await arrests.board()).clocks
        await arrests.undelete(made.name)

        assert list(gone) == []
        back = (await arrests.board()).clocks[0]
        assert (back.warned_level, back.acknowledger) == (50, f"{AGENCY}/officers/sato")
        await custodians.quiet()
        assert levels(await custodians.told(), KIND.KIND_TO_PROSECUTOR, made.name) == [50]


async def test_a_correction_of_the_restraint_moves_the_clock_and_warns_anew(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)

        earlier = arrests_pb2.Arrest(name=made.name, etag=made.etag, restraint_time=stamp(NOW - timedelta(hours=40)))
        await arrests.update(earlier, "restraint_time")
        warned = await custodians.until(3)

        assert levels(warned, KIND.KIND_TO_PROSECUTOR) == [50, 50, 80]


async def test_old_records_are_history_and_warn_nobody(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        await arrests.create(an_arrest(restraint=RESTRAINT))
        await custodians.quiet()

        assert list((await arrests.board()).clocks) == []
        assert (await arrests.page()).arrests[-1].clocks[0].overdue


async def test_a_late_referral_is_told_with_its_reason_and_stays_overdue(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        late = NOW + timedelta(hours=49)
        custodians.clock.set(late)
        custody = Custody(prosecutor_delay_reason="(演習) 離島からの護送、荒天")
        made = await arrests.create(an_arrest(restraint=NOW, prosecutor_receipt_time=stamp(late), custody=custody))

        assert (made.clocks[0].overdue, made.clocks[0].delay_reason) == (True, "(演習) 離島からの護送、荒天")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(
                    detention=Detention(juvenile_measure=True, extension_grant_time=stamp(japan(12)), extension_days=10)
                ),
            },
            "EXTENSION_FORBIDDEN",
            "arrest.custody.detention.extension_days",
        ),
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(detention=Detention(juvenile_measure=True)),
                "person": arrests_pb2.Person(birth_date="1990-01-01"),
            },
            "MEASURE_FORBIDDEN",
            "arrest.custody.detention.juvenile_measure",
        ),
        (
            {"custody": Custody(warrant=Warrant(issue_time=stamp(RESTRAINT), refuse_time=stamp(RESTRAINT)))},
            "CUSTODY_CONTRADICTORY",
            "arrest.custody.warrant.refuse_time",
        ),
        (
            {"custody": Custody(warrant=Warrant(issue_time=stamp(japan(1, 3, 16))))},
            "TIMES_OUT_OF_ORDER",
            "arrest.restraint_time",
        ),
        (
            {
                "detention_request_time": stamp(japan(3)),
                "custody": Custody(detention=Detention(grant_time=stamp(japan(2)))),
            },
            "TIMES_OUT_OF_ORDER",
            "arrest.custody.detention.grant_time",
        ),
        (
            {"custody": Custody(detention=Detention(extension_days=11))},
            "FIELD_INVALID",
            "arrest.custody.detention.extension_days",
        ),
    ],
)
async def test_facts_that_the_law_forbids_are_refused(
    arrests: Arrests, changes: dict[str, Any], reason: str, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(**changes))

    assert refused.value.reason == reason
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_a_juvenile_is_not_indicted_before_the_family_court_sent_the_case_back(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(person=arrests_pb2.Person(birth_date="2008-01-01")))
    with pytest.raises(InvalidArgument) as refused:
        await arrests.dispose(made)
    back = arrests_pb2.Arrest(
        name=made.name, etag=made.etag, custody=Custody(returned_to_prosecutor_time=stamp(japan(15)))
    )
    returned = await arrests.update(back, "custody.returned_to_prosecutor_time")

    assert refused.value.reason == "INDICTMENT_FORBIDDEN"
    assert (await arrests.dispose(returned)).state == arrests_pb2.Arrest.STATE_DISPOSED


async def test_a_child_has_no_clock_and_the_child_guidance_centre_is_shown(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        child = arrests_pb2.Person(birth_date=f"{NOW.year - 12}-01-01")
        made = await arrests.create(an_arrest(restraint=NOW, person=child))

        assert list(made.clocks) == list((await arrests.board()).clocks) == []
        assert list(made.notices) == [CUSTODY_NOTICE_CHILD_GUIDANCE_CENTRE]


async def test_the_watch_tells_each_change_of_the_board_and_resumes(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        stub = custodians.agency.client().stub(ClocksServiceStub)
        seen: list[tuple[str, str, int]] = []

        async def follow(count: int, token: str = "") -> str:
            async with aclosing(
                arrests.client.watch(stub.WatchClocks, clocks_pb2.WatchClocksRequest(resume_token=token))
            ) as answers:
                async for answer in answers:
                    seen.extend((c.kind, c.arrest, len(c.clocks)) for c in answer.changes)
                    token = answer.resume_token
                    if len(seen) >= count:
                        return token
            raise AssertionError

        begun = await follow(0)
        await arrests.create(an_arrest(restraint=RESTRAINT))  # history: never on the board
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)
        token = await follow(2, begun)
        disposed = await arrests.dispose(made, a_disposition(NOW))
        await follow(3, token)

        assert [kind for kind, *_ in seen] == ["ArrestRecorded", "ClockWarned", "DispositionRecorded"]
        assert {name for _, name, _ in seen} == {disposed.name}
        assert [count for *_, count in seen] == [2, 2, 0]


async def test_at_its_start_the_service_mends_rows_that_settings_or_an_older_program_left(
    custodians: Custodians,
) -> None:
    async with custodians.service() as arrests:
        urgent = await arrests.create(an_arrest(restraint=NOW, kind=KIND_URGENT))
        lacking = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)

        def forget(transaction: Any) -> None:  # noqa: ANN401 (as the writer calls it)
            records = transaction.execute(select(TABLES.records)).all()
            found = [row.id for row in records if lacking.name.encode() in row.content]
            transaction.execute(CLOCKS.delete().where(CLOCKS.c.record_id.in_(found)))

        await custodians.agency.service.writer.run(forget)
        assert len((await arrests.board()).clocks) == 3
    async with custodians.service(urgent_alarm_minutes=10) as arrests:
        await custodians.until(2)
        async with asyncio.timeout(20):
            while (await arrests.board(kinds=[KIND.KIND_URGENT_WARRANT])).clocks[0].due_time != stamp(  # noqa: ASYNC110
                NOW + timedelta(minutes=10)
            ):
                await asyncio.sleep(0.005)

        assert len((await arrests.board()).clocks) == 5
        assert (await arrests.get(urgent.name)).clocks[0].due_time == stamp(NOW + timedelta(minutes=10))


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


def test_a_database_of_a_program_that_knew_no_clocks_gets_their_table() -> None:
    metadata = MetaData()
    record_tables(metadata, "arrest")
    with create_engine("sqlite://").begin() as connection:
        migrate(connection, [Schema(component="arrests", metadata=metadata)])
        before = inspect(connection).has_table(CLOCKS.name)

        migrate(connection, [SCHEMA])

        made = {index["name"] for index in inspect(connection).get_indexes(CLOCKS.name)}
        assert (before, made) == (False, {"arrest_clock_by_due", "arrest_clock_by_look"})
