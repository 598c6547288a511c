"""Read a service's log: events by sequence, and the packs that go over NATS."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.event_pb2 import Event, EventBatch
from sqlalchemy import select

from renkei_chassis.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

TYPE_URL: Final = "type.googleapis.com/"
MAX_EVENTS: Final = 1000
MAX_BYTES: Final = 1024 * 1024
_COLUMNS: Final = (
    select(tables.events, tables.payloads.c.salt, tables.payloads.c.data)
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
    found: list[Event] = []
    size = 0
    # One row at a time: a long stretch is cut by its size before it fills the memory.
    with connection.execute(statement) as rows:
        for row in rows:
            event = _event(source, row)
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
    batches = [EventBatch(source=source, epoch=epoch, number=pack.number) for pack in packs]
    place = size = 0
    # One statement for all of them: a question for each pack would cost as much as a write of it.
    stretch = tables.events.c.sequence.between(packs[0].first_sequence, packs[-1].last_sequence)
    with connection.execute(_COLUMNS.where(stretch)) as rows:
        for row in rows:
            while row.sequence > packs[place].last_sequence:
                place += 1
            if place and size > max_bytes and row.sequence == packs[place].first_sequence:
                del batches[place:]
                break
            event = _event(source, row)
            size += event.ByteSize()
            batches[place].events.append(event)
    return [(batch.number, batch.SerializeToString()) for batch in batches]


def _event(source: str, row: Row[Any]) -> Event:
    event = Event.FromString(row.envelope)
    event.source = source
    event.sequence = row.sequence
    event.id = str(uuid.UUID(bytes=row.event_id))
    event.time.FromMicroseconds(row.time_us)
    event.type = row.type
    event.resource = row.resource
    event.digest = row.digest
    if row.erased or row.data is None:
        event.erased = True
    else:
        event.salt = row.salt
        event.data.type_url = TYPE_URL + row.type
        event.data.value = row.data
    return event
