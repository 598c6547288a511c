"""Calls of the exhibits service in one line each."""

# ruff: noqa: ANN401 (fields of a message are of many types)

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import exhibits_pb2
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from renkei.arrests.v1.exhibits_pb2_grpc import ExhibitsServiceStub
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.handling_pb2 import Handling

from tests.agency import request_id
from tests.arrests.calls import an_occurrence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from renkei_chassis.rpc.client import Client

BYSTANDER: Final = identifiers_pb2.RELATION_ADDRESS_BOOK


def an_exhibit(
    *occurrences: identifiers_pb2.Occurrence, kind: Exhibit.Kind.ValueType = Exhibit.KIND_ENTRY, **changes: Any
) -> Exhibit:
    return Exhibit(kind=kind, identifiers=occurrences, **changes)


def a_phone(**changes: Any) -> Exhibit:
    return an_exhibit(kind=Exhibit.KIND_DEVICE, description="(演習データ) スマートフォン", **changes)


def an_entry(number: int, relation: identifiers_pb2.Relation.ValueType = BYSTANDER) -> Exhibit:
    occurrence = an_occurrence(f"090-1234-{number:04}")
    occurrence.relation = relation
    return an_exhibit(occurrence)


def a_label(*agencies: str, **changes: Any) -> Handling:
    return Handling(purpose_code="organised-robbery", releasable_to=agencies, **changes)


class Exhibits:
    """The service, as one caller sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stub = client.stub(ExhibitsServiceStub)

    async def create(self, arrest: str, exhibit: Exhibit, *, request: str = "") -> Exhibit:
        asked = exhibits_pb2.CreateExhibitRequest(request_id=request or request_id(), parent=arrest, exhibit=exhibit)
        return await self.client.call(self.stub.CreateExhibit, asked)

    async def load(
        self, arrest: str, rows: Iterable[tuple[Exhibit, int]], *, load_id: str = "", in_a_message: int = 500
    ) -> Sequence[exhibits_pb2.ExhibitRowResult]:
        """Load (exhibit, row within which it lies or 0), row after row from 1."""
        made = [
            exhibits_pb2.ExhibitRow(row=row, exhibit=exhibit, within_row=within)
            for row, (exhibit, within) in enumerate(rows, start=1)
        ]
        load_id = load_id or request_id()
        asked = [
            exhibits_pb2.LoadExhibitsRequest(load_id=load_id, parent=arrest, rows=made[start : start + in_a_message])
            for start in range(0, len(made), in_a_message)
        ]
        return [
            result async for answer in self.client.duplex(self.stub.LoadExhibits, asked) for result in answer.results
        ]

    async def get(self, name: str, version: int = 0) -> Exhibit:
        asked = exhibits_pb2.GetExhibitRequest(name=name, version=version)
        return await self.client.call(self.stub.GetExhibit, asked)

    async def page(self, arrest: str, **wanted: Any) -> exhibits_pb2.ListExhibitsResponse:
        asked = exhibits_pb2.ListExhibitsRequest(parent=arrest, **wanted)
        return await self.client.call(self.stub.ListExhibits, asked)

    async def all(self, arrest: str, after: int = 0) -> list[Exhibit]:
        asked = exhibits_pb2.ReadExhibitsRequest(parent=arrest, after_number=after)
        return [each async for answer in self.client.stream(self.stub.ReadExhibits, asked) for each in answer.exhibits]

    async def update(self, exhibit: Exhibit, *paths: str, request: str = "") -> Exhibit:
        asked = exhibits_pb2.UpdateExhibitRequest(
            request_id=request or request_id(), exhibit=exhibit, reason="(演習データ) 訂正"
        )
        asked.update_mask.paths.extend(paths)
        return await self.client.call(self.stub.UpdateExhibit, asked)

    async def delete(self, name: str, *, etag: str = "", request: str = "") -> Exhibit:
        asked = exhibits_pb2.DeleteExhibitRequest(
            request_id=request or request_id(), name=name, etag=etag, reason="(演習データ) 誤記"
        )
        return await self.client.call(self.stub.DeleteExhibit, asked)
