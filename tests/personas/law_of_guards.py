"""The law of personas, continued: each guard refuses where it alone is broken, and on which side of the moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.personas.law import law, scene
from tests.personas.world import (
    ACTOR,
    CHIEF,
    CUSTODIAN,
    DAY,
    DRAFTER,
    END,
    NOW,
    OTHER_WITNESS,
    OUTSIDER,
    START,
    SUPERVISOR,
    WITNESS,
    a_case,
    a_document,
    a_longer_plan,
    a_plan,
    an_act,
    officer,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _broken(d: Any, guard: str, case: Any, act: Any) -> Iterator[tuple[Any, Any, str]]:  # noqa: ANN401, C901, PLR0912, PLR0915 (a guard each)
    """Break one guard and nothing else, in each way in which it can be broken."""
    plan = case.extension.plan if case.extension is not None else case.plan
    match guard:
        case "plan_whole":
            yield replace(case, plan=replace(case.plan, alternatives=False)), act, "PLAN_INCOMPLETE"
        case "uninvolved":
            for who in (DRAFTER, SUPERVISOR, CUSTODIAN, ACTOR):
                yield case, replace(act, who=who), "APPROVER_INVOLVED"
            yield replace(case, supervisor=CHIEF), act, "APPROVER_INVOLVED"
            # A former supervisor whom the plan still names, beside the one in the post.
            yield replace(case, supervisor=OUTSIDER), replace(act, who=SUPERVISOR), "APPROVER_INVOLVED"
            # One who had the post between two others, and one whom only the extension names.
            yield replace(case, supervisors=frozenset({CHIEF})), act, "APPROVER_INVOLVED"
            if case.extension is not None:
                named = replace(case.extension, plan=replace(plan, supervisor=CHIEF))
                yield replace(case, extension=named), act, "APPROVER_INVOLVED"
        case "hash":
            yield case, replace(act, plan_hash=b"another"), "PLAN_HASH_MISMATCH"
            wrong = b"hash" if case.extension is not None else b"longer"
            yield case, replace(act, plan_hash=wrong), "PLAN_HASH_MISMATCH"
        case "possible":
            yield case, replace(act, now=plan.end), "PERIOD_INVALID"
            wider = replace(plan, crime=6)
            if case.extension is not None:
                yield replace(case, extension=replace(case.extension, plan=wider)), act, "CRIME_NOT_LISTED"
            else:
                yield replace(case, plan=wider), act, "CRIME_NOT_LISTED"
        case "extension":
            yield case, replace(act, plan=a_plan(d)), "EXTENSION_INVALID"
            yield case, replace(act, plan=a_longer_plan(d, team=())), "PLAN_INCOMPLETE"
        case "approval_valid":
            yield case, replace(act, now=START + 31 * DAY), "APPROVAL_LAPSED"
            yield replace(case, approve_time=None), act, "APPROVAL_LAPSED"
        case "extension_valid":
            late = replace(case.extension, approve_time=NOW - 30 * DAY)
            yield replace(case, extension=late), act, "APPROVAL_LAPSED"
        case "acknowledged":
            yield replace(case, acknowledged=False), act, "NOT_ACKNOWLEDGED"
        case "crime_allowed":
            yield replace(case, plan=replace(case.plan, crime=6)), act, "CRIME_NOT_LISTED"
        case "in_period":
            soon = replace(case.plan, period_end=NOW)
            yield replace(case, plan=soon), act, "OUT_OF_PERIOD"
            late = replace(case.plan, period_start=NOW + DAY)
            yield replace(case, plan=late), act, "OUT_OF_PERIOD"
        case "safe":
            yield replace(case, in_danger=True), act, "OFFICER_IN_DANGER"
        case "deconflicted":
            yield replace(case, deconflicted=False), act, "NOT_DECONFLICTED"
        case "incident":
            yield replace(case, incident_open=True), act, "INCIDENT_OPEN"
        case "review":
            yield replace(case, waiting=NOW - 3 * DAY), act, "REVIEW_OVERDUE"
        case "reviewed":
            yield replace(case, waiting=NOW), act, "CONTACTS_UNREVIEWED"
        case "post":
            yield replace(case, vacancy=NOW), act, "SUPERVISOR_VACANT"
        case "suitable":
            for who in (DRAFTER, CUSTODIAN, ACTOR, CHIEF, "agencies/jp-13/officers/x", officer("Upper")):
                yield case, replace(act, officer=who), "SUPERVISOR_UNSUITABLE"
            yield case, replace(act, rank=0), "SUPERVISOR_UNSUITABLE"
            # Who ever approved the plan, or an extension, does not come to supervise what was approved.
            yield replace(case, approvers=frozenset({CHIEF, OUTSIDER})), act, "SUPERVISOR_UNSUITABLE"
        case "outcome":
            yield case, replace(act, outcome=1), "OUTCOME_CONTRADICTED"
        case "settled":
            yield replace(case, documents=(a_document(d),)), act, "DOCUMENT_LEFT"
        case "count":
            two = (a_document(d, id="x"), a_document(d, "REQUESTED", id="y"))
            yield replace(case, documents=two), act, "DOCUMENTS_EXHAUSTED"
        case "account":
            yield case, replace(act, is_account=True), "ACCOUNT_WITHOUT_LEGAL_BASIS"
        case "collision":
            yield case, replace(act, collides="document.legend.number"), "DOCUMENT_COLLIDES"
        case "two_people":
            yield replace(case, documents=(a_document(d, "REQUESTED", issuer=CUSTODIAN),)), act, "SECOND_PERSON_MISSING"
        case "holder":
            yield case, replace(act, officer=DRAFTER), "HOLDER_INVALID"
        case "image":
            yield case, replace(act, is_image=False), "IMAGE_ONLY"
        case "asked":
            yield case, replace(act, number=2), "NO_REQUEST_LOGGED"
            answered = d.case.Request(number=1, account="boss", answered=True)
            yield replace(case, requests=(answered,)), act, "NO_REQUEST_LOGGED"
        case "asker":
            yield case, replace(act, account="another"), "RECIPIENT_MISMATCH"
        case "settled_hits":
            hit = tuple(replace(one, collided=True) for one in case.documents)
            yield replace(case, documents=hit), act, "DOCUMENT_COLLIDES"
        case "review_time":
            yield case, replace(act, time=NOW), "REVIEW_TIME_INVALID"
            yield case, replace(act, time=None), "REVIEW_TIME_INVALID"
            yield case, replace(act, time=NOW + 367 * DAY), "REVIEW_TIME_INVALID"
        case "witnesses":
            papers = (a_document(d, holder=OUTSIDER, custodian=officer("earlier"), issuer=officer("asker")),)
            past = {"approvers": frozenset({officer("approved")}), "supervisors": frozenset({officer("supervised")})}
            first = replace(case.plan, supervisor=officer("first"))
            held = replace(case, documents=papers, plan=first, **past)
            for pair in (
                (WITNESS,),
                (WITNESS, WITNESS),
                (WITNESS, CUSTODIAN),
                (WITNESS, ACTOR),
                (WITNESS, DRAFTER),
                (WITNESS, SUPERVISOR),
                (WITNESS, officer("asker")),
                (WITNESS, OUTSIDER),
                (WITNESS, officer("earlier")),
                (WITNESS, officer("approved")),
                (WITNESS, officer("supervised")),
                (WITNESS, officer("first")),
                (WITNESS, "agencies/jp-13/officers/x"),
                (WITNESS, f"{OTHER_WITNESS} {officer('third')}"),
                (WITNESS, OTHER_WITNESS, officer("third")),
                (WITNESS, OTHER_WITNESS, CUSTODIAN),
            ):
                yield held, replace(act, officers=pair), "WITNESSES_INVALID"
        case "once":
            seen = a_document(d, "DESTROY_ORDERED", witnessed=(WITNESS,))
            yield replace(case, documents=(seen,)), act, "NOT_A_WITNESS"
        case "unrelated":  # who was named, and came to have a part after that
            yield replace(case, supervisor=WITNESS), act, "NOT_A_WITNESS"
            yield replace(case, supervisors=frozenset({WITNESS})), act, "NOT_A_WITNESS"
            yield replace(case, approvers=frozenset({WITNESS})), act, "NOT_A_WITNESS"
            yield replace(case, documents=(replace(case.documents[0], holder=WITNESS),)), act, "NOT_A_WITNESS"
        case "timely":
            yield case, replace(act, time=None), "BACKDATED"
            yield case, replace(act, time=NOW + DAY / 1000), "BACKDATED"
            yield case, replace(act, time=NOW - DAY / 12), "BACKDATED"
            yield replace(case, last_contact=None), replace(act, time=NOW - DAY * 0.51), "BACKDATED"
        case "observed":
            yield case, replace(act, observed_only=False), "TAKING_PART"
        case "waits":
            yield replace(case, waiting=None), act, "NO_SUCH_CONTACT"
            yield case, replace(act, number=0), "NO_SUCH_CONTACT"
            yield case, replace(act, number=3), "NO_SUCH_CONTACT"
        case "another":
            yield case, replace(act, reporters=frozenset({ACTOR, SUPERVISOR})), "OWN_INCIDENT"
        case "supervisors":
            chief = replace(act, who=CHIEF, roles=frozenset({"HQ_CHIEF"}))
            yield case, chief, "NOT_YOUR_PART"
            yield case, replace(chief, reporters=frozenset({ACTOR})), "NOT_YOUR_PART"
        case "exists":
            yield case, replace(act, number=0), "NO_SUCH_CONTACT"
            yield case, replace(act, number=3), "NO_SUCH_CONTACT"
        case _:
            raise AssertionError(guard)


def check_guards(d: Any) -> None:  # noqa: ANN401
    """Every guard of every action refuses, with its own reason, where it alone is broken."""
    for action, (sources, _, parts, guards, _) in law().items():
        for guard in guards:
            case, act = scene(d, action, sources[0], parts[0])
            assert refusal(d, case, act) == "", (action, guard)
            for broken_case, broken_act, reason in _broken(d, guard, case, act):
                if guard == "uninvolved" and broken_act.who != CHIEF:
                    broken_act = replace(broken_act, roles=frozenset({"HQ_CHIEF"}))  # noqa: PLW2901
                assert refusal(d, broken_case, broken_act) == reason, (action, guard, reason)


def check_edges_of_time(d: Any) -> None:  # noqa: ANN401
    """What is done at the very moment counts on one side, as the law says."""
    tick = DAY / 86400
    begin = a_case(d, "READY", plan=a_plan(d, period_start=NOW))
    act = an_act(d, "ACTIVATE", SUPERVISOR)
    assert refusal(d, begin, act) == ""
    assert refusal(d, begin, replace(act, now=NOW - tick)) == "OUT_OF_PERIOD"
    assert refusal(d, a_case(d, "READY", approve_time=END - 30 * DAY), replace(act, now=END - tick)) == ""
    lapses = a_case(d, "READY", approve_time=NOW - 30 * DAY)
    assert refusal(d, lapses, act) == "APPROVAL_LAPSED"
    assert refusal(d, lapses, replace(act, now=NOW - tick)) == ""
    for action, part in (("REPORT_EXTENSION", "SUPERVISOR"), ("ACKNOWLEDGE_EXTENSION", "NPA")):
        extended, act = scene(d, action, "ACTIVE", part)
        lapses = extended.extension.approve_time + 30 * DAY
        far = replace(extended.extension, plan=a_longer_plan(d, period_end=END + 60 * DAY))
        extended = replace(extended, extension=far)
        assert refusal(d, extended, replace(act, now=lapses - tick)) == "", action
        assert refusal(d, extended, replace(act, now=lapses)) == "APPROVAL_LAPSED", action
    resume = an_act(d, "RESUME", SUPERVISOR)
    assert refusal(d, a_case(d, "SUSPENDED"), resume) == ""
    assert refusal(d, a_case(d, "SUSPENDED", waiting=NOW - 3 * DAY + tick), resume) == ""
    log, log_act = scene(d, "LOG_CONTACT", "ACTIVE", "TEAM")
    assert refusal(d, replace(log, last_contact=None), replace(log_act, time=NOW - DAY / 2)) == ""
    assert refusal(d, log, replace(log_act, time=log.last_contact)) == ""
    hold, hold_act = scene(d, "HOLD_DOCUMENT", "CLOSED", "CHIEF")
    assert refusal(d, hold, replace(hold_act, time=NOW + 366 * DAY)) == ""
    held = a_document(d, "HELD", hold_review=NOW)
    archive = an_act(d, "ARCHIVE", CHIEF)
    assert refusal(d, a_case(d, "CLOSED", documents=(held,)), archive) == "DOCUMENT_LEFT"
    assert refusal(d, a_case(d, "CLOSED", documents=(replace(held, hold_review=NOW + tick),)), archive) == ""
    assert refusal(d, a_case(d, "CLOSED", documents=(replace(held, hold_review=None),)), archive) == "DOCUMENT_LEFT"
    approve, approve_act = scene(d, "APPROVE", "SUBMITTED", "CHIEF")
    assert refusal(d, approve, replace(approve_act, now=END - tick)) == ""


def check_what_may_be_archived(d: Any) -> None:  # noqa: ANN401
    act = an_act(d, "ARCHIVE", SUPERVISOR)
    for paper in d.states.Paper:
        case = a_case(d, "CLOSED", documents=(a_document(d, "DESTROYED", id="x"), a_document(d, paper.name)))
        fine = paper.name in {"HELD", "DESTROYED", "CANCELLED"}
        assert refusal(d, case, act) == ("" if fine else "DOCUMENT_LEFT"), paper
    ordered = a_document(d, "DESTROY_ORDERED", hold_review=NOW + DAY)
    assert refusal(d, a_case(d, "CLOSED", documents=(ordered,)), act) == "DOCUMENT_LEFT"


def check_documents_count(d: Any) -> None:  # noqa: ANN401
    """A cancelled one is none; a destroyed one was one."""
    case, act = scene(d, "REQUEST_DOCUMENT", "ACTIVE", "TEAM")
    cancelled = tuple(a_document(d, "CANCELLED", id=str(n)) for n in range(3))
    assert refusal(d, replace(case, documents=(*cancelled, a_document(d, id="x"))), act) == ""
    gone = (a_document(d, "DESTROYED", id="x"), a_document(d, "DESTROYED", id="y"))
    assert refusal(d, replace(case, documents=gone), act) == "DOCUMENTS_EXHAUSTED"
    assert [a_case(d, documents=(a_document(d, paper.name),)).issued for paper in d.states.Paper] == [
        0,
        1,
        1,
        1,
        1,
        1,
        0,
    ]
    assert a_case(d).issued == 0


def check_vacancy(d: Any) -> None:  # noqa: ANN401
    """A supervisor who left may do nothing, from the moment on that was said; the chief still may."""
    tick = DAY / 86400
    for action in ("ACTIVATE", "CLOSE", "REVIEW_CONTACTS", "SETTLE_DANGER"):
        case, act = scene(d, action, law()[action][0][0], "SUPERVISOR")
        assert refusal(d, replace(case, vacancy=NOW), act) == "SUPERVISOR_VACANT", action
        assert refusal(d, replace(case, vacancy=NOW + tick), act) == "", action
    case, act = scene(d, "CLOSE", "ACTIVE", "CHIEF")
    assert refusal(d, replace(case, vacancy=NOW), act) == ""
    both = replace(act, who=SUPERVISOR, roles=frozenset({"HQ_CHIEF", "SUPERVISOR"}))
    assert refusal(d, replace(case, vacancy=NOW), both) == ""
    not_even = replace(act, who=SUPERVISOR, action="ISSUE_DOCUMENT", roles=frozenset({"SUPERVISOR"}))
    assert refusal(d, replace(case, vacancy=NOW), not_even) == "NOT_YOUR_PART"


GUARDS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
