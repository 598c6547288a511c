"""What was erased at the source leaves the stream and the server's files too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier.jetstream import read_stream
from tests.chassis.courier.fakes import MemorySource
from tests.chassis.courier.relays import LANE, LOG, Relaying, relaying
from tests.chassis.courier.servers import BreakableServer, linked, until

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.courier import Link, StreamShape

SECRET = "RKWIPE77"


def found(store: Path) -> list[str]:
    """Name the files of the server that hold the secret. Blocks."""
    return [path.name for path in store.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


async def until_gone(store: Path) -> None:
    async with asyncio.timeout(10):
        while await asyncio.to_thread(found, store):  # noqa: ASYNC110 (files set no event)
            await asyncio.sleep(0.05)


async def bounds(link: Link, shape: StreamShape) -> tuple[int, int]:
    state = await read_stream(link, shape.name)
    assert state is not None
    return state.first, state.last


def erase(at_work: Relaying, number: int) -> None:
    at_work.source.messages[number] = b"erased"
    at_work.erasures += 1
    at_work.relay.wake()


@pytest.mark.parametrize("shape", [LANE, LOG], ids=["lane", "log"])
async def test_what_is_erased_leaves_the_servers_files(server: BreakableServer, shape: StreamShape) -> None:
    source = MemorySource()
    source.add(3, SECRET)
    source.add(3)
    async with relaying(server, source, shape) as at_work, linked(server) as link:
        await at_work.caught_up()
        before = await asyncio.to_thread(found, server.store)

        erase(at_work, 2)
        at_work.source.messages.update({1: b"erased", 3: b"erased"})
        await until_gone(server.store)
        at_work.add(1)
        await at_work.caught_up()

        assert before
        assert await bounds(link, shape) == (7, 7)
        assert at_work.alarms == []
        assert at_work.relay.counters.recreated == 0


async def test_what_was_erased_before_a_crash_is_wiped_at_the_next_start(server: BreakableServer) -> None:
    source = MemorySource()
    source.add(2, SECRET)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
    source.messages = {1: b"erased", 2: b"erased"}

    async with relaying(server, source, erasures=1) as at_work:
        await until_gone(server.store)

        assert at_work.alarms == []


async def test_a_stream_is_emptied_once_for_an_erasure(server: BreakableServer) -> None:
    source = MemorySource(3)
    async with relaying(server, source, erasures=1) as at_work, linked(server) as link:
        await at_work.caught_up()
        at_work.add(2)
        await at_work.caught_up()
        ticks = at_work.looks
        await until(lambda: at_work.looks >= ticks + 2)

        assert await bounds(link, LANE) == (1, 5)
