"""Publish a source's numbered messages to a stream whose sequence is the message number.

One relay serves local logs and lanes alike. The source is the truth and the stream a buffer that
can be rebuilt: the relay's position is the stream's own last sequence, compared with the source at
the start, after every error and at every tick. A stream that is behind is filled up again with the
same bytes. A stream that cannot be ours any more (ahead of the source, of another epoch, with a
hole, with bytes that the source never gave) is deleted and made anew, counted, and reported to
`on_alarm`.

Where a new stream begins: a lane after what its reader has acknowledged; a local log with the last
few messages only, for whoever misses older ones reads them from the log itself, and the first
message it gets tells it to.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Never

from renkei_chassis.courier.backoff import Backoff
from renkei_chassis.courier.cancellation import heed_cancellation
from renkei_chassis.courier.jetstream import (
    FULL,
    WRONG_LAST_SEQUENCE,
    JetStreamError,
    create_stream,
    delete_stream,
    ensure_durable,
    purge_through,
    read_message,
    read_stream,
)
from renkei_chassis.courier.numbered import Alarm, Distrust, RelayCounters
from renkei_chassis.courier.publisher import (
    NOBODY_THERE,
    TOO_LARGE,
    UNANSWERED,
    NotStored,
    Outgoing,
    Publisher,
    Stored,
)
from renkei_chassis.failpoints import Place, hit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from renkei_chassis.courier.connection import Connection, Link
    from renkei_chassis.courier.jetstream import StreamShape, StreamState
    from renkei_chassis.courier.numbered import NumberedMessages

_log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 1.0
_PUBLISH_SECONDS: Final = 5.0
_WINDOW: Final = 64
_WINDOW_BYTES: Final = 4 * 1024 * 1024
_RECENT: Final = 64
STREAM_FULL: Final = "StreamFull"


class _NotAllStoredError(Exception):
    """Part of a window was not stored, or (`code` is None) perhaps not by us."""

    def __init__(self, code: int | None) -> None:
        super().__init__(str(code))
        self.name = {
            None: "NotSurelyOurs",
            UNANSWERED: "Unanswered",
            NOBODY_THERE: "NoStream",
            TOO_LARGE: "MessageTooLarge",
            WRONG_LAST_SEQUENCE: "WrongLastSequence",
        }.get(code, STREAM_FULL if code in FULL else f"JetStream{code}")


class Relay:
    """Keeps one stream equal to its source. `run` must be running; `wake` after every commit."""

    def __init__(
        self,
        connection: Connection,
        *,
        shape: StreamShape,
        source: NumberedMessages,
        epoch: str,
        acknowledged: Callable[[], Awaitable[int]] | None = None,
        on_acknowledged: Callable[[int], Awaitable[None]] | None = None,
        on_alarm: Callable[[Alarm], None] | None = None,
        erasures: Callable[[], int] = lambda: 0,
    ) -> None:
        """Prepare.

        `acknowledged` gives the stored number through which a lane's reader needs nothing any more,
        and `on_acknowledged` stores it when the reader has moved on; a local log has neither.
        `on_alarm` must not raise. Whenever `erasures` has grown, something that was published may hold what is
        erased by now: the stream is emptied, and whoever had not read it reads the source.
        """
        self.counters = RelayCounters()
        self._connection = connection
        self._shape = shape
        self._source = source
        self._epoch = epoch
        self._acknowledged = acknowledged
        self._on_acknowledged = on_acknowledged
        self._on_alarm = on_alarm
        self._erasures = erasures
        self._wiped = 0
        self._woken = asyncio.Event()
        self._backoff = Backoff()
        # The last number that is surely in the stream with our bytes; None before the first look.
        self._sure: int | None = None

    def wake(self) -> None:
        """Say, from the loop's own thread, that the source has more."""
        self._woken.set()

    async def run(self) -> Never:
        """Relay until cancelled. Raises nothing else."""
        while True:
            heed_cancellation()
            link = await self._connection.link()
            publisher = Publisher(link)
            try:
                await publisher.open()
                await self._relay(link, publisher)
            except Exception as error:  # noqa: BLE001 (the outermost loop)
                self._note(error)
            finally:
                await publisher.close()
            await self._backoff.wait()

    async def _relay(self, link: Link, publisher: Publisher) -> Never:
        loop = asyncio.get_running_loop()
        while True:
            position = await self._reconcile(link)
            tick = loop.time() + _TICK_SECONDS
            while loop.time() < tick:
                heed_cancellation()
                moved = position
                if self._woken.is_set() or position < self.counters.source_last:
                    self._woken.clear()
                    moved = await self._publish_after(link, publisher, position)
                if moved == position:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(tick):
                            await self._woken.wait()
                else:
                    self._backoff.reset()
                position = moved

    async def _reconcile(self, link: Link) -> int:
        """Make the stream one that we can trust, and give its last number."""
        state = await self._wipe(link, await read_stream(link, self._shape.name))
        source_last = self.counters.source_last = await self._source.last_number()
        if state is not None:
            distrust = await self._distrust(link, state, source_last)
            if distrust is not None:
                await delete_stream(link, self._shape.name)
                self._alarm(distrust, state, source_last)
                state = None
        if state is None:
            state = await self._create(link, await self._beginning(source_last))
        if self._sure is not None and state.last < self._sure:
            self.counters.rewinds += 1
        self._sure = self.counters.position = state.last
        await self._settle_acknowledged(link, state)
        return state.last

    async def _wipe(self, link: Link, state: StreamState | None) -> StreamState | None:
        """Empty the stream where something was erased since the last time.

        All of it: the server overwrites no message that it drops, but removes the files of an emptied stream. And
        before anything is compared with the source, whose messages are not what they were.
        """
        count = self._erasures()
        if count > self._wiped and state is not None and state.last:
            await purge_through(link, self._shape.name, state.last)
            state = await read_stream(link, self._shape.name)
        self._wiped = count
        return state

    async def _distrust(self, link: Link, state: StreamState, source_last: int) -> Distrust | None:
        wanted = self._shape.configuration(self._epoch)
        if state.differs({"metadata": wanted.pop("metadata")}):
            return Distrust.EPOCH
        if state.differs(wanted):
            return Distrust.CONFIGURATION
        if state.last > source_last:
            return Distrust.AHEAD
        if state.has_hole:
            return Distrust.HOLE
        return await self._find_foreign(link, state)

    async def _find_foreign(self, link: Link, state: StreamState) -> Distrust | None:
        """Compare with the source what may have been stored by somebody else.

        What we saw acknowledged is ours. The rest was stored without our knowing (an answer got
        lost) or by another hand. Of what an earlier run left, the last one stands for all.
        """
        if not state.messages:
            return None
        surely = state.last - 1 if self._sure is None else self._sure
        for number in range(max(surely + 1, state.first), state.last + 1):
            stored = await read_message(link, self._shape.name, number)
            ours = await self._source.read(number - 1, 1)
            # Either may be gone by now: expired there, or purged here.
            if stored is not None and ours and ours[0] != (number, stored):
                return Distrust.FOREIGN
        return None

    async def _create(self, link: Link, first: int) -> StreamState:
        state = await create_stream(link, self._shape, self._epoch, first)
        self.counters.position = state.last
        self.counters.created += 1
        return state

    async def _beginning(self, source_last: int) -> int:
        if self._acknowledged is None:
            return max(1, source_last - _RECENT + 1)
        return min(await self._acknowledged(), source_last) + 1

    async def _settle_acknowledged(self, link: Link, state: StreamState) -> None:
        """Pass on how far a lane's reader is, and drop what it needs no more."""
        if self._shape.durable is None:
            return
        floor = await ensure_durable(link, self._shape.name, self._shape.durable)
        floor = min(floor, state.last)  # whatever a peer claims to have read
        if floor > self.counters.acknowledged:
            if self._on_acknowledged is not None:
                await self._on_acknowledged(floor)
            self.counters.acknowledged = floor
        if self._acknowledged is not None:
            floor = min(max(floor, await self._acknowledged()), state.last)
        if state.messages and state.first <= floor:
            await purge_through(link, self._shape.name, floor)

    async def _publish_after(self, link: Link, publisher: Publisher, position: int) -> int:
        """Publish one window of what follows `position`, and give the new position."""
        window = _cut(await self._source.read(position, _WINDOW))
        if not window:
            return position
        first = window[0][0]
        if first > position + 1:
            # The source has dropped what comes between; the reader finds the gap and asks for it.
            await delete_stream(link, self._shape.name)
            await self._create(link, first)
            self.counters.skipped += first - position - 1
            self._sure = first - 1
        outcomes = await publisher.publish(
            [self._outgoing(number, data) for number, data in window], seconds=_PUBLISH_SECONDS
        )
        hit(Place.AFTER_PUBLISH)
        for (number, _), outcome in zip(window, outcomes, strict=True):
            if outcome != Stored(sequence=number, duplicate=False):
                raise _NotAllStoredError(outcome.code if isinstance(outcome, NotStored) else None)
            self._sure = self.counters.position = number
            self.counters.published += 1
        self.counters.source_last = max(self.counters.source_last, window[-1][0])
        return window[-1][0]

    def _outgoing(self, number: int, data: bytes) -> Outgoing:
        return Outgoing(
            subject=self._shape.subject,
            data=data,
            headers={
                "Nats-Msg-Id": f"{self._epoch}/{number}",
                "Nats-Expected-Last-Sequence": str(number - 1),
                "Nats-Expected-Stream": self._shape.name,
            },
        )

    def _alarm(self, distrust: Distrust, state: StreamState, source_last: int) -> None:
        self.counters.recreated += 1
        self._sure = None
        _log.warning("stream %s made anew: %s", self._shape.name, distrust.value)
        if self._on_alarm is not None:
            self._on_alarm(
                Alarm(
                    stream=self._shape.name,
                    distrust=distrust,
                    stream_last=state.last,
                    source_last=source_last,
                )
            )

    def _note(self, error: Exception) -> None:
        name = type(error).__name__
        if isinstance(error, _NotAllStoredError):
            name = error.name
        elif isinstance(error, JetStreamError):
            name = f"JetStream{error.code}"
        if name == STREAM_FULL:
            self.counters.full += 1
        else:
            self.counters.errors += 1
        if name != self.counters.last_error:
            _log.warning("relay of %s: %s", self._shape.name, name)
        self.counters.last_error = name


def _cut(messages: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, bytes]]:
    """Keep as many as fit the window's bytes, but at least one."""
    size = 0
    for index, (_, data) in enumerate(messages):
        size += len(data)
        if index and size > _WINDOW_BYTES:
            return messages[:index]
    return messages
