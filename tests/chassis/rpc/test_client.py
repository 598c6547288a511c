"""A client waits, tries again and explains itself, against a real server."""

# ruff: noqa: ANN401 (one script serves every method)

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.tips.v1 import tips_pb2, tips_pb2_grpc

from renkei_chassis.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    FieldViolation,
    Internal,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    OutOfRange,
    RenkeiError,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from renkei_chassis.loopback import NotLoopbackError
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.sync_client import SyncClient
from tests.chassis.rpc.scripted import Context, serving
from tests.chassis.rpc.unreliable import GET, LIST, NAME, PAGES, QUICK, Flaky, paged, talking


async def test_an_answer_comes_back(port: int) -> None:
    async with talking(port, {"TipsService/GetTip": Flaky()}) as (client, tips):
        tip = await client.call(tips.GetTip, GET)

    assert tip.name == NAME


@pytest.mark.parametrize(("asked", "given"), [(None, 10), (3.0, 3), (3600.0, 60)])
async def test_every_call_has_a_deadline(port: int, asked: float | None, given: float) -> None:
    server = Flaky()
    async with talking(port, {"TipsService/GetTip": server}) as (client, tips):
        await client.call(tips.GetTip, GET, seconds=asked)

    assert given - 2 < server.remaining[0] <= given + 1  # gRPC rounds up


async def test_an_unavailable_server_is_tried_again(port: int) -> None:
    server = Flaky(Unavailable("STORAGE_UNAVAILABLE", "disk full"), failures=3)
    async with talking(port, {"TipsService/GetTip": server}) as (client, tips):
        tip = await client.call(tips.GetTip, GET)

    assert tip.name == NAME
    assert len(server.seen) == 4


async def test_second_tries_end_with_the_deadline(port: int) -> None:
    server = Flaky(Unavailable("STORAGE_UNAVAILABLE", "disk full"), failures=10**6)
    async with talking(port, {"TipsService/GetTip": server}) as (client, tips):
        started = asyncio.get_running_loop().time()
        with pytest.raises((Unavailable, DeadlineExceeded)):
            await client.call(tips.GetTip, GET, seconds=0.5)

        assert asyncio.get_running_loop().time() - started < 5
    assert len(server.seen) > 2


@pytest.mark.parametrize(
    "kind",
    [
        InvalidArgument,
        OutOfRange,
        Unauthenticated,
        NotAllowed,
        NotFoundOrDenied,
        AlreadyExists,
        FailedPrecondition,
        Aborted,
        ResourceExhausted,
        DeadlineExceeded,
        Cancelled,
        Unimplemented,
        Internal,
    ],
)
async def test_every_other_error_comes_back_as_it_was_raised_and_is_not_tried_again(
    port: int, kind: type[RenkeiError]
) -> None:
    violations = [FieldViolation(field="tip.text", description="must not be empty")]
    server = Flaky(kind("SOME_REASON", "in words", metadata={"a": "b"}, violations=violations), failures=9)
    async with talking(port, {"TipsService/GetTip": server}) as (client, tips):
        with pytest.raises(RenkeiError) as caught:
            await client.call(tips.GetTip, GET)

    assert type(caught.value) is kind
    assert caught.value.reason == "SOME_REASON"
    assert caught.value.metadata == {"a": "b"}
    assert list(caught.value.violations) == violations
    assert len(server.seen) == 1


async def test_a_server_that_comes_up_later_is_reached(port: int) -> None:
    async with Client(f"127.0.0.1:{port}", patience=QUICK) as client:
        tips = client.stub(tips_pb2_grpc.TipsServiceStub)
        call = asyncio.ensure_future(client.call(tips.GetTip, GET, seconds=30))
        with pytest.raises(Unavailable):
            await client.call(tips.GetTip, GET, seconds=0.05)
        async with serving(port, {"TipsService/GetTip": Flaky()}):
            assert (await call).name == NAME


async def test_a_slow_server_runs_into_the_deadline(port: int) -> None:
    async def slow(request: Any, context: Context) -> tips_pb2.Tip:
        await asyncio.Event().wait()
        raise AssertionError

    async with talking(port, {"TipsService/GetTip": slow}) as (client, tips):
        with pytest.raises(DeadlineExceeded):
            await client.call(tips.GetTip, GET, seconds=0.1)


