"""Index when a test says so, and read what the index holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from renkei_chassis.records.texts import postings
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


async def catch_up(index: Indexing) -> None:
    while await index.look(fewest=1):
        pass


async def tokens_in(agency: Agency, kind: RecordKind) -> set[int]:
    """Read the number of every pair that any row of the index holds."""
    texts = kind.tables.texts
    asked = select(texts.postings.c.content)
    rows = await agency.service.database.read(lambda connection: connection.execute(asked).all())
    return {number for row in rows for number in postings.unpack(bytes(row.content))}
