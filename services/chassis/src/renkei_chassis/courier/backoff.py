"""Wait longer after each failure, with jitter, so that many waiters do not come back at once."""

from __future__ import annotations

import asyncio
import random
from typing import Final

FIRST_SECONDS: Final = 0.05
LONGEST_SECONDS: Final = 2.0


class Backoff:
    """One waiter's pauses: each twice the last, half of it left to chance, until `reset`."""

    def __init__(self, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        """Begin with `first` seconds and never wait more than `longest`."""
        self._first = first
        self._longest = longest
        self._now = first

    def reset(self) -> None:
        """Begin anew: what was tried has worked."""
        self._now = self._first

    async def wait(self) -> None:
        """Wait for this turn's pause."""
        pause = self._now * random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not a secret)
        self._now = min(self._now * 2, self._longest)
        await asyncio.sleep(pause)