async def test_a_caller_who_gives_up_cancels_the_call(port: int) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def slow(request: Any, context: Context) -> tips_pb2.Tip:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with talking(port, {"TipsService/GetTip": slow}) as (client, tips):
        call = asyncio.ensure_future(client.call(tips.GetTip, GET))
        await began.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(10):
            await ended.wait()


async def test_an_answer_too_large_is_an_error_and_no_flood(port: int) -> None:
    async def large(request: Any, context: Context) -> tips_pb2.Tip:
        return tips_pb2.Tip(text="x" * (5 * 1024 * 1024))

    async with talking(port, {"TipsService/GetTip": large}) as (client, tips):
        with pytest.raises(ResourceExhausted):
            await client.call(tips.GetTip, GET)


async def test_a_token_is_asked_for_anew_at_each_try(port: int) -> None:
    tokens = iter(["one", "two", "three"])
    server = Flaky(Unavailable("SHUTTING_DOWN", "bye"), failures=2)
    async with talking(port, {"TipsService/GetTip": server}, token=lambda: next(tokens)) as (client, tips):
        await client.call(tips.GetTip, GET)

    assert [seen["authorization"] for seen in server.seen] == ["Bearer one", "Bearer two", "Bearer three"]


async def test_without_a_token_and_a_trace_no_header_is_sent(port: int) -> None:
    server = Flaky()
    async with talking(port, {"TipsService/GetTip": server}, token=lambda: None, trace_parent=str) as (client, tips):
        await client.call(tips.GetTip, GET)

    assert not {"authorization", "traceparent"} & set(server.seen[0])


async def test_a_trace_goes_with_the_call(port: int) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    server = Flaky()
    async with talking(port, {"TipsService/GetTip": server}, trace_parent=lambda: trace) as (client, tips):
        await client.call(tips.GetTip, GET)

    assert server.seen[0]["traceparent"] == trace


async def test_a_proxy_of_the_environment_is_ignored(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with talking(port, {"TipsService/GetTip": Flaky()}) as (client, tips):
        assert (await client.call(tips.GetTip, GET, seconds=5)).name == NAME


@pytest.mark.parametrize(
    "address",
    ["192.0.2.1:20001", "example.com:443", "0.0.0.0:1", "[2001:db8::1]:1", "127.0.0.1", "unix:/tmp/x", "", ":1", "a:b"],
)
async def test_an_address_beyond_this_machine_is_refused(address: str) -> None:
    with pytest.raises(NotLoopbackError):
        Client(address)
    with pytest.raises(NotLoopbackError):
        SyncClient(address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.8.8.8:1", "localhost:1", "[::1]:1"])
async def test_an_address_of_this_machine_is_taken(address: str) -> None:
    await Client(address).close()


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_are_bounded_and_left_to_chance(attempt: int, chance: float) -> None:
    patience = Patience(first_pause_seconds=0.1, longest_pause_seconds=2)

    pause = patience.pause(attempt, lambda: chance)

    assert 0 <= pause <= min(2.0, 0.1 * 2 ** min(attempt, 10))
    assert pause == pytest.approx(chance * min(2.0, 0.1 * 2 ** min(attempt, 10)))


async def test_a_listing_gives_the_items_of_all_pages(port: int) -> None:
    async with talking(port, {"TipsService/ListTips": paged(PAGES)}) as (client, tips):
        names = [tip.name async for tip in client.items(tips.ListTips, LIST, "tips")]
        pages = [len(page.tips) async for page in client.pages(tips.ListTips, LIST)]

    assert names == ["a", "b", "c"]
    assert pages == [2, 0, 1]
    assert LIST.page_token == ""


async def test_a_listing_that_would_never_end_is_an_error(port: int) -> None:
    async def circling(request: Any, context: Context) -> tips_pb2.ListTipsResponse:
        return tips_pb2.ListTipsResponse(next_page_token="again")

    async with talking(port, {"TipsService/ListTips": circling}) as (client, tips):
        with pytest.raises(Internal, match="PAGE_TOKEN_REPEATED"):
            [page async for page in client.pages(tips.ListTips, LIST)]
