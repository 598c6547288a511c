"""Explore every configuration that the rules can reach within bounds, and hold each step against the law.

A model is a first case, an alphabet of acts and a last day. Beside the case stands a ghost: what really happened, noted
from the acts alone and never from what the rules made of them. Days pass with or without the clocks being looked at
(a node that is off), so the guards alone must hold, too.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from renkei_personas.domain import decide as decide_module
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import Outcome, Paper, State
from tests.personas.ghost import PLANS, RULES, SECOND_CHIEF, SECOND_SUPERVISOR, Ghost, World, note
from tests.personas.world import ACTOR, CHIEF, CUSTODIAN, OTHER_WITNESS, OUTSIDER, SUPERVISOR, WITNESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from renkei_personas.domain.case import Act, Case


class ViolatedError(Exception):
    """A step or a configuration that the law forbids; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is explored."""

    name: str
    first: World
    last_day: int
    acts: Callable[[World], Iterable[Act]]


@dataclass(slots=True)
class Explored:
    """What came of it."""

    worlds: dict[World, int] = field(default_factory=dict)
    """Each with its number, in the order in which they were reached."""
    steps: int = 0
    states: set[State] = field(default_factory=set)


def explore(model: Model) -> Explored:
    """Walk through every reachable configuration. Raises ViolatedError at the first step that the law forbids."""
    found = Explored(worlds={model.first: 0})
    before: list[set[int]] = [set()]  # for each number, those one step earlier: a configuration is dear to hash
    waiting = deque([(0, model.first)])
    while waiting:
        number, world = waiting.popleft()
        found.states.add(world.case.state)
        for later in _successors(model, world):
            found.steps += 1
            its_number = found.worlds.setdefault(later, len(before))
            if its_number == len(before):
                before.append(set())
                waiting.append((its_number, later))
            before[its_number].add(number)
    _check_nobody_is_stuck(list(found.worlds), before)
    return found


def _check_nobody_is_stuck(worlds: list[World], before: list[set[int]]) -> None:
    """From every configuration there is a way to the archive."""
    reaching = {number for number, world in enumerate(worlds) if world.case.state == State.ARCHIVED}
    waiting = deque(reaching)
    while waiting:
        for earlier in before[waiting.popleft()] - reaching:
            reaching.add(earlier)
            waiting.append(earlier)
    stuck = [world for number, world in enumerate(worlds) if number not in reaching]
    if stuck:
        raise ViolatedError(f"{len(stuck)} configurations are stuck, such as {stuck[0].case.state.name}")


def _successors(model: Model, world: World) -> Iterator[World]:
    for act in model.acts(world):
        try:
            case = decide_module.decide(world.case, act, RULES).case
        except Refused:
            if act.action == "REPORT_DANGER":
                raise ViolatedError("a report of danger was refused") from None
            continue
        ghost = note(world, act)
        _check_step(world, act, case, ghost)
        yield World(case, ghost, world.day)
    yield _struck(world)
    if world.day < model.last_day:
        yield World(world.case, world.ghost, world.day + 1)


def _struck(world: World) -> World:
    case = world.case
    for count, (_, step) in enumerate(decide_module.strike(case, world.now, RULES)):
        _check_stricter(case, step.case)
        case = step.case
        if count > 8:
            raise ViolatedError("a clock strikes again and again")
    if any(decide_module.strike(case, world.now, RULES)):
        raise ViolatedError("a clock struck twice")
    ghost = world.ghost
    if case.state == State.ACTIVE:
        _must(_in_period(case, world.now), "under way after its period, though the clocks were looked at")
        _must(ghost.left is None or ghost.left > world.now, "under way without a supervisor, though the clocks ran")
        late = case.waiting is not None and world.now >= case.waiting + RULES.review_within
        _must(not late, "under way although a contact waits too long")
    if case.extension is not None and case.extension.approver:
        _must(_is_fresh(ghost, world.now), "an extension is on its way with an approval that lapsed")
    return World(case, ghost, world.day)


def _check_stricter(case: Case, later: Case) -> None:
    """What happens by itself only ever makes things stricter."""
    down = {
        State.ACTIVE: {State.SUSPENDED},
        State.SUSPENDED: {State.EXPIRED},
        State.APPROVED: {State.EXPIRED},
        State.NPA_REPORTED: {State.EXPIRED},
        State.READY: {State.EXPIRED},
    }
    _must(later.state == case.state or later.state in down.get(case.state, ()), "a clock made things less strict")
    kept = (case.in_danger, case.incident_open, case.vacancy, case.waiting, case.plan, case.acknowledged)
    now = (later.in_danger, later.incident_open, later.vacancy, later.waiting, later.plan, later.acknowledged)
    _must(kept == now, "a clock took back what a person must")
    _must(later.extension in {None, case.extension}, "a clock moved an extension on")


def _check_step(world: World, act: Act, case: Case, ghost: Ghost) -> None:
    """Hold one step of a person against the law."""
    before, now = world.case, world.now
    _check_who(world, act)
    if case.state == State.ACTIVE and before.state != State.ACTIVE:
        _must(case.plan_hash in ghost.approved, "begun without an approval of this very plan")
        _must(case.plan_hash in ghost.acknowledged, "begun without the NPA's acknowledgement")
        _must(_in_period(case, now), "begun outside the period")
        _must(ghost.left is None or ghost.left > now, "begun without a supervisor in the post")
        _must(not ghost.danger, "begun in danger")
        _must(ghost.asked_others, "begun without asking others")
        _must(not ghost.incident, "gone on with an open incident")
        _must(not ghost.compromised, "gone on after the identity was noticed")
        if before.state == State.READY:
            _must(before.approve_time is not None and now < before.approve_time + RULES.approval_valid, "lapsed")
    _must(case.state != State.ACTIVE or not ghost.danger, "under way in danger")
    if before.state == State.COMPROMISED:
        _must(case.state in {State.COMPROMISED, State.CLOSED}, "another way out of COMPROMISED than to close")
    if before.state in {State.CLOSED, State.ARCHIVED, State.EXPIRED, State.REJECTED}:
        _must(case.state >= before.state or case.state in {State.CLOSED, State.COMPROMISED}, "back from an end")
    if case.state >= State.APPROVED and case.state != State.CLOSED and before.state == State.SUBMITTED:
        _must(case.plan_hash in ghost.approved, "approved without an approval of this plan")
    if before.state >= State.APPROVED and case.plan_hash != before.plan_hash:
        _must(
            case.plan_hash in ghost.approved & ghost.acknowledged, "another plan without approval and acknowledgement"
        )
    _check_documents(world, act, case, ghost)
    _check_contacts(world, act)
    if case.outcome is not None and before.outcome is None:
        _must(case.outcome != Outcome.NOT_USED or not ghost.shown, "NOT_USED, and an image was shown")
        _must((case.outcome == Outcome.SUSPENDED_COMPROMISED) == ghost.compromised, "a wrong outcome of a compromise")
    if case.state == State.ARCHIVED and before.state != State.ARCHIVED:
        for document in case.documents:
            held = document.paper == Paper.HELD and document.hold_review is not None and document.hold_review > now
            gone = document.paper in {Paper.DESTROYED, Paper.CANCELLED}
            _must(held or gone, "archived with a document left")
        _must(not ghost.danger, "archived in danger")
        _must(not ghost.incident, "archived with an open incident")
        _must(not ghost.unread, "archived with a contact that nobody reviewed")


_DOERS: Final = {
    "ACTIVATE": {SUPERVISOR, SECOND_SUPERVISOR},
    "RESUME": {SUPERVISOR, SECOND_SUPERVISOR},
    "APPROVE": {CHIEF},
    "APPROVE_EXTENSION": {CHIEF, SECOND_CHIEF, SECOND_SUPERVISOR},
    "ISSUE_DOCUMENT": {CUSTODIAN},
    "PRESENT_DOCUMENT": {ACTOR},
    "LOG_CONTACT": {ACTOR},
    "LOG_REQUEST": {ACTOR},
    "SETTLE_DANGER": {SUPERVISOR, SECOND_SUPERVISOR, CHIEF},
    "SETTLE_COLLISION": {SUPERVISOR, SECOND_SUPERVISOR, CHIEF},
    "CLOSE": {SUPERVISOR, SECOND_SUPERVISOR, CHIEF},
    "REVIEW_CONTACTS": {SUPERVISOR, SECOND_SUPERVISOR, WITNESS, CHIEF},
}


def _check_who(world: World, act: Act) -> None:
    ghost = world.ghost
    if act.action in _DOERS:
        _must(act.who in _DOERS[act.action], f"{act.action} by somebody else")
    if act.who in {SUPERVISOR, SECOND_SUPERVISOR} and act.action in {"ACTIVATE", "RESUME", "CLOSE", "REVIEW_CONTACTS"}:
        _must(act.who == ghost.supervisor, f"{act.action} by who is not in the post")
        _must(ghost.left is None or ghost.left > world.now, f"{act.action} by a supervisor who left")
    if act.action in {"APPROVE", "APPROVE_EXTENSION"}:
        _must(act.plan_hash == _decided(world.case), "an approval of another hash")
        _must(act.who not in ghost.supervisors, "an approval by who supervised")
    if act.action in {"REPORT_EXTENSION", "ACKNOWLEDGE_EXTENSION"}:
        _must(_is_fresh(ghost, world.now), "an extension went on with an approval that lapsed")
    if act.action == "APPOINT":
        _must(act.officer not in ghost.approvers, "who approved came to supervise")
    if act.action == "REVIEW_CONTACTS":
        _must(act.who not in ghost.reporters, "an incident reviewed by who reported it")
        _must(act.who != CHIEF or ghost.supervisor in ghost.reporters, "the chief reviewed what the supervisor must")
    if act.action == "WITNESS_DESTRUCTION":
        _must(act.who not in ghost.supervisors, "a destruction witnessed by who supervises")


def _is_fresh(ghost: Ghost, now: datetime) -> bool:
    approved = ghost.extension_approved
    return approved is not None and now < approved + RULES.approval_valid


def _decided(case: Case) -> bytes:
    return case.extension.plan_hash if case.extension is not None else case.plan_hash


def _check_documents(world: World, act: Act, case: Case, ghost: Ghost) -> None:
    planned = max((PLANS[one].document_count for one in ghost.approved & ghost.acknowledged), default=0)
    _must(case.issued <= planned, "more documents issued than planned")
    exist = sum(one.paper != Paper.CANCELLED for one in case.documents)
    _must(exist <= planned, "more documents than planned")
    document = case.document(act.document)
    if act.action == "ISSUE_DOCUMENT":
        _must(act.who != dict(ghost.issuers)[act.document], "a document of one person")
        _must(_in_period(case, world.now), "a document issued outside the period")
    if act.action == "PRESENT_DOCUMENT":
        _must(world.case.state == State.ACTIVE, "shown while it is not under way")
        _must(ghost.answered <= ghost.asked, "shown without a request")
        _must(act.is_image, "the original was shown")
        _must(act.account == "boss", "shown to somebody who did not ask")
        _must(_in_period(case, world.now), "shown outside the period")
        _must(document is not None and document.paper in {Paper.IN_CUSTODY, Paper.HANDED_OUT}, "shown, and not there")
    if act.action in {"PRESENT_DOCUMENT", "HAND_OUT_DOCUMENT"}:
        _must(act.document not in ghost.collided, "shown or handed out although a record says the same")
    if act.action == "HOLD_DOCUMENT":
        _must(act.time is not None and act.time > world.now, "held without a review to come")
    if document is not None and document.paper == Paper.DESTROYED:
        seen = {who for which, who in ghost.seen_destroyed if which == act.document}
        _must(len(seen & {WITNESS, OTHER_WITNESS, OUTSIDER}) == 2, "destroyed without two witnesses")


def _check_contacts(world: World, act: Act) -> None:
    if act.action in {"LOG_CONTACT", "LOG_REQUEST"}:
        case = world.case
        _must(case.state == State.ACTIVE, "a contact logged while it is not under way")
        _must(_in_period(case, world.now), "a contact logged outside the period")
        _must(act.observed_only, "an entry that describes taking part")
        time = act.time or world.now
        _must(world.now - RULES.log_within <= time <= world.now, "a backdated entry")
        _must(case.last_contact is None or time >= case.last_contact, "an entry before the one before")


def _in_period(case: Case, now: datetime) -> bool:
    plan = PLANS[case.plan_hash]
    return plan.start <= now < plan.end


def _must(holds: bool, what: str) -> None:  # noqa: FBT001 (it is what is claimed)
    if not holds:
        raise ViolatedError(what)
