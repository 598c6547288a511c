"""FollowUpService: what people do about leads, one by one or many at once, and what was done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei.leads.v1 import follow_up_pb2 as pb
from renkei.policy.v1 import policy_pb2

from renkei_chassis import contract
from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.errors import RenkeiError, ResourceExhausted, Unavailable, to_status
from renkei_chassis.identity import authorize
from renkei_chassis.ids import uuid8_of
from renkei_chassis.resource_names import AGENCY
from renkei_chassis.rpc.methods import Call, ReadMethod
from renkei_chassis.rpc.validation import validate
from renkei_leads import follow_up_rows, store
from renkei_leads.api import NAME, denied
from renkei_leads.follow_up_rules import FollowUpRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.rpc.methods import Method
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_leads.content import Terms

SERVICE: Final = "renkei.leads.v1.FollowUpService"
TAG: Final = b"renkei-batch-follow-up-v1"
_POLICIES: Final = {path: policy for path, _, policy in contract.methods() if path.startswith(f"/{SERVICE}/")}
_KIND: Final = "lead-steps"
_DEFAULT: Final = 50
_LARGEST: Final = 500
_BATCH: Final = pb.BatchFollowUpLeadsRequest
_STEPS: Final[Mapping[int, tuple[str, Callable[..., Message]]]] = {
    _BATCH.STEP_TAKE: ("TakeLead", pb.TakeLeadRequest),
    _BATCH.STEP_ASSIGN: ("AssignLead", pb.AssignLeadRequest),
    _BATCH.STEP_HAND_OVER: ("HandOverLead", pb.HandOverLeadRequest),
    _BATCH.STEP_ACKNOWLEDGE: ("AcknowledgeLead", pb.AcknowledgeLeadRequest),
    _BATCH.STEP_SNOOZE: ("SnoozeLead", pb.SnoozeLeadRequest),
    _BATCH.STEP_CONFIRM: ("ConfirmLead", pb.ConfirmLeadRequest),
    _BATCH.STEP_DISMISS: ("DismissLead", pb.DismissLeadRequest),
    _BATCH.STEP_REOPEN: ("ReopenLead", pb.ReopenLeadRequest),
}
# What a batch says once for all of its leads.
_SHARED: Final = ("reason", "assignee", "unit")


class FollowUpApi:
    """The methods of FollowUpService for one agency."""

    def __init__(self, *, agency: str, terms: Terms, database: Database, tokens: PageTokens, writer: Writer) -> None:
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._writer = writer
        rules = FollowUpRules(agency=agency, terms=terms)
        write = partial(WriteMethod, rebuild=rules.rebuild)
        self._writing = {
            "MarkLeadSeen": write(rule=rules.mark_seen),
            "TakeLead": write(rule=rules.take),
            "AssignLead": write(rule=rules.assign),
            "HandOverLead": write(rule=rules.hand_over),
            "AcknowledgeLead": write(rule=rules.acknowledge),
            "SnoozeLead": write(rule=rules.snooze),
            "ConfirmLead": write(rule=rules.confirm),
            "DismissLead": write(rule=rules.dismiss),
            "ReopenLead": write(rule=rules.reopen),
        }

    def methods(self) -> Mapping[str, Method]:
        """Give every method of the contract."""
        return {
            **self._writing,
            "BatchFollowUpLeads": ReadMethod(answer=self._batch),
            "ListLeadSteps": ReadMethod(answer=self._list_steps),
        }

    async def _batch(self, request: pb.BatchFollowUpLeadsRequest, call: Call) -> pb.BatchFollowUpLeadsResponse:
        """Take the step with each lead as its own method does; the writer commits them as one group."""
        if request.parent != self._agency:
            AGENCY.parse(request.parent, field="parent")
            raise denied()
        name, make = _STEPS[request.step]
        path = f"/{SERVICE}/{name}"
        policy = _POLICIES[path]
        authorize(call.caller, policy.permission, [_role(role) for role in policy.roles])
        singles = [_single(request, lead, make) for lead in request.leads]
        for single in singles:
            validate(single)
        outcomes = await self._writer.call_many(
            self._writing[name],
            path=path,
            requests=singles,
            request_type=type(singles[0]),
            caller=call.caller,
            trace_parent=call.trace_parent,
        )
        results = map(_result, request.leads, outcomes)
        return pb.BatchFollowUpLeadsResponse(results=results)

    async def _list_steps(self, request: pb.ListLeadStepsRequest, call: Call) -> pb.ListLeadStepsResponse:
        del call
        lead = NAME.parse(request.name)["lead"]
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        position = self._tokens.decode(_KIND, request, request.page_token)
        after = (int(position[0]), str(position[1]), int(position[2])) if position is not None else None

        def question(connection: Connection) -> Sequence[Row[Any]] | None:
            if not request.name.startswith(f"{self._agency}/") or store.find_lead(connection, lead) is None:
                return None
            return follow_up_rows.steps_of(connection, lead, after=after, limit=size + 1)

        rows = await self._database.read(question)
        if rows is None:
            raise denied()
        answer = pb.ListLeadStepsResponse(steps=map(self._step, rows[:size]))
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = self._tokens.encode(_KIND, request, (last.time_us, last.lead, last.number))
        return answer

    def _step(self, row: Row[Any]) -> pb.LeadStep:
        step = pb.LeadStep(
            lead=self._name(row.lead),
            number=row.number,
            kind=row.kind,
            actor=row.actor,
            reason=row.reason,
            state=row.standing,
            holder=row.holder,
            unit=row.unit,
            other=self._name(row.other) if row.other else "",
        )
        step.time.FromMicroseconds(row.time_us)
        if row.snooze_end_us is not None:
            step.snooze_end_time.FromMicroseconds(row.snooze_end_us)
        return step

    def _name(self, lead: str) -> str:
        return f"{self._agency}/leads/{lead}"


def _single(request: pb.BatchFollowUpLeadsRequest, lead: pb.LeadToFollowUp, make: Callable[..., Message]) -> Message:
    """Make the request of one lead: the same batch and lead have the same request id, whoever sends them again."""
    single = make(
        request_id=str(uuid8_of(TAG, f"{request.request_id.lower()}/{lead.name}")), name=lead.name, etag=lead.etag
    )
    for field in _SHARED:
        if field in single.DESCRIPTOR.fields_by_name:
            setattr(single, field, getattr(request, field))
    if isinstance(single, pb.SnoozeLeadRequest) and request.HasField("snooze_end_time"):
        single.snooze_end_time.CopyFrom(request.snooze_end_time)
    return single


def _result(lead: pb.LeadToFollowUp, outcome: Message | BaseException) -> pb.LeadFollowUpResult:
    """Tell what came of one lead; what is no lead's fault fails the call, which may be repeated."""
    if isinstance(outcome, pb.FollowUp):
        return pb.LeadFollowUpResult(name=lead.name, follow_up=outcome)
    if isinstance(outcome, RenkeiError) and not isinstance(outcome, Unavailable | ResourceExhausted):
        return pb.LeadFollowUpResult(name=lead.name, error=to_status(outcome))
    assert isinstance(outcome, BaseException)  # noqa: S101 (there is no other answer)
    raise outcome


def _role(role: int) -> str:
    return policy_pb2.Role.Name(policy_pb2.Role.ValueType(role)).removeprefix("ROLE_")
