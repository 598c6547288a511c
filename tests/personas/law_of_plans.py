"""The law of personas, continued: what a plan must hold, what refusals say, counts, what is set by default."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.personas.law import law, scene
from tests.personas.world import (
    ACTOR,
    AGENCY,
    CUSTODIAN,
    DAY,
    DRAFTER,
    END,
    NOW,
    OUTSIDER,
    START,
    SUPERVISOR,
    a_document,
    a_longer_plan,
    a_plan,
    officer,
    refusal,
    refused,
    rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable


_MANY = 10


def _plan_refusal(d: Any, plan: Any, *, now: datetime = NOW, **more: Any) -> tuple[str, tuple[str, ...]]:  # noqa: ANN401
    setting = more.pop("rules", None) or rules(d)
    try:
        d.plan.check_plan(plan, drafter=DRAFTER, now=now, rules=setting, **more)
    except d.reasons.Refused as error:
        return error.reason, error.fields
    return "", ()


def check_what_a_plan_must_hold(d: Any) -> None:  # noqa: ANN401
    empty: dict[str, Any] = {
        "crime_code": 0,
        "necessity": False,
        "alternatives": False,
        "unit": False,
        "supervisor": "",
        "supervisor_rank": 0,
        "custodian": "",
        "team": (),
        "period_start": None,
        "period_end": None,
        "officers_consent": False,
    }
    for name, value in empty.items():
        plan = a_plan(d, **{"crime" if name == "crime_code" else name: value})
        assert _plan_refusal(d, plan) == ("PLAN_INCOMPLETE", (f"plan.{name}",)), name
    assert _plan_refusal(d, a_plan(d)) == ("", ())
    assert _plan_refusal(d, a_plan(d, document_count=0)) == ("", ())


def check_duties_are_kept_apart(d: Any) -> None:  # noqa: ANN401
    everything = ("plan.supervisor", "plan.custodian", "plan.team")
    foreign = "agencies/jp-120/officers/x"
    joined: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"supervisor": DRAFTER}, everything),
        ({"custodian": DRAFTER}, everything),
        ({"custodian": SUPERVISOR}, everything),
        ({"team": (ACTOR, SUPERVISOR)}, everything),
        ({"team": (CUSTODIAN,)}, everything),
        ({"supervisor": foreign}, ("plan.supervisor",)),
        ({"custodian": foreign}, ("plan.custodian",)),
        ({"team": (ACTOR, foreign)}, ("plan.team",)),
        # One person in two spellings, two names in one, and what is no name.
        ({"custodian": "custodian"}, ("plan.custodian",)),
        ({"custodian": officer("Custodian")}, ("plan.custodian",)),
        ({"supervisor": f"{SUPERVISOR} "}, ("plan.supervisor",)),
        ({"team": (f"{ACTOR} {OUTSIDER}",)}, ("plan.team",)),
        ({"team": (officer(""),)}, ("plan.team",)),
    ]
    for changes, named in joined:
        assert _plan_refusal(d, a_plan(d, **changes)) == ("OFFICERS_NOT_DISTINCT", named), changes
    assert _plan_refusal(d, a_plan(d, team=(DRAFTER,))) == ("", ())


def check_periods(d: Any) -> None:  # noqa: ANN401
    tick = DAY / 86400
    wrong = ("PERIOD_INVALID", ("plan.period_end",))
    assert _plan_refusal(d, a_plan(d, period_end=START + 90 * DAY)) == ("", ())
    assert _plan_refusal(d, a_plan(d, period_end=START + 90 * DAY + tick)) == wrong
    assert _plan_refusal(d, a_plan(d, period_end=START + 95 * DAY), extends=True) == wrong
    assert _plan_refusal(d, a_plan(d, period_end=NOW + 90 * DAY), extends=True) == ("", ())
    assert _plan_refusal(d, a_plan(d), now=END) == wrong
    assert _plan_refusal(d, a_plan(d), now=END - tick) == ("", ())
    assert _plan_refusal(d, a_plan(d, period_start=END)) == wrong
    assert _plan_refusal(d, a_plan(d, period_start=END + DAY)) == wrong
    assert _plan_refusal(d, a_plan(d, period_start=END - tick)) == ("", ())
    assert _plan_refusal(d, a_plan(d), rules=rules(d, max_period_days=30)) == ("", ())
    case, act = scene(d, "SUBMIT", "DRAFT", "DRAFTER")
    assert refused(d, case, act, rules(d, max_period_days=29)).metadata == {"max_days": "29"}
    never = a_plan(d, period_start=None, period_end=None)
    assert never.start == never.end == datetime.max.replace(tzinfo=UTC)
    assert (a_plan(d).start, a_plan(d).end) == (START, END)


def _basis(d: Any, *allows: str) -> dict[str, Any]:  # noqa: ANN401
    chosen = frozenset(d.states.Allows[name] for name in allows)
    return {"basis": d.plan.Basis(allows=chosen, valid_from=NOW - DAY, valid_until=NOW + DAY)}


def check_legal_bases(d: Any) -> None:  # noqa: ANN401
    """Only a registered basis that is valid now, and allows just this, widens what is allowed."""
    tick = DAY / 86400
    wider = a_plan(d, crime=6, legal_basis="basis")
    good = rules(d, bases=_basis(d, "WIDER_CRIME_LIST"))
    assert _plan_refusal(d, a_plan(d, crime=6)) == ("CRIME_NOT_LISTED", ("plan.crime_code",))
    assert _plan_refusal(d, wider) == ("LEGAL_BASIS_MISSING", ("plan.legal_basis",))
    assert _plan_refusal(d, wider, rules=good) == ("", ())
    assert _plan_refusal(d, a_plan(d, crime=6, legal_basis="other"), rules=good)[0] == "LEGAL_BASIS_MISSING"
    assert _plan_refusal(d, wider, rules=rules(d, bases=_basis(d, "FICTITIOUS_ACCOUNT")))[0] == "LEGAL_BASIS_MISSING"
    for now, reason in [
        (NOW - DAY, ""),
        (NOW - DAY - tick, "LEGAL_BASIS_MISSING"),
        (NOW + DAY - tick, ""),
        (NOW + DAY, "LEGAL_BASIS_MISSING"),
    ]:
        assert _plan_refusal(d, wider, now=now, rules=good)[0] == reason
    for crime in range(1, 6):
        assert _plan_refusal(d, a_plan(d, crime=crime)) == ("", ())
    case, act = scene(d, "REQUEST_DOCUMENT", "ACTIVE", "TEAM")
    account = replace(act, is_account=True)
    named = replace(case, plan=replace(case.plan, legal_basis="basis"))
    assert refusal(d, named, account, rules(d, bases=_basis(d, "FICTITIOUS_ACCOUNT"))) == ""
    assert refusal(d, named, account, good) == "ACCOUNT_WITHOUT_LEGAL_BASIS"


def _extension_refusal(d: Any, plan: Any, old: Any, supervisor: str = SUPERVISOR) -> tuple[str, tuple[str, ...]]:  # noqa: ANN401
    try:
        d.plan.check_extension(plan, of=old, supervisor=supervisor)
    except d.reasons.Refused as error:
        return error.reason, error.fields
    return "", ()


def check_an_extension_names_who_supervises_now(d: Any) -> None:  # noqa: ANN401
    old, new = a_plan(d), a_longer_plan(d, supervisor=OUTSIDER, supervisor_rank=2)
    assert _extension_refusal(d, new, old, OUTSIDER) == ("", ())
    assert _extension_refusal(d, new, old) == ("EXTENSION_INVALID", ("plan",))
    assert _extension_refusal(d, a_longer_plan(d), old, OUTSIDER) == ("EXTENSION_INVALID", ("plan",))
    case, act = scene(d, "EXTEND", "ACTIVE", "DRAFTER")
    assert refusal(d, replace(case, supervisor=OUTSIDER), act) == "EXTENSION_INVALID"
    assert refusal(d, replace(case, supervisor=OUTSIDER), replace(act, plan=new)) == ""


def check_what_an_extension_may_change(d: Any) -> None:  # noqa: ANN401
    old = a_plan(d)
    asked: list[tuple[dict[str, Any], bool]] = [
        ({"period_end": END + DAY}, True),
        ({"document_count": 3}, True),
        ({"period_end": END + DAY, "document_count": 3}, True),
        ({}, False),
        ({"period_end": END - DAY, "document_count": 3}, False),
        ({"period_end": END + DAY, "document_count": 1}, False),
        ({"document_count": 3, "crime": 2}, False),
        ({"document_count": 3, "team": (ACTOR, OUTSIDER)}, False),
        ({"document_count": 3, "supervisor": OUTSIDER}, False),
        ({"document_count": 3, "period_start": START + DAY}, False),
        ({"document_count": 3, "necessity": False, "alternatives": False, "officers_consent": False}, True),
        ({"document_count": 3, "unit": False}, False),
    ]
    for changes, fine in asked:
        assert _extension_refusal(d, a_plan(d, **changes), old) == (
            ("", ()) if fine else ("EXTENSION_INVALID", ("plan",))
        ), changes
    case, act = scene(d, "EXTEND", "ACTIVE", "DRAFTER")
    far = replace(act, plan=a_longer_plan(d, period_end=NOW + 90 * DAY))
    assert refusal(d, case, far) == ""
    assert refusal(d, case, replace(far, plan=a_longer_plan(d, period_end=NOW + 91 * DAY))) == "PERIOD_INVALID"


def check_refusals_carry_what_varies(d: Any) -> None:  # noqa: ANN401
    """Which field is broken and what the limit is, for whoever reads the refusal."""
    expected: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
        "HAND_OUT_DOCUMENT": (("holder",), {}),
        "HOLD_DOCUMENT": (("review_time",), {}),
        "DESTROY_DOCUMENT": (("witnesses",), {}),
        "APPOINT": (("supervisor",), {}),
        "CLOSE": (("outcome",), {}),
        "LOG_CONTACT": (("contact.occur_time",), {}),
        "DISCLOSE": (("contact",), {}),
        "REVIEW_CONTACTS": (("through_number",), {}),
    }
    blank: dict[str, Any] = {"officer": "", "officers": (), "time": None, "outcome": 1, "number": 0}
    alone: list[tuple[str, dict[str, Any], str]] = [
        ("PRESENT_DOCUMENT", {"account": "x"}, "recipient"),
        ("PRESENT_DOCUMENT", {"is_image": False}, "form"),
        ("LOG_CONTACT", {"observed_only": False}, "contact"),
    ]
    for action, changes, broken_field in alone:
        case, act = scene(d, action, "ACTIVE", "TEAM")
        assert refused(d, case, replace(act, **changes)).fields == (broken_field,)
    for action, (broken, metadata) in expected.items():
        sources, _, parts, _, _ = law()[action]
        case, act = scene(d, action, sources[0], parts[0])
        error = refused(d, case, replace(act, **blank))
        assert (error.fields, error.metadata) == (broken, metadata), action
    case, act = scene(d, "REQUEST_DOCUMENT", "ACTIVE", "TEAM")
    full = replace(case, documents=(a_document(d, id="x"), a_document(d, id="y")))
    for changed, asked, metadata in [
        (full, act, {"planned": "2"}),
        (case, replace(act, collides="document.legend.phone"), {"field": "document.legend.phone"}),
    ]:
        assert refused(d, changed, asked).metadata == metadata
    approve, act = scene(d, "APPROVE", "SUBMITTED", "CHIEF")
    assert refused(d, approve, replace(act, now=END)).metadata == {"max_days": "90"}


def check_a_refusal_says_its_rule_in_two_languages(d: Any) -> None:  # noqa: ANN401
    error = d.reasons.Refused("IMAGE_ONLY", fields=["form"], more="x")
    assert (error.reason, error.fields, error.metadata) == ("IMAGE_ONLY", ("form",), {"more": "x"})
    assert error.words is d.reasons.REASONS["IMAGE_ONLY"]
    assert str(error) == "IMAGE_ONLY"


def check_hashes(d: Any) -> None:  # noqa: ANN401
    """Hashes are for ever: what was approved and what is chained must be found again by the same bytes."""
    assert d.plan.plan_hash(b"plan") == hashlib.sha256(b"renkei-plan-v1\0plan").digest()
    head = hashlib.sha256(b"renkei-persona-entry-v1\0" + bytes(32) + b"one").digest()
    assert bytes(32) == d.contacts.NO_HEAD
    assert d.contacts.chained(d.contacts.NO_HEAD, b"one") == head
    assert d.contacts.chained(head, b"two") == hashlib.sha256(b"renkei-persona-entry-v1\0" + head + b"two").digest()


def check_words_of_taking_part(d: Any) -> None:  # noqa: ANN401
    for text in (
        "当方から提案した",
        "当方が 提案",
        "私が提案",
        "私から提案",
        "捜査員が提案",
        "捜査員から提案",
        "犯行を持ちかけた",
        "道具を渡した",
        "道具を用意した",
        "車両を提供した",
        "資金を渡した",
        "犯行に参加",
        "犯行に加担",
        "実行に加わった",
        "見張りをした",
        "I  PROPOSED a time",
        "ｗｅ proposed",
        "the officer proposed",
        "he took part in it",
        "I supplied",
        "we supplied",
        "I participated",
        "we participated",
    ):
        assert d.contacts.sounds_like_taking_part(text), text
    for text in ("相手方が身分証を求めた", "he asked for an identity", ""):
        assert not d.contacts.sounds_like_taking_part(text), text


def check_statistics(d: Any) -> None:  # noqa: ANN401
    """By the calendar year of Japan in which the period begins."""
    year = datetime(2025, 12, 31, 15, tzinfo=UTC)  # the first moment of 2026 in Japan
    facts = [
        d.statistics.Fact(agency=AGENCY, crime=2, start=year, outcome=0, documents_issued=0),
        d.statistics.Fact(agency=AGENCY, crime=1, start=year + DAY, outcome=3, documents_issued=2),
        d.statistics.Fact(agency="agencies/jp-13", crime=1, start=year + 2 * DAY, outcome=3, documents_issued=1),
        d.statistics.Fact(agency="agencies/jp-09", crime=1, start=year - DAY / 86400, outcome=3, documents_issued=9),
    ]
    counted = d.statistics.count(facts, year=2026)
    assert (counted.investigations, counted.documents_issued, counted.agencies) == (3, 3, 2)
    assert list(counted.rows.items()) == [((1, 3), 2), ((2, 0), 1)]
    assert d.statistics.count(facts, year=2025).investigations == 1


def check_defaults(d: Any) -> None:  # noqa: ANN401
    """What a new case and a bare act say; what the force has not set itself."""
    case = d.case.Case(state=d.states.State.DRAFT, plan=a_plan(d), drafter=DRAFTER, supervisor=SUPERVISOR)
    flags = (case.acknowledged, case.vacancy_told, case.deconflicted, case.in_danger, case.incident_open)
    assert not any((*flags, case.ever_active, case.review_told, case.contacts))
    assert (case.version, case.reported, case.approvers, case.supervisors) == (1, 0, frozenset(), frozenset())
    act = d.case.Act(action="UPDATE", who=DRAFTER, roles=frozenset(), now=NOW)
    assert act.reporters == frozenset()
    assert not any(
        (act.is_account, act.is_image, act.observed_only, act.incident_left, act.number, act.rank, act.outcome)
    )
    assert not d.case.Request(number=1, account="").answered
    assert d.case.Document(id="x", paper=d.states.Paper.REQUESTED, issuer="").presented == 0
    assert not d.case.Document(id="x", paper=d.states.Paper.REQUESTED, issuer="").hold_told
    setting = rules(d)
    times = (setting.approval_valid, setting.review_within, setting.log_within, setting.wind_down, setting.longest_hold)
    assert times == (30 * DAY, 3 * DAY, DAY / 2, 14 * DAY, 366 * DAY)
    assert setting.max_period_days == 90


PLANS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
