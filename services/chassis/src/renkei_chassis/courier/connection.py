"""Keep one connection to one NATS server alive, in the background and for ever.

NATS is never required: `Connection.run` tries until it is cancelled, and whoever needs the server
waits in `Connection.link`. A `Link` is one live connection and is never revived; when it is lost,
what was subscribed or in flight on it is over, and its users begin again on the next one. That is
why nats-py's own reconnection stays off: it replays publishes of before the loss, closes for good
on some errors, and can hang in its own clean-up while a peer is silent.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Never

from nats.aio.client import Client

from renkei_chassis.courier.backoff import Backoff
from renkei_chassis.courier.cancellation import heed_cancellation

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_chassis.courier.nkeys import UserKey

_log = logging.getLogger(__name__)

# Two unanswered pings: a silent server is given up after six seconds.
_PING_SECONDS: Final = 2
_UNANSWERED_PINGS: Final = 2
_CONNECT_SECONDS: Final = 3
_CLOSE_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.25
_STEADY_SECONDS: Final = 5.0  # a link that lived this long was a good one


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect and as whom. The server must let us subscribe below `inbox_prefix`."""

    url: str
    key: UserKey
    name: str
    inbox_prefix: str = "_INBOX"


class LinkLostError(Exception):
    """The link is over; go on with the next one."""


class Link:
    """One live connection. Everything on it ends when it is lost."""

    def __init__(self, client: Client) -> None:
        """Wrap a connected client."""
        self.client = client
        self._lost = asyncio.Event()
        self._listeners: set[Callable[[], None]] = set()

    @property
    def is_lost(self) -> bool:
        """Whether this link is over."""
        return self._lost.is_set() or self.client.is_closed

    def when_lost(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` once when the link is lost; call what is returned to take that back."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def lose(self) -> None:
        """End the link and tell its listeners."""
        if self._lost.is_set():
            return
        self._lost.set()
        for listener in tuple(self._listeners):
            listener()

    async def until_lost(self) -> None:
        """Wait for the end of the link."""
        await self._lost.wait()


class _NkeyClient(Client):
    """nats-py's client, with our key and a way to drop a connection whose other end is silent."""

    def __init__(self, key: UserKey) -> None:
        super().__init__()
        # Names the key in CONNECT. nats-py sets this itself only through PyNaCl.
        self._public_nkey = key.public

    def abort(self) -> None:
        """Drop the socket without waiting for what is still to be written to it."""
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()


class Connection:
    """Whoever shares one server shares one of these; `run` must be running for it to connect."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare; nothing is opened before `run`."""
        self.endpoint = endpoint
        self.connects = 0
        self.failures = 0
        self.last_error: str | None = None
        self._link: Link | None = None
        self._changed = asyncio.Event()
        self._observers: list[Callable[[bool], None]] = []

    @property
    def connected(self) -> bool:
        """Whether there is a live link now."""
        return self._link is not None and not self._link.is_lost

    def observe(self, observer: Callable[[bool], None]) -> None:
        """Call `observer` with True at every connect and False at every loss. It must not raise."""
        self._observers.append(observer)

    async def link(self) -> Link:
        """Give the live link, waiting for one if there is none; it may still be lost any time."""
        while self._link is None or self._link.is_lost:
            self._changed.clear()
            await self._changed.wait()
        return self._link

    async def run(self) -> Never:
        """Connect, and connect again, until cancelled. Raises nothing else."""
        backoff = Backoff()
        while True:
            heed_cancellation()
            client = _NkeyClient(self.endpoint.key)
            lost = asyncio.Event()
            began = asyncio.get_running_loop().time()
            try:
                await self._open(client, lost)
                await self._hold(Link(client), lost)
            except Exception as error:  # noqa: BLE001 (the outermost loop; a server may send anything)
                self.failures += 1
                self._note(error)
            finally:
                await _close(client)
            if asyncio.get_running_loop().time() - began > _STEADY_SECONDS:
                backoff.reset()
            await backoff.wait()

    async def _open(self, client: Client, lost: asyncio.Event) -> None:
        async def on_error(error: Exception) -> None:
            self._note(error)

        async def on_lost() -> None:
            lost.set()

        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.connect(
                self.endpoint.url,
                name=self.endpoint.name,
                inbox_prefix=self.endpoint.inbox_prefix,
                signature_cb=self.endpoint.key.sign,
                error_cb=on_error,
                disconnected_cb=on_lost,
                closed_cb=on_lost,
                connect_timeout=_CONNECT_SECONDS,
                ping_interval=_PING_SECONDS,
                max_outstanding_pings=_UNANSWERED_PINGS,
                allow_reconnect=False,
                max_reconnect_attempts=1,  # with fewer, connect() would never return
                reconnect_time_wait=0,
                pending_size=0,  # a publish then never waits for the socket, and never outlives the link
            )
            await client.flush()

    async def _hold(self, link: Link, lost: asyncio.Event) -> None:
        self.connects += 1
        self._link = link
        self._tell(connected=True)
        try:
            # nats-py marks itself closed before it calls back, and between the two it can wait for
            # a silent server: so look as well.
            while not lost.is_set() and not link.client.is_closed:
                heed_cancellation()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await lost.wait()
        finally:
            self._link = None
            link.lose()
            self._tell(connected=False)

    def _note(self, error: Exception) -> None:
        name = _name(error)
        if name != self.last_error:
            _log.info("nats connection %s: %s", self.endpoint.name, name)
        self.last_error = name

    def _tell(self, *, connected: bool) -> None:
        _log.info("nats connection %s: %s", self.endpoint.name, "up" if connected else "lost")
        self._changed.set()
        for observer in self._observers:
            observer(connected)


async def _close(client: _NkeyClient) -> None:
    """Close politely for a moment, then drop the socket: its other end may be silent."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await client.close()
    except Exception as error:  # noqa: BLE001 (the link is over however its end went)
        _log.debug("nats connection did not close well: %s", type(error).__name__)
    finally:
        client.abort()


def _name(error: Exception) -> str:
    """Name an error without its text; nats-py has no class of its own for a refused key."""
    if "authorization violation" in str(error).lower():
        return "AuthorizationError"
    return type(error).__name__
