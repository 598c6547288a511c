"""Hand the messages of one durable to a follower, and acknowledge what it has durably applied.

The receiver decides nothing: early, late and repeated numbers go up as they come, and the follower
answers with the number of its own cursor. Nothing is ever resumed from a number that NATS kept:
what is not acknowledged comes again, and what never comes is the follower's to fetch over gRPC.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never

import nats.errors

from renkei_chassis.courier.backoff import Backoff
from renkei_chassis.courier.cancellation import heed_cancellation
from renkei_chassis.courier.connection import LinkLostError
from renkei_chassis.courier.jetstream import STREAM_MISSING, JetStreamError, ensure_durable
from renkei_chassis.courier.puller import Puller, PullRefusedError
from renkei_chassis.failpoints import Place, hit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from nats.aio.msg import Msg

    from renkei_chassis.courier.connection import Connection, Link
from renkei_chassis.courier.jetstream import DurableShape

_log = logging.getLogger(__name__)

_BATCH: Final = 64
_IN_PROGRESS_SECONDS: Final = 2.0  # well within a durable's ack_wait
_IN_PROGRESS: Final = b"+WPI"
# $JS.ACK.<stream>.<durable>.<deliveries>.<stream sequence>... ; with a domain two tokens more
_TOKENS: Final = 9
_SEQUENCE: Final = 5
_DIGITS: Final = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message and the number it travels under. The bytes know better: check against them."""

    number: int
    data: bytes


@dataclass(slots=True, kw_only=True)
class ReceiverCounters:
    """What a receiver has seen since it started, for status and metrics."""

    received: int = 0
    acknowledged_through: int = 0
    refused: int = 0
    malformed: int = 0
    errors: int = 0
    last_error: str | None = None


class Receiver:
    """Pulls a durable and calls `on_messages` with what comes, one call at a time.

    `on_messages` returns the number through which everything is durably applied, whether it came
    this way or another, or None to acknowledge nothing. When it raises, it is called again with the
    same messages a little later.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        stream: str,
        durable: DurableShape,
        on_messages: Callable[[Sequence[Message]], Awaitable[int | None]],
        may_create: bool,
        batch: int = _BATCH,
    ) -> None:
        """Prepare. `may_create` is for a reader of its own agency's log; a peer can only bind."""
        self.counters = ReceiverCounters()
        self._connection = connection
        self._stream = stream
        self._durable = durable
        self._on_messages = on_messages
        self._may_create = may_create
        self._batch = batch
        self._backoff = Backoff()

    async def run(self) -> Never:
        """Receive until cancelled. Raises nothing else."""
        while True:
            heed_cancellation()
            link = await self._connection.link()
            try:
                await self._receive(link)
            except LinkLostError:
                continue
            except PullRefusedError:
                self.counters.refused += 1
            except Exception as error:  # noqa: BLE001 (the outermost loop)
                self._note(error)
            await self._backoff.wait()

    async def _receive(self, link: Link) -> None:
        if self._may_create:
            await self._ensure_durable(link)
        puller = Puller(link, stream=self._stream, durable=self._durable.name, batch=self._batch)
        try:
            await puller.open()
            while True:
                await self._hand_over(link, await puller.next())
                self._backoff.reset()
        finally:
            await puller.close()

    async def _ensure_durable(self, link: Link) -> None:
        try:
            await ensure_durable(link, self._stream, self._durable)
        except JetStreamError as error:
            if error.code == STREAM_MISSING:  # its relay has not made it yet
                raise PullRefusedError(str(error.code)) from None
            raise

    async def _hand_over(self, link: Link, arrived: Sequence[Msg]) -> None:
        numbered = [(number, raw) for raw in arrived if (number := _number(raw.reply)) is not None]
        self.counters.malformed += len(arrived) - len(numbered)
        self.counters.received += len(numbered)
        if not numbered:
            return
        messages = [Message(number=number, data=raw.data) for number, raw in numbered]
        async with _kept_in_progress(link, [raw.reply for _, raw in numbered]):
            through = await self._apply(link, messages)
        if through is None:
            return
        done = {number: raw.reply for number, raw in numbered if number <= through}
        if done:
            highest = max(done)
            hit(Place.BEFORE_ACKNOWLEDGEMENT)
            await link.client.publish(done[highest])
            self.counters.acknowledged_through = max(self.counters.acknowledged_through, highest)

    async def _apply(self, link: Link, messages: Sequence[Message]) -> int | None:
        while True:
            heed_cancellation()
            try:
                return await self._on_messages(messages)
            except Exception as error:  # noqa: BLE001 (whatever fails above is tried again and counted)
                self._note(error)
            await self._backoff.wait()
            if link.is_lost:
                raise LinkLostError

    def _note(self, error: Exception) -> None:
        name = type(error).__name__
        self.counters.errors += 1
        if name != self.counters.last_error:
            _log.warning("receiver of %s/%s: %s", self._stream, self._durable.name, name)
        self.counters.last_error = name


@asynccontextmanager
async def _kept_in_progress(link: Link, replies: Sequence[str]) -> AsyncIterator[None]:
    """Tell the server now and then that these are being worked on, or it sends them again."""

    async def keep() -> None:
        with suppress(nats.errors.Error, OSError):
            while True:
                for reply in replies:
                    await link.client.publish(reply, _IN_PROGRESS)
                await asyncio.sleep(_IN_PROGRESS_SECONDS)

    keepers: list[asyncio.Task[None]] = []  # none where the work is done in no time, as it mostly is
    loop = asyncio.get_running_loop()
    first = loop.call_later(_IN_PROGRESS_SECONDS, lambda: keepers.append(loop.create_task(keep())))
    try:
        yield
    finally:
        first.cancel()
        for keeper in keepers:
            keeper.cancel()
            await asyncio.wait({keeper})


def _number(reply: str) -> int | None:
    """Read the stream sequence from an acknowledgement subject; None if it is no such subject."""
    tokens = reply.split(".")
    if tokens[:2] != ["$JS", "ACK"] or len(tokens) < _TOKENS:
        return None
    text = tokens[_SEQUENCE if len(tokens) == _TOKENS else _SEQUENCE + 2]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
