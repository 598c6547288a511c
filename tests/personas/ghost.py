"""A configuration of a model: a case, the day, and the ghost, which knows what really happened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from renkei_personas.domain.case import Act, Case
from renkei_personas.domain.plan import Plan, Rules
from renkei_personas.domain.states import State
from tests.personas.world import (
    ACTOR,
    AGENCY,
    CUSTODIAN,
    DAY,
    DRAFTER,
    ROLES,
    START,
    SUPERVISOR,
    officer,
)

SECOND_SUPERVISOR: Final = officer("second")
SECOND_CHIEF: Final = officer("second-chief")
RULES: Final = Rules(
    agency=AGENCY,
    approval_valid=2 * DAY,
    review_within=DAY,
    log_within=timedelta(hours=12),
    wind_down=2 * DAY,
    longest_hold=3 * DAY,
)


def _plan(end: int, count: int) -> Plan:
    return Plan(
        crime=1,
        necessity=True,
        alternatives=True,
        unit=True,
        supervisor=SUPERVISOR,
        supervisor_rank=1,
        custodian=CUSTODIAN,
        team=(ACTOR,),
        period_start=START + DAY,
        period_end=START + end * DAY,
        document_count=count,
        officers_consent=True,
    )


PLANS: Final = {b"first": _plan(3, 1), b"second": _plan(5, 2), b"other": _plan(3, 2)}
FRESH: Final = Case(state=State.DRAFT, plan=PLANS[b"first"], drafter=DRAFTER, supervisor=SUPERVISOR, plan_hash=b"first")


@dataclass(frozen=True, slots=True)
class Ghost:
    """What really happened."""

    approved: frozenset[bytes] = frozenset()
    acknowledged: frozenset[bytes] = frozenset()
    compromised: bool = False
    danger: bool = False
    incident: bool = False
    unread: bool = False
    asked_others: bool = False
    shown: bool = False
    asked: int = 0
    answered: int = 0
    issuers: tuple[tuple[str, str], ...] = ()
    seen_destroyed: frozenset[tuple[str, str]] = frozenset()
    supervisor: str = SUPERVISOR
    supervisors: frozenset[str] = frozenset({SUPERVISOR})
    approvers: frozenset[str] = frozenset()
    extension_approved: datetime | None = None
    reporters: frozenset[str] = frozenset()
    left: datetime | None = None
    hits: int = 0
    collided: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class World:
    """One configuration."""

    case: Case
    ghost: Ghost
    day: int

    @property
    def now(self) -> datetime:
        """The time of the day."""
        return _TIMES[self.day]


_TIMES: Final = [START + day * DAY for day in range(10)]


def note(world: World, act: Act) -> Ghost:  # noqa: C901, PLR0911, PLR0912 (one line an action)
    """Note what really happened, from the act alone."""
    ghost = world.ghost
    extension = world.case.extension
    match act.action:
        case "APPROVE" | "APPROVE_EXTENSION":
            approved, approvers = ghost.approved | {act.plan_hash}, ghost.approvers | {act.who}
            when = world.now if extension is not None else ghost.extension_approved
            return replace(ghost, approved=approved, approvers=approvers, extension_approved=when)
        case "EXTEND":  # the words anew: what was approved before is approved no more
            known = ghost.approved - {act.plan_hash} | {world.case.plan_hash}
            return replace(ghost, approved=known, extension_approved=None)
        case "ACKNOWLEDGE":
            return replace(ghost, acknowledged=ghost.acknowledged | {world.case.plan_hash})
        case "ACKNOWLEDGE_EXTENSION" if extension is not None:
            return replace(ghost, acknowledged=ghost.acknowledged | {extension.plan_hash})
        case "COMPROMISE":
            return replace(ghost, compromised=True, danger=True)
        case "REPORT_DANGER":
            return replace(ghost, danger=True)
        case "SETTLE_DANGER":
            return replace(ghost, danger=False)
        case "DECONFLICT":
            return replace(ghost, asked_others=True)
        case "VACATE":
            when = act.time or world.now
            return replace(ghost, left=when if ghost.left is None else min(ghost.left, when))
        case "APPOINT":
            return replace(ghost, left=None, supervisor=act.officer, supervisors=ghost.supervisors | {act.officer})
        case "REPORT_INCIDENT":
            return replace(ghost, incident=True, unread=True, reporters=ghost.reporters | {act.who})
        case "REVIEW_CONTACTS":
            return replace(ghost, incident=False, unread=False, reporters=frozenset())
        case "LOG_REQUEST":
            return replace(ghost, asked=ghost.asked + 1, unread=True)
        case "LOG_CONTACT":
            return replace(ghost, unread=True)
        case "PRESENT_DOCUMENT":
            return replace(ghost, shown=True, answered=ghost.answered + 1)
        case "REQUEST_DOCUMENT":
            return replace(ghost, issuers=(*ghost.issuers, (act.document, act.who)))
        case "COLLIDE":
            return replace(ghost, hits=ghost.hits + 1, collided=ghost.collided | {act.document})
        case "SETTLE_COLLISION":
            return replace(ghost, collided=frozenset())
        case "DESTROY_DOCUMENT":  # a new order needs new eyes
            kept = frozenset(pair for pair in ghost.seen_destroyed if pair[0] != act.document)
            return replace(ghost, seen_destroyed=kept)
        case "WITNESS_DESTRUCTION":
            return replace(ghost, seen_destroyed=ghost.seen_destroyed | {(act.document, act.who)})
        case _:
            return ghost


def act_by(world: World, action: str, who: str, **more: Any) -> Act:  # noqa: ANN401 (an Act's fields)
    return _act(action, who, world.day, *more.items())


@cache
def _act(action: str, who: str, day: int, *more: tuple[str, Any]) -> Act:
    roles = ROLES.get(who, {"SUPERVISOR"})
    return Act(action=action, who=who, roles=frozenset(roles), now=_TIMES[day], **dict(more))
