"""A relay at work between a source in memory and a server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from renkei_chassis.courier import Alarm, Connection, DurableShape, Relay, StreamShape
from tests.chassis.courier.servers import BreakableServer, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.chassis.courier.fakes import MemorySource

LANE = StreamShape(
    name="OUT_jp_12_data", subject="lane.jp_12.data", durable=DurableShape(name="feed"), max_bytes=8 * 1024 * 1024
)
LOG = StreamShape(name="LOG_tips", subject="ev.tips", max_age=timedelta(hours=24), max_bytes=8 * 1024 * 1024)


class Relaying:
    """A relay at work, with what it has reported."""

    def __init__(
        self, server: BreakableServer, source: MemorySource, shape: StreamShape, epoch: str, erasures: int
    ) -> None:
        self.alarms: list[Alarm] = []
        self.erasures = erasures
        self.looks = 0
        self.source = source
        self.connection = Connection(server.endpoint())
        lane = shape.durable is not None
        self.relay = Relay(
            self.connection,
            shape=shape,
            source=source,
            epoch=epoch,
            acknowledged=source.acknowledged if lane else None,
            on_acknowledged=source.on_acknowledged if lane else None,
            on_alarm=self.alarms.append,
            erasures=self._erasures,
        )

    def _erasures(self) -> int:
        self.looks += 1
        return self.erasures

    def add(self, count: int) -> None:
        self.source.add(count)
        self.relay.wake()

    async def caught_up(self) -> None:
        await until(lambda: self.relay.counters.position == self.source.last)


@asynccontextmanager
async def relaying(
    server: BreakableServer, source: MemorySource, shape: StreamShape = LANE, epoch: str = "e1", *, erasures: int = 0
) -> AsyncIterator[Relaying]:
    at_work = Relaying(server, source, shape, epoch, erasures)
    async with running(at_work.connection):
        task = asyncio.create_task(at_work.relay.run())
        try:
            yield at_work
        finally:
            task.cancel()
            await asyncio.wait({task})
