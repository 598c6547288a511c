"""Read a case out of its rows, and write what changed of it back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from renkei.personas.v1.personas_pb2 import Plan as PlanMessage
from sqlalchemy import select, tuple_

from renkei_chassis.clock import from_us, to_us
from renkei_personas.domain.case import Case, Document, Extension, Request
from renkei_personas.domain.clocks import clocks_of
from renkei_personas.domain.plan import Plan
from renkei_personas.domain.states import Halt, Outcome, Paper, Stage, State
from renkei_personas.store import tables
from renkei_personas.store.records import past
from renkei_personas.store.steps import APPROVED, SUPERVISED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from google.protobuf.timestamp_pb2 import Timestamp
    from sqlalchemy import Connection, Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_personas.domain.plan import Rules

REQUEST_KIND = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row of investigations, as it stands."""

    id: bytes
    plan_id: bytes
    version: int
    state: int
    drafter: str
    supervisor: str
    plan: bytes
    plan_hash: bytes
    plan_version: int = 1
    approver: str = ""
    submit_us: int = 0
    approve_us: int = 0
    acknowledge_us: int = 0
    deconflict_us: int = 0
    reported_version: int = 0
    vacancy_us: int = 0
    vacancy_told: bool = False
    in_danger: bool = False
    incident_open: bool = False
    ever_active: bool = False
    halt: int = 0
    outcome: int = 0
    decision_reason: str = ""
    extension_plan: bytes = b""
    extension_hash: bytes = b""
    extension_stage: int = 0
    extension_approver: str = ""
    extension_approve_us: int = 0
    contacts: int = 0
    last_contact_us: int = 0
    waiting_us: int = 0
    review_told: bool = False
    contact_head: bytes = bytes(32)
    entries: int = 0
    entry_head: bytes = bytes(32)
    tasks: int = 0
    next_due_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An investigation: its row, and the case that the rules see."""

    row: Stored
    case: Case


def find(connection: Connection | Transaction, persona: bytes) -> Stored | None:
    """Read one row."""
    row = connection.execute(select(tables.personas).where(tables.personas.c.id == persona)).first()
    return None if row is None else _stored(row)


def find_by_plan(connection: Connection | Transaction, plan_id: bytes) -> Stored | None:
    """Read the row of a plan that the NPA knows."""
    row = connection.execute(select(tables.personas).where(tables.personas.c.plan_id == plan_id)).first()
    return None if row is None else _stored(row)


def load(connection: Connection | Transaction, persona: bytes) -> Loaded | None:
    """Read an investigation."""
    row = find(connection, persona)
    return None if row is None else Loaded(row=row, case=case_of(connection, row))


def due(connection: Connection | Transaction, now_us: int, *, limit: int = 50) -> Sequence[bytes]:
    """Name the investigations in which a clock is due."""
    column = tables.personas.c.next_due_us
    statement = select(tables.personas.c.id).where(column > 0, column <= now_us).order_by(column).limit(limit)
    return [bytes(row.id) for row in connection.execute(statement)]


def every(connection: Connection | Transaction) -> Sequence[bytes]:
    """Name every investigation: a force has a few dozen a year."""
    return [bytes(row.id) for row in connection.execute(select(tables.personas.c.id))]


def set_next(transaction: Transaction, loaded: Loaded, rules: Rules) -> None:
    """Note when the next clock of an investigation strikes, where that changed."""
    due_us = _next_due_us(loaded.case, rules)
    if due_us != loaded.row.next_due_us:
        chosen = tables.personas.c.id == loaded.row.id
        transaction.execute(tables.personas.update().where(chosen).values(next_due_us=due_us))


def page(connection: Connection, *, reader: str | None, before: bytes | None, limit: int) -> Sequence[Stored]:
    """Read rows, newest first; of those in which `reader` has a part, or all for None."""
    statement = select(tables.personas).order_by(tables.personas.c.id.desc()).limit(limit)
    if reader is not None:
        own = select(tables.parts.c.persona).where(tables.parts.c.officer == reader)
        statement = statement.where(tables.personas.c.id.in_(own))
    if before is not None:
        statement = statement.where(tables.personas.c.id < before)
    return [_stored(row) for row in connection.execute(statement)]


def all_reported(connection: Connection) -> Sequence[Stored]:
    """Read every investigation that the NPA was told of: a force has a few dozen a year."""
    statement = select(tables.personas).where(tables.personas.c.reported_version > 0)
    return [_stored(row) for row in connection.execute(statement)]


def case_of(connection: Connection | Transaction, row: Stored) -> Case:
    """Put the case together that the rules see."""
    extension = None
    if row.extension_stage:
        extension = Extension(
            plan=plan_of(PlanMessage.FromString(row.extension_plan)),
            plan_hash=row.extension_hash,
            stage=Stage(row.extension_stage),
            approver=row.extension_approver,
            approve_time=_time(row.extension_approve_us),
        )
    return Case(
        state=State(row.state),
        plan=plan_of(PlanMessage.FromString(row.plan)),
        drafter=row.drafter,
        supervisor=row.supervisor,
        plan_hash=row.plan_hash,
        version=row.plan_version,
        approver=row.approver,
        approve_time=_time(row.approve_us),
        reported=row.reported_version,
        approvers=past(connection, row.id, APPROVED),
        supervisors=past(connection, row.id, SUPERVISED),
        acknowledged=row.acknowledge_us > 0,
        vacancy=_time(row.vacancy_us),
        vacancy_told=row.vacancy_told,
        deconflicted=row.deconflict_us > 0,
        in_danger=row.in_danger,
        incident_open=row.incident_open,
        ever_active=row.ever_active,
        halt=Halt(row.halt) if row.halt else None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        extension=extension,
        documents=_documents(connection, row.id),
        requests=_requests(connection, row.id),
        contacts=row.contacts,
        last_contact=_time(row.last_contact_us),
        waiting=_time(row.waiting_us),
        review_told=row.review_told,
    )


def plan_of(plan: PlanMessage) -> Plan:
    """Take out of a plan what the rules look at."""
    return Plan(
        crime=plan.crime_code,
        necessity=bool(plan.necessity.strip()),
        alternatives=bool(plan.alternatives.strip()),
        unit=bool(plan.unit.strip()),
        supervisor=plan.supervisor,
        supervisor_rank=plan.supervisor_rank,
        custodian=plan.custodian,
        team=tuple(plan.team),
        period_start=_given(plan.period_start) if plan.HasField("period_start") else None,
        period_end=_given(plan.period_end) if plan.HasField("period_end") else None,
        document_count=plan.document_count,
        officers_consent=plan.officers_consent,
        legal_basis=plan.legal_basis,
    )


def add(transaction: Transaction, row: Stored) -> None:
    """Store a new investigation."""
    transaction.insert(tables.personas, asdict(row))
    _write_parts(transaction, row)


def save(transaction: Transaction, before: Loaded, row: Stored, case: Case, rules: Rules) -> Loaded:
    """Write an investigation back. `row` brings what the rules do not know; the case decides about the rest."""
    extension = case.extension
    saved = replace(
        row,
        version=before.row.version + 1,
        state=int(case.state),
        supervisor=case.supervisor,
        plan_hash=case.plan_hash,
        plan_version=case.version,
        approver=case.approver,
        approve_us=_us(case.approve_time),
        reported_version=case.reported,
        vacancy_us=_us(case.vacancy),
        vacancy_told=case.vacancy_told,
        in_danger=case.in_danger,
        incident_open=case.incident_open,
        ever_active=case.ever_active,
        halt=int(case.halt or 0),
        outcome=int(case.outcome or 0),
        extension_plan=row.extension_plan if extension is not None else b"",
        extension_hash=extension.plan_hash if extension is not None else b"",
        extension_stage=int(extension.stage) if extension is not None else 0,
        extension_approver=extension.approver if extension is not None else "",
        extension_approve_us=_us(extension.approve_time) if extension is not None else 0,
        contacts=case.contacts,
        last_contact_us=_us(case.last_contact),
        waiting_us=_us(case.waiting),
        review_told=case.review_told,
        next_due_us=_next_due_us(case, rules),
    )
    changed = asdict(saved)
    del changed["id"]
    transaction.execute(tables.personas.update().where(tables.personas.c.id == saved.id).values(changed))
    _write_documents(transaction, before.case, case)
    _write_past(transaction, saved.id, before.case, case)
    _write_answered(transaction, saved.id, before.case, case)
    if (saved.supervisor, saved.plan) != (before.row.supervisor, before.row.plan):
        _write_parts(transaction, saved)
    return Loaded(row=saved, case=case)


def _write_parts(transaction: Transaction, row: Stored) -> None:
    plan = PlanMessage.FromString(row.plan)
    transaction.execute(tables.parts.delete().where(tables.parts.c.persona == row.id))
    for officer in sorted({row.drafter, row.supervisor, plan.custodian, *plan.team} - {""}):
        transaction.insert(tables.parts, {"officer": officer, "persona": row.id})


def _write_past(transaction: Transaction, persona: bytes, before: Case, after: Case) -> None:
    fresh = [(APPROVED, officer) for officer in sorted(after.approvers - before.approvers)]
    fresh += [(SUPERVISED, officer) for officer in sorted(after.supervisors - before.supervisors)]
    for part, officer in fresh:
        transaction.insert(tables.past, {"persona": persona, "part": part, "officer": officer})


def _write_documents(transaction: Transaction, before: Case, after: Case) -> None:
    """Write what changed; a new document is added by who knows its legend."""
    for document in after.documents:
        earlier = before.document(document.id)
        if earlier is None or earlier == document:
            continue
        values: dict[str, Any] = {
            "version": tables.documents.c.version + 1,
            "paper": int(document.paper),
            "custodian": document.custodian,
            "holder": document.holder,
            "presented": document.presented,
            "witnesses": " ".join(document.witnesses),
            "witnessed": " ".join(document.witnessed),
            "hold_review_us": _us(document.hold_review),
            "hold_told": document.hold_told,
            "collided": document.collided,
        }
        if document.paper == Paper.IN_CUSTODY and earlier.paper == Paper.REQUESTED:
            values["issue_us"] = values["check_us"] = transaction.now_us
        if document.paper == Paper.DESTROYED:
            values["destroy_us"] = transaction.now_us
        chosen = tables.documents.c.id == bytes.fromhex(document.id)
        transaction.execute(tables.documents.update().where(chosen).values(values))


def _write_answered(transaction: Transaction, persona: bytes, before: Case, after: Case) -> None:
    fresh = [
        one.number
        for one in after.requests
        if one.answered and (was := before.request(one.number)) and not was.answered
    ]
    if fresh:
        keys = [(persona, number) for number in fresh]
        chosen = tuple_(tables.contacts.c.persona, tables.contacts.c.number).in_(keys)
        transaction.execute(tables.contacts.update().where(chosen).values(answered=True))


def _documents(connection: Connection | Transaction, persona: bytes) -> tuple[Document, ...]:
    statement = select(tables.documents).where(tables.documents.c.persona == persona).order_by(tables.documents.c.id)
    return tuple(
        Document(
            id=bytes(row.id).hex(),
            paper=Paper(row.paper),
            issuer=row.issuer,
            custodian=row.custodian,
            holder=row.holder,
            presented=row.presented,
            witnesses=tuple(row.witnesses.split()),
            witnessed=tuple(row.witnessed.split()),
            hold_review=_time(row.hold_review_us),
            hold_told=row.hold_told,
            collided=row.collided,
        )
        for row in connection.execute(statement)
    )


def _requests(connection: Connection | Transaction, persona: bytes) -> tuple[Request, ...]:
    table = tables.contacts
    statement = select(table.c.number, table.c.account, table.c.answered).where(
        table.c.persona == persona, table.c.kind == REQUEST_KIND
    )
    return tuple(
        Request(number=row.number, account=row.account, answered=row.answered)
        for row in connection.execute(statement.order_by(table.c.number))
    )


def _stored(row: Row[Any]) -> Stored:
    return Stored(**{field.name: getattr(row, field.name) for field in fields(Stored)})


def _next_due_us(case: Case, rules: Rules) -> int:
    running = clocks_of(case, rules)
    return to_us(running[0].due) if running else 0


def _given(timestamp: Timestamp) -> datetime:
    return from_us(timestamp.ToMicroseconds())


def _time(microseconds: int) -> datetime | None:
    return from_us(microseconds) if microseconds else None


def _us(moment: datetime | None) -> int:
    return 0 if moment is None else to_us(moment)
