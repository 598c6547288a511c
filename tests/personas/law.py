"""The law of personas, written a second time and checked against any set of rules: states, parts, guards, results.

Each check takes the rules as `d`. `test_rules` runs them on what ships, `test_mutants` on every mutant of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tests.personas.world import (
    ACTOR,
    DAY,
    NOW,
    OTHER_WITNESS,
    OUTSIDER,
    PERSONS,
    WITNESS,
    a_case,
    a_document,
    a_longer_plan,
    a_plan,
    an_act,
    an_extension,
    refusal,
    refused,
    rules,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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
REPORT_EXTENSION | READY ACTIVE SUSPENDED | = | SUPERVISOR CHIEF | extension_valid | STATE_FORBIDS
ACKNOWLEDGE_EXTENSION | READY ACTIVE SUSPENDED | = | NPA | possible extension_valid | STATE_FORBIDS
DECONFLICT | READY ACTIVE SUSPENDED | = | SUPERVISOR |  | STATE_FORBIDS
ACTIVATE | READY | ACTIVE | SUPERVISOR | approval_valid {START_GUARDS} | STATE_FORBIDS
SUSPEND | ACTIVE | SUSPENDED | {WHOLE_TEAM} |  | STATE_FORBIDS
RESUME | SUSPENDED | ACTIVE | SUPERVISOR | {START_GUARDS} incident review | STATE_FORBIDS
COMPROMISE | {TO_NOTICE} | COMPROMISED | {WHOLE_TEAM} |  | STATE_FORBIDS
REPORT_DANGER | {ALL} | ! | {EVERYBODY} |  | -
SETTLE_DANGER | {ALL} | = | SUPERVISOR CHIEF |  | -
COMPLETE_TASK | {ALL} | = | SUPERVISOR CHIEF |  | -
VACATE | {NOT_ARCHIVED} | = | {WHOLE_TEAM} |  | STATE_FORBIDS
APPOINT | {NOT_ARCHIVED} | = | CHIEF | suitable | STATE_FORBIDS
CLOSE | {OPEN} | CLOSED | SUPERVISOR CHIEF | outcome | STATE_FORBIDS
ARCHIVE | CLOSED | ARCHIVED | SUPERVISOR CHIEF | settled incident reviewed safe | STATE_FORBIDS
REQUEST_DOCUMENT | READY ACTIVE | = | TEAM SUPERVISOR | {MAKING} count | STATE_FORBIDS
ISSUE_DOCUMENT | READY ACTIVE | = | CUSTODIAN | {MAKING} two_people | STATE_FORBIDS
CANCEL_DOCUMENT | {AFTER_APPROVAL} | = | SUPERVISOR CUSTODIAN |  | STATE_FORBIDS
HAND_OUT_DOCUMENT | READY ACTIVE | = | CUSTODIAN | in_period account holder settled_hits | STATE_FORBIDS
RETURN_DOCUMENT | {AFTER_APPROVAL} | = | CUSTODIAN |  | STATE_FORBIDS
PRESENT_DOCUMENT | ACTIVE | = | TEAM | in_period post account image asked asker settled_hits | STATE_FORBIDS
HOLD_DOCUMENT | {AFTER_APPROVAL} ARCHIVED | = | SUPERVISOR CHIEF | review_time | STATE_FORBIDS
RELEASE_DOCUMENT | {AFTER_APPROVAL} | = | SUPERVISOR CHIEF |  | STATE_FORBIDS
DESTROY_DOCUMENT | {DESTROYING} | = | CUSTODIAN | witnesses | STATE_FORBIDS
WITNESS_DESTRUCTION | {DESTROYING} | = | WITNESS | once unrelated | STATE_FORBIDS
COLLIDE | READY ACTIVE SUSPENDED | = | CLOCK |  | STATE_FORBIDS
SETTLE_COLLISION | {ALL} | = | SUPERVISOR CHIEF |  | -
LOG_REQUEST | ACTIVE | = | TEAM | in_period post timely observed | STATE_FORBIDS
LOG_CONTACT | ACTIVE | = | TEAM | in_period post timely observed | STATE_FORBIDS
REPORT_INCIDENT | {BEGUN} | ! | TEAM SUPERVISOR |  | STATE_FORBIDS
REVIEW_CONTACTS | {BEGUN} | = | SUPERVISOR | waits another supervisors | STATE_FORBIDS
DISCLOSE | {BEGUN} | = | TEAM SUPERVISOR | exists | STATE_FORBIDS
PERIOD_ENDS | ACTIVE | SUSPENDED | CLOCK |  | STATE_FORBIDS
NEVER_BEGUN | APPROVED NPA_REPORTED READY | EXPIRED | CLOCK |  | STATE_FORBIDS
EXTENSION_LAPSES | READY ACTIVE SUSPENDED | = | CLOCK |  | STATE_FORBIDS
WIND_DOWN_ENDS | SUSPENDED | EXPIRED | CLOCK |  | STATE_FORBIDS
POST_FALLS_VACANT | {NOT_ARCHIVED} | ! | CLOCK |  | STATE_FORBIDS
REVIEW_FALLS_DUE | {BEGUN} | ! | CLOCK |  | STATE_FORBIDS
LEGAL_BASIS_ENDS | ACTIVE | SUSPENDED | CLOCK |  | STATE_FORBIDS
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
    "COLLIDE": ("IN_CUSTODY", "HANDED_OUT", "HELD"),
    "HOLD_FALLS_DUE": ("HELD", "DESTROY_ORDERED"),
}
STAGES: Final = {
    "EXTEND": (None, "RETURNED"),
    "RETURN_EXTENSION": ("SUBMITTED",),
    "REJECT_EXTENSION": ("SUBMITTED",),
    "APPROVE_EXTENSION": ("SUBMITTED",),
    "REPORT_EXTENSION": ("APPROVED",),
    "ACKNOWLEDGE_EXTENSION": ("NPA_REPORTED",),
    "EXTENSION_LAPSES": ("APPROVED", "NPA_REPORTED"),
}
OPENS: Final = {
    "COMPROMISE": "SAFETY",
    "REPORT_DANGER": "SAFETY",
    "REPORT_INCIDENT": "REVIEW_CONTACTS",
    "PERIOD_ENDS": "CLOSE",
    "NEVER_BEGUN": "CLOSE",
    "EXTENSION_LAPSES": "RENEW_EXTENSION",
    "LEGAL_BASIS_ENDS": "CLOSE",
    "COLLIDE": "CHECK_DOCUMENT",
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
    if action == "ACKNOWLEDGE_EXTENSION":
        case = replace(case, reported=2)
    case = replace(
        case,
        requests=(d.case.Request(number=1, account="boss"),),
        contacts=2,
        last_contact=NOW - DAY / 24,
        waiting=None if action == "ARCHIVE" else NOW - DAY,
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
    case, act = scene(d, "PRESENT_DOCUMENT", "ACTIVE", "TEAM")
    hit = replace(case, documents=(replace(case.documents[0], collided=True),))
    assert refused(d, hit, replace(act, collides="name")).metadata == {"field": "name"}


CHECKS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
