"""A client waits, tries again, resumes and explains itself, against a real server."""

# ruff: noqa: ANN401 (one script serves every method)

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.event.v1 import log_pb2, log_pb2_grpc
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
from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.calling import RESUME_SEQUENCE, Patience
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.sync_client import SyncClient
from tests.chassis.scripted import Context, Many, Once, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NAME = "agencies/jp-12/tips/0191a2b3-0000-7000-8000-000000000001"
GET = tips_pb2.GetTipRequest(name=NAME)
QUICK = Patience(first_pause_seconds=0.01, longest_pause_seconds=0.05)
ENDS = [Unavailable("SHUTTING_DOWN", "bye"), Cancelled("CUT", "cut"), DeadlineExceeded("DEADLINE", "late"), None]


@pytest.fixture
def port() -> Iterator[int]:
    with PortClaims() as ports:
        yield ports.claim()


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


# One answer.


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


# Pages.


def paged(pages: list[list[str]]) -> Once:
    """A List that gives these names; a page's token is its number."""

    async def answer(request: Any, context: Context) -> tips_pb2.ListTipsResponse:
        number = int(request.page_token or 0)
        made = tips_pb2.ListTipsResponse(tips=[tips_pb2.Tip(name=name) for name in pages[number]])
        made.next_page_token = str(number + 1) if number + 1 < len(pages) else ""
        assert request.parent == "agencies/jp-12"
        return made

    return answer


LIST = tips_pb2.ListTipsRequest(parent="agencies/jp-12")
PAGES = [["a", "b"], [], ["c"]]


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


# Watches.


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


# Both ways.


async def loaded(requests: Any, context: Context) -> AsyncIterator[tips_pb2.LoadTipsResponse]:
    async for request in requests:
        if not request.rows:
            raise InvalidArgument("FIELD_INVALID", "no rows")
        yield tips_pb2.LoadTipsResponse(results=[tips_pb2.TipRowResult(row=row.row) for row in request.rows])


def load(*rows: int) -> tips_pb2.LoadTipsRequest:
    return tips_pb2.LoadTipsRequest(rows=[tips_pb2.TipRow(row=row) for row in rows])


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


# The twin for programs without event loop, run in a thread beside the server's loop.


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
