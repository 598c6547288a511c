"""Try again what was set aside, after an upgrade or a repair: in order, each resource until it fails again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse

from renkei_chassis.errors import OutOfRange
from renkei_chassis.follower import state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from sqlalchemy import Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.follower.apply import Applier

    ReadLog = Callable[[ReadLogRequest], Awaitable[ReadLogResponse]]


class Retrier:
    """Fetches set-aside events from the logs they came from and applies them again."""

    def __init__(self, *, database: Database, logs: Mapping[str, tuple[Applier, ReadLog]]) -> None:
        """Take, for each log that the service follows, its applier and the way to read it."""
        self._database = database
        self._logs = logs
        self._lock = asyncio.Lock()

    async def retry(self, *, source: str = "") -> tuple[int, int]:
        """Try everything once, or only one log's events; returns (applied, still set aside)."""
        async with self._lock:
            applied = 0
            position = ("", 0)
            failed: set[tuple[str, str]] = set()
            while rows := await self._next(source, position):
                for row in rows:
                    position = (row.source, row.sequence)
                    if row.source not in self._logs or (row.source, row.resource) in failed:
                        continue
                    if await self._one(row):
                        applied += 1
                    elif row.resource:
                        failed.add((row.source, row.resource))
            remaining = await self._database.read(
                lambda connection: sum(
                    state.read_aside(connection, log).count for log in self._logs if source in {"", log}
                )
            )
        return applied, remaining

    async def _next(self, source: str, after: tuple[str, int]) -> Sequence[Row[Any]]:
        return await self._database.read(lambda connection: state.list_aside(connection, source=source, after=after))

    async def _one(self, row: Row[Any]) -> bool:
        applier, read_log = self._logs[row.source]
        try:
            answer = await read_log(ReadLogRequest(after_sequence=row.sequence - 1, max_events=1))
        except OutOfRange:  # the log was restored and does not reach so far any more
            return False
        for event in answer.events:
            # A restored log may hold another event in this place.
            if event.sequence == row.sequence and state.event_key(event) == bytes(row.event_id):
                return await applier.retry(event)
        return False
