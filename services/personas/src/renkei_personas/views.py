"""Turn rows into the messages of the contract."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, personas_pb2

from renkei_chassis.clock import from_us
from renkei_personas.acts import etag_of
from renkei_personas.domain.case import is_vacant
from renkei_personas.domain.clocks import clocks_of

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_personas.domain.plan import Rules
    from renkei_personas.names import Names
    from renkei_personas.store.cases import Loaded


class Views:
    """The messages of one agency's rows."""

    def __init__(self, names: Names) -> None:
        """Take what makes names."""
        self._names = names

    def persona(self, loaded: Loaded, rules: Rules, now_us: int) -> personas_pb2.Persona:
        """Show an investigation."""
        row, case = loaded.row, loaded.case
        answer = personas_pb2.Persona(
            name=self._names.persona(row.id),
            state=personas_pb2.Persona.State.ValueType(row.state),
            etag=etag_of(row),
            plan=personas_pb2.Plan.FromString(row.plan),
            plan_hash=row.plan_hash.hex(),
            drafter=row.drafter,
            approver=row.approver,
            plan_version=row.plan_version,
            supervisor="" if is_vacant(case, from_us(now_us)) else row.supervisor,
            suspend_reason=enums_pb2.SuspendReason.ValueType(row.halt),
            in_danger=row.in_danger,
            incident_open=row.incident_open,
            outcome=enums_pb2.Outcome.ValueType(row.outcome),
            decision_reason=row.decision_reason,
            documents_issued=case.issued,
        )
        _set(answer.submit_time, row.submit_us)
        _set(answer.approve_time, row.approve_us)
        _set(answer.vacancy_time, row.vacancy_us)
        _set(answer.acknowledge_time, row.acknowledge_us)
        _set(answer.deconflict_time, row.deconflict_us)
        if row.extension_stage:
            answer.extension.plan.ParseFromString(row.extension_plan)
            answer.extension.plan_hash = row.extension_hash.hex()
            answer.extension.stage = personas_pb2.Extension.Stage.ValueType(row.extension_stage)
            answer.extension.approver = row.extension_approver
            answer.extension.decision_reason = row.decision_reason
        for clock in clocks_of(case, rules):
            subject = self._names.part(row.id, "documents", bytes.fromhex(clock.subject)) if clock.subject else ""
            shown = answer.clocks.add(kind=enums_pb2.ClockKind.ValueType(clock.kind), subject=subject)
            shown.due_time.FromDatetime(clock.due)
        return answer

    def document(self, row: Any) -> documents_pb2.Document:  # noqa: ANN401 (a row of the table)
        """Show a document's entry."""
        answer = documents_pb2.Document(
            name=self._names.part(bytes(row.persona), "documents", bytes(row.id)),
            state=row.paper,
            etag=etag_of(row),
            kind=row.kind,
            legend=documents_pb2.Legend.FromString(row.legend),
            issuer=row.issuer,
            custodian=row.custodian,
            holder=row.holder,
            presented=row.presented,
            witnesses=row.witnesses.split(),
            witnessed=row.witnessed.split(),
            collided=row.collided,
        )
        _set(answer.issue_time, row.issue_us)
        _set(answer.check_time, row.check_us)
        _set(answer.destroy_time, row.destroy_us)
        _set(answer.hold_review_time, row.hold_review_us)
        return answer

    def contact(self, row: Any) -> contacts_pb2.Contact:  # noqa: ANN401 (a row of the table)
        """Show a contact."""
        answer = contacts_pb2.Contact.FromString(row.content)
        answer.head = bytes(row.head)
        answer.reviewer = row.reviewer
        _set(answer.review_time, row.review_us)
        return answer

    def entry(self, row: Any) -> personas_pb2.Entry:  # noqa: ANN401 (a row of the table)
        """Show an entry."""
        answer = personas_pb2.Entry.FromString(row.content)
        answer.head = bytes(row.head)
        return answer

    def plan_version(self, row: Any) -> personas_pb2.PlanVersion:  # noqa: ANN401 (a row of the table)
        """Show a plan as it was submitted."""
        answer = personas_pb2.PlanVersion(
            plan_hash=bytes(row.plan_hash).hex(), plan=personas_pb2.Plan.FromString(row.content), number=row.number
        )
        _set(answer.submit_time, row.submit_us)
        return answer

    def task(self, row: Any) -> personas_pb2.Task:  # noqa: ANN401 (a row of the table)
        """Show a task."""
        answer = personas_pb2.Task(
            name=self._names.part(bytes(row.persona), "tasks", row.number),
            kind=row.kind,
            note=row.note,
            completer=row.completer,
        )
        _set(answer.create_time, row.create_us)
        _set(answer.complete_time, row.complete_us)
        return answer

    def danger(self, row: Any) -> personas_pb2.Danger:  # noqa: ANN401 (a row of the table)
        """Show a report of danger."""
        said = personas_pb2.ReportDangerRequest.FromString(row.content)
        answer = personas_pb2.Danger(
            name=f"{self._names.agency}/dangers/{uuid.UUID(bytes=bytes(row.id))}",
            persona=self._names.persona(bytes(row.persona)) if row.persona else "",
            kind=said.kind,
            text=said.text,
            reporter=row.reporter,
            flags=flags_of(row),
        )
        if said.HasField("occur_time"):
            answer.occur_time.CopyFrom(said.occur_time)
        _set(answer.record_time, row.record_us)
        return answer

    def basis(self, row: Any) -> personas_pb2.LegalBasis:  # noqa: ANN401 (a row of the table)
        """Show a legal basis as it was signed, and when it was revoked."""
        answer = personas_pb2.LegalBasis.FromString(row.content)
        _set(answer.revoke_time, row.revoke_us or 0)
        return answer

    def disclosure(self, row: Any, *, whole: bool) -> contacts_pb2.Disclosure:  # noqa: ANN401 (a row of the table)
        """Show a disclosure; what was prepared only to who prepared it."""
        answer = contacts_pb2.Disclosure.FromString(row.content)
        if not whole:
            answer.ClearField("tip_request")
            answer.ClearField("harm_request")
        answer.record = row.record
        return answer


def flags_of(row: Any) -> list[enums_pb2.DangerFlag.ValueType]:  # noqa: ANN401 (a row of the table)
    """Read the flags of a report of danger."""
    return [enums_pb2.DangerFlag.ValueType(int(flag)) for flag in row.flags.split()]


def _set(timestamp: Timestamp, microseconds: int) -> None:
    if microseconds:
        timestamp.FromMicroseconds(microseconds)
