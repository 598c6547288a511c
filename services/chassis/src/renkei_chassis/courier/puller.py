"""Pull messages from a durable with one request that lingers at the server.

Written by hand because nats-py's `fetch` stalls now and then for its whole timeout. The server says
every second that it is still there; when it stays silent for longer, the request is taken for lost
and another one is sent under a new inbox.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import nats.errors

from renkei_chassis.courier.cancellation import heed_cancellation
from renkei_chassis.courier.connection import LinkLostError

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from renkei_chassis.courier.connection import Link

_EXPIRES_SECONDS: Final = 5
_HEARTBEAT_SECONDS: Final = 1
_SILENCE_SECONDS: Final = 2.5 * _HEARTBEAT_SECONDS
_NANOSECONDS: Final = 1_000_000_000
_HEARTBEAT: Final = "100"
_OVER: Final = frozenset({"404", "408"})  # nothing there; time is up: simply ask again
_PENDING_MESSAGES: Final = 65_536


class PullRefusedError(Exception):
    """The server ended the request: no such durable, or it is gone, or too many ask. Wait a bit."""

    def __init__(self, status: str) -> None:
        """Keep the status: 503 nobody answers, 409 ended."""
        super().__init__(status)
        self.status = status


class Puller:
    """Pulls one durable on one link; it ends with it."""

    def __init__(self, link: Link, *, stream: str, durable: str, batch: int) -> None:
        """Prepare to pull up to `batch` messages a request."""
        self._link = link
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._batch = batch
        self._request = json.dumps(
            {
                "batch": batch,
                "expires": _EXPIRES_SECONDS * _NANOSECONDS,
                "idle_heartbeat": _HEARTBEAT_SECONDS * _NANOSECONDS,
            }
        ).encode()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._open = 0  # messages that the request under way may still bring
        self._forget = link.when_lost(lambda: self._arrived.put_nowait(None))

    async def open(self) -> Self:
        """Subscribe to an inbox of its own."""
        await self._take_fresh_inbox()
        return self

    async def close(self) -> None:
        """Stop listening. The server forgets the request when it expires."""
        self._forget()
        await self._leave_inbox()

    async def next(self) -> list[Msg]:
        """Give all that has arrived, at least one message, waiting for it as long as it takes.

        Raises PullRefusedError when the server ends the request, LinkLostError with the link.
        """
        while True:
            heed_cancellation()
            if self._open <= 0:
                await self._ask()
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    first = await self._arrived.get()
            except TimeoutError:
                await self._take_fresh_inbox()
                continue
            messages: list[Msg] = []
            refused = self._sort(first, messages)
            while not self._arrived.empty():
                refused = self._sort(self._arrived.get_nowait(), messages) or refused
            if messages:
                return messages
            if refused is not None:
                raise PullRefusedError(refused)

    def _sort(self, arrived: Msg | None, messages: list[Msg]) -> str | None:
        """Put a message with the others; give the status if it ends the request for a reason."""
        if arrived is None or self._link.is_lost:
            raise LinkLostError
        status = (arrived.headers or {}).get("Status")
        if status is None:
            messages.append(arrived)
            self._open -= 1
        elif status != _HEARTBEAT:
            self._open = 0
            if status not in _OVER:
                return status
        return None

    async def _ask(self) -> None:
        self._open = self._batch
        await self._link.client.publish(self._subject, self._request, reply=self._inbox)

    async def _take_fresh_inbox(self) -> None:
        if self._link.is_lost:
            raise LinkLostError
        await self._leave_inbox()
        client = self._link.client
        self._inbox = client.new_inbox()
        self._subscription = await client.subscribe(
            self._inbox, cb=self._on_message, pending_msgs_limit=_PENDING_MESSAGES
        )
        self._open = 0

    async def _leave_inbox(self) -> None:
        if self._subscription is not None:
            with suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()
            self._subscription = None

    async def _on_message(self, message: Msg) -> None:
        await self._arrived.put(message)
