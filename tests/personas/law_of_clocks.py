"""The law of personas, continued: which clocks run, and what each does when it strikes."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.personas.law import scene
from tests.personas.world import (
    DAY,
    DRAFTER,
    END,
    NOW,
    START,
    a_case,
    a_document,
    a_plan,
    after,
    an_act,
    an_extension,
    refusal,
    rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


_MANY = 10


def _clocks(d: Any, case: Any) -> list[tuple[str, datetime, str]]:  # noqa: ANN401
    return [(clock.kind.name, clock.due, clock.subject) for clock in d.clocks.clocks_of(case, rules(d))]


def check_clocks(d: Any) -> None:  # noqa: ANN401
    """Which clocks run in which state, and when they strike."""
    lapse, period = ("APPROVAL", START + 31 * DAY, ""), ("PERIOD", END, "")
    for state in d.states.State:
        expected = {
            "APPROVED": [period, lapse],
            "NPA_REPORTED": [period, lapse],
            "READY": [period, lapse],
            "ACTIVE": [period],
            "SUSPENDED": [("WIND_DOWN", END + 14 * DAY, "")],
        }.get(state.name, [])
        assert _clocks(d, a_case(d, state.name)) == expected, state
        vacant = a_case(d, state.name, vacancy=NOW)
        running = [("VACANCY", NOW, ""), *expected] if state.name != "ARCHIVED" else []
        assert _clocks(d, vacant) == running, state
        assert _clocks(d, replace(vacant, vacancy_told=True)) == expected, state
        waiting = a_case(d, state.name, waiting=NOW)
        begun = state.name in {"ACTIVE", "SUSPENDED", "EXPIRED", "COMPROMISED", "CLOSED"}
        review = [("CONTACT_REVIEW", NOW + 3 * DAY, "")] if begun else []
        assert _clocks(d, waiting) == [*review, *expected], state
        assert _clocks(d, replace(waiting, review_told=True)) == expected, state
    held = a_case(
        d, "ARCHIVED", documents=(a_document(d, "HELD", id="b"), a_document(d, "HELD", id="a"), a_document(d))
    )
    assert _clocks(d, held) == [("HOLD_REVIEW", NOW + 100 * DAY, "a"), ("HOLD_REVIEW", NOW + 100 * DAY, "b")]
    for state in ("READY", "ACTIVE", "SUSPENDED"):
        for stage, runs in (("SUBMITTED", False), ("RETURNED", False), ("APPROVED", True), ("NPA_REPORTED", True)):
            waits = a_case(d, state, extension=an_extension(d, stage))
            mine = [one for one in _clocks(d, waits) if one[0] == "EXTENSION_APPROVAL"]
            assert mine == ([("EXTENSION_APPROVAL", NOW + 29.5 * DAY, "")] if runs else []), (state, stage)
    told = a_case(d, "ARCHIVED", documents=(a_document(d, "HELD", hold_told=True),))
    assert _clocks(d, told) == []
    assert _clocks(d, a_case(d, "READY", approve_time=None)) == [period]
    same = a_case(d, "ACTIVE", plan=a_plan(d, period_end=NOW), vacancy=NOW, waiting=NOW - 3 * DAY)
    assert [kind for kind, _, _ in _clocks(d, same)] == ["PERIOD", "VACANCY", "CONTACT_REVIEW"]


def check_the_clock_of_a_legal_basis(d: Any) -> None:  # noqa: ANN401
    """What begun under a legal basis is halted when it ends, or where it is not registered at all."""
    basis = d.plan.Basis(allows=frozenset({d.states.Allows.WIDER_CRIME_LIST}), valid_from=START, valid_until=NOW + DAY)
    known, unknown = rules(d, bases={"basis": basis}), rules(d)
    for state in d.states.State:
        wider = a_case(d, state.name, plan=a_plan(d, crime=6, legal_basis="basis"))
        named_only = a_case(d, state.name, plan=a_plan(d, legal_basis="basis"))
        for setting, due in ((known, NOW + DAY), (unknown, START)):
            found = [(c.due, c.subject) for c in d.clocks.clocks_of(wider, setting) if c.kind.name == "LEGAL_BASIS"]
            assert found == ([(due, "")] if state.name == "ACTIVE" else []), state
            assert all(c.kind.name != "LEGAL_BASIS" for c in d.clocks.clocks_of(named_only, setting))
    wider = a_case(d, plan=a_plan(d, crime=6, legal_basis="basis"))
    assert list(d.decide.strike(wider, NOW, known)) == []
    ((_, step),) = d.decide.strike(wider, NOW + DAY, known)
    assert (step.action, step.case.state.name, step.case.halt.name) == ("LEGAL_BASIS_ENDS", "SUSPENDED", "LEGAL_BASIS")
    case, act = scene(d, "RESUME", "SUSPENDED", "SUPERVISOR")
    assert refusal(d, replace(case, plan=wider.plan), replace(act, now=NOW + DAY), known) == "LEGAL_BASIS_MISSING"


def _struck(d: Any, case: Any, now: datetime) -> tuple[list[str], Any]:  # noqa: ANN401
    steps = list(islice(d.decide.strike(case, now, rules(d)), _MANY))
    assert len(steps) < _MANY, "a clock that strikes again and again"
    return [step.action for _, step in steps], steps[-1][1].case if steps else case


def check_what_strikes(d: Any) -> None:  # noqa: ANN401
    """Each clock does its row, at its time and not before, once; and those that are due strike in order."""
    tick = DAY / 86400
    assert _struck(d, a_case(d), END - tick)[0] == []
    assert _struck(d, a_case(d), END)[0] == ["PERIOD_ENDS"]
    names, later = _struck(d, a_case(d), END + 14 * DAY)
    assert names == ["PERIOD_ENDS", "WIND_DOWN_ENDS"]
    assert (later.state.name, later.halt.name) == ("EXPIRED", "PERIOD_ENDED")
    for state in ("APPROVED", "NPA_REPORTED", "READY"):
        assert _struck(d, a_case(d, state), END)[0] == ["NEVER_BEGUN"]
        early = a_case(d, state, approve_time=START - 10 * DAY)
        names, later = _struck(d, early, START + 20 * DAY)
        assert (names, later.state.name) == (["NEVER_BEGUN"], "EXPIRED")
    vacant = a_case(d, vacancy=NOW)
    names, later = _struck(d, vacant, NOW)
    assert (names, later.halt.name) == (["POST_FALLS_VACANT"], "VACANCY")
    assert _struck(d, later, NOW)[0] == []
    waiting = a_case(d, waiting=NOW)
    names, later = _struck(d, waiting, NOW + 3 * DAY)
    assert (names, later.halt.name) == (["REVIEW_FALLS_DUE"], "REVIEW_OVERDUE")
    assert _struck(d, later, NOW + 4 * DAY)[0] == []
    for state in ("ACTIVE", "SUSPENDED"):
        extended = a_case(
            d, state, extension=an_extension(d, "NPA_REPORTED"), plan=a_plan(d, period_end=END + 30 * DAY)
        )
        names, later = _struck(d, extended, NOW + 29.5 * DAY)
        assert (names, later) == (["EXTENSION_LAPSES"], replace(extended, extension=None))
        assert _struck(d, extended, NOW + 29.5 * DAY - tick)[0] == []
        anew = an_act(
            d, "EXTEND", DRAFTER, plan=a_plan(d, period_end=END + 60 * DAY), plan_hash=b"longer", now=NOW + 30 * DAY
        )
        assert after(d, later, anew).extension.stage == d.states.Stage.SUBMITTED
    held = a_case(d, "CLOSED", documents=(a_document(d, "HELD", hold_review=NOW), a_document(d, id="x")))
    names, later = _struck(d, held, NOW)
    assert names == ["HOLD_FALLS_DUE"]
    assert [one.hold_told for one in later.documents] == [True, False]
    clock, step = next(iter(d.decide.strike(a_case(d), END, rules(d))))
    assert (clock.kind.name, clock.due, clock.subject) == ("PERIOD", END, "")
    assert [task.name for task in step.opens] == ["CLOSE"]


CLOCKS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
