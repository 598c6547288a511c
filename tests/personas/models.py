"""The six models: plans, documents, later records, contacts, an extension, posts that change hands.

Together they use every row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.case import Document, Request
from renkei_personas.domain.states import Outcome, Paper, State
from tests.personas.ghost import FRESH, PLANS, SECOND_CHIEF, SECOND_SUPERVISOR, Ghost, World, act_by
from tests.personas.model import Model
from tests.personas.world import (
    ACTOR,
    CHIEF,
    CUSTODIAN,
    DAY,
    DRAFTER,
    OTHER_WITNESS,
    OUTSIDER,
    START,
    SUPERVISOR,
    WITNESS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from renkei_personas.domain.case import Act

READY: Final = World(
    replace(
        FRESH,
        state=State.READY,
        approver=CHIEF,
        approve_time=START + DAY,
        approvers=frozenset({CHIEF}),
        reported=1,
        acknowledged=True,
    ),
    Ghost(approved=frozenset({b"first"}), acknowledged=frozenset({b"first"}), approvers=frozenset({CHIEF})),
    1,
)
ACTIVE: Final = World(
    replace(READY.case, state=State.ACTIVE, deconflicted=True, ever_active=True),
    replace(READY.ghost, asked_others=True),
    1,
)


READY_TO_SHOW: Final = World(replace(READY.case, deconflicted=True), replace(READY.ghost, asked_others=True), 1)
BOTH_OUT: Final = World(
    replace(
        ACTIVE.case,
        plan=PLANS[b"other"],
        plan_hash=b"other",
        documents=tuple(
            Document(id=name, paper=Paper.IN_CUSTODY, issuer=ACTOR, custodian=CUSTODIAN, holder=CUSTODIAN)
            for name in "ab"
        ),
        requests=(Request(number=1, account="boss"),),
        contacts=1,
        last_contact=ACTIVE.now,
        waiting=ACTIVE.now,
    ),
    replace(
        ACTIVE.ghost,
        approved=frozenset({b"other"}),
        acknowledged=frozenset({b"other"}),
        unread=True,
        asked=1,
        issuers=(("a", ACTOR), ("b", ACTOR)),
    ),
    1,
)


def _closing(world: World) -> Iterator[Act]:
    for outcome in (Outcome.NOT_USED, Outcome.SUSPENDED_COMPROMISED, Outcome.ARREST, Outcome.LOST_CONTACT_AFTER_ID):
        yield act_by(world, "CLOSE", CHIEF, outcome=outcome)
    yield act_by(world, "CLOSE", world.ghost.supervisor, outcome=Outcome.NOT_USED)
    yield act_by(world, "SETTLE_DANGER", CHIEF)
    yield act_by(world, "ARCHIVE", CHIEF)


def _operation(world: World) -> Iterator[Act]:
    for who in (SUPERVISOR, SECOND_SUPERVISOR, CUSTODIAN):
        yield act_by(world, "ACTIVATE", who)
        yield act_by(world, "RESUME", who)
    yield act_by(world, "SUSPEND", ACTOR)


def _plans(world: World) -> Iterator[Act]:
    yield act_by(world, "UPDATE", DRAFTER, plan=PLANS[b"other"], plan_hash=b"other")
    yield act_by(world, "SUBMIT", DRAFTER)
    for action in ("RETURN", "REJECT", "APPROVE"):
        for read in (b"first", b"other"):
            yield act_by(world, action, CHIEF, plan_hash=read)
            both = frozenset({"SUPERVISOR", "HQ_CHIEF"})
            yield replace(act_by(world, action, SUPERVISOR, plan_hash=read), roles=both)
            yield act_by(world, action, OUTSIDER, plan_hash=read)
    yield act_by(world, "REPORT", SUPERVISOR)
    yield act_by(world, "ACKNOWLEDGE", "npa")
    yield act_by(world, "DECONFLICT", world.ghost.supervisor)
    yield from _operation(world)
    yield act_by(world, "COMPROMISE", ACTOR)
    yield act_by(world, "REPORT_DANGER", OUTSIDER)
    yield act_by(world, "SETTLE_DANGER", ACTOR)
    yield act_by(world, "VACATE", ACTOR)
    yield act_by(world, "APPOINT", CHIEF, officer=SECOND_SUPERVISOR, rank=1)
    yield from _closing(world)


def _extension(world: World) -> Iterator[Act]:
    for name in (b"second", b"other"):
        yield act_by(world, "EXTEND", DRAFTER, plan=PLANS[name], plan_hash=name)
    for action in ("RETURN_EXTENSION", "REJECT_EXTENSION", "APPROVE_EXTENSION"):
        for read in (b"first", b"second", b"other"):
            yield act_by(world, action, CHIEF, plan_hash=read)
        yield act_by(world, action, SUPERVISOR, plan_hash=b"second")
    yield act_by(world, "REPORT_EXTENSION", SUPERVISOR)
    yield act_by(world, "ACKNOWLEDGE_EXTENSION", "npa")
    yield act_by(world, "RESUME", SUPERVISOR)
    yield act_by(world, "SUSPEND", ACTOR)
    if len(world.case.documents) < 3:
        yield act_by(world, "REQUEST_DOCUMENT", ACTOR, document="abc"[len(world.case.documents)])
    for document in world.case.documents:
        yield act_by(world, "CANCEL_DOCUMENT", CUSTODIAN, document=document.id)
    yield act_by(world, "CLOSE", CHIEF, outcome=Outcome.NOT_USED)
    yield act_by(world, "ARCHIVE", CHIEF)


def _posts(world: World) -> Iterator[Act]:
    """Two chiefs and a post that changes hands, while an extension is on its way or in force."""
    chief = frozenset({"HQ_CHIEF"})
    yield act_by(world, "EXTEND", DRAFTER, plan=PLANS[b"second"], plan_hash=b"second")
    for who in (CHIEF, SECOND_CHIEF, SECOND_SUPERVISOR):
        yield replace(act_by(world, "APPROVE_EXTENSION", who, plan_hash=b"second"), roles=chief)
    for officer in (CHIEF, SECOND_SUPERVISOR, SUPERVISOR):
        yield replace(act_by(world, "APPOINT", SECOND_CHIEF, officer=officer, rank=1), roles=chief)
    yield act_by(world, "REPORT_EXTENSION", CHIEF)
    yield act_by(world, "ACKNOWLEDGE_EXTENSION", "npa")
    yield act_by(world, "CLOSE", CHIEF, outcome=Outcome.NOT_USED)
    yield act_by(world, "ARCHIVE", CHIEF)


def _documents(world: World) -> Iterator[Act]:
    documents = world.case.documents
    if len(documents) < 2 and not any(one.paper == Paper.CANCELLED for one in documents):
        name = "ab"[len(documents)]
        yield act_by(world, "REQUEST_DOCUMENT", ACTOR, document=name)
        # A custodian who has a second part: asks as an officer of the team would.
        both = frozenset({"OFFICER", "SUPERVISOR", "CUSTODIAN"})
        yield replace(act_by(world, "REQUEST_DOCUMENT", CUSTODIAN, document=name), roles=both)
    for document in documents:
        yield from _one_document(world, document.id)
    if world.ghost.asked < 1:
        yield act_by(world, "LOG_REQUEST", ACTOR, account="boss", time=world.now, observed_only=True)
    review = act_by(world, "REVIEW_CONTACTS", world.ghost.supervisor, number=world.case.contacts)
    yield replace(review, roles=frozenset({"SUPERVISOR"}))
    yield act_by(world, "ACTIVATE", SUPERVISOR)
    yield act_by(world, "SUSPEND", ACTOR)
    if world.case.state == State.CLOSED and any(
        WITNESS in one.witnesses for one in documents
    ):  # who was named as a witness comes to have a part
        yield act_by(world, "APPOINT", CHIEF, officer=WITNESS, rank=1)
    for outcome in (Outcome.NOT_USED, Outcome.LOST_CONTACT_AFTER_ID):
        yield act_by(world, "CLOSE", CHIEF, outcome=outcome)
    yield act_by(world, "ARCHIVE", CHIEF)


def _later_records(world: World) -> Iterator[Act]:
    """Records that come while two documents are out, and say what one of them invents."""
    if world.ghost.hits < 2:
        for document in world.case.documents:
            yield act_by(world, "COLLIDE", "clock", document=document.id)
    for who in (SUPERVISOR, CHIEF, ACTOR):
        yield act_by(world, "SETTLE_COLLISION", who)
    for name in "ab":
        yield act_by(world, "HAND_OUT_DOCUMENT", CUSTODIAN, document=name, officer=ACTOR)
        yield act_by(world, "RETURN_DOCUMENT", CUSTODIAN, document=name)
        yield act_by(world, "PRESENT_DOCUMENT", ACTOR, document=name, number=1, account="boss", is_image=True)
        yield act_by(world, "HOLD_DOCUMENT", CHIEF, document=name, time=world.now + 3 * DAY)
        yield act_by(world, "RELEASE_DOCUMENT", CHIEF, document=name)
    yield act_by(world, "REVIEW_CONTACTS", SUPERVISOR, number=1)
    yield act_by(world, "SUSPEND", ACTOR)
    for outcome in (Outcome.NOT_USED, Outcome.LOST_CONTACT_AFTER_ID):
        yield act_by(world, "CLOSE", CHIEF, outcome=outcome)
    yield act_by(world, "ARCHIVE", CHIEF)


def _one_document(world: World, name: str) -> Iterator[Act]:
    for who in (CUSTODIAN, ACTOR):
        yield act_by(world, "ISSUE_DOCUMENT", who, document=name)
    yield act_by(world, "CANCEL_DOCUMENT", CUSTODIAN, document=name)
    yield act_by(world, "HAND_OUT_DOCUMENT", CUSTODIAN, document=name, officer=ACTOR)
    yield act_by(world, "RETURN_DOCUMENT", CUSTODIAN, document=name)
    for account, is_image in (("boss", True), ("boss", False), ("another", True)):
        yield act_by(world, "PRESENT_DOCUMENT", ACTOR, document=name, number=1, account=account, is_image=is_image)
    for days in (0, 1, 3):
        yield act_by(world, "HOLD_DOCUMENT", CHIEF, document=name, time=world.now + days * DAY)
    yield act_by(world, "RELEASE_DOCUMENT", CHIEF, document=name)
    for pair in ((WITNESS, OTHER_WITNESS), (WITNESS, CUSTODIAN), (OTHER_WITNESS, OUTSIDER)):
        yield act_by(world, "DESTROY_DOCUMENT", CUSTODIAN, document=name, officers=pair)
    for who in (WITNESS, OTHER_WITNESS, OUTSIDER, CUSTODIAN):
        yield act_by(world, "WITNESS_DESTRUCTION", who, document=name)


def _contacts(world: World) -> Iterator[Act]:
    hour = timedelta(hours=1)
    if world.case.contacts < 2:
        for time in (world.now, world.now - hour, world.now - DAY, world.now + hour):
            yield act_by(world, "LOG_CONTACT", ACTOR, account="boss", time=time, observed_only=True)
        yield act_by(world, "LOG_CONTACT", ACTOR, account="boss", time=world.now, observed_only=False)
        yield act_by(world, "REPORT_INCIDENT", ACTOR, time=world.now - DAY)
    if not world.case.contacts:
        yield act_by(world, "REPORT_INCIDENT", world.ghost.supervisor, time=world.now)
    yield act_by(world, "DISCLOSE", ACTOR, number=1)
    for who in (SUPERVISOR, SECOND_SUPERVISOR, CHIEF):
        act = act_by(world, "REVIEW_CONTACTS", who, number=world.case.contacts)
        yield replace(act, reporters=world.ghost.reporters)
    for who in (SUPERVISOR, SECOND_SUPERVISOR):
        yield act_by(world, "RESUME", who)
    yield act_by(world, "VACATE", ACTOR)
    yield act_by(world, "APPOINT", CHIEF, officer=SECOND_SUPERVISOR, rank=1)
    yield act_by(world, "COMPROMISE", ACTOR)
    yield act_by(world, "REPORT_DANGER", OUTSIDER)
    yield from _closing(world)


MODELS: Final = {
    model.name: model
    for model in (
        Model(name="plans", first=World(FRESH, Ghost(), 0), last_day=4, acts=_plans),
        Model(name="extension", first=ACTIVE, last_day=5, acts=_extension),
        Model(name="posts", first=ACTIVE, last_day=4, acts=_posts),
        Model(name="documents", first=READY_TO_SHOW, last_day=5, acts=_documents),
        Model(name="later records", first=BOTH_OUT, last_day=2, acts=_later_records),
        Model(name="contacts", first=ACTIVE, last_day=3, acts=_contacts),
    )
}
SHORT: Final = {
    model.name: model
    for model in (
        Model(name="operation", first=ACTIVE, last_day=4, acts=_plans),
        Model(name="a day of contacts", first=ACTIVE, last_day=1, acts=_contacts),
    )
}
"""Parts of those six, in which a mistake that comes late is found sooner."""
