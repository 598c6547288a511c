"""ArrestsService: translate, call, translate back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1 import arrests_pb2

from renkei_arrests import roles, sealed
from renkei_arrests.disposition import record_disposition
from renkei_arrests.record import ARRESTS
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.records.filters import ANY_AGENCY, Filter
from renkei_chassis.records.loading import load
from renkei_chassis.records.reviewing import rebuild_reviewed, review
from renkei_chassis.records.times import check_times, to_us
from renkei_chassis.records.watching import watch_of
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, ReadMethod, StreamMethod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.reads import Reads
    from renkei_chassis.records.reviewing import DueForReview
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.records.texts.query import Match
    from renkei_chassis.records.texts.searching import Search

SERVICE: Final = "renkei.arrests.v1.ArrestsService"
_CREATE_PATH: Final = f"/{SERVICE}/CreateArrest"


class ArrestsApi:
    """The methods of ArrestsService for one agency."""

    def __init__(
        self, *, rules: Rules, reads: Reads, search: Search, due: DueForReview, changes: Changes, writer: Writer
    ) -> None:
        self._rules = rules
        self._reads = reads
        self._search = search
        self._due = due
        self._watch = watch_of(
            ARRESTS, changes, reads, answer=arrests_pb2.WatchArrestsResponse, change=arrests_pb2.ArrestChange
        )
        self._writer = writer
        self._create = WriteMethod(rule=self.create, rebuild=rules.rebuild)

    def api(self) -> Api:
        """Give every method of the contract."""
        rules = self._rules
        return {
            SERVICE: {
                "CreateArrest": self._create,
                "GetArrest": ReadMethod(answer=self.get),
                "ListArrests": ReadMethod(answer=self.list),
                "UpdateArrest": WriteMethod(rule=self.update, rebuild=rules.rebuild),
                "RecordDisposition": WriteMethod(rule=self.record_disposition, rebuild=rules.rebuild),
                "DeleteArrest": WriteMethod(rule=self.delete, rebuild=rules.rebuild_deleted),
                "UndeleteArrest": WriteMethod(rule=self.undelete, rebuild=rules.rebuild),
                "SearchArrests": ReadMethod(answer=self.search),
                "WatchArrests": StreamMethod(answers=self.watch),
                "LoadArrests": DuplexMethod(answers=self.load, validated=False),
                "ReviewArrest": WriteMethod(rule=self.review, rebuild=partial(rebuild_reviewed, rules)),
                "ListArrestsDueForReview": ReadMethod(answer=self.due_for_review),
            }
        }

    def create(self, transaction: Transaction, request: arrests_pb2.CreateArrestRequest, caller: Principal) -> Written:
        roles.fill(request.arrest.roles, assessor=caller.subject, now_us=transaction.now_us)
        record = sealed.without_names(request.arrest)
        written = self._rules.create(transaction, parent=request.parent, record=record, caller=caller)
        sealed.keep_names(transaction, written.resource, request.arrest, caller)
        return written

    def update(self, transaction: Transaction, request: arrests_pb2.UpdateArrestRequest, caller: Principal) -> Written:
        roles.fill(request.arrest.roles, assessor=caller.subject, now_us=transaction.now_us)
        written = self._rules.update(
            transaction,
            record=sealed.without_names(request.arrest),
            paths=request.update_mask.paths,
            reason=request.reason,
            caller=caller,
        )
        sealed.correct_names(transaction, request.arrest, request.update_mask.paths, caller)
        return written

    def record_disposition(
        self, transaction: Transaction, request: arrests_pb2.RecordDispositionRequest, caller: Principal
    ) -> Written:
        return record_disposition(self._rules, transaction, request, caller)

    def delete(self, transaction: Transaction, request: arrests_pb2.DeleteArrestRequest, caller: Principal) -> Written:
        return self._rules.delete(
            transaction, name=request.name, etag=request.etag, reason=request.reason, caller=caller
        )

    def undelete(
        self, transaction: Transaction, request: arrests_pb2.UndeleteArrestRequest, caller: Principal
    ) -> Written:
        return self._rules.undelete(transaction, name=request.name, caller=caller)

    def review(self, transaction: Transaction, request: arrests_pb2.ReviewArrestRequest, caller: Principal) -> Written:
        return review(self._rules, transaction, request, caller, delete=self._rules.delete)

    async def get(self, request: arrests_pb2.GetArrestRequest, call: Call) -> arrests_pb2.Arrest:
        arrest: arrests_pb2.Arrest = await self._reads.get(request.name, version=request.version)
        return arrest

    async def list(self, request: arrests_pb2.ListArrestsRequest, call: Call) -> arrests_pb2.ListArrestsResponse:
        check_times(request, "")
        wanted = Filter(
            parent=request.parent,
            states=request.states,
            categories=request.kinds,
            min_create_time_us=to_us(request.min_create_time) if request.HasField("min_create_time") else None,
            max_create_time_us=to_us(request.max_create_time) if request.HasField("max_create_time") else None,
            reference=request.case_reference,
            show_deleted=request.show_deleted,
        )
        page = await self._reads.page("ListArrests", request, wanted)
        return arrests_pb2.ListArrestsResponse(
            arrests=page.records, next_page_token=page.next_page_token, unreachable=page.unreachable
        )

    async def search(self, request: arrests_pb2.SearchArrestsRequest, call: Call) -> arrests_pb2.SearchArrestsResponse:
        check_times(request, "")
        wanted = Filter(
            parent=request.parent or ANY_AGENCY,
            states=request.states,
            categories=request.kinds,
            min_create_time_us=to_us(request.min_create_time) if request.HasField("min_create_time") else None,
            max_create_time_us=to_us(request.max_create_time) if request.HasField("max_create_time") else None,
            identifier_type=request.type,
        )
        found = await self._search.page("SearchArrests", request, wanted)
        return arrests_pb2.SearchArrestsResponse(
            arrests=found.records,
            next_page_token=found.next_page_token,
            unreachable=found.unreachable,
            text_matches=arrests_pb2.ArrestMatches(matches=[_match(match) for match in found.matches])
            if request.text
            else None,
        )

    async def due_for_review(
        self, request: arrests_pb2.ListArrestsDueForReviewRequest, call: Call
    ) -> arrests_pb2.ListArrestsDueForReviewResponse:
        arrests, token = await self._due.page("ListArrestsDueForReview", request)
        return arrests_pb2.ListArrestsDueForReviewResponse(arrests=arrests, next_page_token=token)

    def watch(self, request: arrests_pb2.WatchArrestsRequest, call: Call) -> AsyncIterator[bytes]:
        return self._watch.watch(resume_token=request.resume_token, from_start=request.from_start)

    async def load(
        self, requests: AsyncIterator[arrests_pb2.LoadArrestsRequest], call: Call
    ) -> AsyncIterator[arrests_pb2.LoadArrestsResponse]:
        batches = load(requests, call, kind=ARRESTS, create=self._create, create_path=_CREATE_PATH, writer=self._writer)
        async for outcomes in batches:
            results = [
                arrests_pb2.ArrestRowResult(row=row, name=outcome)
                if isinstance(outcome, str)
                else arrests_pb2.ArrestRowResult(row=row, error=outcome)
                for row, outcome in outcomes
            ]
            yield arrests_pb2.LoadArrestsResponse(results=results)


def _match(match: Match) -> arrests_pb2.ArrestMatch:
    return arrests_pb2.ArrestMatch(
        exact=match.exact,
        highlights=[
            arrests_pb2.ArrestMatch.Highlight(field=each.field, start=each.start, end=each.end)
            for each in match.highlights
        ],
    )
