"""Every row of the clock table with its vector, and random facts against an oracle that counts minutes and days."""

from __future__ import annotations

import os
import time as host_time
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei_arrests.custody import (
    LEVELS,
    Clock,
    ClockKind,
    Facts,
    Notice,
    Terms,
    clocks,
    contradiction,
    forbidden,
    level_at,
    next_look_us,
    notices,
    threshold_us,
)
from renkei_arrests.domain import JAPAN
from tests.arrests.calls import RESTRAINT, japan

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE = timedelta(minutes=1)
# Hosts whose own days are of 23, 24 and 25 hours, and lie elsewhere; one of them changes at midnight.
ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Havana")


def found(facts: Facts, now: datetime = RESTRAINT) -> dict[ClockKind, Clock]:
    return {clock.kind: clock for clock in clocks(facts, now=now, terms=Terms())}


def end_of(day: int, month: int = 10) -> datetime:
    return japan(day, month=month) + timedelta(days=1)


@pytest.mark.parametrize(
    ("facts", "kind", "due"),
    [
        (Facts(restraint=RESTRAINT), ClockKind.TO_PROSECUTOR, japan(3, 3, 15)),
        (
            Facts(restraint=RESTRAINT, prosecutor_receipt=japan(2, 10)),
            ClockKind.DETENTION_REQUEST,
            japan(3, 10),
        ),
        (Facts(restraint=RESTRAINT, prosecutor_receipt=japan(3, 3)), ClockKind.DETENTION_REQUEST, japan(4, 3)),
        (Facts(restraint=RESTRAINT, detention_request=japan(3, 9)), ClockKind.DETENTION, end_of(12)),
        (
            Facts(restraint=RESTRAINT, detention_request=japan(3, 9), extended=japan(12), extension_days=10),
            ClockKind.DETENTION_EXTENSION,
            end_of(22),
        ),
        (
            Facts(restraint=RESTRAINT, detention_request=japan(4, 3), extended=japan(13), extension_days=10),
            ClockKind.DETENTION_EXTENSION,
            end_of(23),
        ),
        (Facts(restraint=RESTRAINT), ClockKind.LONGEST, end_of(23)),
        (
            Facts(restraint=RESTRAINT, detention_request=japan(3, 9), juvenile_measure=True),
            ClockKind.JUVENILE_MEASURE,
            end_of(12),
        ),
        (Facts(restraint=RESTRAINT, kind="URGENT"), ClockKind.URGENT_WARRANT, japan(1, 4, 15)),
    ],
)
def test_every_row_of_the_table_is_due_when_the_law_says(facts: Facts, kind: ClockKind, due: datetime) -> None:
    clock = found(facts)[kind]

    assert (clock.due, clock.running, clock.overdue) == (due, True, False)
    assert found(facts, due)[kind].overdue is False
    assert found(facts, due + timedelta(microseconds=1))[kind].overdue is True


def test_no_custody_outlasts_the_worst_case() -> None:
    """Asked for at the last moment and extended by all that there is: the last day is the 23rd."""
    late = RESTRAINT + timedelta(hours=72)
    facts = Facts(restraint=RESTRAINT, detention_request=late, extended=japan(13), extension_days=10)

    shown = found(facts)

    assert shown[ClockKind.DETENTION_EXTENSION].due == shown[ClockKind.LONGEST].due == end_of(23)


def oracle_minutes(start: datetime, hours: int) -> datetime:
    """Count the minutes one by one."""
    moment = start
    for _ in range(hours * 60):
        moment += MINUTE
    return moment


def oracle_last_day(first: datetime, days: int) -> datetime:
    """Walk from minute to minute, and count how often Japan's calendar says another day, until one day too many."""
    to_japan = timedelta(hours=9)
    moment = first.astimezone(UTC).replace(second=0, microsecond=0)
    day, counted = (moment + to_japan).day, 1
    while counted <= days:
        moment += MINUTE
        today = (moment + to_japan).day
        if today != day:
            day, counted = today, counted + 1
    return moment


