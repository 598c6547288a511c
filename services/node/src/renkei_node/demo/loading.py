"""Load a force's export over the bulk path that a force would use, and note what was acknowledged."""

from __future__ import annotations

import asyncio
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_node.demo.csv_reader import read_arrests, read_tips
from renkei_node.demo.markers import find_markers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from renkei_node.demo.federation import Federation
    from renkei_node.demo.journal import Journal
    from renkei_node.demo.synthetic import Export

_ROWS: Final = 100  # a message holds at most 256 KiB
_LOAD_SECONDS: Final = 120.0


class LoadRefusedError(Exception):
    """A row was refused; the text names file, row and reason, never the row's content."""


async def load(export: Export, federation: Federation, journal: Journal, *, tell: Callable[[int], None]) -> None:
    """Load one file; `tell` hears of every so many rows that were committed. Raises LoadRefusedError.

    The load's id derives from the file's name, so a load that broke off is simply run again.
    """
    loading = _TIPS if export.collection == "tips" else _ARRESTS
    client = federation.client(export.code, export.collection)
    method = loading.method(client.stub(loading.stub))
    rows = await asyncio.to_thread(lambda: list(loading.read(export.path)))
    by_number = {row.row: row for row in rows}
    load_id = str(uuid.uuid5(uuid.NAMESPACE_URL, export.path.name))
    messages = [
        loading.request(load_id=load_id, parent=f"agencies/{export.code}", rows=some) for some in _chunks(iter(rows))
    ]
    async for answer in client.duplex(method, messages, seconds=_LOAD_SECONDS):
        for result in answer.results:
            if result.WhichOneof("result") == "error":
                reason = result.error.message
                raise LoadRefusedError(f"{export.path.name}, line {result.row}: {reason}")
            record = loading.record(by_number[result.row])
            journal.created(record, name=result.name, markers=find_markers(record))
        tell(len(answer.results))


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, _ROWS)):
        yield chunk


class _Loading:
    """What differs between the two kinds of records."""

    def __init__(self, *, stub: Any, method: str, request: Any, read: Any, record: str) -> None:  # noqa: ANN401
        self.stub = stub
        self.request = request
        self.read = read
        self._method = method
        self._record = record

    def method(self, stub: Any) -> Any:  # noqa: ANN401 (a generated stub's method)
        return getattr(stub, self._method)

    def record(self, row: Any) -> Any:  # noqa: ANN401 (the row's own message)
        return getattr(row, self._record)


_TIPS: Final = _Loading(
    stub=TipsServiceStub, method="LoadTips", request=tips_pb2.LoadTipsRequest, read=read_tips, record="tip"
)
_ARRESTS: Final = _Loading(
    stub=ArrestsServiceStub,
    method="LoadArrests",
    request=arrests_pb2.LoadArrestsRequest,
    read=read_arrests,
    record="arrest",
)
