"""Calls of the tips service in one line each, with a tip that passes where a test says nothing else."""

# ruff: noqa: ANN401 (fields of a message are of many types)

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.handling_pb2 import Handling
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from tests.agency import AGENCY, request_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from renkei_chassis.rpc.client import Client

PHONE: Final = identifiers_pb2.IDENTIFIER_TYPE_PHONE
HANDLE: Final = identifiers_pb2.IDENTIFIER_TYPE_HANDLE


def a_tip(*, releasable_to: Iterable[str] = (), **changes: Any) -> tips_pb2.Tip:
    """Make a tip that is complete; `changes` are fields of it."""
    tip = tips_pb2.Tip(
        handling=Handling(purpose_code="organised-robbery", releasable_to=releasable_to),
        source=tips_pb2.Tip.SOURCE_ACQUAINTANCE,
        grading=tips_pb2.Grading(reliability=tips_pb2.Grading.RELIABILITY_B, accuracy=tips_pb2.Grading.ACCURACY_2),
        display_name="(演習データ) 高額バイト",
        text="(演習データ) 知人から運びの仕事に誘われた。",
    )
    tip.MergeFrom(tips_pb2.Tip(**changes))
    return tip


def an_occurrence(
    original: str = "090-1234-5678", *, kind: identifiers_pb2.IdentifierType.ValueType = PHONE, **changes: Any
) -> identifiers_pb2.Occurrence:
    occurrence = identifiers_pb2.Occurrence(
        identifier=identifiers_pb2.Identifier(type=kind, original=original),
        provenance=identifiers_pb2.PROVENANCE_TIP,
        relation=identifiers_pb2.RELATION_USED_BY_SUBJECT,
    )
    occurrence.MergeFrom(identifiers_pb2.Occurrence(**changes))
    return occurrence


class Tips:
    """The service, as one caller sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stub = client.stub(TipsServiceStub)

    async def create(self, tip: tips_pb2.Tip | None = None, *, request: str = "", parent: str = AGENCY) -> tips_pb2.Tip:
        asked = tips_pb2.CreateTipRequest(request_id=request or request_id(), parent=parent, tip=tip or a_tip())
        return await self.client.call(self.stub.CreateTip, asked)

    async def get(self, name: str, version: int = 0) -> tips_pb2.Tip:
        return await self.client.call(self.stub.GetTip, tips_pb2.GetTipRequest(name=name, version=version))

    async def page(self, parent: str = "agencies/-", **wanted: Any) -> tips_pb2.ListTipsResponse:
        return await self.client.call(self.stub.ListTips, tips_pb2.ListTipsRequest(parent=parent, **wanted))

    async def search(self, identifier: str, **wanted: Any) -> tips_pb2.SearchTipsResponse:
        asked = tips_pb2.SearchTipsRequest(identifier=identifier, **wanted)
        return await self.client.call(self.stub.SearchTips, asked)

    async def update(
        self, tip: tips_pb2.Tip, *paths: str, request: str = "", reason: str = "(演習データ) 訂正"
    ) -> tips_pb2.Tip:
        asked = tips_pb2.UpdateTipRequest(request_id=request or request_id(), tip=tip, reason=reason)
        asked.update_mask.SetInParent()
        asked.update_mask.paths.extend(paths)
        return await self.client.call(self.stub.UpdateTip, asked)

    async def delete(self, name: str, *, etag: str = "", request: str = "") -> tips_pb2.Tip:
        asked = tips_pb2.DeleteTipRequest(request_id=request or request_id(), name=name, etag=etag, reason="(演習)")
        return await self.client.call(self.stub.DeleteTip, asked)

    async def undelete(self, name: str, *, request: str = "") -> tips_pb2.Tip:
        asked = tips_pb2.UndeleteTipRequest(request_id=request or request_id(), name=name)
        return await self.client.call(self.stub.UndeleteTip, asked)

    async def load(
        self, tips: Sequence[tips_pb2.Tip], *, load_id: str, first_row: int = 1, parent: str = AGENCY
    ) -> list[tips_pb2.TipRowResult]:
        """Load the tips in one message, row after row."""
        rows = [tips_pb2.TipRow(row=row, tip=tip) for row, tip in enumerate(tips, start=first_row)]
        asked = tips_pb2.LoadTipsRequest(load_id=load_id, parent=parent, rows=rows)
        return [result async for answer in self.client.duplex(self.stub.LoadTips, [asked]) for result in answer.results]

    async def ask(self, method: str, **fields: Any) -> Any:
        """Call any method; a `request_id` is made where the request has one and none is given."""
        kind = getattr(tips_pb2, f"{method}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            fields.setdefault("request_id", request_id())
        return await self.client.call(getattr(self.stub, method), kind(**fields))

    async def step(self, method: str, tip: tips_pb2.Tip, **fields: Any) -> tips_pb2.Tip:
        """Take a step with a tip as it was read."""
        given: dict[str, Any] = {"name": tip.name, "etag": tip.etag, "reason": "(演習データ) 理由", **fields}
        answer: tips_pb2.Tip = await self.ask(method, **given)
        return answer

    async def triaged(self, tip: tips_pb2.Tip | None = None) -> tips_pb2.Tip:
        return await self.step("TriageTip", await self.create(tip))
