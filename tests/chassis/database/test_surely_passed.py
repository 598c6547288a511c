"""What time has surely passed, against the true one: whatever a clock shows for a while, nothing is taken for past."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from renkei_chassis.database import tables
from renkei_chassis.database.retention import HOURS_SEEN, see_hour, surely_passed
from renkei_chassis.database.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

HOUR: Final = 3_600_000_000
START: Final = 1_700_000_000_000_000
# How far the clock is off at an hour of running: by nothing, minutes, hours, days or years, to either side.
_OFF: Final = st.sampled_from([0, 0, 0, 1, -1, 59, -61, 600, -600, 5000, 5_000_000, -5_000_000]).map(
    lambda minutes: minutes * 60_000_000
)


@contextmanager
def opened() -> Iterator[Connection]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            tables.facts.create(connection)
            yield connection
    finally:
        engine.dispose()


def looks(connection: Connection, shown: list[int], hours: int) -> Iterator[int | None]:
    """Let a service look at its clock once an hour of running; gives what it takes for past each time."""
    for now_us in shown:
        transaction = Transaction(connection, now_us=now_us)
        see_hour(transaction)
        yield surely_passed(transaction, hours)


@given(off=st.lists(_OFF, max_size=60), hours=st.integers(1, 8))
def test_a_moment_is_taken_for_past_too_early_only_by_a_clock_that_was_ahead_for_all_those_hours(
    off: list[int], hours: int
) -> None:
    """The slow and obvious way: of every hour it is known how wrong the clock was."""
    true = [START + HOUR * index for index in range(len(off))]
    shown = [time + wrong for time, wrong in zip(true, off, strict=True)]

    with opened() as connection:
        passed = list(looks(connection, shown, hours))

    for index, moment in enumerate(passed):
        if moment is not None and moment > true[index]:
            assert index >= hours
            assert all(shown[earlier] >= moment > true[earlier] for earlier in range(index - hours, index + 1))


@given(off=st.lists(_OFF, max_size=30), hours=st.integers(1, 8), restarts=st.sets(st.integers(0, 50)))
def test_after_hours_of_a_right_clock_all_that_was_past_before_them_is_known_to_be(
    off: list[int], hours: int, restarts: set[int]
) -> None:
    """A clock that was wrong once delays for so many hours, and for no longer."""
    calm = 2 * hours + 3
    true = [START + HOUR * index for index in range(len(off) + calm)]
    shown = [time + wrong for time, wrong in zip(true, off + [0] * calm, strict=True)]
    for place in sorted(restarts & set(range(len(shown))), reverse=True):
        shown.insert(place, shown[place])  # started again, it looks at once, and counts no hour twice

    with opened() as connection:
        *_, passed = looks(connection, shown, hours)

    assert passed is not None
    assert true[-calm] <= passed <= true[-1]


@given(count=st.integers(0, 12), hours=st.integers(1, 8))
def test_a_service_that_has_not_run_for_so_long_takes_nothing_for_past(count: int, hours: int) -> None:
    with opened() as connection:
        passed = list(looks(connection, [START + HOUR * index for index in range(count)], hours))

    assert [moment is None for moment in passed] == [index < hours for index in range(count)]


@pytest.mark.parametrize("hours", [0, -1, HOURS_SEEN + 1])
def test_only_hours_that_are_remembered_can_be_asked_for(hours: int) -> None:
    with opened() as connection, pytest.raises(ValueError, match="remembered"):
        surely_passed(Transaction(connection, now_us=START), hours)
