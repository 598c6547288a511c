"""Append events to a service's log: the one place where sequence, time and digest are given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.event_pb2 import AudienceEntry, Event
from sqlalchemy import func, select, update

from renkei_chassis.database import tables
from renkei_chassis.database.erasures import note_erasure
from renkei_chassis.database.rows import insert_rows
from renkei_chassis.database.transaction import RawPayload
from renkei_chassis.errors import Unavailable
from renkei_chassis.ids import uuid7
from renkei_chassis.log.digest import SALT_BYTES, event_digest
from renkei_chassis.log.tail import LogRow, Pack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import NewEvent, Transaction

PACK_BYTES: Final = 192 * 1024  # below what one NATS message may hold, with room for envelopes
_ENVELOPE_ROOM: Final = 320  # source, id, digest, salt, time, and the tags of all fields
MAX_EVENT_BYTES: Final = 384 * 1024  # what the courier's largest message holds beside a batch's own fields


_ERASED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a log ends."""

    sequence: int
    time_us: int
    pack: int


def read_position(connection: Connection) -> Position:
    """Read where the log ends. Raises ValueError where it has a gap, which no crash can make."""
    position = read_end(connection)
    count = connection.execute(select(func.count()).select_from(tables.events)).scalar_one()
    if count != position.sequence:
        raise ValueError(f"the log ends at {position.sequence} and holds {count} events: restore it from a backup")
    return position


def read_end(connection: Connection) -> Position:
    """Read where the log ends, and look at nothing else."""
    last = connection.execute(
        select(tables.events.c.sequence, tables.events.c.time_us).order_by(tables.events.c.sequence.desc()).limit(1)
    ).first()
    pack = connection.execute(select(func.max(tables.packs.c.number))).scalar_one() or 0
    if last is None:
        return Position(sequence=0, time_us=0, pack=pack)
    return Position(sequence=last.sequence, time_us=last.time_us, pack=pack)


def append(
    connection: Connection, new: Sequence[NewEvent], *, after: Position, now_us: int, max_behind_us: int
) -> tuple[Position, Sequence[Pack]]:
    """Write a commit group's events and its packs; returns the new end and the packs, true once the caller commits.

    Time strictly increases, by a microsecond at least. A wall clock that is behind the log by more
    than `max_behind_us` is refused (CLOCK_JUMPED): the log would otherwise run ahead of time for ever.
    """
    if after.time_us - now_us > max_behind_us:
        raise Unavailable(
            "CLOCK_JUMPED",
            "the wall clock is behind the last event of the log; set it right",
            metadata={"behind_seconds": str((after.time_us - now_us) // 1_000_000)},
        )
    sequence, time_us, pack = after.sequence, after.time_us, after.pack
    event_rows: list[dict[str, Any]] = []
    payload_rows: list[dict[str, Any]] = []
    packs: list[Pack] = []
    salts = secrets.token_bytes(SALT_BYTES * len(new))
    for index, event in enumerate(new):
        sequence += 1
        time_us = max(now_us, time_us + 1)
        salt = salts[index * SALT_BYTES : (index + 1) * SALT_BYTES]
        event_row, data = _rows(event, sequence=sequence, time_us=time_us, salt=salt)
        event_rows.append(event_row)
        payload_rows.append({"sequence": sequence, "salt": salt, "data": data})
        size = _size(event_row, data)
        if size > MAX_EVENT_BYTES:
            raise ValueError(f"an event of {size} bytes; no message of the courier holds it")
        if not packs or packs[-1].size + size > PACK_BYTES:
            pack += 1
            packs.append(Pack(number=pack))
        packs[-1].rows.append(LogRow(**event_row, salt=salt, data=data))
        packs[-1].size += size
    insert_rows(connection, tables.events, event_rows)
    insert_rows(connection, tables.payloads, payload_rows)
    insert_rows(
        connection,
        tables.packs,
        [{"number": each.number, "first_sequence": each.first, "last_sequence": each.last} for each in packs],
    )
    return Position(sequence=sequence, time_us=time_us, pack=pack), packs


def _size(row: Mapping[str, Any], data: bytes) -> int:
    """Tell how many bytes of a message the event takes, or a few more."""
    names = 2 * len(row["type"]) + len(row["resource"].encode())
    return len(data) + len(row["envelope"]) + names + _ENVELOPE_ROOM


def _rows(event: NewEvent, *, sequence: int, time_us: int, salt: bytes) -> tuple[dict[str, Any], bytes]:
    if isinstance(event.payload, RawPayload):
        type_name, data = event.payload.type_name, event.payload.data
    else:
        type_name, data = event.payload.DESCRIPTOR.full_name, event.payload.SerializeToString()
    event_id = event.event_id or uuid7()
    envelope = Event(
        audience=[AudienceEntry(agency=agency, grade=grade) for agency, grade in sorted(event.audience.items())],
        may_ignore=event.may_ignore,
        grade=event.grade,
        trace_parent=event.trace_parent,
    )
    if event.origin is not None:
        envelope.origin.CopyFrom(event.origin)
    row = {
        "sequence": sequence,
        "event_id": event_id.bytes,
        "origin_agency": event.origin.agency if event.origin is not None else "",
        "time_us": time_us,
        "type": type_name,
        "resource": event.resource,
        "digest": event_digest(salt=salt, event_id=event_id, time_us=time_us, type_name=type_name, payload=data),
        "erased": False,
        "envelope": envelope.SerializeToString(),
    }
    return row, data


def erase(transaction: Transaction, sequences: Sequence[int]) -> None:
    """Erase payloads in place. Sequence, id, time, type and digest stay; content and salt go, from the files too."""
    note_erasure(transaction)
    for start in range(0, len(sequences), _ERASED_AT_ONCE):
        some = sequences[start : start + _ERASED_AT_ONCE]
        transaction.execute(tables.payloads.delete().where(tables.payloads.c.sequence.in_(some)))
        transaction.execute(update(tables.events).where(tables.events.c.sequence.in_(some)).values(erased=True))


def erase_resource(transaction: Transaction, resource: str, *, origin: str, keep: Collection[str]) -> None:
    """Erase the payloads of all events of a resource that came from `origin` ("": our own), but of some types."""
    events, payloads = tables.events.c, tables.payloads.c
    found = transaction.execute(
        select(events.sequence)
        .join_from(tables.events, tables.payloads, events.sequence == payloads.sequence)
        .where(events.resource == resource, events.origin_agency == origin, events.type.not_in(sorted(keep)))
    ).all()
    if found:
        erase(transaction, [row.sequence for row in found])
