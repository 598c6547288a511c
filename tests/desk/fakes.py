"""Stand-ins for the services that a desk asks: they answer what is invented, over real gRPC."""

# ruff: noqa: ANN401 (requests and answers of any method)

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pool
from renkei.arrests.v1.arrests_pb2 import Arrest, ListArrestsResponse, SearchArrestsResponse
from renkei.arrests.v1.clocks_pb2 import AcknowledgeClockRequest, ListClocksResponse, RunningClock
from renkei.exchange.v1.exchange_pb2 import ListPeersResponse
from renkei.leads.v1.follow_up_pb2 import (
    BatchFollowUpLeadsRequest,
    BatchFollowUpLeadsResponse,
    FollowUp,
    LeadFollowUpResult,
    LeadStep,
    ListLeadStepsResponse,
)
from renkei.leads.v1.leads_pb2 import (
    AgencyLeads,
    GetLeadCountsRequest,
    IdentifierTypeLeads,
    Lead,
    LeadCounts,
    ListLeadsRequest,
    ListLeadsResponse,
)
from renkei.personas.v1.reports_pb2 import Statistics, StatisticsRow
from renkei.policy.v1.differences_pb2 import FieldDifference, VersionNote
from renkei.tips.v1.differences_pb2 import ListTipDifferencesRequest, ListTipDifferencesResponse
from renkei.tips.v1.tips_pb2 import SearchTipsResponse, Tip

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFoundOrDenied,
    RenkeiError,
    Unimplemented,
    to_status,
)
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, Method, ReadMethod, StreamMethod
from renkei_desk.domain.cases import Case

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from renkei.identifiers.v1.identifiers_pb2 import IdentifierType


AGENCY: Final = "agencies/jp-12"
NEIGHBOURS: Final = ("tips", "arrests", "leads", "personas", "exchange")
_DOORS: Final = {
    "tips": ("renkei.tips.v1.TipsService",),
    "arrests": ("renkei.arrests.v1.ArrestsService", "renkei.arrests.v1.ClocksService"),
    "leads": ("renkei.leads.v1.LeadsService", "renkei.leads.v1.FollowUpService"),
    "personas": ("renkei.personas.v1.ReportsService",),
    "exchange": ("renkei.exchange.v1.ExchangeService",),
}


CASES: Final = (
    Case(
        day=date(2024, 8, 27), agency="jp-11", place="演習市", crime="robbery causing injury", detail="", counted=True
    ),
    Case(day=date(2024, 9, 30), agency="jp-14", place="演習町", crime="confinement", detail="x", counted=False),
)


