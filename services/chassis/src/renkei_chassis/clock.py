"""The wall clock that a log may trust, and one that tests move by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from renkei_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
CLOCK_JUMPED: Final = "CLOCK_JUMPED"


class Clock(Protocol):
    """What code asks for the time: always UTC, always whole microseconds."""

    def now(self) -> datetime:
        """Tell the time in UTC."""
        ...

    def now_us(self) -> int:
        """Tell the microseconds since 1970."""
        ...


def _boot_ns() -> int:
    """Count since boot, sleep included: slewed as the wall clock is, but never stepped."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class WallClock:
    """The machine's clock, which refuses to tell the time after somebody turned it.

    At start the distance between wall clock and time since boot is noted. Slewing (what time
    daemons do all day) moves both; a step moves one. While the distance is off by more than
    `max_jump_seconds`, every question raises Unavailable/CLOCK_JUMPED: a log stamped by a clock
    that was turned would order things wrongly for ever. It heals when the clock is put back, or
    when the process is started again by somebody who looked.
    """

    def __init__(
        self,
        *,
        max_jump_seconds: float = 10.0,
        wall_ns: Callable[[], int] = time.time_ns,
        boot_ns: Callable[[], int] = _boot_ns,
    ) -> None:
        """Note where the two clocks stand now."""
        if not 0 < max_jump_seconds < float("inf"):
            raise ValueError("max_jump_seconds must be positive and finite")
        self._limit_ns = int(max_jump_seconds * 1e9)
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns
        self._distance_ns = wall_ns() - boot_ns()

    def now_us(self) -> int:
        """Tell the microseconds since 1970, or raise Unavailable/CLOCK_JUMPED."""
        wall = self._wall_ns()
        jump = wall - self._boot_ns() - self._distance_ns
        if abs(jump) > self._limit_ns:
            raise Unavailable(
                CLOCK_JUMPED,
                "the wall clock jumped since the start; set it right or start the service again",
                metadata={
                    "jump_seconds": f"{jump / 1e9:.3f}",
                    "limit_seconds": f"{self._limit_ns / 1e9:.3f}",
                },
            )
        return wall // 1000

    def now(self) -> datetime:
        """Tell the time in UTC, or raise Unavailable/CLOCK_JUMPED."""
        return from_us(self.now_us())


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = datetime(2024, 1, 1, tzinfo=UTC)) -> None:
        """Stand at `start`, which knows its time zone."""
        self._us = to_us(start)

    def now_us(self) -> int:
        """Tell the microseconds since 1970."""
        return self._us

    def now(self) -> datetime:
        """Tell the time in UTC."""
        return from_us(self._us)

    def advance(self, seconds: float) -> None:
        """Go forward, or back with a negative number."""
        self._us += round(seconds * 1_000_000)

    def set(self, moment: datetime) -> None:
        """Stand at `moment` from now on."""
        self._us = to_us(moment)


def from_us(microseconds: int) -> datetime:
    """Turn microseconds since 1970 into UTC, without the rounding of a float."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_us(moment: datetime) -> int:
    """Turn a moment that knows its time zone into microseconds since 1970, exactly."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return (moment - EPOCH) // _MICROSECOND
