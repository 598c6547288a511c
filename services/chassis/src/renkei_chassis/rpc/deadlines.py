"""How long a call may take: the caller's deadline, cut to ours, and an end that can be brought forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei_chassis.errors import DeadlineExceeded

if TYPE_CHECKING:
    from types import TracebackType

    from renkei_chassis.errors import RenkeiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a call may take at most, in seconds; and how many streams there may be."""

    unary: float = 60.0
    unary_default: float = 20.0
    """Where the caller brings no deadline, as common command-line clients do."""
    stream: float = 3600.0
    """Watches and loads; each can be resumed."""
    arrival: float = 20.0
    """Until a call's request is here, counted from its headers."""
    streams: int = 1024
    """Not seconds: so many streams at once."""
    streams_of_one: int = 128
    """So many of them of one caller."""


class Deadline:
    """Ends a block after a time, told apart from any TimeoutError inside, and can be brought forward.

    What `asyncio.timeout` does, for a third of its cost: every call pays for one.
    """

    __slots__ = ("_cancelling", "_error", "_expired", "_handle", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._error: RenkeiError | None = None
        self._expired = False
        self._handle: asyncio.Handle | None = None
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0

    def end(self, error: RenkeiError) -> None:
        """Let it end now, with this error."""
        if self._expired:
            return
        self._error, self._seconds = error, 0.0
        if self._handle is not None:
            self._handle.cancel()
            self._handle = asyncio.get_running_loop().call_soon(self._expire)

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        assert self._task is not None  # noqa: S101 (a call is handled by a task)
        self._cancelling = self._task.cancelling()
        if self._seconds > 0:
            self._handle = loop.call_at(loop.time() + self._seconds, self._expire)
        else:
            self._handle = loop.call_soon(self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if not self._expired or self._task is None:
            return
        if self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise self._error or _late() from None

    def _expire(self) -> None:
        self._expired = True
        if self._task is not None:
            self._task.cancel()


def _late() -> DeadlineExceeded:
    return DeadlineExceeded(
        "DEADLINE", "the call took too long; a write may have happened: repeat it with the same request_id"
    )


def allowed(remaining: float | None, longest: float, default: float) -> float:
    """Cut the caller's deadline to ours; a call that brings none gets the default."""
    return default if remaining is None else min(remaining, longest)