@dataclass(slots=True)
class World:
    """What the stand-ins answer, and who asked them."""

    leads: dict[str, Lead] = field(default_factory=dict)
    records: dict[str, Tip | Arrest] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Names that nobody may see."""
    peers: ListPeersResponse = field(default_factory=ListPeersResponse)
    roles: set[str] = field(default_factory=lambda: {"OFFICER", "SUPERVISOR", "NPA_DESK"})
    """What an officer may still be, when a token is renewed."""
    clocks: list[RunningClock] = field(default_factory=list)
    acknowledged: list[tuple[str, str, str]] = field(default_factory=list)
    """What was acknowledged: the request, the clock and the note."""
    asked: list[ListLeadsRequest] = field(default_factory=list)
    steps: list[LeadStep] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    """Whoever looked at a lead."""
    acts: list[BatchFollowUpLeadsRequest] = field(default_factory=list)
    refusing: dict[str, RenkeiError] = field(default_factory=dict)
    """Leads that are not to be followed up, by name, and why."""
    undercover: list[StatisticsRow] = field(default_factory=list)
    searches: list[Any] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)

    def apis(self) -> Mapping[str, Api]:
        """Give the methods of every stand-in; those that the desk does not use answer that they are not there."""
        answers: dict[str, Callable[[Any], Any]] = {
            "GetTip": self._record,
            "GetArrest": self._record,
            "GetLead": self._lead,
            "ListLeads": self._list_leads,
            "GetLeadCounts": self._count_leads,
            "MarkLeadSeen": lambda _: FollowUp(),
            "ListLeadSteps": lambda _: ListLeadStepsResponse(steps=self.steps),
            "BatchFollowUpLeads": self._follow_up,
            "SearchTips": lambda request: SearchTipsResponse(
                tips=[each for each in self._searched(request) if isinstance(each, Tip)]
            ),
            "SearchArrests": lambda request: SearchArrestsResponse(
                arrests=[each for each in self._searched(request) if isinstance(each, Arrest)]
            ),
            "ListPeers": lambda _: self.peers,
            "ListArrests": lambda _: ListArrestsResponse(
                arrests=[each for each in self._seen() if isinstance(each, Arrest)]
            ),
            "GetStatistics": lambda request: Statistics(
                year=request.year,
                investigations=sum(row.investigations for row in self.undercover),
                rows=self.undercover,
            ),
            "ListTipDifferences": self._differences,
            "ListClocks": lambda _: ListClocksResponse(clocks=self.clocks),
            "AcknowledgeClock": self._acknowledge,
        }
        return {
            name: {
                door: {
                    method.name: _method(method, self._noting(answers[method.name]) if method.name in answers else None)
                    for method in descriptor_pool.Default().FindServiceByName(door).methods
                }
                for door in doors
            }
            for name, doors in _DOORS.items()
        }

    def _list_leads(self, request: ListLeadsRequest) -> ListLeadsResponse:
        self.asked.append(request)
        listed = [
            lead
            for lead in self.leads.values()
            if not request.record or request.record in {record.name for record in lead.records}
        ]
        wanted = set(request.follow_up_states)
        listed = [each for each in listed if not wanted or each.follow_up.state in wanted]
        if request.order == request.ORDER_URGENCY:
            listed.sort(key=_urgency)
        return ListLeadsResponse(leads=listed)

    def _count_leads(self, request: GetLeadCountsRequest) -> LeadCounts:
        wanted = set(request.follow_up_states)
        counts = LeadCounts()
        agencies: dict[str, AgencyLeads] = {}
        types: dict[IdentifierType.ValueType, IdentifierTypeLeads] = {}
        for lead in self.leads.values():
            kinds = {each.type for each in lead.evidence}
            changed = lead.update_time.ToMicroseconds()
            if (
                (wanted and lead.follow_up.state not in wanted)
                or (request.identifier_type and request.identifier_type not in kinds)
                or (request.HasField("min_update_time") and changed < request.min_update_time.ToMicroseconds())
                or (request.HasField("max_update_time") and changed >= request.max_update_time.ToMicroseconds())
            ):
                continue
            is_supported = lead.state == Lead.STATE_SUPPORTED
            counts.leads += 1
            counts.supported += is_supported
            for agency in sorted({"/".join(record.name.split("/")[:2]) for record in lead.records}):
                row = agencies.setdefault(agency, AgencyLeads(agency=agency))
                row.leads += 1
                row.supported += is_supported
            for kind in kinds:
                types.setdefault(kind, IdentifierTypeLeads(type=kind)).leads += 1
        counts.agencies.extend(agencies[name] for name in sorted(agencies))
        counts.types.extend(types[kind] for kind in sorted(types))
        return counts

    def _follow_up(self, request: BatchFollowUpLeadsRequest) -> BatchFollowUpLeadsResponse:
        if request.step == request.STEP_DISMISS and not request.reason:
            raise InvalidArgument("FIELD_INVALID", "reason: is needed")
        self.acts.append(request)
        results = []
        for lead in request.leads:
            refusal = self.refusing.get(lead.name)
            result = LeadFollowUpResult(name=lead.name)
            if refusal is None:
                result.follow_up.SetInParent()
            else:
                result.error.CopyFrom(to_status(refusal))
            results.append(result)
        return BatchFollowUpLeadsResponse(results=results)

    def _acknowledge(self, request: AcknowledgeClockRequest) -> RunningClock:
        clock = next(each for each in self.clocks if each.name == request.name)
        if clock.warned_level != request.level:
            raise FailedPrecondition("NOTHING_TO_ACKNOWLEDGE", "another warning came meanwhile")
        self.acknowledged.append((request.request_id, request.name, request.note))
        return clock

    def _differences(self, request: ListTipDifferencesRequest) -> ListTipDifferencesResponse:
        told = "本文が「旧」から「新」に変わった"
        answer = ListTipDifferencesResponse(differences=[FieldDifference(text_ja=told, text_en="changed")])
        answer.to.MergeFrom(VersionNote(version=request.to_version, reason="誤記", recorder="x/officers/abe"))
        return answer

    def _searched(self, request: Any) -> list[Tip | Arrest]:
        self.searches.append(request)
        if len(request.identifier or request.text) < (4 if request.identifier else 2):
            raise InvalidArgument("FIELD_INVALID", "too short")
        return self._seen()

    def _seen(self) -> list[Tip | Arrest]:
        return [record for name, record in self.records.items() if name not in self.hidden]

    def _record(self, request: Any) -> Tip | Arrest:
        if request.name not in self.records or request.name in self.hidden:
            raise NotFoundOrDenied("DENIED", "the record may not be seen by this caller")
        return self.records[request.name]

    def _lead(self, request: Any) -> Lead:
        if request.name not in self.leads or request.name in self.hidden:
            raise NotFoundOrDenied("DENIED", "the lead may not be seen by this caller")
        return self.leads[request.name]

    def _noting(self, answer: Callable[[Any], Any]) -> Callable[[Any, Call], Any]:
        async def noting(request: Any, call: Call) -> Any:
            self.callers.append(call.caller.subject)
            if call.path.endswith("/MarkLeadSeen"):
                self.looked.append(request.name)
            return answer(request)

        return noting


def _urgency(lead: Lead) -> tuple[int, bool, int]:
    waits = lead.follow_up.state == FollowUp.STATE_NEW
    return -lead.state, not waits, lead.follow_up.due_time.ToMicroseconds() if waits else 0


def _method(descriptor: Any, answer: Callable[[Any, Call], Any] | None) -> Method:
    async def absent(_request: Any, _call: Call) -> Any:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    def absent_stream(_request: Any, _call: Call) -> AsyncIterator[Any]:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    def absent_rule(_transaction: Any, _request: Any, _caller: Any) -> Any:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    if descriptor.client_streaming:
        return DuplexMethod(answers=absent_stream)
    if descriptor.server_streaming:
        return StreamMethod(answers=absent_stream)
    if "request_id" in descriptor.input_type.fields_by_name and answer is None:
        return WriteMethod(rule=absent_rule, rebuild=absent_rule)
    return ReadMethod(answer=answer or absent)
