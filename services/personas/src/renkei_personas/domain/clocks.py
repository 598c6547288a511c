"""What happens by itself, and when: computed from the case alone, so it needs nobody and survives everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei_personas.domain.row import BEGUN, ENDING, NOT_BEGUN
from renkei_personas.domain.states import ClockKind, Crime, State
from renkei_personas.domain.table import STRIKES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from renkei_personas.domain.case import Case
    from renkei_personas.domain.plan import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Something that happens by itself at a time; `subject` is the document that it is about, if it is about one."""

    kind: ClockKind
    due: datetime
    subject: str = ""


def clocks_of(case: Case, rules: Rules) -> list[Clock]:
    """Give the clocks that run, the next first. What has struck is not among them: its effect took its cause away."""
    return sorted(_running(case, rules), key=lambda clock: (clock.due, clock.subject))


def row_of(clock: Clock, case: Case) -> str:
    """Name the row of the table that a clock carries out."""
    rows = STRIKES[clock.kind]
    return rows.get(case.state, rows[None])


def _running(case: Case, rules: Rules) -> Iterator[Clock]:
    if case.state in NOT_BEGUN or case.state == State.ACTIVE:
        yield Clock(kind=ClockKind.PERIOD, due=case.plan.end)
    if case.state in NOT_BEGUN and case.approve_time is not None:
        yield Clock(kind=ClockKind.APPROVAL, due=case.approve_time + rules.approval_valid)
    if case.extension is not None and case.extension.approve_time is not None:
        yield Clock(kind=ClockKind.EXTENSION_APPROVAL, due=case.extension.approve_time + rules.approval_valid)
    if case.state == State.SUSPENDED:
        yield Clock(kind=ClockKind.WIND_DOWN, due=case.plan.end + rules.wind_down)
    if case.vacancy is not None and not case.vacancy_told and case.state != State.ARCHIVED:
        yield Clock(kind=ClockKind.VACANCY, due=case.vacancy)
    if case.waiting is not None and not case.review_told and case.state in BEGUN | ENDING:
        yield Clock(kind=ClockKind.CONTACT_REVIEW, due=case.waiting + rules.review_within)
    if case.state == State.ACTIVE and case.plan.crime == Crime.BY_LEGAL_BASIS:
        basis = rules.bases.get(case.plan.legal_basis)
        yield Clock(kind=ClockKind.LEGAL_BASIS, due=basis.valid_until if basis is not None else case.plan.start)
    for document in case.documents:
        if document.hold_review is not None and not document.hold_told:
            yield Clock(kind=ClockKind.HOLD_REVIEW, due=document.hold_review, subject=document.id)
