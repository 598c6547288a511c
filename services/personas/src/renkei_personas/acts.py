"""Carry out an act in the database: clocks first, then the act by the rules, then everything it leaves, at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from renkei.personas.v1 import events_pb2, personas_pb2
from renkei.policy.v1.policy_pb2 import GRADE_INDEX_ONLY

from renkei_chassis import failpoints
from renkei_chassis.clock import CLOCK_JUMPED, from_us
from renkei_chassis.database.retention import latest_seen
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import (
    Aborted,
    FailedPrecondition,
    FieldViolation,
    InvalidArgument,
    NotAllowed,
    RenkeiError,
    Unavailable,
)
from renkei_personas.domain.case import Act, Case
from renkei_personas.domain.contacts import chained
from renkei_personas.domain.decide import Step, decide, strike
from renkei_personas.domain.plan import Basis, Rules
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import Allows
from renkei_personas.names import Names, denied
from renkei_personas.places import Passed
from renkei_personas.store import cases, records, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_personas.settings import Settings
    from renkei_personas.store.cases import Loaded

_ROLES: Final = frozenset({"OFFICER", "SUPERVISOR", "CUSTODIAN", "HQ_CHIEF"})
# What protects somebody or halts something is carried out by any clock.
_BY_ANY_CLOCK: Final = frozenset({"REPORT_DANGER", "COMPROMISE", "SUSPEND", "REPORT_INCIDENT", "VACATE", "COLLIDE"})
_SLACK_US: Final = 10_000_000  # clocks are slewed
_KINDS: Final[Mapping[str, type[RenkeiError]]] = {
    "INVALID_ARGUMENT": InvalidArgument,
    "PERMISSION_DENIED": NotAllowed,
    "FAILED_PRECONDITION": FailedPrecondition,
}


@dataclass(slots=True)
class _Work:
    """An investigation on its way through an act."""

    row: cases.Stored
    case: Case
    subject: str = ""
    reason: str = ""


class Acts:
    """What every method that changes an investigation goes through."""

    def __init__(self, *, names: Names, settings: Settings) -> None:
        """Take the agency's names, and what the force has set for itself."""
        self.names = names
        self._settings = settings

    def rules(self, connection: Connection | Transaction) -> Rules:
        """Say what the force has set for itself, with the legal bases that are registered."""
        bases = {row.id: basis_of(row) for row in records.bases(connection)}
        settings = self._settings
        return Rules(
            agency=self.names.agency,
            max_period_days=settings.max_period_days,
            approval_valid=timedelta(days=settings.approval_days),
            review_within=timedelta(hours=settings.review_hours),
            log_within=timedelta(hours=settings.log_hours),
            wind_down=timedelta(days=settings.wind_down_days),
            longest_hold=timedelta(days=settings.longest_hold_days),
            bases=bases,
        )

    def load(self, transaction: Transaction, persona: bytes, caller: Principal, *, etag: str = "") -> Loaded:
        """Read what the caller has a part in; everything else looks missing."""
        loaded = cases.load(transaction, persona)
        if loaded is None or not may_read(loaded.case, caller):
            raise denied()
        check_etag(etag_of(loaded.row), etag)
        return loaded

    def carry_out(
        self,
        transaction: Transaction,
        before: Loaded,
        act: Act,
        *,
        changes: Mapping[str, Any] | None = None,
        reason: str = "",
        subject: str = "",
    ) -> Loaded:
        """Carry out an act, what clocks do before and after it, and everything that is recorded about it.

        `changes` are columns that the rules do not know. Raises the error that a caller is told.
        """
        if act.action not in _BY_ANY_CLOCK:
            _check_clock(transaction)
        rules = self.rules(transaction)
        work = _Work(row=before.row, case=before.case)
        self._strike(transaction, work, rules)
        try:
            step = decide(work.case, act, rules)
        except Refused as refused:
            raise error_of(refused) from None
        failpoints.hit(f"personas.{act.action}.decided")
        work.row = replace(work.row, **(changes or {}))
        work.reason, work.subject = reason, subject
        self._note(transaction, work, step, actor=act.who, act=act)
        work.reason = work.subject = ""
        self._strike(transaction, work, rules)
        saved = cases.save(transaction, before, work.row, work.case, rules)
        failpoints.hit(f"personas.{act.action}.stored")
        return saved

    def let_clocks_strike(self, transaction: Transaction, persona: bytes) -> None:
        """Carry out every clock of an investigation that is due now. Nothing happens where none is."""
        before = cases.load(transaction, persona)
        if before is None:
            return
        rules = self.rules(transaction)
        work = _Work(row=before.row, case=before.case)
        self._strike(transaction, work, rules)
        if work.case is not before.case:
            cases.save(transaction, before, work.row, work.case, rules)
            failpoints.hit("personas.CLOCK.stored")

    def set_clocks(self, transaction: Transaction) -> None:
        """Note for every investigation when its next clock strikes, by the settings as they are now."""
        rules = self.rules(transaction)
        for persona in cases.every(transaction):
            loaded = cases.load(transaction, persona)
            if loaded is not None:
                cases.set_next(transaction, loaded, rules)

    def _strike(self, transaction: Transaction, work: _Work, rules: Rules) -> None:
        for clock, step in strike(work.case, transaction.now, rules):
            failpoints.hit(f"personas.{step.action}.decided")
            work.subject = ""
            if clock.subject:
                work.subject = self.names.part(work.row.id, "documents", bytes.fromhex(clock.subject))
            self._note(transaction, work, step, actor="clock")
            failpoints.hit(f"personas.{step.action}.noted")

    def _note(self, transaction: Transaction, work: _Work, step: Step, *, actor: str, act: Act | None = None) -> None:
        """Record a step: an entry in the chain, the tasks it opens, what others are told."""
        earlier, work.case = work.case, step.case
        row = work.row
        entry = personas_pb2.Entry(
            number=row.entries + 1,
            actor=actor,
            action=step.action,
            from_state=personas_pb2.Persona.State.ValueType(earlier.state),
            to_state=personas_pb2.Persona.State.ValueType(step.case.state),
            plan_hash=step.case.plan_hash.hex(),
            reason=work.reason,
            subject=work.subject,
        )
        entry.record_time.FromMicroseconds(transaction.now_us)
        if act is not None:
            _name_in(entry, act)
        content = entry.SerializeToString(deterministic=True)
        head = chained(row.entry_head, content)
        records.insert(
            transaction, tables.entries, {"persona": row.id, "number": entry.number, "content": content, "head": head}
        )
        for number, kind in enumerate(step.opens, start=row.tasks + 1):
            records.insert(transaction, tables.tasks, _task(transaction, row.id, number, int(kind)))
        if step.action in {"SUBMIT", "EXTEND"}:
            _keep_plan(transaction, work)
        work.row = replace(work.row, entries=entry.number, entry_head=head, tasks=row.tasks + len(step.opens))
        self._tell(transaction, work, step, actor)
        transaction.after_commit(Passed(f"personas.{step.action}.committed"))

    def _tell(self, transaction: Transaction, work: _Work, step: Step, actor: str) -> None:
        if step.action == "COLLIDE":
            return  # beside the time of the record, who reads both logs could tell which of them a legend is like
        name = self.names.persona(work.row.id)
        case = step.case
        if step.action == "SUBMIT":
            self._emit(
                transaction,
                name,
                events_pb2.PersonaSubmitted(name=name, plan_hash=case.plan_hash.hex(), drafter=case.drafter),
            )
        elif step.action == "APPROVE":
            self._emit(
                transaction,
                name,
                events_pb2.PersonaApproved(name=name, plan_hash=case.plan_hash.hex(), approver=case.approver),
            )
        else:
            state = personas_pb2.Persona.State.ValueType(case.state)
            self._emit(
                transaction, name, events_pb2.PersonaChanged(name=name, action=step.action, state=state, actor=actor)
            )
        if step.action in {"REPORT", "REPORT_EXTENSION"}:
            self._report(transaction, work)
        if step.action == "CLOSE" and case.reported:
            self._report_outcome(transaction, work)

    def _report(self, transaction: Transaction, work: _Work) -> None:
        """Tell the NPA the minimal facts of the plan that was approved last."""
        extension = work.case.extension
        plan = extension.plan if extension is not None else work.case.plan
        told = events_pb2.PersonaReported(
            plan=self.names.plan(work.row.plan_id),
            agency=self.names.agency,
            crime_code=personas_pb2.Plan.CrimeCode.ValueType(plan.crime),
            document_count=plan.document_count,
            version=work.case.reported,
        )
        told.period_start.FromDatetime(plan.start)
        told.period_end.FromDatetime(plan.end)
        self._send(transaction, told.plan, told)

    def _report_outcome(self, transaction: Transaction, work: _Work) -> None:
        plan = work.case.plan
        told = events_pb2.PersonaOutcomeReported(
            plan=self.names.plan(work.row.plan_id),
            agency=self.names.agency,
            crime_code=personas_pb2.Plan.CrimeCode.ValueType(plan.crime),
            documents_issued=work.case.issued,
            outcome=int(work.case.outcome or 0),  # type: ignore[arg-type] # the numbers are the contract's
        )
        told.period_start.FromDatetime(plan.start)
        told.period_end.FromDatetime(plan.end)
        self._send(transaction, told.plan, told)

    def _emit(self, transaction: Transaction, resource: str, payload: Any) -> None:  # noqa: ANN401 (one of our events)
        transaction.emit(NewEvent(payload=payload, resource=resource, trace_parent=transaction.trace_parent))

    def _send(self, transaction: Transaction, resource: str, payload: Any) -> None:  # noqa: ANN401 (one of our events)
        audience = {self._settings.npa: GRADE_INDEX_ONLY}
        transaction.emit(NewEvent(payload=payload, resource=resource, audience=audience))