MOMENTS = st.one_of(
    st.datetimes(datetime(2023, 12, 1), datetime(2032, 3, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    # Around the ends of months, leap days, and the nights in which elsewhere the clocks are changed.
    st.builds(
        lambda day, minutes: datetime.combine(day, time(), JAPAN) + timedelta(minutes=minutes),
        st.sampled_from(
            [date(2024, 2, 28), date(2024, 2, 29), date(2024, 12, 31), date(2024, 3, 10), date(2024, 11, 3)]
        ),
        st.integers(-1500, 1500),
    ),
)


@contextmanager
def host_in(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    host_time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        host_time.tzset()


@settings(max_examples=25)
@given(
    zone=st.sampled_from(ZONES),
    restraint=MOMENTS,
    receipt=st.integers(0, 72 * 60),
    request=st.integers(0, 24 * 60),
    days=st.integers(1, 10),
)
def test_random_facts_are_due_when_an_oracle_says_that_counts_minutes(
    zone: str, restraint: datetime, receipt: int, request: int, days: int
) -> None:
    received = restraint + receipt * MINUTE
    requested = received + request * MINUTE
    facts = Facts(
        restraint=restraint,
        kind="URGENT",
        prosecutor_receipt=received,
        detention_request=requested,
        extended=requested + timedelta(days=9),
        extension_days=days,
    )
    with host_in(zone):
        shown = {kind: clock.due for kind, clock in found(facts).items()}

    assert shown == {
        ClockKind.URGENT_WARRANT: oracle_minutes(restraint, 1),
        ClockKind.TO_PROSECUTOR: oracle_minutes(restraint, 48),
        ClockKind.DETENTION_REQUEST: min(oracle_minutes(received, 24), oracle_minutes(restraint, 72)),
        ClockKind.DETENTION: oracle_last_day(requested, 10),
        ClockKind.DETENTION_EXTENSION: oracle_last_day(requested, 10 + days),
        ClockKind.LONGEST: oracle_last_day(restraint, 23),
    }


@given(start=st.integers(0, 10**15), span=st.integers(0, 10**13), looks=st.lists(st.integers(-(10**12), 10**13)))
def test_however_a_clock_is_looked_at_each_level_is_warned_of_once(start: int, span: int, looks: list[int]) -> None:
    """Looks at any moments in any order, a time that jumps included: what was warned of stays so, and none is lost."""
    due, level, warned = start + span, 0, list[int]()
    for now in [*(start + look for look in looks), due]:
        reached = level_at(start, due, now)
        warned += [each for each in LEVELS if level < each <= reached]
        level = max(level, reached)

    assert warned == list(LEVELS)
    assert next_look_us(start, due, level, None) is None


@given(start=st.integers(0, 10**15), span=st.integers(1, 10**13))
def test_a_level_is_reached_at_its_threshold_and_not_before(start: int, span: int) -> None:
    due = start + span
    for level in LEVELS:
        at = threshold_us(start, due, level)
        assert level_at(start, due, at) >= level > level_at(start, due, at - 1)
        assert next_look_us(start, due, level - 1, None) == at
    assert threshold_us(start, due, 100) == due


def test_the_next_look_is_for_whatever_comes_first() -> None:
    assert next_look_us(0, 1000, 0, None) == 500
    assert next_look_us(0, 1000, 50, 700) == 700
    assert next_look_us(0, 1000, 50, 900) == 800
    assert next_look_us(0, 1000, 100, 1200) == 1200
    assert next_look_us(0, 1000, 100, None) is None


def test_a_refused_warrant_is_due_at_once_and_says_release() -> None:
    facts = Facts(restraint=RESTRAINT, kind="URGENT", warrant_requested=RESTRAINT, warrant_refused=japan(1, 3, 40))

    assert found(facts)[ClockKind.URGENT_WARRANT].due == japan(1, 3, 40)
    assert list(notices(facts)) == [Notice.RELEASE_WARRANT_REFUSED]
    assert found(facts, japan(9))[ClockKind.URGENT_WARRANT].running, "the software releases nobody"


def test_a_warrant_that_was_issued_ends_the_alarm() -> None:
    issued = found(Facts(restraint=RESTRAINT, kind="URGENT", warrant_issued=japan(1, 4)))[ClockKind.URGENT_WARRANT]

    assert (issued.met, issued.running, issued.overdue) == (japan(1, 4), False, False)


@pytest.mark.parametrize("kind", ["WARRANT", "FLAGRANT", "QUASI_FLAGRANT"])
def test_only_an_urgent_arrest_waits_for_its_warrant(kind: str) -> None:
    facts = Facts(restraint=RESTRAINT, kind=kind)

    assert ClockKind.URGENT_WARRANT not in found(facts)
    assert list(notices(facts)) == []


def test_an_urgent_arrest_without_a_request_says_so() -> None:
    assert list(notices(Facts(restraint=RESTRAINT, kind="URGENT"))) == [Notice.WARRANT_NOT_REQUESTED]
    assert list(notices(Facts(restraint=RESTRAINT, kind="URGENT", warrant_requested=RESTRAINT))) == []


CHILD, BOY, SPECIFIED, ADULT = date(2011, 1, 1), date(2008, 1, 1), date(2005, 6, 1), date(1990, 1, 1)


def test_under_fourteen_no_clock_of_prosecution_runs_and_the_child_guidance_centre_is_named() -> None:
    facts = Facts(restraint=RESTRAINT, birth=CHILD, kind="URGENT", warrant_issued=RESTRAINT)

    assert found(facts) == {}
    assert list(notices(facts)) == [Notice.CHILD_GUIDANCE_CENTRE]


@pytest.mark.parametrize(
    ("birth", "returned", "reason"),
    [
        (CHILD, False, "INDICTMENT_FORBIDDEN"),
        (CHILD, True, "INDICTMENT_FORBIDDEN"),
        (BOY, False, "INDICTMENT_FORBIDDEN"),
        (BOY, True, None),
        (SPECIFIED, False, "INDICTMENT_FORBIDDEN"),
        (SPECIFIED, True, None),
        (ADULT, False, None),
        (None, False, None),
        # Comes of age between restraint and indictment.
        (date(2004, 10, 5), False, None),
    ],
)
def test_who_can_be_indicted_depends_on_age_and_family_court(
    birth: date | None,
    returned: bool,  # noqa: FBT001 (a parameter of the table)
    reason: str | None,
) -> None:
    facts = Facts(
        restraint=RESTRAINT,
        birth=birth,
        disposition=japan(20),
        indicted=True,
        returned_to_prosecutor=japan(19) if returned else None,
    )

    assert forbidden(facts) == reason
    assert forbidden(Facts(restraint=RESTRAINT, birth=birth, disposition=japan(20))) is None


@pytest.mark.parametrize(
    ("birth", "extended", "reason"),
    [
        (BOY, True, "EXTENSION_FORBIDDEN"),
        (SPECIFIED, True, "EXTENSION_FORBIDDEN"),
        (None, True, "EXTENSION_FORBIDDEN"),
        (ADULT, False, "MEASURE_FORBIDDEN"),
        (BOY, False, None),
        (SPECIFIED, False, None),
        (None, False, None),
    ],
)
def test_the_measure_in_place_of_detention_is_for_juveniles_and_has_no_extension(
    birth: date | None,
    extended: bool,  # noqa: FBT001 (the same)
    reason: str | None,
) -> None:
    facts = Facts(
        restraint=RESTRAINT,
        birth=birth,
        detention_request=japan(3),
        juvenile_measure=True,
        extended=japan(12) if extended else None,
        extension_days=10 if extended else 0,
    )

    assert forbidden(facts) == reason


@pytest.mark.parametrize("birth", [BOY, SPECIFIED])
def test_a_juvenile_is_for_the_family_court_and_detained_only_where_unavoidable(birth: date) -> None:
    facts = Facts(restraint=RESTRAINT, birth=birth, detention_request=japan(3))

    assert list(notices(facts)) == [Notice.FAMILY_COURT_FIRST, Notice.DETENTION_UNAVOIDABLE_ONLY]
    assert list(notices(Facts(restraint=RESTRAINT, birth=birth, disposition=japan(3)))) == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (Facts(restraint=RESTRAINT, warrant_issued=RESTRAINT, warrant_refused=RESTRAINT), "warrant.refuse_time"),
        (Facts(restraint=RESTRAINT, detention_granted=japan(3)), "detention"),
        (Facts(restraint=RESTRAINT, juvenile_measure=True), "detention"),
        (
            Facts(
                restraint=RESTRAINT, detention_request=japan(3), detention_granted=japan(3), detention_refused=japan(3)
            ),
            "detention.refuse_time",
        ),
        (
            Facts(restraint=RESTRAINT, detention_request=japan(3), extended=japan(12)),
            "detention.extension_days",
        ),
        (
            Facts(restraint=RESTRAINT, detention_request=japan(3), extension_days=3),
            "detention.extension_days",
        ),
        (
            Facts(
                restraint=RESTRAINT,
                detention_request=japan(3),
                detention_refused=japan(3),
                extended=japan(12),
                extension_days=3,
            ),
            "detention.extension_grant_time",
        ),
    ],
)
def test_facts_that_contradict_each_other_are_named(facts: Facts, field: str) -> None:
    assert (contradiction(facts) or ("",))[0] == field


def test_a_refused_detention_says_release() -> None:
    facts = Facts(restraint=RESTRAINT, detention_request=japan(3), detention_refused=japan(3, 12))

    assert contradiction(facts) is None
    assert list(notices(facts)) == [Notice.RELEASE_DETENTION_REFUSED]
