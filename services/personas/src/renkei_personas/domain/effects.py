"""What each row changes beside the state: the case after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.case import Document, Extension, Request
from renkei_personas.domain.guards import WITNESSES, document_of
from renkei_personas.domain.states import Outcome, Paper, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from renkei_personas.domain.case import Act, Case
    from renkei_personas.domain.row import Row

    Effect = Callable[[Case, Act, Row], Case]


def _rewrite(case: Case, act: Act, row: Row) -> Case:
    del row
    assert act.plan is not None  # noqa: S101 (the contract requires it)
    return replace(case, plan=act.plan, plan_hash=act.plan_hash, supervisor=act.plan.supervisor)


def _approve(case: Case, act: Act, row: Row) -> Case:
    del row
    return replace(case, approver=act.who, approve_time=act.now, approvers=case.approvers | {act.who})


def _report(case: Case, act: Act, row: Row) -> Case:
    """Give every report a number of its own, so that no late acknowledgement is taken for another's."""
    del act, row
    return replace(case, reported=case.reported + 1)


def _acknowledge(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, acknowledged=True)


def _extend(case: Case, act: Act, row: Row) -> Case:
    assert act.plan is not None and row.stage is not None  # noqa: S101, PT018 (contract and table say so)
    return replace(case, extension=Extension(plan=act.plan, plan_hash=act.plan_hash, stage=row.stage))


def _move_extension(case: Case, act: Act, row: Row) -> Case:
    assert case.extension is not None  # noqa: S101 (the table looked)
    if row.stage is None:
        return replace(case, extension=None)
    moved = replace(case.extension, stage=row.stage)
    if row.stage != Stage.APPROVED:
        return replace(case, extension=moved)
    approved = replace(moved, approver=act.who, approve_time=act.now)
    return replace(case, extension=approved, approvers=case.approvers | {act.who})


def _report_extension(case: Case, act: Act, row: Row) -> Case:
    return _report(_move_extension(case, act, row), act, row)


def _take_over(case: Case, act: Act, row: Row) -> Case:
    del act, row
    assert case.extension is not None  # noqa: S101 (the table looked)
    return replace(
        case,
        plan=case.extension.plan,
        plan_hash=case.extension.plan_hash,
        approver=case.extension.approver,
        approve_time=case.extension.approve_time,
        version=case.reported,
        extension=None,
    )


def _deconflict(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, deconflicted=True)


def _activate(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, ever_active=True)


def _endanger(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, in_danger=True)


def _settle(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, in_danger=False)


def _vacate(case: Case, act: Act, row: Row) -> Case:
    """Note from when on; the clock does the rest, at once where it is due. A vacancy is never put off."""
    del row
    when = act.now if act.time is None else max(act.time, act.now)
    return replace(case, vacancy=when if case.vacancy is None else min(case.vacancy, when))


def _appoint(case: Case, act: Act, row: Row) -> Case:
    del row
    known = case.supervisors | {case.supervisor, act.officer}
    return replace(case, supervisor=act.officer, supervisors=known, vacancy=None, vacancy_told=False)


def _fall_vacant(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, vacancy_told=True)


def _close(case: Case, act: Act, row: Row) -> Case:
    del row
    return replace(case, outcome=Outcome(act.outcome))


