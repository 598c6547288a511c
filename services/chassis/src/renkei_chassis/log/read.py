"""Read a service's log: events by sequence, and the packs that go over NATS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.event.v1.event_pb2 import EventBatch
from sqlalchemy import select

from renkei_chassis.database import tables
from renkei_chassis.log.tail import LogRow, Pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import Connection

MAX_EVENTS: Final = 1000
MAX_BYTES: Final = 1024 * 1024
_COLUMNS: Final = (
    select(*(tables.payloads.c[name] if name in {"salt", "data"} else tables.events.c[name] for name in LogRow._fields))
    .join_from(tables.events, tables.payloads, tables.events.c.sequence == tables.payloads.c.sequence, isouter=True)
    .order_by(tables.events.c.sequence)
    .execution_options(stream_results=True)
)


def read_events(
    connection: Connection,
    source: str,
    *,
    after: int,
    limit: int = MAX_EVENTS,
    through: int | None = None,
    max_bytes: int = MAX_BYTES,
) -> list[Event]:
    """Read the events after a place, in order: at most `limit`, and at most about `max_bytes` (1 MiB) of them."""
    statement = _COLUMNS.where(tables.events.c.sequence > after).limit(min(limit, MAX_EVENTS))
    if through is not None:
        statement = statement.where(tables.events.c.sequence <= through)
    with connection.execute(statement) as rows:
        return fitting((LogRow._make(row).event(source) for row in rows), max_bytes)


def fitting(events: Iterable[Event], max_bytes: int) -> list[Event]:
    """Take events while they fit, but at least one; one at a time, so that no long stretch fills the memory."""
    found: list[Event] = []
    size = 0
    for event in events:
        size += event.ByteSize()
        if found and size > max_bytes:
            break
        found.append(event)
    return found


def read_packs(
    connection: Connection, source: str, epoch: str, *, after: int, limit: int, max_bytes: int = MAX_BYTES
) -> list[tuple[int, bytes]]:
    """Read the packs after a number, as (number, serialised EventBatch): the same bytes until something is erased.

    At most `limit`, and none that begins behind about `max_bytes` (1 MiB) of events, but at least one.
    """
    packs = connection.execute(
        select(tables.packs).where(tables.packs.c.number > after).order_by(tables.packs.c.number).limit(limit)
    ).all()
    if not packs:
        return []
    found = [Pack(number=pack.number) for pack in packs]
    place = size = 0
    # One statement for all of them: a question for each pack would cost as much as a write of it.
    stretch = tables.events.c.sequence.between(packs[0].first_sequence, packs[-1].last_sequence)
    with connection.execute(_COLUMNS.where(stretch)) as rows:
        for row in map(LogRow._make, rows):
            while row.sequence > packs[place].last_sequence:
                place += 1
            if place and size > max_bytes and row.sequence == packs[place].first_sequence:
                del found[place:]
                break
            found[place].rows.append(row)
            size += len(row.envelope) + len(row.data or b"")
    return [(pack.number, pack_bytes(source, epoch, pack)) for pack in found]


def pack_bytes(source: str, epoch: str, pack: Pack) -> bytes:
    """Write a pack as the message that it is on NATS."""
    events = [row.event(source) for row in pack.rows]
    return EventBatch(source=source, epoch=epoch, number=pack.number, events=events).SerializeToString()
