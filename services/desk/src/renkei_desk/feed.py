"""The live feed: one stream of server-sent events a tab, of what the log of a service tells.

The id of each event is its place in the log, so a tab that comes back, to this process or to the next one, hears
exactly what it missed. An event says which lead or arrest, never what it says: the page asks for that with the
officer's own rights.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from renkei_desk.request import is_by_itself
from renkei_desk.tail import LogAwayError, OtherLogError, Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

    from renkei_desk.tail import Tail

BEAT_SECONDS: Final = 15.0


class Feed:
    """Streams of one log."""

    def __init__(self, tail: Tail, *, tells: str, beat_seconds: float = BEAT_SECONDS) -> None:
        """Take the log's end, and what its events are of."""
        self._tail = tail
        self._tells = tells
        self._beat_seconds = beat_seconds

    async def begin_for(self, request: Request) -> str:
        """Tell after which event a page is to follow; empty where it asks itself anew, and follows already.

        To be asked before what the page holds: what comes between is told again then, and not missed. Raises
        LogAwayError.
        """
        return "" if is_by_itself(request) else str(await self._tail.position())

    async def open(self, last_id: str, *, is_open: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        """Give a stream of what happened after `last_id`, or from now on, for as long as the session `is_open`.

        That is asked with every event and every beat. Raises LogAwayError.
        """
        return self._stream(Place.of(last_id) if last_id else await self._tail.position(), is_open)

    async def _stream(self, place: Place, is_open: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
        yield b": here\nretry: 1000\n\n"
        with suppress(LogAwayError):  # the browser comes back with the last id it has
            while not self._tail.ended:
                try:
                    told = await self._tail.after(place)
                except OtherLogError:
                    # A restored database, say: nothing but a new page will do.
                    place = await self._tail.position()
                    yield _message("again", place, {})
                    continue
                came = bool(told) or await self._tail.beyond(place, seconds=self._beat_seconds)
                if not await is_open():
                    yield _message("locked", None, {})
                    return
                if not came:
                    yield b": beat\n\n"
                for each in told:
                    place = Place(place.epoch, each.sequence)
                    yield _message(self._tells, place, {"kind": each.kind, self._tells: each.record})


def _message(kind: str, place: Place | None, facts: dict[str, Any]) -> bytes:
    head = f"id: {place}\n" if place else ""
    return f"{head}event: {kind}\ndata: {json.dumps(facts)}\n\n".encode()
