"""A service's log as the rest of the service sees it: where it ends, what it holds, and when it grows."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING

from renkei_chassis.log.read import MAX_BYTES, MAX_EVENTS, fitting, pack_bytes, read_events, read_packs
from renkei_chassis.log.tail import Tail

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.engine import Database
    from renkei_chassis.log.append import Position
    from renkei_chassis.log.tail import Pack


class Log:
    """The log of one service, `agencies/{agency}/logs/{service}`.

    It is also the relay's source of numbered messages (`last_number`, `read`).
    """

    def __init__(self, *, name: str, database: Database, position: Position) -> None:
        """Take the log's name and where it ends now."""
        self.name = name
        self.epoch = database.epoch
        self.position = position
        self._database = database
        self._tail = Tail()
        self._grown = asyncio.Event()

    def advance(self, position: Position, packs: Sequence[Pack] = ()) -> None:
        """Say that everything up to `position` is committed, and what came last of it. On the event loop."""
        self.position = position
        self._tail.add(packs)
        if not packs or packs[-1].number != position.pack:
            self._tail.clear()
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def forget(self) -> None:
        """Say that something was erased: it must not be told from memory."""
        self._tail.clear()

    async def grown(self, *, after: int) -> None:
        """Wait until the log goes beyond a sequence."""
        while self.position.sequence <= after:
            await self._grown.wait()

    async def events(self, *, after: int, limit: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> list[Event]:
        """Read the committed events after a sequence, in order."""
        if self.position.sequence <= after:
            return []
        rows = self._tail.rows(after)
        if rows is not None:
            return fitting((row.event(self.name) for row in rows[:limit]), max_bytes)
        return await self._database.read(
            lambda connection: read_events(connection, self.name, after=after, limit=limit, max_bytes=max_bytes)
        )

    async def follow(
        self,
        *,
        after: int,
        checkpoint_seconds: float = 15.0,
        max_bytes: int = MAX_BYTES,
        turns: AbstractAsyncContextManager[object] | None = None,
    ) -> AsyncIterator[Sequence[Event]]:
        """Yield what is there and then what comes, batch by batch; an empty batch is a sign of life.

        `turns` is entered for each read of the log, so that many who follow do not all read at once.
        """
        while True:
            try:
                async with asyncio.timeout(checkpoint_seconds):
                    await self.grown(after=after)
            except TimeoutError:
                yield ()
                continue
            async with turns or nullcontext():
                batch = await self.events(after=after, max_bytes=max_bytes)
            after = batch[-1].sequence
            yield batch

    async def last_number(self) -> int:
        """Tell the number of the last pack."""
        return self.position.pack

    async def read(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Read packs after a number, ready to be sent."""
        if self.position.pack <= after:
            return []
        packs = self._tail.packs(after, limit)
        if packs is not None:
            return [(pack.number, pack_bytes(self.name, self.epoch, pack)) for pack in packs]
        return await self._database.read(
            lambda connection: read_packs(connection, self.name, self.epoch, after=after, limit=limit)
        )
