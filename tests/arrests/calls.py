"""Calls of the arrests service in one line each, with a record that passes where a test says nothing else."""

# ruff: noqa: ANN401 (fields of a message are of many types)

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from renkei.arrests.v1 import arrests_pb2, clocks_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.handling_pb2 import Handling

from renkei_arrests.domain import JAPAN
from tests.agency import AGENCY, request_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from renkei_chassis.rpc.client import Client

RESTRAINT: Final = datetime(2024, 10, 1, 3, 15, tzinfo=JAPAN)


def japan(day: int, hour: int = 0, minute: int = 0, *, month: int = 10) -> datetime:
    """Make a moment of autumn 2024, Japan time."""
    return datetime(2024, month, day, hour, minute, tzinfo=JAPAN)


def stamp(moment: datetime) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(moment)
    return time


def an_arrest(
    *, releasable_to: Iterable[str] = (), restraint: datetime | None = RESTRAINT, **changes: Any
) -> arrests_pb2.Arrest:
    """Make a record that is complete; `changes` are fields of it."""
    arrest = arrests_pb2.Arrest(
        handling=Handling(purpose_code="organised-robbery", releasable_to=releasable_to),
        kind=arrests_pb2.Arrest.KIND_WARRANT,
        restraint_time=stamp(restraint) if restraint is not None else None,
        offence="(演習データ) 強盗致傷",
        role=arrests_pb2.Arrest.ROLE_PERPETRATOR,
    )
    arrest.MergeFrom(arrests_pb2.Arrest(**changes))
    return arrest


def an_occurrence(original: str = "090-1234-5678", **changes: Any) -> identifiers_pb2.Occurrence:
    occurrence = identifiers_pb2.Occurrence(
        identifier=identifiers_pb2.Identifier(type=identifiers_pb2.IDENTIFIER_TYPE_PHONE, original=original),
        provenance=identifiers_pb2.PROVENANCE_SEIZED_DEVICE,
        relation=identifiers_pb2.RELATION_COMMUNICATED,
    )
    occurrence.MergeFrom(identifiers_pb2.Occurrence(**changes))
    return occurrence


def a_device(*occurrences: identifiers_pb2.Occurrence) -> arrests_pb2.SeizedItem:
    return arrests_pb2.SeizedItem(
        description="(演習データ) スマートフォン", exhibit_number="(演習)符号1", identifiers=occurrences
    )


def a_disposition(moment: datetime | None = None) -> arrests_pb2.Disposition:
    return arrests_pb2.Disposition(
        kind=arrests_pb2.Disposition.KIND_INDICTED,
        time=stamp(moment or RESTRAINT + timedelta(days=20)),
        reason="(演習データ)",
    )


class Arrests:
    """The service, as one caller sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stub = client.stub(ArrestsServiceStub)
        self.clocks_stub = client.stub(ClocksServiceStub)

    async def create(
        self, arrest: arrests_pb2.Arrest | None = None, *, request: str = "", parent: str = AGENCY
    ) -> arrests_pb2.Arrest:
        asked = arrests_pb2.CreateArrestRequest(
            request_id=request or request_id(), parent=parent, arrest=arrest or an_arrest()
        )
        return await self.client.call(self.stub.CreateArrest, asked)

    async def get(self, name: str, version: int = 0) -> arrests_pb2.Arrest:
        return await self.client.call(self.stub.GetArrest, arrests_pb2.GetArrestRequest(name=name, version=version))

    async def page(self, parent: str = "agencies/-", **wanted: Any) -> arrests_pb2.ListArrestsResponse:
        return await self.client.call(self.stub.ListArrests, arrests_pb2.ListArrestsRequest(parent=parent, **wanted))

    async def search(self, identifier: str, **wanted: Any) -> arrests_pb2.SearchArrestsResponse:
        asked = arrests_pb2.SearchArrestsRequest(identifier=identifier, **wanted)
        return await self.client.call(self.stub.SearchArrests, asked)

    async def update(self, arrest: arrests_pb2.Arrest, *paths: str, request: str = "") -> arrests_pb2.Arrest:
        asked = arrests_pb2.UpdateArrestRequest(request_id=request or request_id(), arrest=arrest, reason="(演習)")
        asked.update_mask.SetInParent()
        asked.update_mask.paths.extend(paths)
        return await self.client.call(self.stub.UpdateArrest, asked)

    async def dispose(
        self,
        arrest: arrests_pb2.Arrest,
        disposition: arrests_pb2.Disposition | None = None,
        *,
        request: str = "",
        etag: str = "",
    ) -> arrests_pb2.Arrest:
        asked = arrests_pb2.RecordDispositionRequest(
            request_id=request or request_id(),
            name=arrest.name,
            etag=etag or arrest.etag,
            disposition=disposition or a_disposition(),
        )
        return await self.client.call(self.stub.RecordDisposition, asked)

    async def delete(self, name: str, *, etag: str = "", request: str = "") -> arrests_pb2.Arrest:
        asked = arrests_pb2.DeleteArrestRequest(
            request_id=request or request_id(), name=name, etag=etag, reason="(演習)"
        )
        return await self.client.call(self.stub.DeleteArrest, asked)

    async def undelete(self, name: str, *, request: str = "") -> arrests_pb2.Arrest:
        asked = arrests_pb2.UndeleteArrestRequest(request_id=request or request_id(), name=name)
        return await self.client.call(self.stub.UndeleteArrest, asked)

    async def board(self, parent: str = AGENCY, **wanted: Any) -> clocks_pb2.ListClocksResponse:
        asked = clocks_pb2.ListClocksRequest(parent=parent, **wanted)
        return await self.client.call(self.clocks_stub.ListClocks, asked)

    async def acknowledge(
        self, name: str, level: int, *, request: str = "", seconds: float | None = None
    ) -> clocks_pb2.RunningClock:
        asked = clocks_pb2.AcknowledgeClockRequest(
            request_id=request or request_id(), name=name, level=level, note="(演習)"
        )
        return await self.client.call(self.clocks_stub.AcknowledgeClock, asked, seconds=seconds)

    async def load(
        self, arrests: Sequence[arrests_pb2.Arrest], *, load_id: str
    ) -> Sequence[arrests_pb2.ArrestRowResult]:
        """Load the records in one message, row after row."""
        rows = [arrests_pb2.ArrestRow(row=row, arrest=arrest) for row, arrest in enumerate(arrests, start=1)]
        asked = arrests_pb2.LoadArrestsRequest(load_id=load_id, parent=AGENCY, rows=rows)
        return [
            result async for answer in self.client.duplex(self.stub.LoadArrests, [asked]) for result in answer.results
        ]
