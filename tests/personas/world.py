"""A small world for the rules: people, times, and for each state a case in which everything is in order.

Everything takes `d`, the rules as a package: the one that ships, or a mutant of it.
"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

MODULES: Final = (
    "states",
    "reasons",
    "plan",
    "case",
    "guards",
    "row",
    "rows_plan",
    "rows_operation",
    "rows_documents",
    "rows_contacts",
    "rows_clocks",
    "table",
    "clocks",
    "effects",
    "decide",
    "contacts",
    "statistics",
)
"""In an order in which each imports only those before it."""
PACKAGE: Final = "renkei_personas.domain"
RULES: Final = SimpleNamespace(**{name: importlib.import_module(f"{PACKAGE}.{name}") for name in MODULES})
"""The rules as they ship."""

AGENCY: Final = "agencies/jp-12"
DAY: Final = timedelta(days=1)
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
END: Final = START + 30 * DAY
NOW: Final = START + 2 * DAY


def officer(name: str) -> str:
    return f"{AGENCY}/officers/{name}"


DRAFTER, ACTOR, SUPERVISOR, CUSTODIAN, CHIEF = map(officer, ("drafter", "actor", "supervisor", "custodian", "chief"))
WITNESS, OTHER_WITNESS, OUTSIDER = map(officer, ("witness", "other-witness", "outsider"))
ROLES: Final = {
    DRAFTER: {"OFFICER"},
    ACTOR: {"OFFICER"},
    SUPERVISOR: {"SUPERVISOR"},
    CUSTODIAN: {"CUSTODIAN"},
    CHIEF: {"HQ_CHIEF"},
    WITNESS: {"OFFICER"},
    OTHER_WITNESS: {"OFFICER"},
    OUTSIDER: {"OFFICER", "SUPERVISOR", "CUSTODIAN"},
    "npa": {"NPA"},
    "clock": {"CLOCK"},
}
PERSONS: Final = {
    "DRAFTER": DRAFTER,
    "TEAM": ACTOR,
    "SUPERVISOR": SUPERVISOR,
    "CUSTODIAN": CUSTODIAN,
    "CHIEF": CHIEF,
    "WITNESS": WITNESS,
    "NPA": "npa",
    "CLOCK": "clock",
    "OUTSIDER": OUTSIDER,
}
"""Who has which part and no other."""


def rules(d: Any, **changes: Any) -> Any:  # noqa: ANN401
    return d.plan.Rules(agency=AGENCY, **changes)


def a_plan(d: Any, **changes: Any) -> Any:  # noqa: ANN401
    values: dict[str, Any] = {
        "crime": 1,
        "necessity": True,
        "alternatives": True,
        "unit": True,
        "supervisor": SUPERVISOR,
        "supervisor_rank": 1,
        "custodian": CUSTODIAN,
        "team": (ACTOR,),
        "period_start": START,
        "period_end": END,
        "document_count": 2,
        "officers_consent": True,
    }
    return d.plan.Plan(**{**values, **changes})


def a_longer_plan(d: Any, **changes: Any) -> Any:  # noqa: ANN401
    return a_plan(d, **{"period_end": END + 10 * DAY, "document_count": 3, **changes})


def a_document(d: Any, paper: str = "IN_CUSTODY", **changes: Any) -> Any:  # noqa: ANN401
    values: dict[str, Any] = {"id": "aa", "paper": d.states.Paper[paper], "issuer": ACTOR}
    if paper != "REQUESTED":
        values |= {"custodian": CUSTODIAN, "holder": CUSTODIAN}
    if paper in {"DESTROY_ORDERED", "DESTROYED"}:
        values["witnesses"] = (WITNESS, OTHER_WITNESS)
    if paper == "HELD":
        values["hold_review"] = NOW + 100 * DAY
    return d.case.Document(**{**values, **changes})


def a_case(d: Any, state: str = "ACTIVE", **changes: Any) -> Any:  # noqa: ANN401
    """Make a case in a state, with everything in order for what may come next."""
    number = d.states.State[state].value
    approved, acknowledged, begun = number >= 5, number >= 7, number >= 8
    values: dict[str, Any] = {
        "state": d.states.State[state],
        "plan": a_plan(d),
        "drafter": DRAFTER,
        "supervisor": SUPERVISOR,
        "plan_hash": b"hash",
        "approver": CHIEF if approved else "",
        "approve_time": START + DAY if approved else None,
        "approvers": frozenset({CHIEF}) if approved else frozenset(),
        "reported": 1 if number >= 6 else 0,
        "acknowledged": acknowledged,
        "deconflicted": acknowledged,
        "ever_active": begun,
    }
    return d.case.Case(**{**values, **changes})


def an_extension(d: Any, stage: str) -> Any:  # noqa: ANN401
    approved = stage in {"APPROVED", "NPA_REPORTED"}
    return d.case.Extension(
        plan=a_longer_plan(d),
        plan_hash=b"longer",
        stage=d.states.Stage[stage],
        approver=CHIEF if approved else "",
        approve_time=NOW - DAY / 2 if approved else None,
    )


def an_act(d: Any, action: str, who: str, **changes: Any) -> Any:  # noqa: ANN401
    return d.case.Act(**{"action": action, "who": who, "roles": frozenset(ROLES[who]), "now": NOW, **changes})


def refusal(d: Any, case: Any, act: Any, setting: Any = None) -> str:  # noqa: ANN401
    """Name the reason for which an act is refused; empty if it is not."""
    try:
        d.decide.decide(case, act, setting or rules(d))
    except d.reasons.Refused as refused:
        return str(refused.reason)
    return ""


def refused(d: Any, case: Any, act: Any, setting: Any = None) -> Any:  # noqa: ANN401
    """Give the refusal of an act that must be refused."""
    try:
        d.decide.decide(case, act, setting or rules(d))
    except d.reasons.Refused as error:
        return error
    raise AssertionError(act.action)


def after(d: Any, case: Any, act: Any, setting: Any = None) -> Any:  # noqa: ANN401
    """Give the case after an act that must not be refused."""
    return d.decide.decide(case, act, setting or rules(d)).case
