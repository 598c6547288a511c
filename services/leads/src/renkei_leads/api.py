"""LeadsService: read leads, list them, watch them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.leads.v1.leads_pb2 import (
    GetLeadCountsRequest,
    GetLeadRequest,
    Lead,
    LeadChange,
    LeadCounts,
    ListLeadsRequest,
    ListLeadsResponse,
    WatchLeadsRequest,
    WatchLeadsResponse,
)

from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import NotFoundOrDenied
from renkei_chassis.log.watch import Watch, in_parts
from renkei_chassis.records.times import check_times, to_us
from renkei_chassis.resource_names import AGENCY, Pattern
from renkei_chassis.rpc.methods import Api, Call, ReadMethod, StreamMethod
from renkei_leads import counting, reading
from renkei_leads.content import Terms, read_content, read_followed
from renkei_leads.domain import State
from renkei_leads.ordering import LAST_CHANGED, URGENCY
from renkei_leads.reading import Shown, Wanted
from renkei_leads.sharing import Shared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.engine import Database
    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.reach import Reach
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_leads.ordering import Place

NAME: Final = Pattern("agencies/{agency}/leads/{lead}")
_LIVE: Final = (State.CANDIDATE, State.SUPPORTED)
_KIND: Final = "leads"
_DEFAULT: Final = 50
_LARGEST: Final = 200
_COUNTS_KEPT: Final = 64
_PAGES_KEPT: Final = 16
# A client takes 4 MiB; leads may be long.
_MAX_ANSWER_BYTES: Final = 1024 * 1024


class LeadsApi:
    """The methods of LeadsService for one agency."""

    def __init__(
        self,
        *,
        agency: str,
        database: Database,
        tokens: PageTokens,
        changes: Changes,
        reach: Reach,
        terms: Terms,
    ) -> None:
        """Take the agency's name, and who knows which other agencies are cut off now."""
        self._agency = agency
        self._terms = terms
        self._database = database
        self._tokens = tokens
        self._pages = Shared[ListLeadsResponse](lambda: changes.last_sequence, most=_PAGES_KEPT)
        self._counts = Shared[LeadCounts](lambda: changes.last_sequence, most=_COUNTS_KEPT)
        self._watching = Watch(changes, answer=WatchLeadsResponse, make=self._changed)
        self._reach = reach

    def api(self) -> Api:
        """Give every method of the contract."""
        return {
            "renkei.leads.v1.LeadsService": {
                "GetLead": ReadMethod(answer=self._get),
                "GetLeadCounts": ReadMethod(answer=self._count),
                "ListLeads": ReadMethod(answer=self._list),
                "WatchLeads": StreamMethod(answers=self._watch),
            }
        }

    async def _get(self, request: GetLeadRequest, call: Call) -> Lead:
        del call
        parts = NAME.parse(request.name)
        shown = None
        if request.name.startswith(f"{self._agency}/"):
            shown = await self._database.look(partial(reading.find, lead=parts["lead"]))
        if shown is None:
            raise denied()
        return self._shown(shown)

    async def _list(self, request: ListLeadsRequest, call: Call) -> ListLeadsResponse:
        AGENCY.parse(request.parent, field="parent")
        if request.parent != self._agency:
            raise denied()
        check_times(request, "")
        position = self._tokens.decode(_KIND, request, request.page_token)
        holder = call.caller.subject if request.mine else ""
        unreachable = tuple(self._reach.unreachable)
        make = partial(self._page, request, position, holder, unreachable)
        if request.mine or request.record:  # nobody else asks for that
            return await make()
        return await self._pages.get((request.SerializeToString(deterministic=True), unreachable), make)

    async def _page(
        self, request: ListLeadsRequest, after: Place | None, holder: str, unreachable: Sequence[str]
    ) -> ListLeadsResponse:
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        wanted = Wanted(
            states=request.states or _LIVE,
            record=request.record,
            standings=request.follow_up_states,
            holder=holder,
            unit=request.unit,
            max_snooze_end_us=to_us(request.max_snooze_end_time) if request.HasField("max_snooze_end_time") else None,
        )
        order = URGENCY if request.order == ListLeadsRequest.ORDER_URGENCY else LAST_CHANGED
        read = partial(reading.page, wanted=wanted, order=order, after=after, limit=size + 1)
        rows = await self._database.read(read)
        taken = _that_fit(rows[:size])
        answer = ListLeadsResponse(leads=[self._shown(each) for each, _ in taken], unreachable=unreachable)
        if len(rows) > len(taken):
            _, place = taken[-1]
            answer.next_page_token = self._tokens.encode(_KIND, request, place)
        return answer

    async def _count(self, request: GetLeadCountsRequest, call: Call) -> LeadCounts:
        del call  # whoever may count counts the same
        AGENCY.parse(request.parent, field="parent")
        if request.parent != self._agency:
            raise denied()
        check_times(request, "")
        wanted = counting.Wanted(
            standings=request.follow_up_states,
            min_update_us=to_us(request.min_update_time) if request.HasField("min_update_time") else None,
            end_update_us=to_us(request.max_update_time) if request.HasField("max_update_time") else None,
            identifier_type=request.identifier_type,
        )
        key = request.SerializeToString(deterministic=True)
        return await self._counts.get(key, lambda: self._database.read(partial(counting.count, wanted=wanted)))

    def _watch(self, request: WatchLeadsRequest, call: Call) -> AsyncIterator[bytes]:
        return self._watching.watch(resume_token=request.resume_token, from_start=request.from_start)

    async def _changed(self, events: Sequence[Event]) -> Sequence[tuple[int, WatchLeadsResponse]]:
        ids = {event.resource.rpartition("/")[2] for event in events}
        rows = await self._database.read(partial(reading.read, ids=ids))
        told = ((event, rows[event.resource.rpartition("/")[2]]) for event in events)
        sized = ((event.sequence, len(shown[0].content), _change(event, self._shown(shown))) for event, shown in told)
        parts = in_parts(sized, most=_MAX_ANSWER_BYTES)
        return [(through, WatchLeadsResponse(changes=part)) for through, part in parts]

    def _shown(self, shown: Shown) -> Lead:
        row, followed = shown
        lead = read_content(row)
        lead.follow_up.CopyFrom(read_followed(row, followed, agency=self._agency, terms=self._terms))
        return lead


def _change(event: Event, lead: Lead) -> LeadChange:
    return LeadChange(kind=event.type.rpartition(".")[2], lead=lead, time=event.time)


def _that_fit(rows: Sequence[tuple[Shown, Place]]) -> Sequence[tuple[Shown, Place]]:
    size = 0
    for number, ((row, _), _) in enumerate(rows):
        size += len(row.content)
        if number and size > _MAX_ANSWER_BYTES:
            return rows[:number]
    return rows


def denied() -> NotFoundOrDenied:
    """Refuse a lead that is not here, or not this agency's."""
    return NotFoundOrDenied("DENIED", "the lead may not be seen by this caller")
