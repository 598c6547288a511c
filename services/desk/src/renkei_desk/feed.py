"""The live feed: one stream of server-sent events a tab, from the log of the service whose records the page shows.

The id of each event is the log's epoch and the sequence, so a tab that comes back, to this process or
to the next one, hears exactly what it missed. An event says which lead or arrest, never what it says: the page
asks for that with the officer's own rights.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.log_pb2 import ReadLogRequest, WatchLogRequest
from renkei.event.v1.log_pb2_grpc import LogServiceStub

from renkei_chassis.errors import RenkeiError, Unauthenticated
from renkei_chassis.rpc.calling import RESUME_SEQUENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.rpc.client import Client

BEAT_SECONDS: Final = 15.0
_SECONDS: Final = 2.0


class FeedAwayError(Exception):
    """A log does not answer the desk."""


class Feed:
    """Streams of one log."""

    def __init__(self, client: Client, *, tells: str, beat_seconds: float = BEAT_SECONDS) -> None:
        """Take a client of the service whose log it is, which speaks as the desk itself, and what its events are of."""
        self._tells = tells
        self._client = client
        self._stub = client.stub(LogServiceStub)
        self._beat_seconds = beat_seconds
        self._ended = asyncio.Event()

    def end(self) -> None:
        """End every stream: the browsers come back to whoever serves then."""
        self._ended.set()

    async def position(self) -> str:
        """Tell where the log ends now, as the id of an event."""
        try:
            answer = await self._client.call(self._stub.ReadLog, ReadLogRequest(max_events=1), seconds=_SECONDS)
        except Unauthenticated as error:  # the desk itself is not believed: nobody's session is over for that
            raise FeedAwayError from error
        return f"{answer.epoch}.{answer.last_sequence}"

    async def stream(self, last_id: str, *, is_open: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """Send what happened after `last_id`, and go on. `is_open` is asked with every beat."""
        here = await self.position()
        epoch, _, end = here.partition(".")
        known, _, sequence = last_id.partition(".")
        after = int(end)
        if known == epoch and sequence.isdecimal() and int(sequence) <= int(end):
            after = int(sequence)
        elif last_id:
            # Another log than the page was made from (a restored database): nothing but a new page will do.
            yield _message("again", f"{epoch}.{after}", {})
        yield b": here\nretry: 1000\n\n"
        watch = self._client.watch(self._stub.WatchLog, WatchLogRequest(after_sequence=after), resume=RESUME_SEQUENCE)
        async with aclosing(watch) as answers:
            waiting = asyncio.ensure_future(anext(answers))
            ended = asyncio.ensure_future(self._ended.wait())
            try:
                while True:
                    done, _ = await asyncio.wait(
                        {waiting, ended}, timeout=self._beat_seconds, return_when=asyncio.FIRST_COMPLETED
                    )
                    if ended in done:
                        return
                    if not await is_open():
                        yield _message("locked", "", {})
                        return
                    if not done:
                        yield b": beat\n\n"
                        continue
                    answer = waiting.result()
                    if answer.epoch and answer.epoch != epoch:
                        yield _message("again", f"{answer.epoch}.{answer.through_sequence}", {})
                        return
                    for event in answer.events:
                        yield _message(self._tells, f"{epoch}.{event.sequence}", self._facts(event))
                    waiting = asyncio.ensure_future(anext(answers))
            except (RenkeiError, StopAsyncIteration):
                return  # the browser comes back with the last id it has
            finally:
                waiting.cancel()
                ended.cancel()
                await asyncio.gather(waiting, ended, return_exceptions=True)

    def _facts(self, event: Event) -> dict[str, Any]:
        return {"kind": event.type.rpartition(".")[2], self._tells: event.resource.rpartition("/")[2]}


def _message(kind: str, number: str, facts: dict[str, Any]) -> bytes:
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {kind}\ndata: {json.dumps(facts)}\n\n".encode()
