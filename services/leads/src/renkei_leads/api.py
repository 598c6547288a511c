"""LeadsService: read leads, list them, watch them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.leads.v1.leads_pb2 import (
    GetLeadRequest,
    Lead,
    LeadChange,
    ListLeadsRequest,
    ListLeadsResponse,
    WatchLeadsRequest,
    WatchLeadsResponse,
)

from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import NotFoundOrDenied
from renkei_chassis.log.watch import Watch, in_parts
from renkei_chassis.resource_names import AGENCY, Pattern
from renkei_chassis.rpc.methods import Api, Call, ReadMethod, StreamMethod
from renkei_leads import store
from renkei_leads.content import read_content
from renkei_leads.domain import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.engine import Database
    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.reach import Reach
    from renkei_chassis.rpc.page_tokens import PageTokens

NAME: Final = Pattern("agencies/{agency}/leads/{lead}")
_LIVE: Final = (State.CANDIDATE, State.SUPPORTED)
_KIND: Final = "leads"
_DEFAULT: Final = 50
_LARGEST: Final = 200
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
    ) -> None:
        """Take the agency's name, and who knows which other agencies are cut off now."""
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._watching = Watch(changes, answer=WatchLeadsResponse, make=self._changed)
        self._reach = reach

    def api(self) -> Api:
        """Give every method of the contract."""
        return {
            "renkei.leads.v1.LeadsService": {
                "GetLead": ReadMethod(answer=self._get),
                "ListLeads": ReadMethod(answer=self._list),
                "WatchLeads": StreamMethod(answers=self._watch),
            }
        }

    async def _get(self, request: GetLeadRequest, call: Call) -> Lead:
        parts = NAME.parse(request.name)
        row = None
        if request.name.startswith(f"{self._agency}/"):
            row = await self._database.look(partial(store.find_lead, lead=parts["lead"]))
        if row is None:
            raise _denied()
        return read_content(row)

    async def _list(self, request: ListLeadsRequest, call: Call) -> ListLeadsResponse:
        AGENCY.parse(request.parent, field="parent")
        if request.parent != self._agency:
            raise _denied()
        size = page_size(request.page_size, default=_DEFAULT, largest=_LARGEST)
        position = self._tokens.decode(_KIND, request, request.page_token)
        question = partial(
            store.list_leads,
            states=request.states or _LIVE,
            record=request.record,
            before=(position[0], position[1]) if position is not None else None,
            limit=size + 1,
        )
        rows = await self._database.read(question)
        taken = _that_fit(rows[:size])
        answer = ListLeadsResponse(leads=[read_content(row) for row in taken], unreachable=self._reach.unreachable)
        if len(rows) > len(taken):
            answer.next_page_token = self._tokens.encode(_KIND, request, (taken[-1].update_us, taken[-1].id))
        return answer

    def _watch(self, request: WatchLeadsRequest, call: Call) -> AsyncIterator[bytes]:
        return self._watching.watch(resume_token=request.resume_token, from_start=request.from_start)

    async def _changed(self, events: Sequence[Event]) -> Sequence[tuple[int, WatchLeadsResponse]]:
        ids = {event.resource.rpartition("/")[2] for event in events}
        rows = await self._database.read(partial(store.read_leads, ids=ids))
        told = ((event, rows[event.resource.rpartition("/")[2]]) for event in events)
        sized = ((event.sequence, len(row.content), _change(event, read_content(row))) for event, row in told)
        parts = in_parts(sized, most=_MAX_ANSWER_BYTES)
        return [(through, WatchLeadsResponse(changes=part)) for through, part in parts]


def _change(event: Event, lead: Lead) -> LeadChange:
    return LeadChange(kind=event.type.rpartition(".")[2], lead=lead, time=event.time)


def _that_fit(rows: Sequence[store.LeadRow]) -> Sequence[store.LeadRow]:
    size = 0
    for number, row in enumerate(rows):
        size += len(row.content)
        if number and size > _MAX_ANSWER_BYTES:
            return rows[:number]
    return rows


def _denied() -> NotFoundOrDenied:
    return NotFoundOrDenied("DENIED", "the lead may not be seen by this caller")
