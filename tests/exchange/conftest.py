"""Ports that nobody else takes, and the database of one exchange without the rest of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import WallClock
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.writer import Writer
from renkei_chassis.log.append import read_position
from renkei_chassis.log.log import Log
from renkei_chassis.ports import PortClaims
from renkei_exchange.store import SCHEMA
from tests.databases import place
from tests.exchange.ground import Ground

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
async def ground(tmp_path: Path, kind: str) -> AsyncIterator[Ground]:
    """The database, log and writer of the exchange of `agencies/jp-12`."""
    owner = Owner(agency="agencies/jp-12", service="exchange")
    database = await asyncio.to_thread(Database.open, place(tmp_path / "exchange.db"), owner=owner, schema=SCHEMA)
    log = Log(name="agencies/jp-12/logs/exchange", database=database, position=await database.read(read_position))
    writer = Writer(database=database, log=log, clock=WallClock())
    writer.start()
    yield Ground(database=database, log=log, writer=writer)
    await writer.stop()
    await asyncio.to_thread(database.close)
