"""How long a call may take: the caller's deadline, cut to ours, and an end that can be brought forward."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei_chassis.errors import DeadlineExceeded, RenkeiError

if TYPE_CHECKING:
    from types import TracebackType


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
    """`asyncio.timeout` whose end is told apart from any other TimeoutError, and can be brought forward."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._error: RenkeiError = DeadlineExceeded(
            "DEADLINE", "the call took too long; a write may have happened: repeat it with the same request_id"
        )

    def end(self, error: RenkeiError) -> None:
        """Let it end now, with this error."""
        if not self._timeout.expired():
            self._error = error
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            if not self._timeout.expired():
                raise
            raise self._error from None


def allowed(remaining: float | None, longest: float, default: float) -> float:
    """Cut the caller's deadline to ours; a call that brings none gets the default."""
    return default if remaining is None else min(remaining, longest)
