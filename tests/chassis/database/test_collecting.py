"""What rules hand over to be closed together at the end of a batch, and what waits for its commit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from renkei_chassis.clock import WallClock
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.writer import Writer
from renkei_chassis.log.append import read_position
from renkei_chassis.log.log import Log
from tests.databases import place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from renkei_chassis.database.transaction import Transaction

METADATA: Final = MetaData()
BUNDLES: Final = Table(
    "bundle", METADATA, Column("number", Integer, primary_key=True), Column("items", String(200), nullable=False)
)


@pytest.fixture
async def database(tmp_path: Path, kind: str) -> AsyncIterator[Database]:
    owner = Owner(agency="agencies/jp-12", service="probe")
    schema = Schema(component="probe", metadata=METADATA)
    opened = await asyncio.to_thread(Database.open, place(tmp_path / "probe.db"), owner=owner, schema=schema)
    yield opened
    await asyncio.to_thread(opened.close)


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    log = Log(name="agencies/jp-12/logs/probe", database=database, position=await database.read(read_position))
    at_work = Writer(database=database, log=log, clock=WallClock())
    at_work.start()
    yield at_work
    await at_work.stop()


def close_bundle(transaction: Transaction, items: Sequence[str]) -> None:
    transaction.insert(BUNDLES, {"items": " ".join(items)})


def close_badly(transaction: Transaction, items: Sequence[str]) -> None:
    raise LookupError


async def bundles(database: Database) -> list[str]:
    return await database.read(
        lambda connection: [row.items for row in connection.execute(select(BUNDLES).order_by(BUNDLES.c.number))]
    )


async def test_what_a_batch_collects_is_closed_once(writer: Writer, database: Database) -> None:
    def hand_over(word: str) -> asyncio.Future[None]:
        return asyncio.ensure_future(writer.run(lambda transaction: transaction.collect(close_bundle, word)))

    await asyncio.gather(*map(hand_over, ["a", "b", "c"]))

    assert await bundles(database) == ["a b c"]


async def test_what_a_failed_request_collected_is_not_closed(writer: Writer, database: Database) -> None:
    """Whether it failed before or after rows of its own went in; after that, each is closed alone."""

    def fail(transaction: Transaction) -> None:
        transaction.collect(close_bundle, "lost")
        raise LookupError

    def fail_late(transaction: Transaction) -> None:
        transaction.collect(close_bundle, "lost")
        transaction.insert(BUNDLES, {"number": 99, "items": "lost"})
        transaction.flush()
        raise LookupError

    effects = [
        writer.run(lambda transaction: transaction.collect(close_bundle, "first")),
        writer.run(fail),
        writer.run(fail_late),
        writer.run(lambda transaction: transaction.collect(close_bundle, "last")),
    ]
    results = await asyncio.gather(*effects, return_exceptions=True)

    assert [type(result) for result in results] == [type(None), LookupError, LookupError, type(None)]
    assert await bundles(database) == ["first", "last"]


async def test_what_closing_raises_is_the_failure_of_whoever_handed_it_over(writer: Writer, database: Database) -> None:
    """An event that cannot be stored must not fail the calls that share its batch."""

    def effect(transaction: Transaction) -> None:
        transaction.insert(BUNDLES, {"number": 1, "items": "lost"})
        transaction.collect(close_badly, "x")

    neighbour = writer.run(lambda transaction: transaction.collect(close_bundle, "kept"))
    results = await asyncio.gather(neighbour, writer.run(effect), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), LookupError]
    assert await bundles(database) == ["kept"]


async def test_what_waits_for_the_commit_is_called_once_and_sees_it(writer: Writer, database: Database) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(database.recall(lambda connection: connection.execute(select(BUNDLES)).all())))

    def effect(transaction: Transaction) -> None:
        transaction.collect(close_bundle, "x")
        transaction.after_commit(look)

    await asyncio.gather(writer.run(effect), writer.run(effect))

    assert seen == [1]


async def test_nothing_is_called_for_what_was_not_committed(writer: Writer) -> None:
    called: list[str] = []

    def fail(transaction: Transaction) -> None:
        transaction.after_commit(lambda: called.append("request"))
        raise LookupError

    def fail_all(transaction: Transaction) -> None:
        transaction.after_commit(lambda: called.append("batch"))
        transaction.collect(close_badly, "x")

    await asyncio.gather(writer.run(fail), return_exceptions=True)
    await asyncio.gather(writer.run(fail_all), return_exceptions=True)
    await writer.run(lambda transaction: None)

    assert called == []
