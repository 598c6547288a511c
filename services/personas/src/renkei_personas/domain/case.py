"""One investigation as the rules see it, and one act upon it. Both are values; nothing changes in place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from renkei_personas.domain.states import Halt, Outcome, Paper, Part, Stage, State

if TYPE_CHECKING:
    from datetime import datetime

    from renkei_personas.domain.plan import Plan

ISSUED = frozenset({Paper.IN_CUSTODY, Paper.HANDED_OUT, Paper.HELD, Paper.DESTROY_ORDERED, Paper.DESTROYED})
"""Where a document is that was ever taken into custody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document's entry."""

    id: str
    paper: Paper
    issuer: str
    custodian: str = ""
    holder: str = ""
    presented: int = 0
    witnesses: tuple[str, ...] = ()
    witnessed: tuple[str, ...] = ()
    hold_review: datetime | None = None
    hold_told: bool = False
    """Whether the task of the review is open already."""
    collided: bool = False
    """Whether a record came since the issue that says what it invents, and nobody has settled that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An offender's logged request."""

    number: int
    account: str
    answered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A new version of the plan on its way."""

    plan: Plan
    plan_hash: bytes
    stage: Stage
    approver: str = ""
    approve_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An investigation."""

    state: State
    plan: Plan
    drafter: str
    supervisor: str
    plan_hash: bytes = b""
    version: int = 1
    approver: str = ""
    approve_time: datetime | None = None
    reported: int = 0
    """The last version that the NPA was told of; 0: none. No two reports have the same."""
    acknowledged: bool = False
    approvers: frozenset[str] = frozenset()
    """Everybody who ever approved the plan or an extension of it."""
    supervisors: frozenset[str] = frozenset()
    """Everybody who was in the supervisor's post when it changed hands, or came into it then."""
    vacancy: datetime | None = None
    """Since when the supervisor's post is vacant, or from when on it will be."""
    vacancy_told: bool = False
    """Whether what a vacancy does was done."""
    deconflicted: bool = False
    in_danger: bool = False
    incident_open: bool = False
    ever_active: bool = False
    halt: Halt | None = None
    outcome: Outcome | None = None
    extension: Extension | None = None
    documents: tuple[Document, ...] = ()
    requests: tuple[Request, ...] = ()
    contacts: int = 0
    """The number of the last entry."""
    last_contact: datetime | None = None
    """When what the last entry tells happened."""
    waiting: datetime | None = None
    """Since when the oldest entry waits for the supervisor's review."""
    review_told: bool = False
    """Whether what an overdue review does was done."""

    def document(self, name: str) -> Document | None:
        """Find a document's entry."""
        return next((one for one in self.documents if one.id == name), None)

    def request(self, number: int) -> Request | None:
        """Find a logged request."""
        return next((one for one in self.requests if one.number == number), None)

    @property
    def issued(self) -> int:
        """How many documents were ever issued."""
        return sum(one.paper in ISSUED for one in self.documents)

    def with_document(self, changed: Document) -> Case:
        """Put a changed entry in its place."""
        return replace(self, documents=tuple(changed if one.id == changed.id else one for one in self.documents))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody wants to do: an action of the table, who, when, and what the action is about."""

    action: str
    who: str
    roles: frozenset[str]
    now: datetime
    plan: Plan | None = None
    plan_hash: bytes = b""
    officer: str = ""
    officers: tuple[str, ...] = ()
    rank: int = 0
    time: datetime | None = None
    """When something happened, or will."""
    document: str = ""
    is_account: bool = False
    collides: str = ""
    """Which invented value hits a real record."""
    number: int = 0
    account: str = ""
    is_image: bool = False
    observed_only: bool = False
    """Neither the officer's own statement nor the words say that officers did more than listen and answer."""
    outcome: int = 0
    still_waiting: datetime | None = None
    """Since when the oldest entry waits that a review leaves."""
    incident_left: bool = False
    """Whether a review leaves an incident."""
    reporters: frozenset[str] = frozenset()
    """Who reported the incidents that a review is about."""


def parts_of(case: Case, act: Act) -> frozenset[Part]:
    """Say what somebody is in an investigation. The role that a token carries is needed beside the name in the plan."""
    parts = {Part.ANYBODY}
    if act.who == case.drafter:
        parts.add(Part.DRAFTER)
    if act.who in case.plan.team and act.roles & {"OFFICER", "SUPERVISOR"}:
        parts.add(Part.TEAM)
    if act.who == case.supervisor and "SUPERVISOR" in act.roles:
        parts.add(Part.SUPERVISOR)
    if act.who == case.plan.custodian and "CUSTODIAN" in act.roles:
        parts.add(Part.CUSTODIAN)
    if "HQ_CHIEF" in act.roles:
        parts.add(Part.CHIEF)
    document = case.document(act.document)
    if document is not None and act.who in document.witnesses:
        parts.add(Part.WITNESS)
    if "NPA" in act.roles:
        parts.add(Part.NPA)
    if "CLOCK" in act.roles:
        parts.add(Part.CLOCK)
    return frozenset(parts)


def involved_in(case: Case) -> frozenset[str]:
    """Name everybody who has a part in an investigation, or was in the supervisor's post. Who approves has none."""
    plan = case.plan
    return frozenset({case.drafter, case.supervisor, plan.supervisor, plan.custodian, *plan.team}) | case.supervisors


def is_vacant(case: Case, now: datetime) -> bool:
    """Tell whether nobody is in the supervisor's post, whether or not the clock has struck already."""
    return case.vacancy is not None and case.vacancy <= now
