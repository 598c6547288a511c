"""A wall clock that somebody turned is not asked any more, and microseconds are exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.clock import ManualClock, WallClock, from_us, to_us
from renkei_chassis.errors import Unavailable

SECOND = 1_000_000_000


class _Machine:
    """The two clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000 * SECOND
        self.boot = 500 * SECOND

    def clock(self, max_jump_seconds: float = 10.0) -> WallClock:
        return WallClock(max_jump_seconds=max_jump_seconds, wall_ns=lambda: self.wall, boot_ns=lambda: self.boot)

    def run(self, seconds: int) -> None:
        self.wall += seconds * SECOND
        self.boot += seconds * SECOND


@pytest.mark.parametrize("jump", [-3600, -11, 11, 3600])
def test_a_turned_clock_is_refused(jump: int) -> None:
    machine = _Machine()
    clock = machine.clock()
    machine.run(60)

    machine.wall += jump * SECOND

    with pytest.raises(Unavailable) as refused:
        clock.now_us()
    assert refused.value.reason == "CLOCK_JUMPED"
    assert refused.value.metadata["jump_seconds"] == f"{jump}.000"


def test_small_steps_count_together() -> None:
    machine = _Machine()
    clock = machine.clock()

    machine.wall += 6 * SECOND
    clock.now()
    machine.wall += 6 * SECOND

    with pytest.raises(Unavailable):
        clock.now()


def test_a_clock_that_was_put_back_is_believed_again() -> None:
    machine = _Machine()
    clock = machine.clock()
    machine.wall += 100 * SECOND
    with pytest.raises(Unavailable):
        clock.now()

    machine.wall -= 100 * SECOND

    assert clock.now_us() == machine.wall // 1000


def test_a_machine_that_slept_has_not_jumped() -> None:
    """CLOCK_BOOTTIME goes on in suspend; CLOCK_MONOTONIC would call every lid that was opened a jump."""
    machine = _Machine()
    clock = machine.clock()

    machine.run(8 * 3600)

    assert clock.now_us() == machine.wall // 1000


def test_the_real_clock_tells_utc() -> None:
    told = WallClock().now()

    assert told.tzinfo is UTC
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=5)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="max_jump_seconds"):
        WallClock(max_jump_seconds=limit)


@given(st.integers(-(10**16), 10**17))
def test_microseconds_survive_a_datetime(microseconds: int) -> None:
    assert to_us(from_us(microseconds)) == microseconds


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_us(datetime(2024, 1, 1))  # noqa: DTZ001 (this is what the test is about)


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock(datetime(2024, 8, 1, tzinfo=UTC))

    clock.advance(0.000001)

    assert clock.now() == datetime(2024, 8, 1, 0, 0, 0, 1, tzinfo=UTC)
    clock.set(datetime(2025, 1, 1, tzinfo=UTC))
    assert clock.now_us() == 1_735_689_600_000_000
