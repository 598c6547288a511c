"""Index when a test says so, and read what the index holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from renkei_chassis.records.texts import indexing, postings, shelves
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from renkei_chassis.records.kind import RecordKind
    from tests.agency import Agency


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the service from indexing by itself."""

    async def wait(_: Indexing) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Indexing, "run", wait)


def index_of(agency: Agency, kind: RecordKind) -> Indexing:
    service = agency.service
    return Indexing(kind, database=service.database, writer=service.writer, metrics=Metrics("tests"))


def small_blocks(monkeypatch: pytest.MonkeyPatch, full: int) -> None:
    """Let so many entries fill a block, and two blocks be stored together."""
    monkeypatch.setattr(indexing, "FULL", full)
    monkeypatch.setattr(shelves, "TOGETHER", 2)


async def stored_together(agency: Agency, kind: RecordKind) -> int:
    """Count the blocks whose pairs are stored with those of others."""
    columns = kind.tables.texts.blocks.c
    asked = select(func.count()).where(columns.together > 1)
    return await agency.service.database.read(lambda connection: connection.execute(asked).scalar_one())


async def catch_up(index: Indexing) -> None:
    while await index.look(fewest=1):
        pass


async def tokens_in(agency: Agency, kind: RecordKind) -> set[int]:
    """Read the number of every pair that any row of the index holds."""
    texts = kind.tables.texts
    asked = select(texts.postings.c.content)
    rows = await agency.service.database.read(lambda connection: connection.execute(asked).all())
    return {number >> postings.BLOCK_BITS for row in rows for number in postings.unpack(bytes(row.content))}
