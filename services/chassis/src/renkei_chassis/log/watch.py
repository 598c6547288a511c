"""Watch a log: each answer is read, made and serialised once for all who stand at the same place of it.

A hundred watchers stand at the end of the log nearly always. The first of them who finds it grown makes the answer,
and the others take the same bytes. Whoever is behind asks for other places, and so reads for itself until it
has reached them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.log.changes import Changes

    Make = Callable[[Sequence[Event]], Awaitable[Sequence[tuple[int, Message]]]]

C = TypeVar("C")

# What is kept for those who come a moment later. It tells how records are now, so that it is good for as long as the
# log has not grown, and for a moment: then it is forgotten, erased or not.
_KEPT_BYTES: Final = 4 * 1024 * 1024
_KEPT_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Place:
    """The answer that begins at one place: being made, or made."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: tuple[int, bytes] | None = None
    """(the sequence that it goes through, its bytes); none while it is made, or where whoever made it failed."""


class Watch:
    """Answers every watcher of one method."""

    def __init__(self, changes: Changes, *, answer: type[Message], make: Make) -> None:
        """Take the log and the type of an answer, which has a `resume_token`.

        `make` turns events that follow each other into answers without token, each with the sequence of its last
        event; all of the events are told, in order, and there is an answer for at least one.
        """
        self._changes = changes
        self._answer = answer
        self._make = make
        self._places: dict[int, _Place] = {}
        self._kept_bytes = 0
        self._as_of = -1  # where the log ended when the answers were made
        self._forget_later: asyncio.TimerHandle | None = None
        self.made = 0
        """How many answers were made, for however many watchers."""

    async def watch(self, *, resume_token: str, from_start: bool) -> AsyncIterator[bytes]:
        """Yield serialised answers for ever; one without changes is a checkpoint.

        The first comes at once, so that a watcher knows its token before anything happens. A watcher who takes
        nothing holds one answer. Raises INVALID_RESUME_TOKEN.
        """
        after = self._changes.start(resume_token=resume_token, from_start=from_start)
        yield self._encoded(after, self._answer())
        while True:
            if await self._changes.grown(after=after):
                after, encoded = await self._after(after)
                yield encoded
            else:
                yield self._encoded(after, self._answer())

    async def _after(self, after: int) -> tuple[int, bytes]:
        """Give the answer that begins after a sequence, beyond which the log has grown."""
        while True:
            if self._as_of != self._changes.last_sequence:
                self._forget()
            place = self._places.get(after)
            if place is None:
                return await self._make_at(after)
            await place.done.wait()
            if place.answer is not None:
                return place.answer
            # Whoever made it went away or failed; the next one tries for itself, and fails for itself.

    async def _make_at(self, after: int) -> tuple[int, bytes]:
        place = self._places[after] = _Place()
        as_of = self._as_of
        try:
            async with self._changes.turns:
                events = await self._changes.events(after=after)
                parts = [(through, self._encoded(through, message)) for through, message in await self._make(events)]
            place.answer = parts[0]
        finally:
            if place.answer is None and self._places.get(after) is place:
                del self._places[after]
            place.done.set()
        self.made += len(parts)
        if as_of == self._as_of == self._changes.last_sequence:
            self._keep(place, parts)
        return parts[0]

    def _encoded(self, through: int, message: Any) -> bytes:  # noqa: ANN401 (an answer with a token)
        message.resume_token = self._changes.token(through)
        encoded: bytes = message.SerializeToString()
        return encoded

    def _keep(self, first: _Place, parts: Sequence[tuple[int, bytes]]) -> None:
        """Keep what was read at once, each part where its watchers will ask for it; the oldest makes room."""
        self._kept_bytes += len(parts[0][1])
        for number, part in enumerate(parts[1:]):
            begins = parts[number][0]
            if begins not in self._places:
                place = self._places[begins] = _Place(answer=part)
                place.done.set()
                self._kept_bytes += len(part[1])
        for begins, old in list(self._places.items()):
            if self._kept_bytes <= _KEPT_BYTES:
                break
            if old.answer is not None and old is not first:
                del self._places[begins]
                self._kept_bytes -= len(old.answer[1])
        if self._forget_later is None:
            self._forget_later = asyncio.get_running_loop().call_later(_KEPT_SECONDS, self._forget)

    def _forget(self) -> None:
        """Forget every answer; one that is being made reaches those who wait for it."""
        if self._forget_later is not None:
            self._forget_later.cancel()
            self._forget_later = None
        self._places = {}
        self._kept_bytes = 0
        self._as_of = self._changes.last_sequence


def in_parts(changes: Iterable[tuple[int, int, C]], *, most: int) -> list[tuple[int, list[C]]]:
    """Put (sequence, size, change) together into parts of that size at most, each with the sequence of its last one.

    What is larger than that is a part of its own.
    """
    parts: list[tuple[int, list[C]]] = []
    total = 0
    for sequence, size, change in changes:
        total += size
        if parts and total <= most:
            part = parts.pop()[1]
        else:
            part, total = [], size
        part.append(change)
        parts.append((sequence, part))
    return parts
