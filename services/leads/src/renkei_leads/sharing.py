"""Make an answer once for however many ask the same, until the log goes on: fifty desks ask at every event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

A = TypeVar("A")


class Shared(Generic[A]):
    """Answers that follow from what is in the log, and from a key that holds everything else.

    Whoever asks gets one that was begun when the log stood where it stands now, or later. Who may ask is
    decided before.
    """

    def __init__(self, last_sequence: Callable[[], int], *, most: int) -> None:
        """Take who knows where the log ends, and how many answers to keep."""
        self._last_sequence = last_sequence
        self._most = most
        self._as_of = -1
        self._made: dict[Hashable, asyncio.Future[A]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[A]]) -> A:
        """Give the answer of a key; `make` is called where there is none. Nobody may change it."""
        last = self._last_sequence()
        if last != self._as_of or (key not in self._made and len(self._made) >= self._most):
            self._as_of, self._made = last, {}
        made = self._made
        if key not in made:
            made[key] = asyncio.ensure_future(make())
            made[key].add_done_callback(lambda done: _forget_failure(made, key, done))
        # Whoever hangs up takes nothing from the others.
        return await asyncio.shield(made[key])


def _forget_failure(made: dict[Hashable, asyncio.Future[A]], key: Hashable, done: asyncio.Future[A]) -> None:
    if done.cancelled() or done.exception() is not None:
        del made[key]
