"""Ask the services of the agency, always with the officer's own token: what they may not see is never here."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1.arrests_pb2 import GetArrestRequest, ListArrestsRequest, SearchArrestsRequest
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.clocks_pb2 import AcknowledgeClockRequest, ListClocksRequest
from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub
from renkei.arrests.v1.differences_pb2 import ListArrestDifferencesRequest
from renkei.exchange.v1.exchange_pb2 import ListPeersRequest
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_UNSPECIFIED
from renkei.leads.v1.follow_up_pb2 import ListLeadStepsRequest, MarkLeadSeenRequest
from renkei.leads.v1.follow_up_pb2_grpc import FollowUpServiceStub
from renkei.leads.v1.leads_pb2 import GetLeadCountsRequest, GetLeadRequest, ListLeadsRequest
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.personas.v1.reports_pb2 import GetStatisticsRequest
from renkei.personas.v1.reports_pb2_grpc import ReportsServiceStub
from renkei.tips.v1.differences_pb2 import ListTipDifferencesRequest
from renkei.tips.v1.tips_pb2 import GetTipRequest, SearchTipsRequest
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.errors import InvalidArgument, NotAllowed, RenkeiError
from renkei_chassis.rpc.client import Client
from renkei_desk.domain.dates import JAPAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.arrests.v1.clocks_pb2 import ListClocksResponse
    from renkei.arrests.v1.differences_pb2 import ListArrestDifferencesResponse
    from renkei.exchange.v1.exchange_pb2 import ListPeersResponse
    from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
    from renkei.leads.v1.follow_up_pb2 import BatchFollowUpLeadsRequest, FollowUp, LeadFollowUpResult, LeadStep
    from renkei.leads.v1.leads_pb2 import Lead, LeadCounts, ListLeadsResponse
    from renkei.personas.v1.reports_pb2 import Statistics
    from renkei.tips.v1.differences_pb2 import ListTipDifferencesResponse
    from renkei.tips.v1.tips_pb2 import Tip

    from renkei_desk.domain.question import Question

    Differences = ListTipDifferencesResponse | ListArrestDifferencesResponse

_SECONDS: Final = 5.0
_AT_ONCE: Final = 8
_PAGE: Final = 200
FOUND_AT_MOST: Final = 50
COUNTED_AT_MOST: Final = 1000
"""So many arrests are counted for the figures, and so many leads are in a file: more would keep the service from
others."""
FIRST_YEAR: Final = 2025
"""Of the statistics of undercover work."""
ON_BEHALF_OF: Final[ContextVar[str | None]] = ContextVar("ON_BEHALF_OF", default=None)
"""The token of the officer whose page is being made. Unset, the services refuse every question."""
PURPOSE: Final[ContextVar[str | None]] = ContextVar("PURPOSE", default=None)
"""The id of why they ask, where they said so."""


class Asking:
    """Asks on behalf of whoever `ON_BEHALF_OF` names. Errors are those of `renkei_chassis.errors`."""

    def __init__(self, agency: str, addresses: Mapping[str, str]) -> None:
        """Nothing connects yet."""
        self._agency = agency
        self._addresses = addresses
        self._clients: dict[str, Client] = {}

    async def leads(
        self,
        *,
        page_token: str = "",
        size: int = 50,
        states: Sequence[FollowUp.State.ValueType] = (),
        mine: bool = False,
    ) -> ListLeadsResponse:
        """List a page of live leads, the urgent ones first; `states` are those of their follow-up."""
        client = self._client("leads")
        request = ListLeadsRequest(
            parent=self._agency,
            page_size=size,
            page_token=page_token,
            follow_up_states=states,
            mine=mine,
            order=ListLeadsRequest.ORDER_URGENCY,
        )
        return await client.call(client.stub(LeadsServiceStub).ListLeads, request, seconds=_SECONDS)

    async def lead_counts(
        self,
        *,
        states: Sequence[FollowUp.State.ValueType] = (),
        begin: datetime | None = None,
        end: datetime | None = None,
        kind: IdentifierType.ValueType = IDENTIFIER_TYPE_UNSPECIFIED,
    ) -> LeadCounts:
        """Count live leads: of these states, that last changed from `begin` to before `end`, of this evidence."""
        client = self._client("leads")
        times: dict[str, Any] = {"min_update_time": begin, "max_update_time": end}
        request = GetLeadCountsRequest(parent=self._agency, follow_up_states=states, identifier_type=kind, **times)
        return await client.call(client.stub(LeadsServiceStub).GetLeadCounts, request, seconds=_SECONDS)

    async def lead(self, lead: str) -> Lead:
        """Read a lead by its id."""
        client = self._client("leads")
        request = GetLeadRequest(name=f"{self._agency}/leads/{lead}")
        return await client.call(client.stub(LeadsServiceStub).GetLead, request, seconds=_SECONDS)

    async def follow_up(self, request: BatchFollowUpLeadsRequest) -> Sequence[LeadFollowUpResult]:
        """Take a step with some leads, each for itself; once for each request id."""
        client = self._client("leads")
        answer = await client.call(client.stub(FollowUpServiceStub).BatchFollowUpLeads, request, seconds=_SECONDS)
        return answer.results

    async def mark_seen(self, lead: str, form: str) -> FollowUp:
        """Note that the officer looks at a lead."""
        client = self._client("leads")
        request = MarkLeadSeenRequest(request_id=form, name=f"{self._agency}/leads/{lead}")
        return await client.call(client.stub(FollowUpServiceStub).MarkLeadSeen, request, seconds=_SECONDS)

    async def steps(self, lead: str) -> list[LeadStep]:
        """List what was done about a lead, oldest first."""
        client = self._client("leads")
        request = ListLeadStepsRequest(name=f"{self._agency}/leads/{lead}", page_size=500)
        answer = await client.call(client.stub(FollowUpServiceStub).ListLeadSteps, request, seconds=_SECONDS)
        return list(answer.steps)

    async def tip(self, name: str, version: int = 0) -> Tip:
        """Read a tip; version 0 is the newest."""
        client = self._client("tips")
        request = GetTipRequest(name=name, version=version)
        return await client.call(client.stub(TipsServiceStub).GetTip, request, seconds=_SECONDS)

    async def arrest(self, name: str, version: int = 0) -> Arrest:
        """Read an arrest record; version 0 is the newest."""
        client = self._client("arrests")
        request = GetArrestRequest(name=name, version=version)
        return await client.call(client.stub(ArrestsServiceStub).GetArrest, request, seconds=_SECONDS)

    async def record(self, name: str, version: int = 0) -> Tip | Arrest:
        """Read a tip or an arrest record."""
        return await self.tip(name, version) if "/tips/" in name else await self.arrest(name, version)

    async def records(self, names: Iterable[str]) -> dict[str, Tip | Arrest]:
        """Read those of the records that the officer may see; of the others nothing is said."""
        some = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> Tip | Arrest:
            async with some:
                return await self.record(name)

        wanted = list(names)
        found = await asyncio.gather(*(one(name) for name in wanted), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException) and not isinstance(each, RenkeiError):
                raise each
        return {name: each for name, each in zip(wanted, found, strict=True) if not isinstance(each, BaseException)}

    async def search(self, question: Question) -> tuple[list[Tip | Arrest], bool]:
        """Find tips and arrests that have the words as an identifier or a part of one, or in their texts.

        True: there are more. Raises InvalidArgument where nothing of it is long enough to be searched for.
        """
        asked = await asyncio.gather(
            *(self._search(kind, by, question) for by in ("identifier", "text") for kind in ("tips", "arrests")),
            return_exceptions=True,
        )
        answers = [each for each in asked if not isinstance(each, BaseException)]
        for each in asked:
            # What is too short as an identifier may be long enough as a word.
            if isinstance(each, BaseException) and not (answers and isinstance(each, InvalidArgument)):
                raise each
        found: dict[str, Tip | Arrest] = {}
        for records, _ in answers:
            found.update({each.name: each for each in records if each.name not in found})
        return list(found.values()), any(more for _, more in answers)

    async def _search(self, kind: str, by: str, question: Question) -> tuple[Sequence[Tip | Arrest], bool]:
        within: dict[str, Any] = {by: question.words, "page_size": FOUND_AT_MOST}
        if question.agency:
            within["parent"] = f"agencies/{question.agency}"
        if question.day is not None:
            begin = datetime.combine(question.day, time(), JAPAN)
            within |= {"min_create_time": begin, "max_create_time": begin + timedelta(days=1)}
        if kind == "tips":
            tips = self._client("tips")
            wanted = SearchTipsRequest(**within)
            held = await tips.call(tips.stub(TipsServiceStub).SearchTips, wanted, seconds=_SECONDS)
            return held.tips, bool(held.next_page_token)
        arrests = self._client("arrests")
        also = SearchArrestsRequest(**within)
        answer = await arrests.call(arrests.stub(ArrestsServiceStub).SearchArrests, also, seconds=_SECONDS)
        return answer.arrests, bool(answer.next_page_token)

    async def differences(self, name: str, version: int) -> Differences | None:
        """Tell what a version changed against the one before; None where the officer may not compare them."""
        try:
            if "/tips/" in name:
                tips = self._client("tips")
                asked = ListTipDifferencesRequest(name=name, to_version=version)
                return await tips.call(tips.stub(TipsServiceStub).ListTipDifferences, asked, seconds=_SECONDS)
            arrests = self._client("arrests")
            wanted = ListArrestDifferencesRequest(name=name, to_version=version)
            return await arrests.call(arrests.stub(ArrestsServiceStub).ListArrestDifferences, wanted, seconds=_SECONDS)
        except NotAllowed:
            return None

    async def leads_of(self, record: str) -> list[Lead]:
        """List the live leads that hold a record; none where the officer may see no leads."""
        client = self._client("leads")
        request = ListLeadsRequest(parent=self._agency, record=record)
        try:
            answer = await client.call(client.stub(LeadsServiceStub).ListLeads, request, seconds=_SECONDS)
        except NotAllowed:
            return []
        return list(answer.leads)

    async def peers(self) -> ListPeersResponse:
        """List the other agencies and how their lanes stand."""
        client = self._client("exchange")
        request = ListPeersRequest(page_size=64)
        return await client.call(client.stub(ExchangeServiceStub).ListPeers, request, seconds=_SECONDS)

    async def many_leads(self) -> list[Lead]:
        """List live leads for a file, the urgent ones first."""
        found: list[Lead] = []
        token = ""
        while len(found) < COUNTED_AT_MOST:
            answer = await self.leads(page_token=token, size=_PAGE)
            found += answer.leads
            token = answer.next_page_token
            if not token:
                break
        return found

    async def many_arrests(self) -> tuple[list[Arrest], bool]:
        """List own arrests to count them, the newest first; True: there are more than are counted."""
        client = self._client("arrests")
        stub = client.stub(ArrestsServiceStub)
        found: list[Arrest] = []
        token = ""
        while len(found) < COUNTED_AT_MOST:
            request = ListArrestsRequest(parent=self._agency, page_size=_PAGE, page_token=token)
            answer = await client.call(stub.ListArrests, request, seconds=_SECONDS)
            found += answer.arrests
            token = answer.next_page_token
            if not token:
                return found, False
        return found, True

    async def undercover(self, year: int) -> Statistics | None:
        """Count a year's undercover work; None where the officer may not know of it, or the agency has none."""
        if "personas" not in self._addresses or year < FIRST_YEAR:
            return None
        client = self._client("personas")
        request = GetStatisticsRequest(parent=self._agency, year=year)
        try:
            return await client.call(client.stub(ReportsServiceStub).GetStatistics, request, seconds=_SECONDS)
        except NotAllowed:
            return None

    async def clocks(self, *, page_token: str = "", size: int = 100) -> ListClocksResponse:
        """List a page of the clocks that run, the soonest due first."""
        client = self._client("arrests")
        request = ListClocksRequest(parent=self._agency, page_size=size, page_token=page_token)
        return await client.call(client.stub(ClocksServiceStub).ListClocks, request, seconds=_SECONDS)

    async def acknowledge_clock(self, *, form: str, clock: str, level: int, note: str) -> None:
        """Say that the officer looks after a warning; once for each form."""
        client = self._client("arrests")
        request = AcknowledgeClockRequest(request_id=form, name=clock, level=level, note=note)
        await client.call(client.stub(ClocksServiceStub).AcknowledgeClock, request, seconds=_SECONDS)

    async def close(self) -> None:
        """End the connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, service: str) -> Client:
        if service not in self._clients:
            self._clients[service] = Client(self._addresses[service], token=ON_BEHALF_OF.get, purpose=PURPOSE.get)
        return self._clients[service]
