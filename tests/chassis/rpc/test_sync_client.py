"""The client for programs without event loop does as its twin does; it runs in a thread beside the server's loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from renkei.tips.v1 import tips_pb2, tips_pb2_grpc

from renkei_chassis.errors import (
    NotFoundOrDenied,
    Unavailable,
)
from renkei_chassis.rpc.sync_client import SyncClient
from tests.chassis.rpc.scripted import Many, Once, serving
from tests.chassis.rpc.unreliable import GET, LIST, NAME, PAGES, QUICK, Breaking, Flaky, load, loaded, paged

if TYPE_CHECKING:
    from collections.abc import Iterator


def sync_client(port: int) -> SyncClient:
    return SyncClient(f"127.0.0.1:{port}", patience=QUICK, token=lambda: "mine")


async def test_the_twin_tries_again_and_sends_its_token(port: int) -> None:
    server = Flaky(Unavailable("SHUTTING_DOWN", "bye"), failures=2)

    def call() -> str:
        with sync_client(port) as client:
            return client.call(client.stub(tips_pb2_grpc.TipsServiceStub).GetTip, GET).name

    async with serving(port, {"TipsService/GetTip": server}):
        assert await asyncio.to_thread(call) == NAME

    assert [seen["authorization"] for seen in server.seen] == ["Bearer mine"] * 3
    assert 8 < server.remaining[0] <= 11


async def test_the_twin_raises_typed_errors_at_once(port: int) -> None:
    server = Flaky(NotFoundOrDenied("DENIED", "no such tip", metadata={"a": "b"}), failures=9)

    def call() -> None:
        with sync_client(port) as client:
            client.call(client.stub(tips_pb2_grpc.TipsServiceStub).GetTip, GET)

    async with serving(port, {"TipsService/GetTip": server}):
        with pytest.raises(NotFoundOrDenied) as caught:
            await asyncio.to_thread(call)

    assert caught.value.metadata == {"a": "b"}
    assert len(server.seen) == 1


async def test_the_twin_lists_watches_and_loads(port: int) -> None:
    server = Breaking(Unavailable("SHUTTING_DOWN", "bye"))

    def work() -> tuple[list[str], list[str], list[int]]:
        with sync_client(port) as client:
            tips = client.stub(tips_pb2_grpc.TipsServiceStub)
            names = [tip.name for tip in client.items(tips.ListTips, LIST, "tips")]
            watch = client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest())
            tokens = [next(watch).resume_token for _ in range(5)]
            rows = [r.row for a in client.duplex(tips.LoadTips, [load(1, 2), load(3)]) for r in a.results]
            return names, tokens, rows

    behaviours: dict[str, Once | Many] = {
        "TipsService/ListTips": paged(PAGES),
        "TipsService/WatchTips": server,
        "TipsService/LoadTips": loaded,
    }
    async with serving(port, behaviours):
        names, tokens, rows = await asyncio.to_thread(work)

    assert names == ["a", "b", "c"]
    assert tokens == ["1", "2", "3", "4", "5"]
    assert rows == [1, 2, 3]


async def test_what_breaks_the_source_of_the_twins_load_comes_out(port: int) -> None:
    def requests() -> Iterator[tips_pb2.LoadTipsRequest]:
        yield load(1)
        raise OSError("the file is gone")

    def work() -> None:
        with sync_client(port) as client:
            list(client.duplex(client.stub(tips_pb2_grpc.TipsServiceStub).LoadTips, requests(), seconds=10))

    async with serving(port, {"TipsService/LoadTips": loaded}):
        with pytest.raises(OSError, match="the file is gone"):
            await asyncio.to_thread(work)
