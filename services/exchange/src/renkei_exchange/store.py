"""Keep the lanes: where each stands, and of what goes out the headers and, apart from them, the items."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from renkei.exchange.v1.exchange_pb2 import LANE_DATA, Lane
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    and_,
    select,
    update,
)

from renkei_chassis.database import tables
from renkei_chassis.database.erasures import note_erasure
from renkei_chassis.database.schema import Schema
from renkei_exchange.lane import Item, Made, Position, assemble, head_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from renkei.policy.v1.policy_pb2 import Grade
    from sqlalchemy import Connection, Row, Select
    from sqlalchemy.sql.elements import ColumnElement

    from renkei_chassis.database.transaction import Transaction

SLICE_BYTES: Final = 1024 * 1024
SLICE_BUNDLES: Final = 200
PURGED: Final = frozenset(
    {"renkei.tips.v1.TipPurged", "renkei.tips.v1.OpinionPurged", "renkei.arrests.v1.ArrestPurged"}
)
"""What says that a record is gone for ever, with everything of it that stands here."""

_metadata: Final = MetaData()
_Number: Final = BigInteger().with_variant(Integer, "sqlite")

# One row for each peer, lane and direction. A peer is an agency, `agencies/jp-12`.
lanes: Final = Table(
    "lane",
    _metadata,
    Column("peer", String(32), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("outbound", Boolean, nullable=False),
    Column("epoch", String(36), nullable=False),
    # Outbound the last that was made, inbound the last that is committed.
    Column("bundle", BigInteger, nullable=False),
    Column("item", BigInteger, nullable=False),
    Column("head", LargeBinary(32), nullable=False),
    # Through which bundle the receiver is known to have committed: outbound what we heard, inbound what we told.
    Column("received", BigInteger, nullable=False),
    # When the receiver last committed something, as far as known here.
    Column("receive_time_us", BigInteger, nullable=False),
    Column("blocked", String(64), nullable=False),
    PrimaryKeyConstraint("peer", "lane", "outbound"),
)

bundles: Final = Table(
    "bundle_header",
    _metadata,
    Column("peer", String(32), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("first_item", BigInteger, nullable=False),
    Column("last_item", BigInteger, nullable=False),
    # Of header and items together, so that a slice can be cut before anything large is read.
    Column("size", Integer, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("header", LargeBinary, nullable=False),
    PrimaryKeyConstraint("peer", "lane", "number"),
)

# Also the dissemination ledger: what was sent of which record, to whom, how much of it, when.
items: Final = Table(
    "bundle_item",
    _metadata,
    Column("id", _Number, primary_key=True),
    Column("peer", String(32), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("item", BigInteger, nullable=False),
    Column("bundle", BigInteger, nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("type", String(256), nullable=False),
    Column("resource", String(200), nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    # Both go when the item is withheld; its digest stays in the header.
    Column("salt", LargeBinary(16)),
    Column("body", LargeBinary),
    UniqueConstraint("peer", "lane", "item"),
    Index("bundle_item_by_resource", "resource", "id"),
    Index("bundle_item_by_peer", "peer", "lane", "id"),
)

# Messages of imminent harm, sent (with a sender) and received (without).
harm: Final = Table(
    "imminent_harm",
    _metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
    Column("recipients", String(2200), nullable=False),
    Column("sender", String(128), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("review_us", BigInteger, nullable=False),
    Column("reviewer", String(128), nullable=False),
    Column("review_note", String(2000), nullable=False),
)

SCHEMA: Final = Schema(component="exchange", metadata=_metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """Where one lane stands in one direction."""

    position: Position
    received: int = 0
    receive_time_us: int = 0
    blocked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutItem:
    """Something for one lane: the item's body, and what the ledger says of it."""

    peer: str
    lane: Lane.ValueType
    body: bytes
    event_id: uuid.UUID
    type_name: str
    resource: str
    grade: Grade.ValueType


def read_state(
    reader: Connection | Transaction, peer: str, lane: Lane.ValueType, *, outbound: bool, epoch: str = ""
) -> LaneState:
    """Read where a lane stands; one that was never used is at the start of `epoch`."""
    row = reader.execute(_state_of(peer, lane, outbound=outbound)).first()
    if row is None:
        return LaneState(position=Position(epoch=epoch))
    position = Position(epoch=row.epoch, bundle=row.bundle, item=row.item, head=bytes(row.head))
    return LaneState(position=position, received=row.received, receive_time_us=row.receive_time_us, blocked=row.blocked)


@lru_cache(maxsize=1024)
def _state_of(peer: str, lane: Lane.ValueType, *, outbound: bool) -> Select[Any]:
    """Ask where a lane stands. Kept: each relay asks once a second, and to write the question costs most of that."""
    return select(lanes).where(_is(peer, lane, outbound=outbound))


def write_state(transaction: Transaction, peer: str, lane: Lane.ValueType, state: LaneState, *, outbound: bool) -> None:
    """Write where a lane stands."""
    values = {
        "epoch": state.position.epoch,
        "bundle": state.position.bundle,
        "item": state.position.item,
        "head": state.position.head,
        "received": state.received,
        "receive_time_us": state.receive_time_us,
        "blocked": state.blocked,
    }
    moved = transaction.execute(update(lanes).where(_is(peer, lane, outbound=outbound)).values(**values))
    if moved.rowcount == 0:
        transaction.execute(lanes.insert().values(peer=peer, lane=lane, outbound=outbound, **values))