def _request_document(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    return replace(case, documents=(*case.documents, Document(id=act.document, paper=row.paper, issuer=act.who)))


def _issue(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    return case.with_document(replace(document_of(case, act), paper=row.paper, custodian=act.who, holder=act.who))


def _cancel(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    return case.with_document(replace(document_of(case, act), paper=row.paper))


def _pass_on(case: Case, act: Act, row: Row) -> Case:
    """Who holds it is the officer named, or the custodian who takes it back."""
    assert row.paper is not None  # noqa: S101 (the table says so)
    return case.with_document(replace(document_of(case, act), paper=row.paper, holder=act.officer or act.who))


def _present(case: Case, act: Act, row: Row) -> Case:
    del row
    requests = tuple(replace(one, answered=True) if one.number == act.number else one for one in case.requests)
    document = document_of(case, act)
    return replace(case, requests=requests).with_document(replace(document, presented=document.presented + 1))


def _hold(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    held = replace(document_of(case, act), paper=row.paper, hold_review=act.time, hold_told=False)
    return case.with_document(held)


def _collide(case: Case, act: Act, row: Row) -> Case:
    del row
    return case.with_document(replace(document_of(case, act), collided=True))


def _settle_collision(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, documents=tuple(replace(one, collided=False) for one in case.documents))


def _release(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    return case.with_document(replace(document_of(case, act), paper=row.paper, hold_review=None, hold_told=False))


def _order_destruction(case: Case, act: Act, row: Row) -> Case:
    assert row.paper is not None  # noqa: S101 (the table says so)
    ordered = replace(document_of(case, act), paper=row.paper, witnesses=act.officers, witnessed=())
    return case.with_document(ordered)


def _witness(case: Case, act: Act, row: Row) -> Case:
    del row
    document = document_of(case, act)
    seen = (*document.witnessed, act.who)
    if len(seen) < WITNESSES:
        return case.with_document(replace(document, witnessed=seen))
    destroyed = replace(document, witnessed=seen, paper=Paper.DESTROYED, holder="", hold_review=None)
    return case.with_document(destroyed)


def _log(case: Case, act: Act, row: Row) -> Case:
    del row
    when = act.now if act.time is None else min(act.time, act.now)
    latest = when if case.last_contact is None else max(when, case.last_contact)
    return replace(case, contacts=case.contacts + 1, last_contact=latest, waiting=case.waiting or act.now)


def _log_request(case: Case, act: Act, row: Row) -> Case:
    logged = _log(case, act, row)
    return replace(logged, requests=(*logged.requests, Request(number=logged.contacts, account=act.account)))


def _report_incident(case: Case, act: Act, row: Row) -> Case:
    return replace(_log(case, act, row), incident_open=True)


def _review(case: Case, act: Act, row: Row) -> Case:
    del row
    return replace(case, waiting=act.still_waiting, incident_open=act.incident_left, review_told=False)


def _tell_review(case: Case, act: Act, row: Row) -> Case:
    del act, row
    return replace(case, review_told=True)


def _tell_hold(case: Case, act: Act, row: Row) -> Case:
    del row
    return case.with_document(replace(document_of(case, act), hold_told=True))


EFFECTS: Final[Mapping[str, Effect]] = {
    "UPDATE": _rewrite,
    "APPROVE": _approve,
    "REPORT": _report,
    "ACKNOWLEDGE": _acknowledge,
    "EXTEND": _extend,
    "RETURN_EXTENSION": _move_extension,
    "REJECT_EXTENSION": _move_extension,
    "APPROVE_EXTENSION": _move_extension,
    "REPORT_EXTENSION": _report_extension,
    "EXTENSION_LAPSES": _move_extension,
    "ACKNOWLEDGE_EXTENSION": _take_over,
    "DECONFLICT": _deconflict,
    "ACTIVATE": _activate,
    "COMPROMISE": _endanger,
    "REPORT_DANGER": _endanger,
    "SETTLE_DANGER": _settle,
    "VACATE": _vacate,
    "APPOINT": _appoint,
    "POST_FALLS_VACANT": _fall_vacant,
    "CLOSE": _close,
    "REQUEST_DOCUMENT": _request_document,
    "ISSUE_DOCUMENT": _issue,
    "CANCEL_DOCUMENT": _cancel,
    "HAND_OUT_DOCUMENT": _pass_on,
    "RETURN_DOCUMENT": _pass_on,
    "PRESENT_DOCUMENT": _present,
    "HOLD_DOCUMENT": _hold,
    "RELEASE_DOCUMENT": _release,
    "DESTROY_DOCUMENT": _order_destruction,
    "WITNESS_DESTRUCTION": _witness,
    "COLLIDE": _collide,
    "SETTLE_COLLISION": _settle_collision,
    "LOG_REQUEST": _log_request,
    "LOG_CONTACT": _log,
    "REPORT_INCIDENT": _report_incident,
    "REVIEW_CONTACTS": _review,
    "REVIEW_FALLS_DUE": _tell_review,
    "HOLD_FALLS_DUE": _tell_hold,
}
"""By row; a row without one changes nothing beside the state."""
