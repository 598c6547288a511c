"""Wait for the answers to many requests as for one: a future a message, and not a task and a future a row."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Answers:
    """The answers to requests that were handed over together. On the event loop only."""

    def __init__(self, count: int) -> None:
        """Begin with none of them."""
        self._found: list[Any] = [None] * count
        self._missing = count
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not count:
            self._all.set_result(None)

    def at(self, place: int) -> Answer:
        """Give what takes one answer, as a future would."""
        return Answer(self, place)

    async def all(self) -> Sequence[Any]:
        """Wait for all; an answer that is an exception is given, not raised."""
        await self._all
        return self._found

    @property
    def unwanted(self) -> bool:
        """Whether whoever waited went away."""
        return self._all.cancelled()

    def put(self, place: int, found: Any) -> None:  # noqa: ANN401 (an answer or what was raised)
        """Take one; each place is filled once."""
        self._found[place] = found
        self._missing -= 1
        if not self._missing and not self._all.done():
            self._all.set_result(None)


class Answer:
    """One of them, as whoever carries requests out sees it."""

    __slots__ = ("_answers", "_filled", "_place")

    def __init__(self, answers: Answers, place: int) -> None:
        """Belongs to `Answers`."""
        self._answers = answers
        self._place = place
        self._filled = False

    def done(self) -> bool:
        """Tell whether it is there, or nobody waits for it any more."""
        return self._filled or self._answers.unwanted

    def set_result(self, result: object) -> None:
        """Answer."""
        self._filled = True
        self._answers.put(self._place, result)

    def set_exception(self, error: BaseException) -> None:
        """Refuse."""
        self._filled = True
        self._answers.put(self._place, error)