def add_bundle(transaction: Transaction, peer: str, lane: Lane.ValueType, made: Made, out: Sequence[OutItem]) -> None:
    """Keep a bundle that was made: header and items apart."""
    transaction.insert(
        bundles,
        {
            "peer": peer,
            "lane": lane,
            "number": made.position.bundle,
            "first_item": made.first_item,
            "last_item": made.position.item,
            "size": len(made.header) + sum(len(item.body) for item in made.items),
            "signature": b"",
            "header": made.header,
        },
    )
    for number, (item, told) in enumerate(zip(made.items, out, strict=True), start=made.first_item):
        transaction.insert(
            items,
            {
                "peer": peer,
                "lane": lane,
                "item": number,
                "bundle": made.position.bundle,
                "event_id": told.event_id.bytes,
                "type": told.type_name,
                "resource": told.resource,
                "grade": told.grade,
                "time_us": transaction.now_us,
                "salt": item.salt,
                "body": item.body,
            },
        )


def read_bundles(
    connection: Connection, peer: str, lane: Lane.ValueType, *, after: int, limit: int = SLICE_BUNDLES
) -> list[tuple[int, bytes]]:
    """Read bundles after a number, in order, put together for sending: at most about 1 MiB of them, at least one."""
    statement = (
        select(bundles)
        .where(bundles.c.peer == peer, bundles.c.lane == lane, bundles.c.number > after)
        .order_by(bundles.c.number)
        .limit(min(limit, SLICE_BUNDLES))
        .execution_options(stream_results=True)
    )
    found: list[tuple[int, bytes]] = []
    size = 0
    # One row at a time: a long lane is cut by its size before it fills the memory.
    for row in connection.execute(statement):
        size += row.size
        if found and size > SLICE_BYTES:
            break
        parts = _read_items(connection, peer, lane, row.first_item, row.last_item)
        found.append((row.number, assemble(bytes(row.header), bytes(row.signature), parts)))
    return found


def _read_items(
    connection: Connection, peer: str, lane: Lane.ValueType, first: int, last: int
) -> Sequence[Item | None]:
    statement = (
        select(items.c.salt, items.c.body)
        .where(items.c.peer == peer, items.c.lane == lane, items.c.item.between(first, last))
        .order_by(items.c.item)
    )
    return [
        None if row.body is None else Item(body=bytes(row.body), salt=bytes(row.salt))
        for row in connection.execute(statement)
    ]


def withhold(transaction: Transaction, peer: str, lane: Lane.ValueType, numbers: Sequence[int]) -> None:
    """Take the content of items away. Their digests stay, so that the lane still verifies."""
    transaction.execute(
        update(items)
        .where(items.c.peer == peer, items.c.lane == lane, items.c.item.in_(numbers))
        .values(salt=None, body=None)
    )


def withhold_record(transaction: Transaction, resource: str) -> None:
    """Take away the content of everything that was put into lanes of a record, from the files and messages too."""
    there = items.c.resource == resource, items.c.body.is_not(None)
    if transaction.first(select(items.c.id).where(*there).limit(1)) is not None:
        note_erasure(transaction)
        transaction.execute(update(items).where(*there).values(salt=None, body=None))


def purged_records(transaction: Transaction, origin: str, names: Collection[str]) -> set[str]:
    """Tell of which records of an agency our log says that they are gone for ever."""
    found: set[str] = set()
    asked = sorted(names)
    for start in range(0, len(asked), _LOOKUP):
        statement = select(tables.events.c.resource).where(
            tables.events.c.resource.in_(asked[start : start + _LOOKUP]),
            tables.events.c.origin_agency == origin,
            tables.events.c.type.in_(sorted(PURGED)),
        )
        found.update(row.resource for row in transaction.execute(statement))
    return found


def read_head(reader: Connection | Transaction, peer: str, lane: Lane.ValueType, number: int) -> bytes | None:
    """Read the head of the chain after one of our bundles; None if there is no such bundle."""
    statement = select(bundles.c.header).where(
        bundles.c.peer == peer, bundles.c.lane == lane, bundles.c.number == number
    )
    row = reader.execute(statement).first()
    return None if row is None else head_of(bytes(row.header))


def list_deliveries(
    connection: Connection, *, resource: str = "", recipient: str = "", before: int | None = None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """List what was put into data lanes, newest first: ledger columns only, no content."""
    columns = items.c
    statement = (
        select(columns.id, columns.peer, columns.bundle, columns.type, columns.resource, columns.grade, columns.time_us)
        .where(columns.lane == LANE_DATA)
        .order_by(columns.id.desc())
        .limit(limit)
    )
    if resource:
        statement = statement.where(columns.resource == resource)
    if recipient:
        statement = statement.where(columns.peer == recipient)
    if before is not None:
        statement = statement.where(columns.id < before)
    return connection.execute(statement).all()


def known_events(transaction: Transaction, origin: str, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Tell which events of an agency are in our log already."""
    known: set[uuid.UUID] = set()
    for start in range(0, len(ids), _LOOKUP):
        part = [event_id.bytes for event_id in ids[start : start + _LOOKUP]]
        statement = select(tables.events.c.event_id).where(
            tables.events.c.origin_agency == origin, tables.events.c.event_id.in_(part)
        )
        known.update(uuid.UUID(bytes=bytes(row.event_id)) for row in transaction.execute(statement))
    return known


_LOOKUP: Final = 500  # ids in one question: databases limit how many values a statement may carry


def is_out(connection: Connection | Transaction, resource: str) -> bool:
    """Tell whether anything of a record ever went to another agency."""
    found = select(items.c.id).where(items.c.resource == resource).limit(1)
    return connection.execute(found).first() is not None


def _is(peer: str, lane: Lane.ValueType, *, outbound: bool) -> ColumnElement[bool]:
    return and_(lanes.c.peer == peer, lanes.c.lane == lane, lanes.c.outbound == outbound)
