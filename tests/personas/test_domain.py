from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_personas import domain

NOW = datetime(2024, 10, 1, tzinfo=UTC)
AGENCY = "agencies/jp-12"
DRAFTER, SUPERVISOR, CUSTODIAN = (f"{AGENCY}/officers/{name}" for name in ("sato", "suzuki", "tanaka"))
CHIEF = f"{AGENCY}/officers/chief"
PLAN = domain.Plan(
    crime_code=1,
    necessity="(演習)",
    alternatives="(演習)",
    unit="(演習)",
    supervisor=SUPERVISOR,
    custodian=CUSTODIAN,
    period_start=NOW,
    period_end=NOW + timedelta(days=30),
    officers_consent=True,
)


def submit(plan: domain.Plan, drafter: str = DRAFTER) -> None:
    domain.check_submission(plan, drafter=drafter, agency=AGENCY, now=NOW, max_days=90)


def approve(approver: str = CHIEF, state: int = domain.State.SUBMITTED, approved_hash: bytes = b"h") -> None:
    domain.check_approval(
        state=state, approver=approver, drafter=DRAFTER, plan=PLAN, submitted_hash=b"h", approved_hash=approved_hash
    )


@pytest.mark.parametrize(
    ("part", "empty"),
    [
        ("crime_code", 0),
        ("necessity", " "),
        ("alternatives", ""),
        ("unit", "\n"),
        ("supervisor", ""),
        ("custodian", ""),
        ("period_start", None),
        ("period_end", None),
        ("officers_consent", False),
    ],
)
def test_a_plan_without_one_of_its_parts_is_refused_and_the_part_named(part: str, empty: Any) -> None:  # noqa: ANN401
    changed: dict[str, Any] = {part: empty}

    with pytest.raises(domain.Refused) as refused:
        submit(replace(PLAN, **changed))

    assert refused.value.reason == "PLAN_INCOMPLETE"
    assert refused.value.fields == (f"plan.{part}",)


@pytest.mark.parametrize(
    ("plan", "drafter"),
    [
        (PLAN, SUPERVISOR),
        (PLAN, CUSTODIAN),
        (replace(PLAN, custodian=SUPERVISOR), DRAFTER),
        (replace(PLAN, supervisor="agencies/jp-13/officers/suzuki"), DRAFTER),
        (replace(PLAN, custodian="agencies/jp-120/officers/tanaka"), DRAFTER),
    ],
)
def test_two_duties_in_one_person_or_a_stranger_are_refused(plan: domain.Plan, drafter: str) -> None:
    with pytest.raises(domain.Refused) as refused:
        submit(plan, drafter)

    assert refused.value.reason == "OFFICERS_NOT_DISTINCT"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW + timedelta(days=2), NOW + timedelta(days=1)),
        (NOW - timedelta(days=9), NOW - timedelta(seconds=1)),
        (NOW, NOW + timedelta(days=91)),
    ],
)
def test_a_period_that_is_reversed_past_or_too_long_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(domain.Refused) as refused:
        submit(replace(PLAN, period_start=start, period_end=end))

    assert refused.value.reason == "PERIOD_INVALID"
    assert refused.value.metadata == {"max_days": "90"}


def test_a_whole_plan_of_the_longest_period_is_taken() -> None:
    submit(replace(PLAN, period_end=NOW + timedelta(days=90)))


@pytest.mark.parametrize("involved", [DRAFTER, SUPERVISOR, CUSTODIAN])
def test_nobody_involved_approves(involved: str) -> None:
    with pytest.raises(domain.Refused) as refused:
        approve(involved)

    assert refused.value.reason == "APPROVER_INVOLVED"


def test_an_approval_of_another_hash_is_refused() -> None:
    with pytest.raises(domain.Refused) as refused:
        approve(approved_hash=b"another")

    assert refused.value.reason == "PLAN_HASH_MISMATCH"


def test_a_plan_is_approved_once() -> None:
    with pytest.raises(domain.Refused) as refused:
        approve(state=domain.State.APPROVED)

    assert refused.value.reason == "NOT_SUBMITTED"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_two_plans_have_one_hash_only_where_they_are_the_same(one: bytes, other: bytes) -> None:
    assert (domain.plan_hash(one) == domain.plan_hash(other)) == (one == other)
