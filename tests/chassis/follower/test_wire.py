"""The whole way from a commit here to its effect there, over a real nats-server that is killed, wiped and left off."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier import Connection, DurableShape, Receiver, Relay, StreamShape
from renkei_chassis.ports import PortClaims
from tests.chassis.courier.servers import BreakableServer, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.chassis.follower.following import Following

SHAPE = StreamShape(name="LOG_keeper", subject="ev.keeper")


@pytest.fixture
def port() -> Iterator[int]:
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
async def nats(tmp_path: Path, port: int) -> AsyncIterator[BreakableServer]:
    server = BreakableServer(tmp_path / "nats", port)
    yield server
    await server.kill()


class Wire:
    """A relay on one side, a receiver and a follower on the other."""

    def __init__(self, following: Following, nats: BreakableServer) -> None:
        self.following = following
        self.sending, self.receiving = Connection(nats.endpoint()), Connection(nats.endpoint())
        log = following.source.log
        self.relay = Relay(self.sending, shape=SHAPE, source=log, epoch=log.epoch)
        self.receiver = Receiver(
            self.receiving,
            stream=SHAPE.name,
            durable=DurableShape(name="reader"),
            on_messages=following.follower.on_messages,
            may_create=True,
        )
        following.follower.courier_connected = lambda: self.receiving.connected
        self.words: list[str] = []

    async def tell(self, count: int) -> None:
        """Let the source tell of so many words, one pack each."""
        for _ in range(count):
            word = f"word {len(self.words)}"
            self.words.append(word)
            await self.following.tell(word)
            self.relay.wake()

    async def arrived(self) -> None:
        """Wait until everything is in effect, and check that it is so once and in order."""
        async with asyncio.timeout(30):
            await self.following.follower.caught_up(len(self.words))
        assert await self.following.words() == self.words
        assert self.following.handled == self.words


@asynccontextmanager
async def wired(following: Following, nats: BreakableServer) -> AsyncIterator[Wire]:
    wire = Wire(following, nats)
    async with running(wire.sending), running(wire.receiving):
        runs = (wire.relay.run, wire.receiver.run, following.follower.run)
        tasks = [asyncio.create_task(run()) for run in runs]
        try:
            yield wire
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def test_events_arrive_over_nats_and_none_needs_to_be_read(following: Following, nats: BreakableServer) -> None:
    following.follower._tick_seconds = 3600.0
    await nats.start()
    async with wired(following, nats) as wire:
        await wire.tell(1)
        await wire.arrived()
        before = following.asked
        await wire.tell(30)
        await wire.arrived()

        assert following.asked == before


async def test_everything_arrives_with_nats_off_and_goes_on_when_it_comes(
    following: Following, nats: BreakableServer
) -> None:
    async with wired(following, nats) as wire:
        await wire.tell(5)
        await wire.arrived()
        assert not following.follower.courier_connected()

        await nats.start()
        await wire.tell(5)
        await wire.arrived()


async def test_everything_arrives_through_kills_of_nats(following: Following, nats: BreakableServer) -> None:
    await nats.start()
    async with wired(following, nats) as wire:
        for _ in range(3):
            await wire.tell(5)
            await nats.kill()
            await wire.tell(5)
            await wire.arrived()
            await nats.start()
        await wire.tell(5)
        await wire.arrived()


async def test_everything_arrives_after_the_stream_was_wiped(following: Following, nats: BreakableServer) -> None:
    await nats.start()
    async with wired(following, nats) as wire:
        await wire.tell(10)
        await wire.arrived()
        await nats.kill()
        await nats.wipe_store()
        await nats.start()

        await wire.tell(10)
        await wire.arrived()
