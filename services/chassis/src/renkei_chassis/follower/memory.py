"""Remember what is in effect, in bounded room: the newest events of a log by id, all older ones by one hash.

Within an epoch the cursor alone tells what is new: sequence numbers have no gaps, and what is not behind the cursor is
dropped. Ids matter when a log was restored. It then begins a new epoch, offers everything again, and gives what it
lost, where it gets that again, another place.

A *mark* says: the first `sequence` events of this log, in this order, hash to `chain`, and are in effect. A restored
log whose beginning hashes to a mark has these very events there, so that none of their ids is needed to know them; what
follows is told apart by id. Ids are dropped only behind a mark. Those of events that a restored log has lost keep
their row until it has offered them again, whatever their age.

What is left is a log restored from a backup so old that ids of what it lost were dropped. An event that may be one of
them (its UUIDv7 is not younger than the youngest dropped, or it is of another version) is set aside as MAYBE_APPLIED:
neither lost nor done twice, and an operator decides. No clock is asked anywhere in this.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, exists, select

from renkei_chassis.database import tables
from renkei_chassis.follower.state import START, Cursor, event_key, move_cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import ColumnElement

    from renkei_chassis.database.transaction import Transaction

MAYBE_APPLIED: Final = "MAYBE_APPLIED"
_NO_ID: Final = bytes(16)
_VERSION_BYTE: Final = 6
_TIME_ORDERED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How much is remembered of each log."""

    events: int = 200_000
    """At least so many of the newest events by id. A backup of the log may be older than that only if nothing that it
    lost is offered again."""
    mark_every: int = 1024
    prune_every: int = 50_000
    """Ids are dropped so many at a time: it costs a walk over all of them."""


def link(chain: bytes, event: Event) -> bytes:
    """Go one event further in the hash over a log's events, in their order."""
    origin = event.origin.agency.encode()
    return hashlib.sha256(chain + len(origin).to_bytes(2, "big") + origin + event_key(event)).digest()


def is_doubtful(event: Event, doubt: bytes) -> bool:
    """Tell whether an event whose id is not known may be one whose id was dropped."""
    if not doubt:
        return False
    key = event_key(event)
    return key[_VERSION_BYTE] >> 4 != _TIME_ORDERED or key <= doubt


def advance(transaction: Transaction, source: str, after: Cursor, events: Sequence[Event], memory: Memory) -> Cursor:
    """Move the cursor over a gapless stretch, all of which is in effect or set aside; mark and drop on the way."""
    chain = after.chain
    if chain:
        for event in events:
            chain = link(chain, event)
            if event.sequence % memory.mark_every == 0:
                _mark(transaction, source, event.sequence, chain)
    cursor = replace(after, sequence=events[-1].sequence, chain=chain)
    move_cursor(transaction, source, cursor)
    if chain:
        _prune(transaction, source, cursor.sequence, memory)
    return cursor


def read_marks(connection: Connection, source: str) -> Mapping[int, set[bytes]]:
    """Give the hashes by sequence: a log that was restored more than once may have several."""
    marks: dict[int, set[bytes]] = defaultdict(set)
    for row in connection.execute(select(tables.marks).where(tables.marks.c.source == source)):
        marks[row.sequence].add(bytes(row.chain))
    return marks


def enter_epoch(transaction: Transaction, source: str, *, epoch: str, sequence: int, chain: bytes) -> Cursor:
    """Go on in a restored log, of which everything up to `sequence` is known by its hash."""
    cursors, applied = tables.cursors, tables.applied
    row = transaction.first(select(cursors).where(cursors.c.source == source))
    doubt, pruned = (b"", 0) if row is None else (bytes(row.doubt), row.pruned)
    if row is not None and sequence < pruned:
        doubt = max(doubt, bytes(row.newest_pruned), _NO_ID)
    cursor = Cursor(epoch=epoch, sequence=sequence, chain=chain, doubt=doubt)
    move_cursor(transaction, source, cursor)
    transaction.execute(cursors.update().where(cursors.c.source == source).values(pruned=min(pruned, sequence)))
    # These are in effect and have no place in the restored log until it offers them again.
    lost = and_(applied.c.source == source, applied.c.sequence > sequence)
    transaction.execute(applied.update().where(lost).values(sequence=0))
    return cursor


def _mark(transaction: Transaction, source: str, sequence: int, chain: bytes) -> None:
    columns = tables.marks.c
    same = and_(columns.source == source, columns.sequence == sequence, columns.chain == chain)
    if transaction.first(select(columns.sequence).where(same)) is None:
        transaction.insert(tables.marks, {"source": source, "sequence": sequence, "chain": chain})


def _prune(transaction: Transaction, source: str, sequence: int, memory: Memory) -> None:
    """Drop ids behind a mark, where enough have come together."""
    through = max(sequence - memory.events, 0) // memory.mark_every * memory.mark_every
    if through < memory.prune_every:
        return
    cursors = tables.cursors
    row = transaction.first(select(cursors.c.pruned, cursors.c.newest_pruned).where(cursors.c.source == source))
    if row is None or through - row.pruned < memory.prune_every:
        return
    gone = _behind(source, through)
    ids = [bytes(found.event_id) for found in transaction.execute(select(tables.applied.c.event_id).where(gone))]
    ordered = [key for key in ids if key[_VERSION_BYTE] >> 4 == _TIME_ORDERED]
    newest = max([bytes(row.newest_pruned), *ordered])
    transaction.execute(tables.applied.delete().where(gone))
    transaction.execute(cursors.update().where(cursors.c.source == source).values(pruned=through, newest_pruned=newest))


def _behind(source: str, through: int) -> ColumnElement[bool]:
    """Choose the ids up to a place, but for those of events that are still set aside."""
    applied, aside = tables.applied.c, tables.set_aside.c
    waits = exists().where(
        aside.source == applied.source, aside.origin_agency == applied.origin_agency, aside.event_id == applied.event_id
    )
    return and_(applied.source == source, applied.sequence.between(1, through), ~waits)


__all__ = ["MAYBE_APPLIED", "START", "Memory", "advance", "enter_epoch", "is_doubtful", "link", "read_marks"]
