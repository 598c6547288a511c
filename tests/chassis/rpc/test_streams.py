"""A watch goes on where it was, and a load is answered row by row, against a real server."""

# ruff: noqa: ANN401 (one script serves every method)

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from renkei.event.v1 import log_pb2, log_pb2_grpc
from renkei.tips.v1 import tips_pb2, tips_pb2_grpc

from renkei_chassis.errors import (
    Cancelled,
    DeadlineExceeded,
    InvalidArgument,
    RenkeiError,
    Unavailable,
)
from renkei_chassis.rpc.calling import RESUME_SEQUENCE
from renkei_chassis.rpc.client import Client
from tests.chassis.rpc.scripted import Context, serving
from tests.chassis.rpc.unreliable import QUICK, Breaking, load, loaded, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENDS = [Unavailable("SHUTTING_DOWN", "bye"), Cancelled("CUT", "cut"), DeadlineExceeded("DEADLINE", "late"), None]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: type(end).__name__)
async def test_a_watch_goes_on_where_it_was_however_the_connection_ends(port: int, end: RenkeiError | None) -> None:
    server = Breaking(end)
    numbers = []
    async with (
        talking(port, {"TipsService/WatchTips": server}) as (client, tips),
        aclosing(client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest(from_start=True))) as watch,
    ):
        async for answer in watch:
            numbers.append(int(answer.resume_token))
            if len(numbers) == 7:
                break

    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert server.resumed == ["", "2", "4", "6"]


async def test_a_watch_survives_the_restart_of_its_server(port: int) -> None:
    async def endless(request: Any, context: Context) -> AsyncIterator[tips_pb2.WatchTipsResponse]:
        yield tips_pb2.WatchTipsResponse(resume_token=f"{request.resume_token}x")
        await asyncio.Event().wait()

    async with Client(f"127.0.0.1:{port}", patience=QUICK) as client:
        tips = client.stub(tips_pb2_grpc.TipsServiceStub)
        async with aclosing(client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest())) as watch:
            tokens = []
            for _ in range(3):
                async with serving(port, {"TipsService/WatchTips": endless}):
                    tokens.append((await anext(watch)).resume_token)

    assert tokens == ["x", "xx", "xxx"]


async def test_a_watch_that_is_refused_ends(port: int) -> None:
    async with talking(port, {"TipsService/WatchTips": Breaking(InvalidArgument("INVALID_RESUME_TOKEN", "no"))}) as (
        client,
        tips,
    ):
        watch = client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest())
        with pytest.raises(InvalidArgument, match="INVALID_RESUME_TOKEN"):
            [answer async for answer in watch]


async def test_leaving_a_watch_cancels_it_at_the_server(port: int) -> None:
    ended = asyncio.Event()

    async def endless(request: Any, context: Context) -> AsyncIterator[tips_pb2.WatchTipsResponse]:
        try:
            yield tips_pb2.WatchTipsResponse(resume_token="1")
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with talking(port, {"TipsService/WatchTips": endless}) as (client, tips):
        async with aclosing(client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest())) as watch:
            await anext(watch)
        async with asyncio.timeout(10):
            await ended.wait()


async def test_a_watcher_who_is_cancelled_stops(port: int) -> None:
    async def silent(request: Any, context: Context) -> AsyncIterator[tips_pb2.WatchTipsResponse]:
        await asyncio.Event().wait()
        yield tips_pb2.WatchTipsResponse()

    async with talking(port, {"TipsService/WatchTips": silent}) as (client, tips):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2), aclosing(client.watch(tips.WatchTips, tips_pb2.WatchTipsRequest())) as w:
                await anext(w)
                pytest.fail("the server never answers")


async def test_a_log_is_watched_by_sequence(port: int) -> None:
    asked = []

    async def batches(request: Any, context: Context) -> AsyncIterator[log_pb2.WatchLogResponse]:
        asked.append(request.after_sequence)
        yield log_pb2.WatchLogResponse(through_sequence=request.after_sequence + 10)

    async with talking(port, {"LogService/WatchLog": batches}) as (client, _):
        log = client.stub(log_pb2_grpc.LogServiceStub)
        request = log_pb2.WatchLogRequest(after_sequence=5)
        async with aclosing(client.watch(log.WatchLog, request, resume=RESUME_SEQUENCE)) as watch:
            through = [(await anext(watch)).through_sequence for _ in range(3)]

    assert through == [15, 25, 35]
    assert asked == [5, 15, 25]


async def test_a_load_gets_its_answers(port: int) -> None:
    async def requests() -> AsyncIterator[tips_pb2.LoadTipsRequest]:
        yield load(1, 2)
        yield load(3)

    async with talking(port, {"TipsService/LoadTips": loaded}) as (client, tips):
        drawn = [r.row async for a in client.duplex(tips.LoadTips, requests()) for r in a.results]
        listed = [r.row async for a in client.duplex(tips.LoadTips, [load(1, 2), load(3)]) for r in a.results]

    assert drawn == listed == [1, 2, 3]


async def test_a_refused_load_is_a_typed_error(port: int) -> None:
    async with talking(port, {"TipsService/LoadTips": loaded}) as (client, tips):
        with pytest.raises(InvalidArgument, match="no rows"):
            [answer async for answer in client.duplex(tips.LoadTips, [load(1), load()])]


async def test_what_breaks_the_source_of_a_load_comes_out(port: int) -> None:
    async def requests() -> AsyncIterator[tips_pb2.LoadTipsRequest]:
        yield load(1)
        raise OSError("the file is gone")

    async with talking(port, {"TipsService/LoadTips": loaded}) as (client, tips):
        with pytest.raises(OSError, match="the file is gone"):
            async with asyncio.timeout(10):
                [answer async for answer in client.duplex(tips.LoadTips, requests())]
