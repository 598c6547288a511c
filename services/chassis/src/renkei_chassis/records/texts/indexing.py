"""Bring the text index in line with the records, behind the writes.

What is pending is read and worked out on a reader's thread; the writer stores the changed blocks and takes the marks
away in one transaction, those that are the same still. So a crash, or a change meanwhile, costs work and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, func, select

from renkei_chassis.errors import RenkeiError
from renkei_chassis.records.texts import shelves
from renkei_chassis.records.texts.blocks import new_block, read_block
from renkei_chassis.records.texts.entries import read_entries
from renkei_chassis.records.texts.erasing import erasures, holding
from renkei_chassis.records.texts.postings import FULL
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Never

    from sqlalchemy import Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.records.kind import RecordKind
    from renkei_chassis.records.texts.blocks import Block
    from renkei_chassis.records.texts.erasing import Erasure
    from renkei_chassis.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger("renkei.texts")
FEWEST: Final = 64
"""So many new records are searched without the index rather than indexed: a block is written anew each time."""
_PAUSE_SECONDS: Final = 0.5
# While others write much, this work waits for a pause; once so much is pending, it takes a tenth of the time.
_MOST_PENDING: Final = 16_384
_REST: Final = 9
_BUSY_JOBS: Final = 50
# What is taken at once, so that no group of the writer takes long and no text fills the memory.
_AGAIN_AT_ONCE: Final = 256
_BLOCKS_AT_ONCE: Final = 4
_BYTES_AT_ONCE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    blocks: Sequence[Block] = ()
    erasures: Sequence[Erasure] = ()
    done: Sequence[Row[Any]] = ()
    """Rows of `pending`."""
    erases: bool = False


class Indexing:
    """Keeps the text index of one kind of record."""

    def __init__(self, kind: RecordKind, *, database: Database, writer: Writer, metrics: Metrics) -> None:
        """Take the kind, and where its records are."""
        self._kind = kind
        self._database = database
        self._writer = writer
        self._pending = 0
        self._tell_pending = metrics.gauge(
            "renkei_texts_pending",
            "Records that a search for texts reads one by one, because the index has not come to them.",
            ["kind"],
        ).bind(kind=kind.word)

    async def run(self) -> Never:
        """Look for ever."""
        loop = asyncio.get_running_loop()
        jobs = self._writer.jobs
        while True:
            began, done = loop.time(), 0
            busy = self._writer.jobs - jobs > _BUSY_JOBS
            jobs = self._writer.jobs
            try:
                done = await self.look(fewest=_MOST_PENDING if busy else FEWEST)
            except RenkeiError as error:  # a full disk, a server that is away: the next look tries again
                log_event(_LOG, "texts cannot be indexed now", level=logging.WARNING, reason=error.reason)
            rest = (loop.time() - began) * (_REST if busy else 1)
            await asyncio.sleep(max(rest, _PAUSE_SECONDS) if busy or not done else rest)

    async def look(self, *, fewest: int = FEWEST) -> int:
        """Index what is pending, a part of it where it is much; returns how many records are done with."""
        self._pending = await self._database.read(self._count)
        self._tell_pending(self._pending)
        work = await self._database.read(partial(self._work, fewest=fewest))
        if work.done:
            await self._writer.run(partial(self._store, work))
        await self._tidy()
        return len(work.done)

    async def _tidy(self) -> None:
        """Store full blocks together where there are enough of them."""
        texts = self._kind.tables.texts
        numbers = await self._database.read(lambda connection: shelves.due(connection, texts, FULL))
        if numbers:
            rows = await self._database.read(lambda connection: shelves.merge(connection, texts, numbers))
            await self._writer.run(lambda transaction: shelves.store(transaction, texts, numbers, rows))

    def _count(self, connection: Connection) -> int:
        pending = self._kind.tables.texts.pending
        return connection.execute(select(func.count()).select_from(pending)).scalar_one()

    def _work(self, connection: Connection, *, fewest: int) -> _Work:
        """Work out what changes."""
        texts = self._kind.tables.texts
        columns = texts.pending.c
        again = connection.execute(select(texts.pending).where(columns.again == 1).limit(_AGAIN_AT_ONCE)).all()
        block = self._last_block(connection)
        fresh = connection.execute(
            select(texts.pending).where(columns.again == 0).order_by(columns.id, columns.agency).limit(FULL)
        ).all()
        if not again and (not fresh or self._pending < fewest):
            return _Work()
        again, old = self._stale(connection, again, block)
        gone = {(bytes(row.id), row.agency) for row in again}
        if gone:
            block.remove(gone)
        last = [block]
        # A record that is left for later is taken out all the same: it is pending, and so searched without the index.
        done = self._add(connection, last, [*again, *fresh])
        for each in last:
            each.close()
        return _Work(blocks=last, erasures=old, done=done, erases=bool(gone))

    def _last_block(self, connection: Connection) -> Block:
        """Read the block that has room, or begin one."""
        texts = self._kind.tables.texts
        last = connection.execute(select(texts.blocks).order_by(texts.blocks.c.number.desc()).limit(1)).first()
        if last is None:
            return new_block(0)
        return read_block(connection, texts, last) if last.size < FULL else new_block(last.number + 1)

    def _stale(
        self, connection: Connection, again: Sequence[Row[Any]], last: Block
    ) -> tuple[Sequence[Row[Any]], list[Erasure]]:
        """Take what records were before out of older blocks; not of all of the records where those are many."""
        if not again:
            return again, []
        texts = self._kind.tables.texts
        held = holding(connection, texts, {(bytes(row.id), row.agency) for row in again}, but=last.number)
        taken: list[Row[Any]] = []
        changed: dict[int, Row[Any]] = {}
        for one in again:
            found = {row.number: row for row in held.get((bytes(one.id), one.agency), ())}
            if taken and len(changed | found) > _BLOCKS_AT_ONCE:
                break
            taken.append(one)
            changed |= found
        gone = {(bytes(row.id), row.agency) for row in taken}
        return taken, list(erasures(connection, texts, changed.values(), gone))

    def _add(self, connection: Connection, blocks: list[Block], rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Add what is pending to the last block, and to another one where that is full; gives the rows that are done.

        All entries of a record are in one block.
        """
        done: list[Row[Any]] = []
        size = 0
        for held in read_entries(connection, self._kind, rows):
            if size > _BYTES_AT_ONCE:
                break
            size += held.size
            if blocks[-1].members and len(blocks[-1].members) + len(held.entries) > FULL:
                blocks[-1].fill(FULL)
                blocks.append(new_block(blocks[-1].number + 1))
            for entry in held.entries:
                blocks[-1].add((bytes(held.row.id), held.row.agency), entry)
            done.append(held.row)
        return done

    def _store(self, work: _Work, transaction: Transaction) -> None:
        texts = self._kind.tables.texts
        columns = texts.pending.c
        for block in work.blocks:
            block.write(transaction, texts)
        for erasure in work.erasures:
            erasure.write(transaction, texts)
        same = and_(
            columns.id == bindparam("key_id"),
            columns.agency == bindparam("key_agency"),
            columns.mark == bindparam("key_mark"),
        )
        rows = [{"key_id": row.id, "key_agency": row.agency, "key_mark": row.mark} for row in work.done]
        transaction.execute(texts.pending.delete().where(same), rows)
        if work.erases:
            transaction.scrub()
