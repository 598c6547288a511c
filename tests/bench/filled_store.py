"""Fill the database of a tips service that is not running with what so many CreateTip would have left in it.

Records, identifiers, events of the log and remembered requests, by the service's own functions. What the index of
texts would wait for is left out: it is made behind the calls, and has figures of its own.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import events_pb2, tips_pb2
from sqlalchemy import delete

from renkei_chassis.database import tables
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.requests import Done, row_of
from renkei_chassis.database.transaction import NewEvent, Transaction
from renkei_chassis.log.append import append, read_position
from renkei_chassis.records import own
from renkei_chassis.records.occurrences import search_rows
from renkei_chassis.records.times import set_us
from renkei_tips.record import TIPS
from renkei_tips.store import SCHEMA
from tests.bench.tips_service import AGENCY, create_message

if TYPE_CHECKING:
    from pathlib import Path

    from renkei.tips.v1.tips_pb2 import Tip
    from sqlalchemy import Connection

    from renkei_chassis.log.append import Position

_GROUP: Final = 1000
_BEGIN_US: Final = 1_767_225_600_000_000
_SECOND_US: Final = 1_000_000


def name_of(number: int) -> str:
    """Name one of the records, which are numbered from 0."""
    return f"{AGENCY}/tips/{_id(number)}"


def fill(path: Path, *, first: int, count: int) -> None:
    """Store so many records more, one a second, the first of them of this number."""
    database = Database.open(path, owner=Owner(agency=AGENCY, service="tips"), schema=SCHEMA)
    try:
        with database.writing.begin() as connection:
            position = read_position(connection)
        for start in range(first, first + count, _GROUP):
            with database.writing.begin() as connection:
                position = _group(connection, position, range(start, min(start + _GROUP, first + count)))
        with database.writing.begin() as connection:
            connection.execute(delete(TIPS.tables.texts.pending))
    finally:
        database.close()


def _group(connection: Connection, position: Position, numbers: range) -> Position:
    tip = _tip()
    now_us = _BEGIN_US + numbers[-1] * _SECOND_US
    transaction = Transaction(connection, now_us=now_us)
    for number in numbers:
        record_id = _id(number)
        tip.name = name_of(number)
        tip.identifiers[0].identifier.normal_form = f"renkei_demo_{number}"
        set_us(tip.create_time, _BEGIN_US + number * _SECOND_US)
        own.add(transaction, TIPS, record_id, tip, _BEGIN_US + number * _SECOND_US)
        own.add_identifiers(transaction, TIPS.tables, record_id, search_rows(TIPS, list(tip.identifiers)))
        transaction.emit(NewEvent(payload=events_pb2.TipRecorded(tip=tip), resource=tip.name))
        done = Done(hash=bytes(32), resource=tip.name, version=1)
        transaction.insert(tables.requests, row_of(uuid.UUID(int=number), done, now_us=now_us))
    transaction.complete()
    end, _ = append(connection, transaction.events, after=position, now_us=now_us, max_behind_us=_SECOND_US)
    return end


def _tip() -> Tip:
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    tip.state = tips_pb2.Tip.STATE_RECEIVED
    tip.version = 1
    return tip


def _id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(_BEGIN_US // 1000 + number * 1000) << 80 | 0x7 << 76 | 0x8 << 60 | number)
