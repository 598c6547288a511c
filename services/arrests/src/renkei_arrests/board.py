"""ClocksService: the board of clocks that run, its changes, and the answer to a warning."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from renkei.arrests.v1 import clocks_pb2
from renkei.arrests.v1.arrests_pb2 import Clock
from renkei.arrests.v1.events_pb2 import ArrestRecorded, ClockAcknowledged
from sqlalchemy import and_, select, tuple_

from renkei_arrests import clock_rows, custody
from renkei_arrests.store import CLOCKS, TABLES
from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.log.watch import Watch, in_parts
from renkei_chassis.records import own
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE
from renkei_chassis.records.rules import denied, foreign_originator
from renkei_chassis.resource_names import AGENCY, Pattern
from renkei_chassis.rpc.methods import Call, ReadMethod, StreamMethod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import ColumnElement, Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.kind import RecordKind
    from renkei_chassis.rpc.methods import Method
    from renkei_chassis.rpc.page_tokens import PageTokens

SERVICE: Final = "renkei.arrests.v1.ClocksService"
_NAME: Final = Pattern("agencies/{agency}/arrests/{arrest}/clocks/{clock}")
_SLUGS: Final = {
    number: name.removeprefix("KIND_").lower().replace("_", "-") for name, number in Clock.Kind.items() if number
}
_KINDS: Final = {slug: number for number, slug in _SLUGS.items()}
# An answer of a watch holds the clocks of so many arrests, some 2 KiB each at most.
_CHANGES: Final = 200


class Board:
    """The methods of ClocksService for one agency."""

    def __init__(
        self,
        kind: RecordKind,
        *,
        agency: str,
        database: Database,
        tokens: PageTokens,
        changes: Changes,
        now_us: Callable[[], int],
    ) -> None:
        """Take the kind of arrests, and a clock that also tells the time after somebody turned it."""
        self._kind = kind
        self._agency = agency
        self._prefix = f"{agency}/arrests/"
        self._database = database
        self._tokens = tokens
        self._watched = Watch(changes, answer=clocks_pb2.WatchClocksResponse, make=self._answers)
        self._now_us = now_us

    def methods(self) -> Mapping[str, Method]:
        """Give every method of the contract."""
        return {
            "ListClocks": ReadMethod(answer=self._list),
            "WatchClocks": StreamMethod(answers=self._watch),
            "AcknowledgeClock": WriteMethod(rule=self._acknowledge, rebuild=self._rebuild),
        }

    async def _list(self, request: clocks_pb2.ListClocksRequest, call: Call) -> clocks_pb2.ListClocksResponse:
        del call
        if request.parent != self._agency:
            AGENCY.parse(request.parent, field="parent")
            raise foreign_originator(request.parent)
        position = self._tokens.decode("ListClocks", request, request.page_token)
        size = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        now_us = self._now_us()
        conditions = list(_conditions(request, position, now_us))
        rows = await self._database.read(partial(_rows, conditions, size + 1))
        shown = rows[:size]
        last = shown[-1] if len(rows) > size else None
        return clocks_pb2.ListClocksResponse(
            clocks=[self._shown(row, now_us) for row in shown],
            next_page_token=(
                ""
                if last is None
                else self._tokens.encode("ListClocks", request, (last.due_us, bytes(last.record_id).hex(), last.kind))
            ),
        )

    def _watch(self, request: clocks_pb2.WatchClocksRequest, call: Call) -> AsyncIterator[bytes]:
        del call
        return self._watched.watch(resume_token=request.resume_token, from_start=False)

    async def _answers(self, events: Sequence[Event]) -> Sequence[tuple[int, clocks_pb2.WatchClocksResponse]]:
        mine = [event for event in events if event.resource.startswith(self._prefix)]
        *before, (_, last) = in_parts(((event.sequence, 1, event) for event in mine), most=_CHANGES) or [(0, [])]
        parts = [*before, (events[-1].sequence, last)]
        return [(through, clocks_pb2.WatchClocksResponse(changes=await self._changed(part))) for through, part in parts]

    async def _changed(self, events: Sequence[Event]) -> list[clocks_pb2.ClockChange]:
        ids = {UUID(event.resource.removeprefix(self._prefix)).bytes for event in events}
        columns = CLOCKS.c
        rows = await self._database.read(partial(_rows, [columns.running == 1, columns.record_id.in_(ids)], None))
        now_us = self._now_us()
        running: dict[str, list[clocks_pb2.RunningClock]] = {}
        for row in rows:
            shown = self._shown(row, now_us)
            running.setdefault(shown.arrest, []).append(shown)
        recorded = ArrestRecorded.DESCRIPTOR.full_name
        return [
            clocks_pb2.ClockChange(
                kind=event.type.rpartition(".")[2],
                arrest=event.resource,
                clocks=running.get(event.resource, ()),
                time=event.time,
            )
            for event in events
            if event.resource in running or event.type != recorded  # what is history never was on the board
        ]

    def _acknowledge(
        self, transaction: Transaction, request: clocks_pb2.AcknowledgeClockRequest, caller: Principal
    ) -> Written:
        ids = _NAME.parse(request.name)
        arrest = f"agencies/{ids['agency']}/arrests/{ids['arrest']}"
        agency, record_id = self._kind.parse(arrest)
        if agency != self._agency:
            raise foreign_originator(agency)
        if own.find(transaction, self._kind.tables, record_id) is None:
            raise denied(self._kind)
        row = clock_rows.find(transaction, record_id.bytes, _KINDS.get(ids["clock"], 0))
        if row is None or not row.running:
            raise FailedPrecondition("CLOCK_NOT_RUNNING", "the clock does not run; read the board again")
        if row.level != request.level or row.acknowledge_us is not None:
            raise FailedPrecondition(
                "NOTHING_TO_ACKNOWLEDGE", "no such warning waits for an answer; read the clock again"
            )
        clock_rows.acknowledge(transaction, row, acknowledger=caller.subject)
        event = ClockAcknowledged(
            name=arrest, kind=row.kind, level=row.level, acknowledger=caller.subject, note=request.note
        )
        clock_rows.tell(transaction, event, row)
        answer = self._rebuild(transaction, request.name, request.level)
        if answer is None:
            raise denied(self._kind)
        return Written(answer=answer, resource=request.name, version=request.level)

    def _rebuild(self, transaction: Transaction, resource: str, _level: int) -> clocks_pb2.RunningClock | None:
        ids = _NAME.parse(resource)
        columns = CLOCKS.c
        key = and_(columns.record_id == UUID(ids["arrest"]).bytes, columns.kind == _KINDS[ids["clock"]])
        row = transaction.first(_joined().where(key))
        return None if row is None else self._shown(row, transaction.now_us)

    def _shown(self, row: Row[Any], now_us: int) -> clocks_pb2.RunningClock:
        arrest = f"{self._prefix}{UUID(bytes=bytes(row.record_id))}"
        clock = clocks_pb2.RunningClock(
            name=f"{arrest}/clocks/{_SLUGS[row.kind]}",
            arrest=arrest,
            kind=row.kind,
            overdue=row.due_us < now_us,
            level=custody.level_at(row.start_us, row.due_us, now_us),
            warned_level=row.level,
            acknowledger=row.acknowledger,
            escalation_desk=row.desk,
            case_reference=row.case_reference,
        )
        clock.start_time.FromMicroseconds(row.start_us)
        clock.due_time.FromMicroseconds(row.due_us)
        for field in ("warn", "acknowledge", "escalate"):
            moment = getattr(row, f"{field}_us")
            if moment is not None:
                getattr(clock, f"{field}_time").FromMicroseconds(moment)
        return clock


def _joined() -> Any:  # noqa: ANN401 (a select of two tables)
    records = TABLES.records.c
    return select(CLOCKS, records.case_reference).join(TABLES.records, records.id == CLOCKS.c.record_id)


def _rows(conditions: Sequence[ColumnElement[bool]], limit: int | None, connection: Connection) -> Sequence[Row[Any]]:
    columns = CLOCKS.c
    order = (columns.due_us, columns.record_id, columns.kind)
    return connection.execute(_joined().where(*conditions).order_by(*order).limit(limit)).all()


def _conditions(
    request: clocks_pb2.ListClocksRequest, position: Sequence[Any] | None, now_us: int
) -> Iterator[ColumnElement[bool]]:
    columns = CLOCKS.c
    yield columns.running == 1
    if position is not None:
        due_us, record_id, kind = position
        after = (int(due_us), bytes.fromhex(record_id), int(kind))
        yield tuple_(columns.due_us, columns.record_id, columns.kind) > after
    if request.kinds:
        yield columns.kind.in_(sorted(request.kinds))
    if request.overdue:
        yield columns.due_us < now_us
    if request.unacknowledged:
        yield and_(columns.level > 0, columns.acknowledge_us.is_(None))
    if request.min_level:
        # start + (due - start) * level / 100, as `threshold_us` has it, in whole microseconds on both databases
        yield (columns.due_us - columns.start_us) * request.min_level <= (now_us - columns.start_us) * 100 + 99
