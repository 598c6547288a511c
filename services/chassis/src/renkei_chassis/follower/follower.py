"""Follow another service's log: NATS brings events fast, ReadLog surely, our own cursor says what is missing."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from renkei.event.v1.event_pb2 import Event, EventBatch
from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse

from renkei_chassis.alarms import LOG_RESTORED
from renkei_chassis.errors import OutOfRange, RenkeiError
from renkei_chassis.failpoints import Place, hit
from renkei_chassis.follower import state
from renkei_chassis.follower.memory import START, link, read_marks
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from renkei_chassis.courier.receiver import Message
    from renkei_chassis.database.engine import Database
    from renkei_chassis.follower.apply import Applier
    from renkei_chassis.follower.state import Aside

BATCH: Final = 256
_BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_LOG: Final = logging.getLogger("renkei.follower")


class Follower:
    """Brings one log into effect in one database, in order, each event once.

    `on_messages` takes packed messages from NATS, in any order and as often as they like to come.
    `run` asks the log itself at every tick, whether NATS works or not. The two share one lock, so
    there is one stretch at a time.
    """

    def __init__(
        self,
        *,
        applier: Applier,
        database: Database,
        read_log: Callable[[ReadLogRequest], Awaitable[ReadLogResponse]],
        courier_connected: Callable[[], bool],
        tick_seconds: float = 5.0,
        tick_seconds_without_courier: float = 0.25,
        on_aside: Callable[[Aside], None] = lambda _aside: None,
    ) -> None:
        """Take the log's own answer (`read_log`), whether NATS brings events now, and who counts what is set aside."""
        self.source = applier.source
        self.cursor = database.recall(lambda connection: state.read_cursor(connection, applier.source))
        self.last_known = self.cursor.sequence
        self.repaired = 0
        self.reachable = False
        self._applier = applier
        self._database = database
        self._on_aside = on_aside
        self._aside_seen = -1
        self._read_log = read_log
        self.courier_connected = courier_connected
        self._tick_seconds = tick_seconds
        self._tick_without = tick_seconds_without_courier
        self._lock = asyncio.Lock()
        self._moved = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failures = 0
        self._waits = False

    async def run(self) -> None:
        """Repair at every tick, for ever. Cancel it to stop."""
        while True:
            self._hurry.clear()
            try:
                async with self._lock:
                    await self._repair()
                self._failures = 0
                await self._count_aside()
                waits = self._tick_seconds if self.courier_connected() else self._tick_without
            except RenkeiError as error:
                self._note(error)
                waits = _BACKOFF_SECONDS[min(self._failures, len(_BACKOFF_SECONDS) - 1)]
                self._failures += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(waits):
                    await self._hurry.wait()

    async def _count_aside(self) -> None:
        """Tell how much is set aside, where that may have changed."""
        changes = self._applier.aside_changes
        if changes != self._aside_seen:
            self._on_aside(await self._database.read(partial(state.read_aside, source=self.source)))
            self._aside_seen = changes

    def courier_changed(self, connected: bool) -> None:  # noqa: FBT001 (an observer's one argument)
        """Ask the log now, since NATS came or went: a loss would else cost the long tick of when it worked."""
        del connected
        self._hurry.set()

    async def on_messages(self, messages: Sequence[Message]) -> int | None:
        """Take packed messages; returns the number of the last that is wholly in effect, to be acknowledged."""
        async with self._lock:
            done: int | None = None
            for message in messages:
                try:
                    batch = EventBatch.FromString(message.data)
                except DecodeError:
                    continue  # not ours; the next tick reads what it should have been
                if batch.source != self.source or not batch.events:
                    continue
                try:
                    await self._take(batch)
                except RenkeiError as error:
                    self._note(error)
                    return done
                done = message.number
            return done

    async def caught_up(self, sequence: int) -> None:
        """Wait until everything up to a sequence is in effect or set aside."""
        while self.cursor.sequence < sequence:
            self._moved.clear()
            await self._moved.wait()

    async def _take(self, batch: EventBatch) -> None:
        self.last_known = max(self.last_known, batch.events[-1].sequence)
        if batch.epoch != self.cursor.epoch:
            # A message cannot say that a log was restored: the log itself must.
            await self._repair()
            if batch.epoch != self.cursor.epoch:
                return
        if batch.events[0].sequence > self.cursor.sequence + 1:
            await self._repair(through=batch.events[0].sequence - 1)
        await self._apply(batch.events)

    async def _repair(self, *, through: int | None = None) -> None:
        """Read from the log what is missing, at least up to `through`, until there is no more."""
        while through is None or self.cursor.sequence < through:
            answer = await self._ask()
            self.last_known = answer.last_sequence
            if answer.epoch != self.cursor.epoch:
                if self.cursor.epoch:
                    await self._begin_again(answer.epoch)
                    continue
                self.cursor = replace(self.cursor, epoch=answer.epoch)
            before = self.cursor.sequence
            await self._apply(list(answer.events))
            self.repaired += self.cursor.sequence - before
            if self.cursor.sequence == before:
                return

    async def _ask(self) -> ReadLogResponse:
        try:
            answer = await self._ask_after(self.cursor.sequence)
        except RenkeiError:
            self.reachable = False
            raise
        self.reachable = True
        return answer

    async def _ask_after(self, sequence: int) -> ReadLogResponse:
        try:
            return await self._read_log(ReadLogRequest(after_sequence=sequence, max_events=BATCH))
        except OutOfRange as error:
            epoch = error.metadata.get("epoch", "")
            if not epoch or epoch == self.cursor.epoch:
                raise
            return await self._read_log(ReadLogRequest(after_sequence=0, max_events=1))

    async def _begin_again(self, epoch: str) -> None:
        """Go on in a restored log behind its longest beginning that is in effect as a whole.

        What follows is read again, and what of it is in effect is known by event id.
        """
        marks = await self._database.read(partial(read_marks, source=self.source))
        position, chain, known = 0, START, (0, START)
        while position < max(marks, default=0):
            answer = await self._read_log(ReadLogRequest(after_sequence=position, max_events=BATCH))
            if answer.epoch != epoch or not answer.events:
                break
            for event in answer.events:
                position, chain = event.sequence, link(chain, event)
                if chain in marks.get(position, ()):
                    known = position, chain
        log_event(
            _LOG, "the log has a new epoch; reading it again", level=logging.WARNING, log=self.source, epoch=epoch
        )
        self._applier.alarms.sound(LOG_RESTORED, self.source)
        self.cursor = await self._applier.enter_epoch(epoch=epoch, sequence=known[0], chain=known[1])

    async def _apply(self, events: Sequence[Event]) -> None:
        """Apply what follows the cursor without a hole; what stands behind one, the tick reads from the log."""
        stretch: list[Event] = []
        for event in events:
            if event.sequence == self.cursor.sequence + len(stretch) + 1:
                stretch.append(event)
        for start in range(0, len(stretch), BATCH):
            cursor = await self._applier.apply(stretch[start : start + BATCH], after=self.cursor)
            hit(Place.AFTER_EFFECT)
            self.cursor = cursor
            self._moved.set()
        if stretch:
            self._waits = False

    def _note(self, error: RenkeiError) -> None:
        """Say once that following waits, and no more until something was applied."""
        if not self._waits:
            log_event(_LOG, "following waits", log=self.source, reason=error.reason, position=self.cursor.sequence)
        self._waits = True
