"""The law in plain functions: clocks, ages, and the order of times, with the vectors of the domain."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from renkei_arrests.custody import Clock, ClockKind, Facts, Terms
from renkei_arrests.custody import clocks as clocks_under
from renkei_arrests.domain import (
    JAPAN,
    JuvenileClass,
    age_reached,
    first_too_early,
    juvenile_class,
    normal_form,
    read_birth_date,
    searchable,
)
from tests.arrests.calls import RESTRAINT, japan

MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=st.sampled_from([UTC, JAPAN]))  # noqa: DTZ001
SPANS = st.timedeltas(timedelta(0), timedelta(days=30))


def clocks(facts: Facts, *, now: datetime) -> list[Clock]:
    """Give the clocks, but for the outer one that frames all others (`test_custody_rules`)."""
    return [clock for clock in clocks_under(facts, now=now, terms=Terms()) if clock.kind is not ClockKind.LONGEST]


def clock_of(kind: ClockKind, facts: Facts, now: datetime = RESTRAINT) -> tuple[datetime, bool] | None:
    found = [(clock.due, clock.overdue) for clock in clocks(facts, now=now) if clock.kind is kind]
    return found[0] if found else None


def test_referral_is_due_48_hours_after_restraint() -> None:
    due, _ = clock_of(ClockKind.TO_PROSECUTOR, Facts(restraint=RESTRAINT)) or (None, None)

    assert due == japan(3, 3, 15)


@pytest.mark.parametrize(
    ("receipt", "due"),
    [
        (japan(2, 10), japan(3, 10)),
        (japan(3, 3), japan(4, 3)),
        # Beyond the vectors: here the 72 hours come first.
        (japan(3, 3, 16), japan(4, 3, 15)),
        (japan(4, 1), japan(4, 3, 15)),
    ],
)
def test_the_request_for_detention_is_due_at_the_earlier_of_two_limits(receipt: datetime, due: datetime) -> None:
    found = clock_of(ClockKind.DETENTION_REQUEST, Facts(restraint=RESTRAINT, prosecutor_receipt=receipt))

    assert found is not None
    assert found[0] == due


def test_the_second_clock_begins_with_the_prosecutors_receipt() -> None:
    assert [clock.kind for clock in clocks(Facts(restraint=RESTRAINT), now=RESTRAINT)] == [ClockKind.TO_PROSECUTOR]


@pytest.mark.parametrize(
    ("now", "receipt", "overdue"),
    [
        (japan(3, 3, 15), None, False),
        (japan(3, 3, 15) + timedelta(microseconds=1), None, True),
        (japan(30), japan(3, 3, 15), False),
        (japan(3), japan(3, 3, 15) + timedelta(microseconds=1), True),
    ],
)
def test_what_is_done_at_the_very_moment_it_is_due_is_in_time(
    now: datetime,
    receipt: datetime | None,
    overdue: bool,  # noqa: FBT001 (a parameter of the table)
) -> None:
    found = clock_of(ClockKind.TO_PROSECUTOR, Facts(restraint=RESTRAINT, prosecutor_receipt=receipt), now)

    assert found == (japan(3, 3, 15), overdue)


def test_who_was_released_in_time_need_not_be_referred() -> None:
    facts = Facts(restraint=RESTRAINT, disposition=japan(2))

    assert clock_of(ClockKind.TO_PROSECUTOR, facts, japan(30)) == (japan(3, 3, 15), False)


def test_a_release_after_the_limit_stays_overdue() -> None:
    facts = Facts(restraint=RESTRAINT, disposition=japan(4))

    assert clock_of(ClockKind.TO_PROSECUTOR, facts, japan(30)) == (japan(3, 3, 15), True)


@given(MOMENTS, SPANS, SPANS, SPANS)
def test_clocks_depend_on_moments_and_not_on_how_they_are_written(
    restraint: datetime, until_receipt: timedelta, until_request: timedelta, until_now: timedelta
) -> None:
    receipt, request, now = restraint + until_receipt, restraint + until_receipt + until_request, restraint + until_now
    facts = Facts(restraint=restraint, prosecutor_receipt=receipt, detention_request=request)

    first, second, _ = clocks(facts, now=now)

    assert (first.due - restraint, first.overdue) == (timedelta(hours=48), until_receipt > timedelta(hours=48))
    assert restraint <= second.due <= restraint + timedelta(hours=72)
    assert second.due <= receipt + timedelta(hours=24)
    assert second.due in {restraint + timedelta(hours=72), receipt + timedelta(hours=24)}
    in_utc = Facts(
        restraint=restraint.astimezone(UTC),
        prosecutor_receipt=receipt.astimezone(UTC),
        detention_request=request.astimezone(UTC),
    )
    assert clocks(in_utc, now=now)[:2] == [first, second]


@given(MOMENTS, SPANS, SPANS)
def test_an_overdue_clock_that_still_runs_never_becomes_timely(
    restraint: datetime, until_now: timedelta, more: timedelta
) -> None:
    (earlier,) = clocks(Facts(restraint=restraint), now=restraint + until_now)
    (later,) = clocks(Facts(restraint=restraint), now=restraint + until_now + more)

    assert later.overdue or not earlier.overdue


@pytest.mark.parametrize(
    ("birth", "last_day"),
    [(date(2004, 10, 5), date(2024, 10, 4)), (date(2004, 2, 29), date(2024, 2, 28))],
)
def test_twenty_is_reached_at_the_end_of_the_day_before_the_birthday(birth: date, last_day: date) -> None:
    end = datetime(last_day.year, last_day.month, last_day.day, 23, 59, 59, 999_999, tzinfo=JAPAN)

    assert juvenile_class(birth, at=end) is JuvenileClass.SPECIFIED_18_19
    assert juvenile_class(birth, at=end + timedelta(microseconds=1)) is JuvenileClass.ADULT


def test_who_was_born_on_29_february_is_18_after_28_february_in_a_year_without_it() -> None:
    assert age_reached(date(2004, 2, 29), 18) == datetime(2022, 3, 1, tzinfo=JAPAN)
    assert juvenile_class(date(2004, 2, 29), at=datetime(2022, 2, 28, 23, 59, tzinfo=JAPAN)) is JuvenileClass.AGE_14_17


@pytest.mark.parametrize(
    ("years", "before", "after"),
    [
        (14, JuvenileClass.UNDER_14, JuvenileClass.AGE_14_17),
        (18, JuvenileClass.AGE_14_17, JuvenileClass.SPECIFIED_18_19),
        (20, JuvenileClass.SPECIFIED_18_19, JuvenileClass.ADULT),
    ],
)
def test_a_class_changes_at_midnight_in_japan(years: int, before: JuvenileClass, after: JuvenileClass) -> None:
    """Midnight in Japan is three in the afternoon of the day before in UTC."""
    birth = date(2000, 7, 1)
    midnight = datetime(2000 + years, 6, 30, 15, tzinfo=UTC)

    assert juvenile_class(birth, at=midnight - timedelta(microseconds=1)) is before
    assert juvenile_class(birth, at=midnight) is after


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from([14, 18, 20]))
def test_an_age_is_reached_on_the_birthday_or_the_day_after_28_february(birth: date, years: int) -> None:
    reached = age_reached(birth, years).astimezone(JAPAN)

    assert (reached.hour, reached.minute) == (0, 0)
    assert reached.year == birth.year + years
    day_before = (reached - timedelta(days=1)).date()
    born_before = birth - timedelta(days=1)
    assert (day_before.month, day_before.day) in {(born_before.month, born_before.day), (2, 28), (2, 29)}


@pytest.mark.parametrize("text", ["2004-02-30", "2005-02-29", "2004-13-01", "0000-01-01", "2024-10-02", "", "2004"])
def test_a_birth_date_that_is_no_day_up_to_the_restraint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_birth_date(text, restraint=RESTRAINT)


def test_the_day_of_the_restraint_is_the_one_in_japan() -> None:
    late_evening_in_utc = datetime(2024, 9, 30, 18, 15, tzinfo=UTC)

    assert read_birth_date("2024-10-01", restraint=late_evening_in_utc) == date(2024, 10, 1)


@given(st.lists(st.one_of(st.none(), MOMENTS), min_size=1, max_size=4))
def test_times_are_in_order_exactly_if_the_known_ones_are_sorted(moments: list[datetime | None]) -> None:
    named = [(f"time_{index}", moment) for index, moment in enumerate(moments)]
    known = [moment for moment in moments if moment is not None]

    found = first_too_early(named)

    assert (found is None) == (known == sorted(known))


@given(st.lists(MOMENTS, min_size=2, max_size=4, unique=True))
def test_the_time_that_is_named_lies_before_the_one_above_it(moments: list[datetime]) -> None:
    named = [(f"time_{index}", moment) for index, moment in enumerate(moments)]
    found = first_too_early(named)
    assume(found is not None)

    index = [name for name, _ in named].index(found or "")

    assert moments[index] < moments[index - 1]
    assert moments[:index] == sorted(moments[:index])


def test_an_identifier_that_cannot_be_read_has_no_form_and_is_searchable_as_written() -> None:
    value, version = normal_form("PHONE", "内線 4711")

    assert (value, version > 0) == ("", True)
    assert searchable("", "内線 4711") == "内線4711"
    assert searchable("", "\ue000") == ""
    assert searchable("+819012345678", "090-1234-5678") == "819012345678"
