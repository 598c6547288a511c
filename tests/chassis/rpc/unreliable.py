"""A service that is as unreliable as a test wants it, and a client of it."""

# ruff: noqa: ANN401 (one script serves every method)

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from renkei.tips.v1 import tips_pb2, tips_pb2_grpc

from renkei_chassis.errors import InvalidArgument, RenkeiError
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.client import Client
from tests.chassis.rpc.scripted import Context, Many, Once, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "agencies/jp-12/tips/0191a2b3-0000-7000-8000-000000000001"
GET = tips_pb2.GetTipRequest(name=NAME)
QUICK = Patience(first_pause_seconds=0.01, longest_pause_seconds=0.05)
LIST = tips_pb2.ListTipsRequest(parent="agencies/jp-12")
PAGES = [["a", "b"], [], ["c"]]


@asynccontextmanager
async def talking(
    port: int, behaviours: dict[str, Once | Many], **given_to_client: Any
) -> AsyncIterator[tuple[Client, tips_pb2_grpc.TipsServiceAsyncStub]]:
    """Serve, and give a client of it with a stub."""
    options = {"patience": QUICK, **given_to_client}
    async with serving(port, behaviours), Client(f"127.0.0.1:{port}", **options) as client:
        yield client, client.stub(tips_pb2_grpc.TipsServiceStub)


class Flaky:
    """Answers, after it has failed so often; remembers who called."""

    def __init__(self, error: RenkeiError | None = None, *, failures: int = 0) -> None:
        self.error = error
        self.failures = failures
        self.seen: list[dict[str, Any]] = []
        self.remaining: list[float] = []

    async def __call__(self, request: Any, context: Context) -> tips_pb2.Tip:
        self.seen.append(dict(context.invocation_metadata() or ()))
        self.remaining.append(context.time_remaining())
        if self.error is not None and len(self.seen) <= self.failures:
            raise self.error
        return tips_pb2.Tip(name=request.name)


def paged(pages: list[list[str]]) -> Once:
    """A List that gives these names; a page's token is its number."""

    async def answer(request: Any, context: Context) -> tips_pb2.ListTipsResponse:
        number = int(request.page_token or 0)
        made = tips_pb2.ListTipsResponse(tips=[tips_pb2.Tip(name=name) for name in pages[number]])
        made.next_page_token = str(number + 1) if number + 1 < len(pages) else ""
        assert request.parent == "agencies/jp-12"
        return made

    return answer


class Breaking:
    """A watch of the numbers from the resume token on; each connection ends after two of them."""

    def __init__(self, error: RenkeiError | None) -> None:
        self.error = error
        self.resumed: list[str] = []
        self.ended = asyncio.Event()

    async def __call__(self, request: Any, context: Context) -> AsyncIterator[tips_pb2.WatchTipsResponse]:
        self.resumed.append(request.resume_token)
        first = int(request.resume_token or 0)
        try:
            for number in (first + 1, first + 2):
                yield tips_pb2.WatchTipsResponse(resume_token=str(number))
            if self.error is not None:
                raise self.error
        finally:
            self.ended.set()


async def loaded(requests: Any, context: Context) -> AsyncIterator[tips_pb2.LoadTipsResponse]:
    async for request in requests:
        if not request.rows:
            raise InvalidArgument("FIELD_INVALID", "no rows")
        yield tips_pb2.LoadTipsResponse(results=[tips_pb2.TipRowResult(row=row.row) for row in request.rows])


def load(*rows: int) -> tips_pb2.LoadTipsRequest:
    return tips_pb2.LoadTipsRequest(rows=[tips_pb2.TipRow(row=row) for row in rows])
