"""The law of personas, continued: what each action changes."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from tests.personas.law import law, scene
from tests.personas.world import (
    ACTOR,
    CHIEF,
    CUSTODIAN,
    DAY,
    NOW,
    OTHER_WITNESS,
    OUTSIDER,
    SUPERVISOR,
    WITNESS,
    a_case,
    a_document,
    a_longer_plan,
    a_plan,
    after,
    an_act,
    an_extension,
    refusal,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable


_MANY = 10


def _changes(before: Any, later: Any) -> dict[str, Any]:  # noqa: ANN401
    """Say which fields changed, and to what."""
    names = [field.name for field in fields(before)]
    return {name: getattr(later, name) for name in names if getattr(later, name) != getattr(before, name)}


def _result(d: Any, action: str, state: str = "", part: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    sources, _, parts, _, _ = law()[action]
    case, act = scene(d, action, state or sources[0], part or parts[0])
    return _changes(case, after(d, case, replace(act, **more)))


def check_results_of_plans(d: Any) -> None:  # noqa: ANN401
    state = d.states.State
    new = a_plan(d, document_count=1)
    other = a_plan(d, supervisor=OUTSIDER)
    assert _result(d, "UPDATE", plan=new) == {"plan": new, "plan_hash": b"new"}
    assert _result(d, "UPDATE", plan=other)["supervisor"] == OUTSIDER
    assert _result(d, "SUBMIT") == {"state": state.SUBMITTED}
    assert _result(d, "RETURN") == {"state": state.RETURNED}
    assert _result(d, "REJECT") == {"state": state.REJECTED}
    approved = {"state": state.APPROVED, "approver": CHIEF, "approve_time": NOW, "approvers": frozenset({CHIEF})}
    assert _result(d, "APPROVE") == approved
    case, act = scene(d, "APPROVE", "SUBMITTED", "CHIEF")
    assert after(d, replace(case, approvers=frozenset({OUTSIDER})), act).approvers == {OUTSIDER, CHIEF}
    assert _result(d, "REPORT") == {"state": state.NPA_REPORTED, "reported": 1}
    assert _result(d, "ACKNOWLEDGE") == {"state": state.READY, "acknowledged": True}


def check_results_of_extensions(d: Any) -> None:  # noqa: ANN401
    stage, longer = d.states.Stage, a_longer_plan(d)
    fresh = d.case.Extension(plan=longer, plan_hash=b"longer", stage=stage.SUBMITTED)
    assert _result(d, "EXTEND") == {"extension": fresh}
    assert _result(d, "RETURN_EXTENSION") == {"extension": replace(fresh, stage=stage.RETURNED)}
    assert _result(d, "REJECT_EXTENSION") == {"extension": None}
    approved = replace(fresh, stage=stage.APPROVED, approver=CHIEF, approve_time=NOW)
    assert _result(d, "APPROVE_EXTENSION") == {"extension": approved}
    case, act = scene(d, "APPROVE_EXTENSION", "ACTIVE", "CHIEF")
    assert after(d, replace(case, approvers=frozenset({OUTSIDER})), act).approvers == {OUTSIDER, CHIEF}
    case, act = scene(d, "RETURN_EXTENSION", "ACTIVE", "CHIEF")
    assert after(d, replace(case, approvers=frozenset({OUTSIDER})), act).approvers == {OUTSIDER}
    reported = replace(approved, stage=stage.NPA_REPORTED, approve_time=NOW - DAY / 2)
    assert _result(d, "REPORT_EXTENSION") == {"extension": reported, "reported": 2}
    assert _result(d, "EXTENSION_LAPSES") == {"extension": None}
    assert _result(d, "ACKNOWLEDGE_EXTENSION") == {
        "plan": longer,
        "plan_hash": b"longer",
        "approve_time": NOW - DAY / 2,
        "version": 2,
        "extension": None,
    }
    # A number is given once: the version in force is the one that was reported and acknowledged.
    case = scene(d, "ACKNOWLEDGE_EXTENSION", "ACTIVE", "NPA")[0]
    case = replace(case, approver="earlier", approvers=frozenset({"earlier", CHIEF}), version=3, reported=5)
    taken = after(d, case, an_act(d, "ACKNOWLEDGE_EXTENSION", "npa"))
    assert (taken.approver, taken.version, taken.reported) == (CHIEF, 5, 5)
    assert taken.approvers == {"earlier", CHIEF}


def check_an_end_ends_the_extension(d: Any) -> None:  # noqa: ANN401
    extension = an_extension(d, "APPROVED")
    for action, state, part, gone in [
        ("CLOSE", "ACTIVE", "CHIEF", True),
        ("COMPROMISE", "ACTIVE", "TEAM", True),
        ("NEVER_BEGUN", "READY", "CLOCK", True),
        ("WIND_DOWN_ENDS", "SUSPENDED", "CLOCK", True),
        ("ACTIVATE", "READY", "SUPERVISOR", False),
        ("RESUME", "SUSPENDED", "SUPERVISOR", False),
        ("SUSPEND", "ACTIVE", "TEAM", False),
    ]:
        case, act = scene(d, action, state, part)
        later = after(d, replace(case, extension=extension), act)
        assert later.extension == (None if gone else extension), action


def check_results_of_the_operation(d: Any) -> None:  # noqa: ANN401
    state, halt, outcome = d.states.State, d.states.Halt, d.states.Outcome
    ready, act = scene(d, "DECONFLICT", "READY", "SUPERVISOR")
    assert _changes(replace(ready, deconflicted=False), after(d, replace(ready, deconflicted=False), act)) == {
        "deconflicted": True
    }
    assert _result(d, "ACTIVATE") == {"state": state.ACTIVE, "ever_active": True}
    assert _result(d, "SUSPEND") == {"state": state.SUSPENDED, "halt": halt.BY_HAND}
    case, act = scene(d, "RESUME", "SUSPENDED", "SUPERVISOR")
    halted = replace(case, halt=halt.INCIDENT)
    assert _changes(halted, after(d, halted, act)) == {"state": state.ACTIVE, "halt": None}
    assert _result(d, "COMPROMISE", "ACTIVE") == {"state": state.COMPROMISED, "in_danger": True}
    case, act = scene(d, "CLOSE", "SUSPENDED", "CHIEF")
    assert after(d, replace(case, halt=halt.VACANCY), act).halt == halt.VACANCY
    danger = {"state": state.SUSPENDED, "halt": halt.DANGER, "in_danger": True}
    assert _result(d, "REPORT_DANGER", "ACTIVE") == danger
    assert _result(d, "REPORT_DANGER", "READY") == {"in_danger": True}
    assert _result(d, "LEGAL_BASIS_ENDS") == {"state": state.SUSPENDED, "halt": halt.LEGAL_BASIS}
    case, act = scene(d, "SETTLE_DANGER", "ACTIVE", "CHIEF")
    assert _changes(replace(case, in_danger=True), after(d, replace(case, in_danger=True), act)) == {"in_danger": False}
    assert _result(d, "COMPLETE_TASK", "ACTIVE") == {}
    assert _result(d, "CLOSE", "DRAFT") == {"state": state.CLOSED, "outcome": outcome.NOT_USED}
    assert _result(d, "ARCHIVE") == {"state": state.ARCHIVED}


def check_results_of_a_vacancy(d: Any) -> None:  # noqa: ANN401
    state, halt = d.states.State, d.states.Halt
    assert _result(d, "VACATE", "ACTIVE") == {"vacancy": NOW}
    assert _result(d, "VACATE", "ACTIVE", time=NOW - DAY) == {"vacancy": NOW}
    assert _result(d, "VACATE", "ACTIVE", time=NOW + DAY) == {"vacancy": NOW + DAY}
    case, act = scene(d, "VACATE", "ACTIVE", "TEAM")
    planned = replace(case, vacancy=NOW + 2 * DAY)
    assert _changes(planned, after(d, planned, replace(act, time=NOW + DAY))) == {"vacancy": NOW + DAY}
    assert _changes(planned, after(d, planned, replace(act, time=NOW + 3 * DAY))) == {}
    told = replace(case, vacancy=NOW - DAY, vacancy_told=True)
    assert _changes(told, after(d, told, act)) == {}
    case, act = scene(d, "APPOINT", "SUSPENDED", "CHIEF")
    vacant = replace(case, vacancy=NOW - DAY, vacancy_told=True)
    both = frozenset({SUPERVISOR, OUTSIDER})
    filled = {"supervisor": OUTSIDER, "supervisors": both, "vacancy": None, "vacancy_told": False}
    assert _changes(vacant, after(d, vacant, act)) == filled
    again = after(d, replace(vacant, supervisors=frozenset({"earlier"})), act)
    assert again.supervisors == both | {"earlier"}
    assert _result(d, "POST_FALLS_VACANT", "ACTIVE") == {
        "state": state.SUSPENDED,
        "halt": halt.VACANCY,
        "vacancy_told": True,
    }


def _document(d: Any, action: str, state: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    sources, _, parts, _, _ = law()[action]
    case, act = scene(d, action, state or sources[0], parts[0])
    other = a_document(d, id="other")
    case = replace(case, documents=(*case.documents, other))
    later = after(d, case, replace(act, **more))
    assert later.document("other") == other
    assert set(_changes(case, later)) <= {"documents", "requests"}
    return _changes(case.documents[0], later.document("aa"))


def check_results_of_documents(d: Any) -> None:  # noqa: ANN401
    paper = d.states.Paper
    case, act = scene(d, "REQUEST_DOCUMENT", "ACTIVE", "TEAM")
    entered = d.case.Document(id="bb", paper=paper.REQUESTED, issuer=ACTOR)
    assert _changes(case, after(d, case, act)) == {"documents": (entered,)}
    earlier = replace(case, documents=(a_document(d, id="x"),))
    assert after(d, earlier, act).documents == (*earlier.documents, entered)
    assert _document(d, "ISSUE_DOCUMENT") == {"paper": paper.IN_CUSTODY, "custodian": CUSTODIAN, "holder": CUSTODIAN}
    assert _document(d, "CANCEL_DOCUMENT") == {"paper": paper.CANCELLED}
    assert _document(d, "HAND_OUT_DOCUMENT") == {"paper": paper.HANDED_OUT, "holder": ACTOR}
    back, act = scene(d, "RETURN_DOCUMENT", "ACTIVE", "CUSTODIAN")
    out = a_document(d, "HANDED_OUT", holder=ACTOR)
    assert after(d, replace(back, documents=(out,)), act).documents == (a_document(d),)
    assert _document(d, "HOLD_DOCUMENT") == {"paper": paper.HELD, "hold_review": NOW + DAY}
    assert _document(d, "RELEASE_DOCUMENT") == {"paper": paper.IN_CUSTODY, "hold_review": None}
    assert _document(d, "DESTROY_DOCUMENT") == {"paper": paper.DESTROY_ORDERED, "witnesses": (WITNESS, OTHER_WITNESS)}
    assert _document(d, "WITNESS_DESTRUCTION") == {"witnessed": (WITNESS,)}
    assert _document(d, "HOLD_FALLS_DUE") == {"hold_told": True}
    assert _document(d, "COLLIDE") == {"collided": True}
    case, act = scene(d, "SETTLE_COLLISION", "ACTIVE", "CHIEF")
    waiting = (a_document(d, "HELD", collided=True), a_document(d, id="b", collided=True), a_document(d, id="c"))
    settled = tuple(replace(one, collided=False) for one in waiting)
    assert _changes(replace(case, documents=waiting), after(d, replace(case, documents=waiting), act)) == {
        "documents": settled
    }
    held, act = scene(d, "HOLD_DOCUMENT", "CLOSED", "CHIEF")
    told = a_document(d, "HELD", hold_told=True)
    renewed = after(d, replace(held, documents=(told,)), act).documents[0]
    assert (renewed.hold_review, renewed.hold_told) == (NOW + DAY, False)
    free = after(d, replace(held, documents=(told,)), replace(act, action="RELEASE_DOCUMENT")).documents[0]
    assert (free.hold_review, free.hold_told) == (None, False)


def check_a_destruction_has_two_witnesses(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "WITNESS_DESTRUCTION", "CLOSED", "WITNESS")
    ordered = a_document(d, "DESTROY_ORDERED", hold_review=NOW + DAY)
    first = after(d, replace(case, documents=(ordered,)), act)
    second = after(d, first, replace(act, who=OTHER_WITNESS))
    assert first.documents[0].paper == d.states.Paper.DESTROY_ORDERED
    assert second.documents[0] == replace(
        ordered, paper=d.states.Paper.DESTROYED, witnessed=(WITNESS, OTHER_WITNESS), holder="", hold_review=None
    )
    anew = an_act(d, "DESTROY_DOCUMENT", CUSTODIAN, document="aa", officers=(WITNESS, OTHER_WITNESS))
    assert after(d, first, anew).documents[0].witnessed == ()


def check_results_of_a_presentation(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "PRESENT_DOCUMENT", "ACTIVE", "TEAM")
    other = d.case.Request(number=2, account="boss")
    later = after(d, replace(case, requests=(*case.requests, other)), act)
    assert later.requests == (replace(case.requests[0], answered=True), other)
    assert later.documents[0].presented == 1
    assert after(d, replace(later, requests=case.requests), act).documents[0].presented == 2
    assert refusal(d, later, act) == "NO_REQUEST_LOGGED"


def check_results_of_contacts(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "LOG_CONTACT", "ACTIVE", "TEAM")
    assert _changes(case, after(d, case, act)) == {"contacts": 3, "last_contact": NOW}
    fresh = replace(case, waiting=None, last_contact=None, contacts=0, requests=())
    assert _changes(fresh, after(d, fresh, replace(act, time=NOW - DAY / 24))) == {
        "contacts": 1,
        "last_contact": NOW - DAY / 24,
        "waiting": NOW,
    }
    logged = after(d, fresh, replace(act, action="LOG_REQUEST"))
    assert logged.requests == (d.case.Request(number=1, account="boss"),)
    assert (logged.contacts, logged.waiting) == (1, NOW)
    again = after(d, logged, replace(act, action="LOG_REQUEST"))
    assert [one.number for one in again.requests] == [1, 2]
    incident = _result(d, "REPORT_INCIDENT")
    assert incident == {
        "state": d.states.State.SUSPENDED,
        "halt": d.states.Halt.INCIDENT,
        "contacts": 3,
        "last_contact": NOW,
        "incident_open": True,
    }
    assert "halt" not in _result(d, "REPORT_INCIDENT", "SUSPENDED")
    late = _result(d, "REPORT_INCIDENT", time=NOW - 10 * DAY)
    assert "last_contact" not in late
    assert _result(d, "REPORT_INCIDENT", time=NOW + DAY)["last_contact"] == NOW
    assert _result(d, "REPORT_INCIDENT", time=None)["last_contact"] == NOW
    assert _result(d, "DISCLOSE") == {}
    assert _result(d, "DISCLOSE", number=2) == {}


def check_results_of_a_review(d: Any) -> None:  # noqa: ANN401
    case, act = scene(d, "REVIEW_CONTACTS", "SUSPENDED", "SUPERVISOR")
    told = replace(case, review_told=True, incident_open=True)
    assert _changes(told, after(d, told, act)) == {"waiting": None, "incident_open": False, "review_told": False}
    left = replace(act, still_waiting=NOW - DAY / 2, incident_left=True, number=2)
    assert _changes(told, after(d, told, left)) == {"waiting": NOW - DAY / 2, "review_told": False}
    # The chief reviews in the place of a supervisor who reported himself, whether or not he is still in the post.
    chief = replace(act, who=CHIEF, roles=frozenset({"HQ_CHIEF"}), reporters=frozenset({ACTOR, SUPERVISOR}))
    assert _changes(told, after(d, told, chief)) == {"waiting": None, "incident_open": False, "review_told": False}
    assert refusal(d, replace(told, vacancy=NOW), chief) == ""
    assert refusal(d, told, replace(act, reporters=frozenset({ACTOR}))) == ""
    assert refused(d, told, replace(chief, reporters=frozenset())).metadata == {"parts": "SUPERVISOR"}
    # Somebody else's incident of an earlier time in the post is the new supervisor's to review.
    assert (
        refusal(d, replace(told, supervisor=OUTSIDER), replace(act, who=OUTSIDER, reporters=frozenset({SUPERVISOR})))
        == ""
    )
    assert _result(d, "REVIEW_FALLS_DUE", "SUSPENDED") == {"review_told": True}
    assert _result(d, "REVIEW_FALLS_DUE", "ACTIVE") == {
        "review_told": True,
        "state": d.states.State.SUSPENDED,
        "halt": d.states.Halt.REVIEW_OVERDUE,
    }
    assert _result(d, "PERIOD_ENDS") == {"state": d.states.State.SUSPENDED, "halt": d.states.Halt.PERIOD_ENDED}


def check_outcomes(d: Any) -> None:  # noqa: ANN401
    """Which outcomes fit: by state, by whether it ever began, by whether an image was shown."""
    shown = (a_document(d, presented=1), a_document(d, id="x"))
    act = an_act(d, "CLOSE", CHIEF)
    table = {
        ("COMPROMISED", True, True): {5},
        ("COMPROMISED", True, False): {5},
        ("SUSPENDED", True, True): {1, 2, 3, 4},
        ("SUSPENDED", True, False): {2, 3, 4, 6},
        ("APPROVED", False, False): {6},
        ("EXPIRED", False, False): {6},
    }
    for (state, began, was_shown), fits in table.items():
        case = a_case(d, state, ever_active=began, documents=shown if was_shown else (a_document(d),))
        found = {number for number in range(1, 7) if not refusal(d, case, replace(act, outcome=number))}
        assert found == fits, (state, began, was_shown)


def check_which_row_a_decision_is_about(d: Any) -> None:  # noqa: ANN401
    plain, extended = a_case(d), a_case(d, extension=an_extension(d, "SUBMITTED"))
    for action in ("RETURN", "REJECT", "APPROVE", "REPORT", "ACKNOWLEDGE"):
        assert d.decide.action_on(plain, action) == action
        assert d.decide.action_on(extended, action) == f"{action}_EXTENSION"
    for action in ("ACTIVATE", "SUSPEND"):
        assert d.decide.action_on(extended, action) == action


RESULTS: list[Callable[[Any], None]] = [value for name, value in globals().items() if name.startswith("check_")]
