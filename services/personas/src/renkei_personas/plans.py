"""PersonasService, the writing half: plans, decisions, operation, tasks, danger."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.personas.v1 import enums_pb2, personas_pb2

from renkei_chassis import failpoints
from renkei_chassis.clock import from_us
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import InvalidArgument, NotFoundOrDenied
from renkei_chassis.ids import uuid7
from renkei_chassis.records.masks import read_mask, replace_fields
from renkei_chassis.records.times import broken_times
from renkei_personas.acts import Acts, act_of, error_of, may_read
from renkei_personas.domain.decide import action_on
from renkei_personas.domain.plan import plan_hash
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import State, TaskKind
from renkei_personas.names import denied
from renkei_personas.store import cases, records, tables
from renkei_personas.store.cases import Loaded
from renkei_personas.views import Views, flags_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal

    Rule = Callable[[Transaction, Any, Principal], Written]

_LATE_US = 24 * 3600 * 1_000_000
_LONGEST_REASON = 2000
_SETTLED_BY: Final[Mapping[int, str]] = {
    TaskKind.SAFETY: "SETTLE_DANGER",
    TaskKind.CHECK_DOCUMENT: "SETTLE_COLLISION",
}
"""What is over once the last task of a kind is done."""


class Plans:
    """What writes of PersonasService."""

    def __init__(self, *, acts: Acts) -> None:
        """Take what carries acts out."""
        self._acts = acts
        self._names = acts.names
        self._views = Views(acts.names)

    def methods(self) -> Mapping[str, WriteMethod]:
        """Give the methods."""
        simple: dict[str, Rule] = {
            "ReturnPersona": self._decision("RETURN"),
            "RejectPersona": self._decision("REJECT"),
            "ApprovePersona": self._approve,
            "ReportPersona": self._named("REPORT"),
            "RecordDeconfliction": self._deconflict,
            "ActivatePersona": self._named("ACTIVATE"),
            "SuspendPersona": self._named("SUSPEND"),
            "ResumePersona": self._named("RESUME"),
            "CompromisePersona": self._named("COMPROMISE"),
            "ArchivePersona": self._named("ARCHIVE"),
            "CreatePersona": self._create,
            "UpdatePersona": self._update,
            "SubmitPersona": self._submit,
            "ExtendPersona": self._extend,
            "ReportVacancy": self._vacate,
            "AppointSupervisor": self._appoint,
            "ClosePersona": self._close,
        }
        return {
            **{name: WriteMethod(rule=rule, rebuild=self._rebuild) for name, rule in simple.items()},
            "CompleteTask": WriteMethod(rule=self._complete, rebuild=self._rebuild_task),
            "ReportDanger": WriteMethod(rule=self._endanger, rebuild=self._rebuild_danger),
        }

    def _named(self, action: str) -> Rule:
        """Carry out an action that needs nothing but a name and perhaps a reason."""

        def rule(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401 (one of several)
            before = self._load(transaction, request, caller)
            act = act_of(action_on(before.case, action), caller, transaction)
            reason = getattr(request, "reason", "")
            return self._written(transaction, self._acts.carry_out(transaction, before, act, reason=reason))

        return rule

    def _decision(self, action: str) -> Rule:
        def rule(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401 (one of two)
            before = self._load(transaction, request, caller)
            read = bytes.fromhex(request.plan_hash)
            act = act_of(action_on(before.case, action), caller, transaction, plan_hash=read)
            changes = {"decision_reason": request.reason}
            after = self._acts.carry_out(transaction, before, act, changes=changes, reason=request.reason)
            return self._written(transaction, after)

        return rule

    def _create(
        self, transaction: Transaction, request: personas_pb2.CreatePersonaRequest, caller: Principal
    ) -> Written:
        self._names.own(request.parent)
        return self._written(transaction, self._begin(transaction, request.plan, caller))

    def _update(
        self, transaction: Transaction, request: personas_pb2.UpdatePersonaRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        plan = _changed(before, request)
        content = plan.SerializeToString(deterministic=True)
        act = act_of("UPDATE", caller, transaction, plan=cases.plan_of(plan), plan_hash=plan_hash(content))
        return self._written(transaction, self._acts.carry_out(transaction, before, act, changes={"plan": content}))

    def _submit(
        self, transaction: Transaction, request: personas_pb2.SubmitPersonaRequest, caller: Principal
    ) -> Written:
        if request.name:
            before = self._load(transaction, request, caller)
        else:
            self._names.own(request.parent)
            before = self._begin(transaction, request.plan, caller)
        act = act_of("SUBMIT", caller, transaction)
        changes = {"submit_us": transaction.now_us}
        return self._written(transaction, self._acts.carry_out(transaction, before, act, changes=changes))

    def _begin(self, transaction: Transaction, plan: personas_pb2.Plan, caller: Principal) -> Loaded:
        content = plan.SerializeToString(deterministic=True)
        row = cases.Stored(
            id=uuid7().bytes,
            plan_id=uuid.uuid4().bytes,
            version=1,
            state=int(State.DRAFT),
            drafter=caller.subject,
            supervisor=plan.supervisor,
            plan=content,
            plan_hash=plan_hash(content),
        )
        cases.add(transaction, row)
        failpoints.hit("personas.CREATE.stored")
        return Loaded(row=row, case=cases.case_of(transaction, row))

    def _approve(
        self, transaction: Transaction, request: personas_pb2.ApprovePersonaRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        read = bytes.fromhex(request.plan_hash)
        act = act_of(action_on(before.case, "APPROVE"), caller, transaction, plan_hash=read)
        return self._written(transaction, self._acts.carry_out(transaction, before, act))

    def _extend(
        self, transaction: Transaction, request: personas_pb2.ExtendPersonaRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        content = request.plan.SerializeToString(deterministic=True)
        act = act_of("EXTEND", caller, transaction, plan=cases.plan_of(request.plan), plan_hash=plan_hash(content))
        changes = {"extension_plan": content, "submit_us": transaction.now_us}
        return self._written(transaction, self._acts.carry_out(transaction, before, act, changes=changes))

    def _deconflict(
        self, transaction: Transaction, request: personas_pb2.RecordDeconflictionRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        act = act_of("DECONFLICT", caller, transaction)
        changes = {"deconflict_us": transaction.now_us}
        after = self._acts.carry_out(transaction, before, act, changes=changes, reason=request.reason)
        return self._written(transaction, after)

    def _vacate(
        self, transaction: Transaction, request: personas_pb2.ReportVacancyRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        when = from_us(request.vacancy_time.ToMicroseconds()) if request.HasField("vacancy_time") else None
        act = act_of("VACATE", caller, transaction, time=when)
        return self._written(transaction, self._acts.carry_out(transaction, before, act, reason=request.reason))

    def _appoint(
        self, transaction: Transaction, request: personas_pb2.AppointSupervisorRequest, caller: Principal
    ) -> Written:
        before = self._load(transaction, request, caller)
        act = act_of("APPOINT", caller, transaction, officer=request.supervisor, rank=request.rank)
        return self._written(transaction, self._acts.carry_out(transaction, before, act, subject=request.supervisor))

    def _close(self, transaction: Transaction, request: personas_pb2.ClosePersonaRequest, caller: Principal) -> Written:
        before = self._load(transaction, request, caller)
        act = act_of("CLOSE", caller, transaction, outcome=request.outcome)
        return self._written(transaction, self._acts.carry_out(transaction, before, act, reason=request.reason))

    def _complete(
        self, transaction: Transaction, request: personas_pb2.CompleteTaskRequest, caller: Principal
    ) -> Written:
        persona, number = self._names.read_numbered(request.name, "tasks")
        before = self._acts.load(transaction, persona, caller)
        row = records.one(transaction, tables.tasks, persona, number)
        if row is None:
            raise denied()
        if row.complete_us:
            raise error_of(Refused("TASK_DONE"))
        is_last = records.count_open(transaction, persona, row.kind) == 1
        action = _SETTLED_BY.get(row.kind, "COMPLETE_TASK") if is_last else "COMPLETE_TASK"
        act = act_of(action, caller, transaction)
        self._acts.carry_out(transaction, before, act, reason=request.note, subject=request.name)
        records.complete_task(transaction, persona, number, who=caller.subject, note=request.note)
        done = records.one(transaction, tables.tasks, persona, number)
        return Written(answer=self._views.task(done), resource=request.name)

    def _endanger(
        self, transaction: Transaction, request: personas_pb2.ReportDangerRequest, caller: Principal
    ) -> Written:
        """Record danger, whatever is wrong with the report. What is unusual is flagged, and opens a safety task too."""
        before = self._known(transaction, request.name)
        if list(broken_times(request, "")):  # no time that there is: never a reason to refuse
            said, request = request, personas_pb2.ReportDangerRequest()
            request.CopyFrom(said)
            request.ClearField("occur_time")
        flags = list(_flags(request, before, caller, transaction))
        number = uuid7()
        name = f"{self._names.agency}/dangers/{number}"
        records.insert(
            transaction,
            tables.dangers,
            {
                "id": number.bytes,
                "persona": before.row.id if before is not None else b"",
                "content": request.SerializeToString(deterministic=True),
                "reporter": caller.subject,
                "flags": " ".join(str(int(flag)) for flag in flags),
                "record_us": transaction.now_us,
            },
        )
        if before is not None:
            act = act_of("REPORT_DANGER", caller, transaction)
            self._acts.carry_out(transaction, before, act, reason=request.text[:_LONGEST_REASON], subject=name)
        return Written(answer=personas_pb2.ReportDangerResponse(name=name, flags=flags), resource=name)

    def _known(self, transaction: Transaction, name: str) -> Loaded | None:
        try:
            return cases.load(transaction, self._names.read_persona(name))
        except (InvalidArgument, NotFoundOrDenied):
            return None

    def _load(self, transaction: Transaction, request: Any, caller: Principal) -> Loaded:  # noqa: ANN401 (one of several)
        persona = self._names.read_persona(request.name)
        return self._acts.load(transaction, persona, caller, etag=request.etag)

    def _written(self, transaction: Transaction, loaded: Loaded) -> Written:
        answer = self._views.persona(loaded, self._acts.rules(transaction), transaction.now_us)
        return Written(answer=answer, resource=answer.name, version=loaded.row.version)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        """Answer with what is there now: an investigation keeps no versions of itself."""
        del version
        loaded = cases.load(transaction, self._names.read_persona(resource))
        return self._written(transaction, loaded).answer if loaded is not None else None

    def _rebuild_task(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = records.one(transaction, tables.tasks, *self._names.read_numbered(resource, "tasks"))
        return None if row is None else self._views.task(row)

    def _rebuild_danger(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = records.danger(transaction, uuid.UUID(resource.rpartition("/")[2]).bytes)
        return None if row is None else personas_pb2.ReportDangerResponse(name=resource, flags=flags_of(row))


def _changed(before: Loaded, request: personas_pb2.UpdatePersonaRequest) -> personas_pb2.Plan:
    """Give the plan that is asked for: all of the request's, or the stored one with what the mask names of it."""
    if not request.update_mask.paths:
        return request.plan
    plan = personas_pb2.Plan.FromString(before.row.plan)
    replace_fields(plan, request.plan, read_mask(plan.DESCRIPTOR, request.update_mask.paths, output_only=frozenset()))
    return plan


def _flags(
    request: personas_pb2.ReportDangerRequest, before: Loaded | None, caller: Principal, transaction: Transaction
) -> Sequence[enums_pb2.DangerFlag.ValueType]:
    flags = []
    if before is None:
        flags.append(enums_pb2.DANGER_FLAG_UNKNOWN_INVESTIGATION)
    else:
        if not may_read(before.case, caller):
            flags.append(enums_pb2.DANGER_FLAG_OUTSIDER)
        if before.case.state not in {State.ACTIVE, State.SUSPENDED}:
            flags.append(enums_pb2.DANGER_FLAG_NOT_UNDER_WAY)
    if request.HasField("occur_time") and request.occur_time.ToMicroseconds() < transaction.now_us - _LATE_US:
        flags.append(enums_pb2.DANGER_FLAG_LATE)
    if not request.text.strip():
        flags.append(enums_pb2.DANGER_FLAG_WITHOUT_WORDS)
    return flags
