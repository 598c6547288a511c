"""PersonasService: translate, ask the rules, store, translate back."""

from __future__ import annotations

import uuid
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.personas.v1 import events_pb2, personas_pb2

from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.database.transaction import NewEvent, Transaction
from renkei_chassis.errors import (
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    RenkeiError,
)
from renkei_chassis.ids import uuid7
from renkei_chassis.resource_names import Pattern
from renkei_chassis.rpc.methods import Api, Call, ReadMethod
from renkei_personas import domain, store

if TYPE_CHECKING:
    from datetime import datetime

    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_chassis.database.engine import Database
    from renkei_chassis.identity import Principal
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_personas.settings import Settings

PARENT: Final = Pattern("agencies/{agency}")
NAME: Final = Pattern("agencies/{agency}/personas/{persona}")
_CHIEF: Final = "HQ_CHIEF"
_KIND: Final = "personas"
_STATUS: Final[dict[str, type[RenkeiError]]] = {
    "APPROVER_INVOLVED": NotAllowed,
    "PLAN_HASH_MISMATCH": FailedPrecondition,
    "NOT_SUBMITTED": FailedPrecondition,
}


class PersonasApi:
    """The methods of PersonasService for one agency."""

    def __init__(self, *, agency: str, settings: Settings, database: Database, tokens: PageTokens) -> None:
        """Take the agency's name, `agencies/jp-12`."""
        self._agency = agency
        self._settings = settings
        self._database = database
        self._tokens = tokens

    def api(self) -> Api:
        """Give every method of the contract."""
        return {
            "renkei.personas.v1.PersonasService": {
                "SubmitPersona": WriteMethod(rule=self._submit, rebuild=self._rebuild),
                "ApprovePersona": WriteMethod(rule=self._approve, rebuild=self._rebuild),
                "GetPersona": ReadMethod(answer=self._get),
                "ListPersonas": ReadMethod(answer=self._list),
            }
        }

    def _submit(
        self, transaction: Transaction, request: personas_pb2.SubmitPersonaRequest, caller: Principal
    ) -> Written:
        self._own_parent(request.parent)
        try:
            domain.check_submission(
                _plan(request.plan),
                drafter=caller.subject,
                agency=self._agency,
                now=transaction.now,
                max_days=self._settings.max_period_days,
            )
        except domain.Refused as refused:
            raise _error(refused) from None
        persona = uuid7()
        plan = request.plan.SerializeToString(deterministic=True)
        row = store.StoredPersona(
            id=persona.bytes,
            state=int(domain.State.SUBMITTED),
            version=1,
            drafter=caller.subject,
            supervisor=request.plan.supervisor,
            custodian=request.plan.custodian,
            plan=plan,
            plan_hash=domain.plan_hash(plan),
            approver="",
            submit_time_us=transaction.now_us,
            approve_time_us=0,
        )
        store.add(transaction, row)
        name = self._name(persona)
        told = events_pb2.PersonaSubmitted(name=name, plan_hash=row.plan_hash.hex(), drafter=caller.subject)
        transaction.emit(NewEvent(payload=told, resource=name, trace_parent=transaction.trace_parent))
        return Written(answer=self._persona(row), resource=name, version=1)

    def _approve(
        self, transaction: Transaction, request: personas_pb2.ApprovePersonaRequest, caller: Principal
    ) -> Written:
        persona = self._own_id(request.name)
        row = store.find(transaction, persona)
        if row is None:
            raise _denied()
        plan = personas_pb2.Plan.FromString(row.plan)
        try:
            domain.check_approval(
                state=row.state,
                approver=caller.subject,
                drafter=row.drafter,
                plan=_plan(plan),
                submitted_hash=row.plan_hash,
                approved_hash=bytes.fromhex(request.plan_hash),
            )
        except domain.Refused as refused:
            raise _error(refused) from None
        version = row.version + 1
        store.approve(transaction, persona, state=int(domain.State.APPROVED), approver=caller.subject, version=version)
        told = events_pb2.PersonaApproved(name=request.name, plan_hash=request.plan_hash, approver=caller.subject)
        transaction.emit(NewEvent(payload=told, resource=request.name, trace_parent=transaction.trace_parent))
        approved = store.find(transaction, persona)
        assert approved is not None  # noqa: S101 (it was read above, in this transaction)
        return Written(answer=self._persona(approved), resource=request.name, version=version)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        """Answer with what is there now: a plan keeps no versions."""
        del version
        row = store.find(transaction, self._own_id(resource))
        return None if row is None else self._persona(row)

    async def _get(self, request: personas_pb2.GetPersonaRequest, call: Call) -> Message:
        persona = self._own_id(request.name)
        row = await self._database.look(partial(store.find, persona=persona))
        if row is None or not self._may_read(row, call.caller):
            raise _denied()
        return self._persona(row)

    async def _list(self, request: personas_pb2.ListPersonasRequest, call: Call) -> Message:
        self._own_parent(request.parent)
        size = page_size(request.page_size, default=50, largest=100)
        reader = None if _CHIEF in call.caller.roles else call.caller.subject
        position = self._tokens.decode(_KIND, request, request.page_token)
        before = bytes.fromhex(position[0]) if position is not None else None
        rows = await self._database.read(partial(store.page, reader=reader, before=before, limit=size + 1))
        answer = personas_pb2.ListPersonasResponse(personas=[self._persona(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = self._tokens.encode(_KIND, request, (rows[size - 1].id.hex(),))
        return answer

    def _may_read(self, row: store.StoredPersona, caller: Principal) -> bool:
        return domain.may_read(
            reader=caller.subject,
            is_chief=_CHIEF in caller.roles,
            drafter=row.drafter,
            supervisor=row.supervisor,
            custodian=row.custodian,
        )

    def _own_parent(self, parent: str) -> None:
        PARENT.parse(parent, field="parent")
        if parent != self._agency:
            raise _denied()

    def _own_id(self, name: str) -> uuid.UUID:
        """Read the id out of a name; another agency's, or none of ours, looks like a missing one."""
        parts = NAME.parse(name)
        try:
            persona = uuid.UUID(parts["persona"])
        except ValueError:
            raise _denied() from None
        if name != self._name(persona):
            raise _denied()
        return persona

    def _name(self, persona: uuid.UUID) -> str:
        return f"{self._agency}/personas/{persona}"

    def _persona(self, row: store.StoredPersona) -> personas_pb2.Persona:
        answer = personas_pb2.Persona(
            name=self._name(uuid.UUID(bytes=row.id)),
            state=personas_pb2.Persona.State.ValueType(row.state),
            etag=f"{row.version}-{row.plan_hash.hex()[:16]}",
            plan=personas_pb2.Plan.FromString(row.plan),
            plan_hash=row.plan_hash.hex(),
            drafter=row.drafter,
            approver=row.approver,
        )
        answer.submit_time.FromMicroseconds(row.submit_time_us)
        if row.approve_time_us:
            answer.approve_time.FromMicroseconds(row.approve_time_us)
        return answer


def _plan(plan: personas_pb2.Plan) -> domain.Plan:
    return domain.Plan(
        crime_code=plan.crime_code,
        necessity=plan.necessity,
        alternatives=plan.alternatives,
        unit=plan.unit,
        supervisor=plan.supervisor,
        custodian=plan.custodian,
        period_start=_moment(plan.period_start) if plan.HasField("period_start") else None,
        period_end=_moment(plan.period_end) if plan.HasField("period_end") else None,
        officers_consent=plan.officers_consent,
    )


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)


def _error(refused: domain.Refused) -> RenkeiError:
    kind = _STATUS.get(refused.reason, InvalidArgument)
    violations = [FieldViolation(field=field, description=refused.words) for field in refused.fields]
    return kind(refused.reason, refused.words, metadata=refused.metadata, violations=violations)


def _denied() -> NotFoundOrDenied:
    return NotFoundOrDenied("DENIED", "the plan may not be seen by this caller")
