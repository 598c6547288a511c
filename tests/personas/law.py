"""The law of personas, written a second time and checked against any set of rules: states, parts, guards, results.

Each check takes the rules as `d`. `test_rules` runs them on what ships, `test_mutants` on every mutant of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

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
    PERSONS,
    START,
    SUPERVISOR,
    WITNESS,
    a_case,
    a_document,
    a_longer_plan,
    a_plan,
    an_act,
    an_extension,
    officer,
    refusal,
    refused,
    rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALL: Final = (
    "DRAFT SUBMITTED RETURNED REJECTED APPROVED NPA_REPORTED READY ACTIVE SUSPENDED EXPIRED COMPROMISED CLOSED ARCHIVED"
)
AFTER_APPROVAL: Final = "APPROVED NPA_REPORTED READY ACTIVE SUSPENDED EXPIRED COMPROMISED CLOSED"
BEGUN: Final = "ACTIVE SUSPENDED EXPIRED COMPROMISED CLOSED"
WHOLE_TEAM: Final = "DRAFTER TEAM SUPERVISOR CUSTODIAN CHIEF"
EVERYBODY: Final = " ".join(PERSONS)
DESTROYING: Final = "SUSPENDED EXPIRED COMPROMISED CLOSED ARCHIVED"
NOT_ARCHIVED: Final = ALL.removesuffix(" ARCHIVED")
OPEN: Final = ALL.removesuffix(" CLOSED ARCHIVED")
TO_NOTICE: Final = AFTER_APPROVAL.removesuffix(" COMPROMISED CLOSED")
MAKING: Final = "acknowledged in_period post account collision"
START_GUARDS: Final = "acknowledged crime_allowed in_period safe deconflicted"

# action | from | to (= stays) | who | guards | reason elsewhere
LAW: Final = f"""
UPDATE | DRAFT RETURNED | = | DRAFTER |  | PLAN_FROZEN
SUBMIT | DRAFT RETURNED | SUBMITTED | DRAFTER | plan_whole | STATE_FORBIDS
RETURN | SUBMITTED | RETURNED | CHIEF | uninvolved hash | NOT_SUBMITTED
REJECT | SUBMITTED | REJECTED | CHIEF | uninvolved hash | NOT_SUBMITTED
APPROVE | SUBMITTED | APPROVED | CHIEF | uninvolved hash possible | NOT_SUBMITTED
REPORT | APPROVED | NPA_REPORTED | SUPERVISOR CHIEF | approval_valid | STATE_FORBIDS
ACKNOWLEDGE | NPA_REPORTED | READY | NPA |  | STATE_FORBIDS
EXTEND | READY ACTIVE SUSPENDED | = | DRAFTER | extension | STATE_FORBIDS
RETURN_EXTENSION | READY ACTIVE SUSPENDED | = | CHIEF | uninvolved hash | STATE_FORBIDS
REJECT_EXTENSION | READY ACTIVE SUSPENDED | = | CHIEF | uninvolved hash | STATE_FORBIDS
APPROVE_EXTENSION | READY ACTIVE SUSPENDED | = | CHIEF | uninvolved hash possible | STATE_FORBIDS
REPORT_EXTENSION | READY ACTIVE SUSPENDED | = | SUPERVISOR CHIEF |  | STATE_FORBIDS
ACKNOWLEDGE_EXTENSION | READY ACTIVE SUSPENDED | = | NPA | possible | STATE_FORBIDS
DECONFLICT | READY ACTIVE SUSPENDED | = | SUPERVISOR |  | STATE_FORBIDS
ACTIVATE | READY | ACTIVE | SUPERVISOR | approval_valid {START_GUARDS} | STATE_FORBIDS
SUSPEND | ACTIVE | SUSPENDED | {WHOLE_TEAM} |  | STATE_FORBIDS
RESUME | SUSPENDED | ACTIVE | SUPERVISOR | {START_GUARDS} incident review | STATE_FORBIDS
COMPROMISE | {TO_NOTICE} | COMPROMISED | {WHOLE_TEAM} |  | STATE_FORBIDS
REPORT_DANGER | {ALL} | = | {EVERYBODY} |  | -
SETTLE_DANGER | {ALL} | = | SUPERVISOR CHIEF |  | -
COMPLETE_TASK | {ALL} | = | SUPERVISOR CHIEF |  | -
VACATE | {NOT_ARCHIVED} | = | {WHOLE_TEAM} |  | STATE_FORBIDS
APPOINT | {NOT_ARCHIVED} | = | CHIEF | suitable | STATE_FORBIDS
CLOSE | {OPEN} | CLOSED | SUPERVISOR CHIEF | outcome | STATE_FORBIDS
ARCHIVE | CLOSED | ARCHIVED | SUPERVISOR CHIEF | settled incident safe | STATE_FORBIDS
REQUEST_DOCUMENT | READY ACTIVE | = | TEAM SUPERVISOR | {MAKING} count | STATE_FORBIDS
ISSUE_DOCUMENT | READY ACTIVE | = | CUSTODIAN | {MAKING} two_people | STATE_FORBIDS
CANCEL_DOCUMENT | {AFTER_APPROVAL} | = | SUPERVISOR CUSTODIAN |  | STATE_FORBIDS
HAND_OUT_DOCUMENT | READY ACTIVE | = | CUSTODIAN | in_period holder | STATE_FORBIDS
RETURN_DOCUMENT | {AFTER_APPROVAL} | = | CUSTODIAN |  | STATE_FORBIDS
PRESENT_DOCUMENT | ACTIVE | = | TEAM | in_period post image asked asker | STATE_FORBIDS
HOLD_DOCUMENT | {AFTER_APPROVAL} ARCHIVED | = | SUPERVISOR CHIEF | review_time | STATE_FORBIDS
RELEASE_DOCUMENT | {AFTER_APPROVAL} | = | SUPERVISOR CHIEF |  | STATE_FORBIDS
DESTROY_DOCUMENT | {DESTROYING} | = | CUSTODIAN | witnesses | STATE_FORBIDS
WITNESS_DESTRUCTION | {DESTROYING} | = | WITNESS | once | STATE_FORBIDS
LOG_REQUEST | ACTIVE | = | TEAM | in_period post timely observed | STATE_FORBIDS
LOG_CONTACT | ACTIVE | = | TEAM | in_period post timely observed | STATE_FORBIDS
REPORT_INCIDENT | {BEGUN} | ! | TEAM SUPERVISOR |  | STATE_FORBIDS
REVIEW_CONTACTS | {BEGUN} | = | SUPERVISOR | waits | STATE_FORBIDS
DISCLOSE | {BEGUN} | = | TEAM SUPERVISOR | exists | STATE_FORBIDS
PERIOD_ENDS | ACTIVE | SUSPENDED | CLOCK |  | STATE_FORBIDS
NEVER_BEGUN | APPROVED NPA_REPORTED READY | EXPIRED | CLOCK |  | STATE_FORBIDS
WIND_DOWN_ENDS | SUSPENDED | EXPIRED | CLOCK |  | STATE_FORBIDS
POST_FALLS_VACANT | {NOT_ARCHIVED} | ! | CLOCK |  | STATE_FORBIDS
REVIEW_FALLS_DUE | {BEGUN} | ! | CLOCK |  | STATE_FORBIDS
HOLD_FALLS_DUE | {AFTER_APPROVAL} ARCHIVED | = | CLOCK |  | STATE_FORBIDS
"""
"""`!`: what is under way is halted, anything else stays."""


def law() -> dict[str, list[list[str]]]:
    found = {}
    for line in LAW.strip().splitlines():
        action, *columns = (column.split() for column in line.split("|"))
        found[action[0]] = columns
    return found


PAPERS: Final = {
    "ISSUE_DOCUMENT": ("REQUESTED",),
    "CANCEL_DOCUMENT": ("REQUESTED",),
    "HAND_OUT_DOCUMENT": ("IN_CUSTODY",),
    "RETURN_DOCUMENT": ("HANDED_OUT",),
    "PRESENT_DOCUMENT": ("IN_CUSTODY", "HANDED_OUT"),
    "HOLD_DOCUMENT": ("IN_CUSTODY", "HELD"),
    "RELEASE_DOCUMENT": ("HELD",),
    "DESTROY_DOCUMENT": ("IN_CUSTODY", "HELD", "DESTROY_ORDERED"),
    "WITNESS_DESTRUCTION": ("DESTROY_ORDERED",),
    "HOLD_FALLS_DUE": ("HELD", "DESTROY_ORDERED"),
}
STAGES: Final = {
    "EXTEND": (None, "RETURNED"),
    "RETURN_EXTENSION": ("SUBMITTED",),
    "REJECT_EXTENSION": ("SUBMITTED",),
    "APPROVE_EXTENSION": ("SUBMITTED",),
    "REPORT_EXTENSION": ("APPROVED",),
    "ACKNOWLEDGE_EXTENSION": ("NPA_REPORTED",),
}
OPENS: Final = {
    "COMPROMISE": "SAFETY",
    "REPORT_DANGER": "SAFETY",
    "REPORT_INCIDENT": "REVIEW_CONTACTS",
    "PERIOD_ENDS": "CLOSE",
    "NEVER_BEGUN": "CLOSE",
    "WIND_DOWN_ENDS": "CLOSE",
    "POST_FALLS_VACANT": "APPOINT_SUPERVISOR",
    "REVIEW_FALLS_DUE": "REVIEW_CONTACTS",
    "HOLD_FALLS_DUE": "REVIEW_HOLD",
}


def scene(d: Any, action: str, state: str, part: str) -> tuple[Any, Any]:  # noqa: ANN401, C901, PLR0912 (one action each)
    """Set a case and an act so that only state and part can stand in the way."""
    case = a_case(d, state)
    if action in PAPERS:
        case = replace(case, documents=(a_document(d, PAPERS[action][0]),))
    elif part == "WITNESS":  # whoever is named has the part in every act about that document
        case = replace(case, documents=(a_document(d, "DESTROY_ORDERED"),))
    if action in STAGES and STAGES[action][0] is not None:
        case = replace(case, extension=an_extension(d, str(STAGES[action][0])))
    case = replace(
        case,
        requests=(d.case.Request(number=1, account="boss"),),
        contacts=2,
        last_contact=NOW - DAY / 24,
        waiting=NOW - DAY,
    )
    more: dict[str, Any] = {"document": "bb" if action == "REQUEST_DOCUMENT" else "aa", "number": 1}
    if action in {"RETURN", "REJECT", "APPROVE"}:
        more["plan_hash"] = b"hash"
    if action.endswith("_EXTENSION"):
        more["plan_hash"] = b"longer"
    if action == "EXTEND":
        more |= {"plan": a_longer_plan(d), "plan_hash": b"longer"}
    if action == "UPDATE":
        more |= {"plan": a_plan(d, document_count=1), "plan_hash": b"new"}
    if action == "APPOINT":
        more |= {"officer": OUTSIDER, "rank": 1}
    if action == "CLOSE":
        more["outcome"] = 5 if state == "COMPROMISED" else 6
    if action == "HAND_OUT_DOCUMENT":
        more["officer"] = ACTOR
    if action == "PRESENT_DOCUMENT":
        more |= {"account": "boss", "is_image": True}
    if action == "HOLD_DOCUMENT":
        more["time"] = NOW + DAY
    if action == "DESTROY_DOCUMENT":
        more["officers"] = (WITNESS, OTHER_WITNESS)
    if action in {"LOG_REQUEST", "LOG_CONTACT", "REPORT_INCIDENT"}:
        more |= {"time": NOW, "observed_only": action != "REPORT_INCIDENT", "account": "boss"}
    return case, an_act(d, action, PERSONS[part], **more)


def check_every_action_has_a_row_and_every_row_a_law(d: Any) -> None:  # noqa: ANN401
    assert set(d.table.ROWS) == set(law())


def check_states(d: Any) -> None:  # noqa: ANN401
    """From where each action goes, to where, and what it says elsewhere."""
    for action, (sources, target, parts, _, elsewhere) in law().items():
        for state in ALL.split():
            case, act = scene(d, action, state, parts[0])
            if state not in sources:
                assert refusal(d, case, act) == elsewhere[0], (action, state)
                continue
            step = d.decide.decide(case, act, rules(d))
            wanted = {"=": state, "!": "SUSPENDED" if state == "ACTIVE" else state}.get(target[0], target[0])
            assert step.case.state.name == wanted, (action, state)
            assert step.action == action
            assert [task.name for task in step.opens] == ([OPENS[action]] if action in OPENS else []), action


def check_parts(d: Any) -> None:  # noqa: ANN401
    """Who may do each action, and nobody else."""
    for action, (sources, _, parts, _, _) in law().items():
        for part in PERSONS:
            case, act = scene(d, action, sources[0], part)
            if action == "WITNESS_DESTRUCTION":
                expected = "" if part == "WITNESS" else "NOT_A_WITNESS"
            else:
                expected = "" if part in parts else "NOT_YOUR_PART"
            assert refusal(d, case, act) == expected, (action, part)


def check_a_name_without_the_role_is_no_part(d: Any) -> None:  # noqa: ANN401
    for action, part, role in [
        ("ACTIVATE", "SUPERVISOR", "OFFICER"),
        ("RETURN_DOCUMENT", "CUSTODIAN", "OFFICER"),
        ("LOG_CONTACT", "TEAM", "CUSTODIAN"),
        ("APPROVE", "CHIEF", "SUPERVISOR"),
    ]:
        case, act = scene(d, action, law()[action][0][0], part)
        assert refusal(d, case, replace(act, roles=frozenset({role}))) == "NOT_YOUR_PART", action
    case, act = scene(d, "LOG_CONTACT", "ACTIVE", "TEAM")
    assert refusal(d, case, replace(act, roles=frozenset({"SUPERVISOR"}))) == ""


def check_the_refusal_of_a_part_says_whose_it_is(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "CLOSE", "ACTIVE", "CUSTODIAN")
    assert refused(d, case, act).metadata == {"parts": "CHIEF, SUPERVISOR"}


def check_papers(d: Any) -> None:  # noqa: ANN401
    """From where each action on a document goes, and that it is about a document that is there."""
    for action, papers in PAPERS.items():
        for paper in d.states.Paper:
            case, act = scene(d, action, law()[action][0][0], law()[action][2][0])
            changes = {"witnesses": (WITNESS, OTHER_WITNESS)}
            case = replace(case, documents=(a_document(d, paper.name, **changes),))
            expected = "" if paper.name in papers else "DOCUMENT_STATE_FORBIDS"
            assert refusal(d, case, act) == expected, (action, paper)
        if action != "WITNESS_DESTRUCTION":
            case, act = scene(d, action, law()[action][0][0], law()[action][2][0])
            assert refusal(d, replace(case, documents=()), act) == "DOCUMENT_STATE_FORBIDS", action


def check_stages(d: Any) -> None:  # noqa: ANN401
    """From where each action on an extension goes."""
    for action, stages in STAGES.items():
        for stage in (None, *d.states.Stage):
            case, act = scene(d, action, "ACTIVE", law()[action][2][0])
            extension = None if stage is None else an_extension(d, stage.name)
            name = None if stage is None else stage.name
            expected = "EXTENSION_PENDING" if action == "EXTEND" else "NOT_SUBMITTED"
            expected = "" if name in stages else expected
            assert refusal(d, replace(case, extension=extension), act) == expected, (action, stage)


def _state_metadata(d: Any, case: Any, act: Any) -> str:  # noqa: ANN401
    return str(refused(d, case, act).metadata.get("state"))


def check_a_refusal_says_where_things_stand(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "APPROVE", "APPROVED", "CHIEF")
    assert _state_metadata(d, case, act) == "APPROVED"
    case, act = scene(d, "RETURN_EXTENSION", "ACTIVE", "CHIEF")
    assert _state_metadata(d, replace(case, extension=None), act) == "NONE"
    assert _state_metadata(d, replace(case, extension=an_extension(d, "APPROVED")), act) == "APPROVED"
    case, act = scene(d, "RETURN_DOCUMENT", "ACTIVE", "CUSTODIAN")
    assert _state_metadata(d, replace(case, documents=()), act) == "NONE"
    assert _state_metadata(d, replace(case, documents=(a_document(d),)), act) == "IN_CUSTODY"


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
        case "post":
            yield replace(case, vacancy=NOW), act, "SUPERVISOR_VACANT"
        case "suitable":
            for who in (DRAFTER, CUSTODIAN, ACTOR, CHIEF, "agencies/jp-13/officers/x"):
                yield case, replace(act, officer=who), "SUPERVISOR_UNSUITABLE"
            yield case, replace(act, rank=0), "SUPERVISOR_UNSUITABLE"
            # Who approved the plan, or its extension, does not come to supervise what was approved.
            yield replace(case, approver=OUTSIDER), act, "SUPERVISOR_UNSUITABLE"
            extended = replace(an_extension(d, "APPROVED"), approver=OUTSIDER)
            yield replace(case, extension=extended), act, "SUPERVISOR_UNSUITABLE"
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
        case "review_time":
            yield case, replace(act, time=NOW), "REVIEW_TIME_INVALID"
            yield case, replace(act, time=None), "REVIEW_TIME_INVALID"
            yield case, replace(act, time=NOW + 367 * DAY), "REVIEW_TIME_INVALID"
        case "witnesses":
            held = replace(case, documents=(a_document(d, holder=OUTSIDER, custodian=officer("earlier")),))
            for pair in (
                (WITNESS,),
                (WITNESS, WITNESS),
                (WITNESS, CUSTODIAN),
                (WITNESS, ACTOR),
                (WITNESS, OUTSIDER),
                (WITNESS, officer("earlier")),
                (WITNESS, "agencies/jp-13/officers/x"),
                (WITNESS, OTHER_WITNESS, officer("third")),
                (WITNESS, OTHER_WITNESS, CUSTODIAN),
            ):
                yield held, replace(act, officers=pair), "WITNESSES_INVALID"
        case "once":
            seen = a_document(d, "DESTROY_ORDERED", witnessed=(WITNESS,))
            yield replace(case, documents=(seen,)), act, "NOT_A_WITNESS"
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


CHECKS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
