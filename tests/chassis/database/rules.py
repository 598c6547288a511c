"""Rules that fail, each at another place."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from renkei.personas.v1.events_pb2 import PersonaSubmitted
from renkei.personas.v1.personas_pb2 import Persona
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from renkei_chassis.database.requests import Written
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import Aborted
from tests.chassis.keeper import PLANS, keep

if TYPE_CHECKING:
    from uuid import UUID

    from renkei.personas.v1.personas_pb2 import SubmitPersonaRequest

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal


def refuse(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    raise Aborted("ETAG_MISMATCH", "somebody was faster")


def refuse_late(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    keep(transaction, request, caller)
    raise Aborted("ETAG_MISMATCH", "somebody was faster")


def refuse_too_late(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    keep(transaction, request, caller)
    transaction.flush()
    raise Aborted("ETAG_MISMATCH", "somebody was faster")


def stumble(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    keep(transaction, request, caller)
    transaction.execute(select(PLANS))
    raise ZeroDivisionError


def take_taken_unit(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    request.plan.unit = "a"
    return keep(transaction, request, caller)


def take_taken_unit_and_look(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    written = take_taken_unit(transaction, request, caller)
    transaction.flush()
    return written


def take_taken_unit_in_silence(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    """What a rule must not do: the rows of its neighbours were in the same flush."""
    written = take_taken_unit(transaction, request, caller)
    with suppress(IntegrityError):
        transaction.flush()
    return written


def ask_nonsense(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    """A mistake of ours that SQLite files under the same class as a full disk."""
    transaction.execute(text("SELECT * FROM nowhere"))
    raise AssertionError


def leave_out_a_column(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    transaction.insert(PLANS, {"name": request.request_id})
    return Written(answer=Persona(), resource="x")


def tell_what_was_told(
    transaction: Transaction, request: SubmitPersonaRequest, caller: Principal, *, id_: UUID
) -> Written:
    transaction.emit(NewEvent(payload=PersonaSubmitted(), resource="x", event_id=id_))
    return Written(answer=Persona(), resource="x")


def tell_too_much(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
    transaction.emit(NewEvent(payload=PersonaSubmitted(plan_hash="x" * 2**19), resource="x"))
    return Written(answer=Persona(), resource="x")
