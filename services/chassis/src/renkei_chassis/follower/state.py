"""What a follower keeps in its own database: cursor, applied events, and what was set aside."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, func, select

from renkei_chassis.database import tables
from renkei_chassis.database.prepared import Prepared, PreparedForMany

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import Connection, Row, Table
    from sqlalchemy.sql.elements import ColumnElement

    from renkei_chassis.database.prepared import Value
    from renkei_chassis.database.transaction import Transaction


START: Final = bytes(32)
"""The hash over no events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Everything of a log's epoch up to `sequence` is in effect, or set aside."""

    epoch: str
    sequence: int
    apply_time_us: int = 0
    chain: bytes = b""
    """The hash over all of it; empty where it is not known, and nothing is forgotten then."""
    doubt: bytes = b""
    """Not empty: events with ids up to here may be in effect although their ids are not known."""


_MOVED: Final = ("epoch", "sequence", "apply_time_us", "chain", "doubt")
_MOVE: Final = Prepared(
    tables.cursors.update()
    .where(tables.cursors.c.source == bindparam("of_source"))
    .values({name: bindparam(f"new_{name}") for name in _MOVED})
)
_KNOWN: Final = PreparedForMany(
    lambda ids: select(tables.applied.c.origin_agency, tables.applied.c.event_id).where(
        tables.applied.c.source == bindparam("source"), tables.applied.c.event_id.in_(ids)
    )
)
_WAITING: Final = PreparedForMany(
    lambda names: (
        select(tables.set_aside.c.resource)
        .where(tables.set_aside.c.source == bindparam("source"), tables.set_aside.c.resource.in_(names))
        .distinct()
    )
)


def read_cursor(connection: Connection, source: str) -> Cursor:
    """Read how far a log is in effect; an unknown one from the start."""
    row = connection.execute(select(tables.cursors).where(tables.cursors.c.source == source)).first()
    if row is None:
        return Cursor(epoch="", sequence=0, chain=START)
    return Cursor(
        epoch=row.epoch,
        sequence=row.sequence,
        apply_time_us=row.apply_time_us,
        chain=bytes(row.chain),
        doubt=bytes(row.doubt),
    )


def move_cursor(transaction: Transaction, source: str, cursor: Cursor) -> None:
    """Move the cursor, in the transaction of the effect."""
    values: dict[str, Value] = {
        "epoch": cursor.epoch,
        "sequence": cursor.sequence,
        "apply_time_us": transaction.now_us,
        "chain": cursor.chain,
        "doubt": cursor.doubt,
    }
    moved = {f"new_{name}": value for name, value in values.items()}
    if not transaction.change(_MOVE, of_source=source, **moved):
        transaction.execute(tables.cursors.insert().values(source=source, **values))


def event_key(event: Event) -> bytes:
    """Give the event's id as 16 bytes; one that is no UUID still has its own."""
    try:
        return uuid.UUID(event.id).bytes
    except ValueError:
        return hashlib.sha256(event.id.encode()).digest()[:16]


def unapplied(transaction: Transaction, source: str, events: Sequence[Event]) -> list[Event]:
    """Leave out what is in effect already, by event id: a restored log offers everything again.

    What is offered again has a new place in the log, which is noted.
    """
    ids = [event_key(event) for event in events]
    found = _KNOWN.ask(transaction, ids, source=source)
    known = {(row.origin_agency, bytes(row.event_id)) for row in found}
    fresh = []
    for event, event_id in zip(events, ids, strict=True):
        if (event.origin.agency, event_id) in known:
            for table in (tables.applied, tables.set_aside):
                moved = table.update().where(_is(source, event.origin.agency, event_id, table))
                transaction.execute(moved.values(sequence=event.sequence))
        else:
            fresh.append(event)
    return fresh


def remember_applied(transaction: Transaction, source: str, event: Event) -> None:
    """Note that an event is in effect, or was set aside."""
    transaction.insert(
        tables.applied,
        {
            "source": source,
            "origin_agency": event.origin.agency,
            "event_id": event_key(event),
            "sequence": event.sequence,
        },
    )


def put_aside(transaction: Transaction, source: str, event: Event, reason: str) -> None:
    """Set an event aside; its content stays in the log it came from."""
    transaction.insert(
        tables.set_aside,
        {
            "source": source,
            "sequence": event.sequence,
            "event_id": event_key(event),
            "origin_agency": event.origin.agency,
            "type": event.type,
            "resource": event.resource,
            "reason": reason,
            "attempts": 1,
            "time_us": transaction.now_us,
        },
    )


def resources_aside(transaction: Transaction, source: str, events: Sequence[Event]) -> set[str]:
    """Name those resources of the events whose later events must wait."""
    names = sorted({event.resource for event in events if event.resource})
    return {row.resource for row in _WAITING.ask(transaction, names, source=source)}


def is_aside(transaction: Transaction, source: str, event: Event) -> bool:
    """Tell whether an event is still set aside."""
    statement = select(tables.set_aside.c.sequence).where(_is(source, event.origin.agency, event_key(event)))
    return transaction.first(statement) is not None


def take_back(transaction: Transaction, source: str, event: Event) -> None:
    """Forget that an event was set aside: it is in effect now."""
    transaction.execute(tables.set_aside.delete().where(_is(source, event.origin.agency, event_key(event))))


def count_attempt(transaction: Transaction, source: str, event: Event, reason: str) -> None:
    """Note that an event that was set aside failed again."""
    transaction.execute(
        tables.set_aside.update()
        .where(_is(source, event.origin.agency, event_key(event)))
        .values(attempts=tables.set_aside.c.attempts + 1, reason=reason)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """How many events of a log are set aside, and since when the oldest is; 0 where none is."""

    count: int
    oldest_us: int


def read_aside(connection: Connection, source: str) -> Aside:
    """Count what is set aside."""
    columns = tables.set_aside.c
    row = connection.execute(select(func.count(), func.min(columns.time_us)).where(columns.source == source)).one()
    return Aside(count=row[0], oldest_us=row[1] or 0)


def list_aside(
    connection: Connection, *, source: str = "", after: tuple[str, int] = ("", 0), limit: int = 1000
) -> Sequence[Row[Any]]:
    """List what is set aside, by log and sequence."""
    columns = tables.set_aside.c
    beyond = (columns.source > after[0]) | and_(columns.source == after[0], columns.sequence > after[1])
    statement = select(tables.set_aside).where(beyond).order_by(columns.source, columns.sequence).limit(limit)
    if source:
        statement = statement.where(columns.source == source)
    return connection.execute(statement).all()


def _is(source: str, origin_agency: str, event_id: bytes, table: Table = tables.set_aside) -> ColumnElement[bool]:
    columns = table.c
    return and_(columns.source == source, columns.origin_agency == origin_agency, columns.event_id == event_id)
