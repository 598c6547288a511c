"""What a rule reads and writes through, inside the writer's batch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from renkei.policy.v1.policy_pb2 import GRADE_UNSPECIFIED

from renkei_chassis.clock import from_us
from renkei_chassis.database.rows import insert_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Origin
    from renkei.policy.v1.policy_pb2 import Grade
    from sqlalchemy import Connection, CursorResult, Executable, Row, Table

    from renkei_chassis.database.prepared import Prepared, Value

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPayload:
    """A payload that is passed on as it came, its type perhaps unknown to this program."""

    type_name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event that a rule hands over; sequence, time and digest are the log's to give.

    `audience` maps agencies to grades and is frozen here: empty means nobody.
    """

    payload: Message | RawPayload
    resource: str
    audience: Mapping[str, Grade.ValueType] = field(default_factory=dict)
    may_ignore: bool = False
    event_id: UUID | None = None
    origin: Origin | None = None
    grade: Grade.ValueType = GRADE_UNSPECIFIED
    trace_parent: str = ""


class Transaction:
    """One batch's transaction, as one request sees it.

    Rows handed over by `insert` go in together, one `executemany` a table, before anything is read
    again; so every row of a table must name the same columns. `now` is the same for a whole batch.
    """

    def __init__(self, connection: Connection, *, now_us: int) -> None:
        """Belongs to the writer."""
        self._connection = connection
        self._pending: dict[Table, list[Mapping[str, Any]]] = {}
        self._before: dict[Table, int] = {}  # how many pending rows are of earlier requests
        self._events_before = 0
        self._own_rows = False
        self._in_database = False  # something of this request is in already; only a rollback takes it back
        self._collected: dict[Callable[[Transaction, Sequence[Any]], None], list[Any]] = {}
        self._collected_before: dict[Callable[[Transaction, Sequence[Any]], None], int] = {}
        self._afterwards: list[Callable[[], None]] = []
        self._afterwards_before = 0
        self.events: list[NewEvent] = []
        self.failure: Exception | None = None
        """What the database refused in this request: rows handed over are lost, whatever the rule makes of it."""
        self.scrubs = False
        self.erases = False
        """Whether messages may hold what is erased here: belongs to `note_erasure`."""
        self.now_us = now_us
        self.trace_parent = ""

    @property
    def now(self) -> datetime:
        """The time of the batch, in UTC."""
        return from_us(self.now_us)

    def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        """Hand over a row."""
        self._own_rows = True
        self._pending.setdefault(table, []).append(row)

    def emit(self, event: NewEvent) -> None:
        """Hand over an event; it gets its place in the log when the batch is complete."""
        if self.trace_parent and not event.trace_parent:
            event = replace(event, trace_parent=self.trace_parent)
        self.events.append(event)

    def scrub(self) -> None:
        """Have what this request deletes wiped from the files too, right after the commit."""
        self.scrubs = True

    def collect(self, close: Callable[[Transaction, Sequence[T]], None], item: T) -> None:
        """Hand over something that belongs together with all others of its kind in this batch.

        `close(transaction, items)` is called once, when every request of the batch is decided; equal
        functions are one kind. Where it raises, the batch is redone and called for each request alone.
        """
        self._collected.setdefault(close, []).append(item)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call something on the event loop once the batch is committed; equal callbacks are called once.

        For waking and counting: it must be quick and not raise.
        """
        self._afterwards.append(callback)

    def execute(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> CursorResult[Any]:
        """Run a statement that sees everything handed over so far.

        What it raises is not to be caught by a rule: the request has failed.
        """
        self.flush()
        if not statement.is_select:
            self._in_database = True
        try:
            return self._connection.execute(statement, rows)
        except Exception as error:
            self.failure = self.failure or error
            raise

    def ask(self, question: Prepared, **values: Value) -> Sequence[Row[Any]]:
        """Run a prepared question, as `execute` would."""
        self.flush()
        try:
            return question.ask(self._connection, **values)
        except Exception as error:
            self.failure = self.failure or error
            raise

    def change(self, statement: Prepared, **values: Value) -> int:
        """Run a prepared statement that changes rows, as `execute` would, and tell how many."""
        self.flush()
        self._in_database = True
        try:
            return statement.change(self._connection, **values)
        except Exception as error:
            self.failure = self.failure or error
            raise

    def first(self, statement: Executable) -> Row[Any] | None:
        """Read at most one row."""
        return self.execute(statement).first()

    def flush(self) -> None:
        """Put in the rows handed over so far."""
        if not self._pending:
            return
        self._in_database = self._in_database or self._own_rows
        self._before = {}
        pending, self._pending = self._pending, {}
        for table, rows in pending.items():
            try:
                insert_rows(self._connection, table, rows)
            except Exception as error:
                self.failure = self.failure or error
                raise

    def begin_request(self, trace_parent: str = "") -> None:
        """Begin the next request of the batch. Belongs to the writer, as does `undo_request`."""
        self._before = {table: len(rows) for table, rows in self._pending.items()}
        self._events_before = len(self.events)
        self._collected_before = {close: len(items) for close, items in self._collected.items()}
        self._afterwards_before = len(self._afterwards)
        self._own_rows = self._in_database = False
        self.failure = None
        self.trace_parent = trace_parent

    def undo_request(self) -> bool:
        """Take back what the request handed over. False: some of it is in the database already."""
        del self.events[self._events_before :]
        del self._afterwards[self._afterwards_before :]
        for table in list(self._pending):
            kept = self._before.get(table, 0)
            del self._pending[table][kept:]
            if not kept:
                del self._pending[table]
        for close in list(self._collected):
            kept = self._collected_before.get(close, 0)
            del self._collected[close][kept:]
            if not kept:
                del self._collected[close]
        return not self._in_database and self.failure is None

    def complete(self) -> None:
        """Close what was collected and put in every row. Belongs to the writer, as does `afterwards`."""
        self.begin_request()
        self.close_collected()

    def close_collected(self) -> None:
        """Close what was collected so far and put in every row. Belongs to the writer."""
        while self._collected:
            collected, self._collected = self._collected, {}
            for close, items in collected.items():
                close(self, items)
        self.flush()

    def afterwards(self) -> Sequence[Callable[[], None]]:
        """Give what is to be called after the commit, each once."""
        return list(dict.fromkeys(self._afterwards))