def _check_clock(transaction: Transaction) -> None:
    """Refuse to act by a clock that this node saw later. The log alone need not know: it has few events."""
    behind_us = latest_seen(transaction) - transaction.now_us
    if behind_us > _SLACK_US:
        raise Unavailable(
            CLOCK_JUMPED,
            "the wall clock is behind what this node saw before; set it right",
            metadata={"behind_seconds": str(behind_us // 1_000_000)},
        )


def act_of(action: str, caller: Principal, transaction: Transaction, **more: Any) -> Act:  # noqa: ANN401 (an Act's fields)
    """Say what a caller wants to do."""
    return Act(action=action, who=caller.subject, roles=caller.roles & _ROLES, now=transaction.now, **more)


def may_read(case: Case, caller: Principal) -> bool:
    """Only those who have a part in an investigation see it, and the chief."""
    own = {case.drafter, case.supervisor, case.plan.custodian, *case.plan.team}
    return "HQ_CHIEF" in caller.roles or caller.subject in own


def etag_of(row: Any) -> str:  # noqa: ANN401 (a row with a version)
    """Give the etag of an investigation or document."""
    return f"{row.version}-{bytes(row.id).hex()[:16]}"


def check_etag(now: str, asked: str) -> None:
    """Refuse a stale etag; an empty one is not compared."""
    if asked and asked != now:
        raise Aborted("ETAG_MISMATCH", "the record changed since it was read; read it again")


def error_of(refused: Refused) -> RenkeiError:
    """Make what a caller is told of a refusal: the rule in both languages."""
    words = refused.words
    return _KINDS[words.status](
        refused.reason,
        words.en,
        metadata={**refused.metadata, "ja": words.ja},
        violations=[FieldViolation(field=name, description=words.en) for name in refused.fields],
    )


def basis_of(row: Any) -> Basis:  # noqa: ANN401 (a row of the table)
    """Read a legal basis whose signature was verified. One that was revoked ended then."""
    message = personas_pb2.LegalBasis.FromString(row.content)
    until = message.valid_until.ToMicroseconds()
    return Basis(
        allows=frozenset(Allows(value) for value in message.allows),
        valid_from=from_us(message.valid_from.ToMicroseconds()),
        valid_until=from_us(until if row.revoke_us is None else min(until, row.revoke_us)),
    )


def _keep_plan(transaction: Transaction, work: _Work) -> None:
    """Keep the bytes of what was submitted: a later plan takes their place in the row, and never in the record."""
    extension = work.case.extension
    plan, plan_hash = (work.row.plan, work.case.plan_hash)
    if extension is not None:
        plan, plan_hash = (work.row.extension_plan, extension.plan_hash)
    records.keep_plan(transaction, work.row.id, plan_hash, plan)


def _name_in(entry: personas_pb2.Entry, act: Act) -> None:
    """Write down what an act named: whom, with whom, on which contact, for when, with what outcome."""
    entry.officers.extend(act.officers or ((act.officer,) if act.officer else ()))
    entry.account = act.account
    entry.contact_number = act.number
    entry.outcome = act.outcome  # type: ignore[assignment] # the numbers are the contract's
    if act.time is not None:
        entry.time.FromDatetime(act.time)


def _task(transaction: Transaction, persona: bytes, number: int, kind: int) -> dict[str, Any]:
    return {
        "persona": persona,
        "number": number,
        "kind": kind,
        "create_us": transaction.now_us,
        "note": "",
        "completer": "",
        "complete_us": 0,
    }
