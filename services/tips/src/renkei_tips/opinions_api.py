"""OpinionsService: translate, call, translate back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import opinions_pb2
from renkei.tips.v1.tips_pb2 import TipMatches

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.records.filters import ANY_AGENCY, Filter
from renkei_chassis.records.reviewing import rebuild_reviewed, review
from renkei_chassis.rpc.methods import Api, Call, ReadMethod
from renkei_tips.matches import match_of
from renkei_tips.record import TIPS

if TYPE_CHECKING:
    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.reads import Reads
    from renkei_chassis.records.reviewing import DueForReview
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.records.texts.searching import Search
    from renkei_tips.opinions import Opinions

SERVICE: Final = "renkei.tips.v1.OpinionsService"


class OpinionsApi:
    """The methods of OpinionsService for one agency."""

    def __init__(self, *, rules: Rules, opinions: Opinions, reads: Reads, search: Search, due: DueForReview) -> None:
        self._rules = rules
        self._opinions = opinions
        self._reads = reads
        self._search = search
        self._due = due

    def api(self) -> Api:
        """Give every method of the contract."""
        rules, opinions = self._rules, self._opinions
        return {
            SERVICE: {
                "CreateOpinion": WriteMethod(rule=opinions.create, rebuild=rules.rebuild),
                "GetOpinion": ReadMethod(answer=self.get),
                "ListOpinions": ReadMethod(answer=self.list),
                "SearchOpinions": ReadMethod(answer=self.search),
                "UpdateOpinion": WriteMethod(rule=opinions.update, rebuild=rules.rebuild),
                "DeleteOpinion": WriteMethod(rule=self.delete, rebuild=rules.rebuild_deleted),
                "UndeleteOpinion": WriteMethod(rule=opinions.undelete, rebuild=rules.rebuild),
                "ReviewOpinion": WriteMethod(rule=self.review, rebuild=partial(rebuild_reviewed, rules)),
                "ListOpinionsDueForReview": ReadMethod(answer=self.due_for_review),
            }
        }

    def delete(
        self, transaction: Transaction, request: opinions_pb2.DeleteOpinionRequest, caller: Principal
    ) -> Written:
        return self._rules.delete(
            transaction, name=request.name, etag=request.etag, reason=request.reason, caller=caller
        )

    def review(
        self, transaction: Transaction, request: opinions_pb2.ReviewOpinionRequest, caller: Principal
    ) -> Written:
        return review(self._rules, transaction, request, caller, delete=self._rules.delete)

    async def get(self, request: opinions_pb2.GetOpinionRequest, call: Call) -> opinions_pb2.Opinion:
        opinion: opinions_pb2.Opinion = await self._reads.get(request.name, version=request.version)
        return opinion

    async def list(self, request: opinions_pb2.ListOpinionsRequest, call: Call) -> opinions_pb2.ListOpinionsResponse:
        if request.tip:
            TIPS.parse(request.tip, field="tip")
        wanted = Filter(
            parent=request.parent,
            categories=request.stances,
            reference=request.tip,
            show_deleted=request.show_deleted,
        )
        page = await self._reads.page("ListOpinions", request, wanted)
        return opinions_pb2.ListOpinionsResponse(
            opinions=page.records, next_page_token=page.next_page_token, unreachable=page.unreachable
        )

    async def search(
        self, request: opinions_pb2.SearchOpinionsRequest, call: Call
    ) -> opinions_pb2.SearchOpinionsResponse:
        wanted = Filter(
            parent=request.parent or ANY_AGENCY,
            identifier_type=request.type,
        )
        found = await self._search.page("SearchOpinions", request, wanted)
        return opinions_pb2.SearchOpinionsResponse(
            opinions=found.records,
            next_page_token=found.next_page_token,
            unreachable=found.unreachable,
            text_matches=TipMatches(matches=map(match_of, found.matches)) if request.text else None,
        )

    async def due_for_review(
        self, request: opinions_pb2.ListOpinionsDueForReviewRequest, call: Call
    ) -> opinions_pb2.ListOpinionsDueForReviewResponse:
        opinions, token = await self._due.page("ListOpinionsDueForReview", request)
        return opinions_pb2.ListOpinionsDueForReviewResponse(opinions=opinions, next_page_token=token)
