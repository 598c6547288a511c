"""TipsService: translate, call, translate back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import tips_pb2

from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.records.filters import ANY_AGENCY, Filter
from renkei_chassis.records.loading import load
from renkei_chassis.records.reviewing import rebuild_reviewed, review
from renkei_chassis.records.times import check_times, to_us
from renkei_chassis.records.watching import watch_of
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, ReadMethod, StreamMethod
from renkei_tips import grading
from renkei_tips.matches import match_of
from renkei_tips.record import TIPS
from renkei_tips.steps import steps_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.changes import Changes
    from renkei_chassis.records.history import History
    from renkei_chassis.records.reads import Reads
    from renkei_chassis.records.reviewing import DueForReview
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.records.texts.searching import Search
    from renkei_tips.life import Life
    from renkei_tips.sources import Sources

SERVICE: Final = "renkei.tips.v1.TipsService"
_CREATE_PATH: Final = f"/{SERVICE}/CreateTip"


class TipsApi:
    """The methods of TipsService for one agency."""

    def __init__(
        self,
        *,
        rules: Rules,
        life: Life,
        sources: Sources,
        reads: Reads,
        search: Search,
        history: History,
        due: DueForReview,
        changes: Changes,
        writer: Writer,
    ) -> None:
        self._rules = rules
        self._life = life
        self._sources = sources
        self._reads = reads
        self._search = search
        self._history = history
        self._due = due
        self._watch = watch_of(TIPS, changes, reads, answer=tips_pb2.WatchTipsResponse, change=tips_pb2.TipChange)
        self._writer = writer
        self._create = WriteMethod(rule=self.create, rebuild=rules.rebuild)

    def api(self) -> Api:
        """Give every method of the contract."""
        rules, life, sources = self._rules, self._life, self._sources
        return {
            SERVICE: {
                "CreateTip": self._create,
                "GetTip": ReadMethod(answer=self.get),
                "ListTips": ReadMethod(answer=self.list),
                "UpdateTip": WriteMethod(rule=self.update, rebuild=rules.rebuild),
                "DeleteTip": WriteMethod(rule=self.delete, rebuild=rules.rebuild_deleted),
                "UndeleteTip": WriteMethod(rule=self.undelete, rebuild=rules.rebuild),
                "SearchTips": ReadMethod(answer=self.search),
                "WatchTips": StreamMethod(answers=self.watch),
                "LoadTips": DuplexMethod(answers=self.load, validated=False),
                "TriageTip": WriteMethod(rule=life.triage, rebuild=rules.rebuild),
                "AssignTip": WriteMethod(rule=life.assign, rebuild=rules.rebuild),
                "RecordTipDisposition": WriteMethod(rule=life.dispose, rebuild=rules.rebuild),
                "MergeTip": WriteMethod(rule=life.merge, rebuild=rules.rebuild),
                "UnmergeTip": WriteMethod(rule=life.unmerge, rebuild=rules.rebuild),
                "ListTipSteps": ReadMethod(answer=self.steps),
                "ReviewTip": WriteMethod(rule=self.review, rebuild=partial(rebuild_reviewed, rules)),
                "ListTipsDueForReview": ReadMethod(answer=self.due_for_review),
                "GetGradingViews": ReadMethod(answer=self.grading_views),
                "SetTipSource": WriteMethod(rule=sources.set, rebuild=sources.rebuild),
                "RevealTipSource": WriteMethod(rule=sources.reveal, rebuild=sources.never_again),
                "ListTipSourceOpenings": ReadMethod(answer=sources.openings),
            }
        }

    def create(self, transaction: Transaction, request: tips_pb2.CreateTipRequest, caller: Principal) -> Written:
        return self._rules.create(transaction, parent=request.parent, record=request.tip, caller=caller)

    def update(self, transaction: Transaction, request: tips_pb2.UpdateTipRequest, caller: Principal) -> Written:
        written = self._rules.update(
            transaction,
            record=request.tip,
            paths=request.update_mask.paths,
            reason=request.reason,
            caller=caller,
        )
        self._sources.check_source(transaction, written.answer)
        return written

    def delete(self, transaction: Transaction, request: tips_pb2.DeleteTipRequest, caller: Principal) -> Written:
        return self._life.delete(
            transaction, name=request.name, etag=request.etag, reason=request.reason, caller=caller
        )

    def review(self, transaction: Transaction, request: tips_pb2.ReviewTipRequest, caller: Principal) -> Written:
        return review(self._rules, transaction, request, caller, delete=self._life.delete)

    def undelete(self, transaction: Transaction, request: tips_pb2.UndeleteTipRequest, caller: Principal) -> Written:
        return self._rules.undelete(transaction, name=request.name, caller=caller)

    async def get(self, request: tips_pb2.GetTipRequest, call: Call) -> tips_pb2.Tip:
        tip: tips_pb2.Tip = await self._reads.get(request.name, version=request.version)
        return tip

    async def list(self, request: tips_pb2.ListTipsRequest, call: Call) -> tips_pb2.ListTipsResponse:
        check_times(request, "")
        wanted = Filter(
            parent=request.parent,
            states=request.states,
            categories=request.sources,
            min_create_time_us=to_us(request.min_create_time) if request.HasField("min_create_time") else None,
            max_create_time_us=to_us(request.max_create_time) if request.HasField("max_create_time") else None,
            reference=request.case_reference,
            show_deleted=request.show_deleted,
        )
        page = await self._reads.page("ListTips", request, wanted)
        return tips_pb2.ListTipsResponse(
            tips=page.records, next_page_token=page.next_page_token, unreachable=page.unreachable
        )

    async def search(self, request: tips_pb2.SearchTipsRequest, call: Call) -> tips_pb2.SearchTipsResponse:
        check_times(request, "")
        wanted = Filter(
            parent=request.parent or ANY_AGENCY,
            states=request.states,
            categories=request.sources,
            min_create_time_us=to_us(request.min_create_time) if request.HasField("min_create_time") else None,
            max_create_time_us=to_us(request.max_create_time) if request.HasField("max_create_time") else None,
            identifier_type=request.type,
        )
        found = await self._search.page("SearchTips", request, wanted)
        return tips_pb2.SearchTipsResponse(
            tips=found.records,
            next_page_token=found.next_page_token,
            unreachable=found.unreachable,
            text_matches=tips_pb2.TipMatches(matches=map(match_of, found.matches)) if request.text else None,
        )

    async def steps(self, request: tips_pb2.ListTipStepsRequest, call: Call) -> tips_pb2.ListTipStepsResponse:
        steps, token = await self._history.page("ListTipSteps", request, request.name)
        return tips_pb2.ListTipStepsResponse(steps=steps_of(steps), next_page_token=token)

    async def due_for_review(
        self, request: tips_pb2.ListTipsDueForReviewRequest, call: Call
    ) -> tips_pb2.ListTipsDueForReviewResponse:
        tips, token = await self._due.page("ListTipsDueForReview", request)
        return tips_pb2.ListTipsDueForReviewResponse(tips=tips, next_page_token=token)

    async def grading_views(self, request: tips_pb2.GetGradingViewsRequest, call: Call) -> tips_pb2.GradingViews:
        return grading.views(request)

    def watch(self, request: tips_pb2.WatchTipsRequest, call: Call) -> AsyncIterator[bytes]:
        return self._watch.watch(resume_token=request.resume_token, from_start=request.from_start)

    async def load(
        self, requests: AsyncIterator[tips_pb2.LoadTipsRequest], call: Call
    ) -> AsyncIterator[tips_pb2.LoadTipsResponse]:
        batches = load(requests, call, kind=TIPS, create=self._create, create_path=_CREATE_PATH, writer=self._writer)
        async for outcomes in batches:
            results = [
                tips_pb2.TipRowResult(row=row, name=outcome)
                if isinstance(outcome, str)
                else tips_pb2.TipRowResult(row=row, error=outcome)
                for row, outcome in outcomes
            ]
            yield tips_pb2.LoadTipsResponse(results=results)
