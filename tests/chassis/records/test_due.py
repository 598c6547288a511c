"""When a record is due, against the slow and obvious way: count the days one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.clock import to_us
from renkei_chassis.records.due import purge_due_us, review_due_us
from renkei_chassis.records.kind import Retention

START: Final = datetime(2024, 2, 28, 12, tzinfo=UTC)
_DAYS: Final = st.integers(0, 400)
_MAYBE: Final = st.none() | _DAYS


def a_tip(review_by: int | None, purge_by: int | None, purge_time: int | None) -> Tip:
    tip = Tip()
    tip.create_time.FromDatetime(START)
    for time, day in (
        (tip.handling.review_by, review_by),
        (tip.handling.purge_by, purge_by),
        (tip.purge_time, purge_time),
    ):
        if day is not None:
            time.FromDatetime(START + timedelta(days=day))
    return tip


def first_day(limit: int, says: object) -> int | None:
    """Walk through the days until one says so."""
    assert callable(says)
    return next((day for day in range(limit) if says(day)), None)


@given(reviewed=_DAYS, keep_for=_MAYBE, review_by=_MAYBE, review=st.integers(1, 400), unreviewed=_MAYBE)
def test_a_review_starts_the_clock_again_and_never_lets_it_run_longer_than_anybody_said(
    reviewed: int, keep_for: int | None, review_by: int | None, review: int, unreviewed: int | None
) -> None:
    """Walk from the day of the review on: the label's day, if it still lies ahead, else the class; the reviewer's."""
    tip = a_tip(review_by, None, None)
    tip.review.time.FromDatetime(START + timedelta(days=reviewed))
    if keep_for is not None:
        tip.review.keep_until.FromDatetime(START + timedelta(days=reviewed + keep_for))
    retention = Retention(
        review=timedelta(days=review), unreviewed=None if unreviewed is None else timedelta(days=unreviewed)
    )

    def due(day: int) -> bool:
        ahead = review_by is not None and review_by > reviewed
        by_label_or_class = day == review_by if ahead else day == reviewed + review
        return day >= reviewed and (by_label_or_class or (keep_for is not None and day == reviewed + keep_for))

    day = first_day(802, due)
    assert day is not None
    assert review_due_us(tip, retention) == moment(day)
    assert purge_due_us(tip, retention) == (None if unreviewed is None else moment(day + unreviewed))


def test_no_record_is_late_before_it_was_recorded() -> None:
    """A file of old tips comes with labels of long ago: whoever reviews has as long as for any other."""
    tip = a_tip(None, None, None)
    tip.handling.review_by.FromDatetime(START - timedelta(days=1000))
    retention = Retention(review=timedelta(days=1), unreviewed=timedelta(days=30))

    assert review_due_us(tip, retention) == to_us(START - timedelta(days=1000))
    assert purge_due_us(tip, retention) == moment(30)


@given(review_by=_MAYBE, purge_by=_MAYBE, purge_time=_MAYBE, review=st.integers(1, 400), unreviewed=_MAYBE)
def test_a_record_is_due_from_the_first_day_on_which_anything_says_so(
    review_by: int | None, purge_by: int | None, purge_time: int | None, review: int, unreviewed: int | None
) -> None:
    def for_review(day: int) -> bool:
        return day == review_by if review_by is not None else day == review

    def for_purge(day: int) -> bool:
        if purge_time is not None and day >= purge_time:
            return True
        if purge_by is not None:
            return day >= purge_by
        return unreviewed is not None and any(for_review(past) for past in range(day - unreviewed + 1))

    tip = a_tip(review_by, purge_by, purge_time)
    retention = Retention(
        review=timedelta(days=review), unreviewed=None if unreviewed is None else timedelta(days=unreviewed)
    )

    assert review_due_us(tip, retention) == moment(first_day(401, for_review))
    assert purge_due_us(tip, retention) == moment(first_day(802, for_purge))


def moment(day: int | None) -> int | None:
    return None if day is None else to_us(START + timedelta(days=day))


def test_a_record_without_any_time_is_kept_for_ever_and_reviewed_all_the_same() -> None:
    retention = Retention(review=timedelta(days=1), unreviewed=None)

    assert purge_due_us(a_tip(None, None, None), retention) is None
    assert review_due_us(a_tip(None, None, None), retention) == moment(1)
