"""Fill the database of a tips service that is not running: `python -m tests.bench.text_store`, a job on its input."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.postgresql.url import PostgresUrl
from renkei_chassis.database.transaction import Transaction
from renkei_chassis.records import own
from renkei_chassis.records.occurrences import search_rows
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.records.times import set_us
from renkei_chassis.telemetry.metrics import Metrics
from renkei_tips.record import TIPS
from renkei_tips.store import SCHEMA
from tests.bench.text_corpus import tips
from tests.bench.tips_service import AGENCY

if TYPE_CHECKING:
    from collections.abc import Callable

_GROUP: Final = 4000
_BEGIN_US: Final = 1_767_225_600_000_000


@dataclass(slots=True)
class _Writer:
    """What indexing needs of a writer, where nobody else writes."""

    database: Database
    thread: ThreadPoolExecutor
    jobs: int = 0

    async def run(self, effect: Callable[[Transaction], Any]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.thread, self._run, effect)

    def _run(self, effect: Callable[[Transaction], Any]) -> None:
        with self.database.writing.begin() as connection:
            transaction = Transaction(connection, now_us=_BEGIN_US)
            effect(transaction)
            transaction.complete()


async def fill(where: str, first: int, count: int) -> dict[str, float]:
    """Store so many tips, one a second, and index them; tells how long each took."""
    place = PostgresUrl.parse(where) if where.startswith("postgresql://") else Path(where)
    thread = ThreadPoolExecutor(1)  # the one that writes
    owner = Owner(agency=AGENCY, service="tips")
    database = await asyncio.wrap_future(thread.submit(Database.open, place, owner=owner, schema=SCHEMA))
    try:
        writer = _Writer(database, thread)
        began = time.perf_counter()
        for start in range(first, first + count, _GROUP):
            await writer.run(lambda transaction, start=start: _store(transaction, start, first + count))  # type: ignore[misc]
        stored = time.perf_counter()
        index = Indexing(TIPS, database=database, writer=cast("Any", writer), metrics=Metrics("tips"))
        while await index.look():
            pass
        return {"store": stored - began, "index": time.perf_counter() - stored}
    finally:
        await asyncio.wrap_future(thread.submit(database.close))


def _store(transaction: Transaction, start: int, end: int) -> None:
    for number, tip in enumerate(tips(start, min(_GROUP, end - start)), start=start):
        now_us = _BEGIN_US + number * 1_000_000
        record_id = _id(now_us, number)
        tip.name = f"{AGENCY}/tips/{record_id}"
        set_us(tip.create_time, now_us)
        own.add(transaction, TIPS, record_id, tip, now_us)
        rows = search_rows(TIPS, list(tip.identifiers))
        own.add_identifiers(transaction, TIPS.tables, record_id, rows)


def _id(now_us: int, number: int) -> uuid.UUID:
    return uuid.UUID(int=(now_us // 1000) << 80 | 0x7 << 76 | 0x8 << 60 | number)


if __name__ == "__main__":
    json.dump(asyncio.run(fill(**json.load(sys.stdin))), sys.stdout)
