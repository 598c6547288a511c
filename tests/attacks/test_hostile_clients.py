"""Hostile clients do not get much: memory and the answers to others stay bounded, and nothing leaks into refusals."""

from __future__ import annotations

import asyncio
import uuid
import zlib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import hpack
import pytest
import pytest_asyncio
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.rpc.deadlines import Limits
from tests.attacks.besieged import MARKER, Besieged, besieged
from tests.attacks.http2 import CONTINUATION, DATA, HEADERS, PING, RST_STREAM, SETTINGS, frame, message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# One node for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

SERVICE = "renkei.tips.v1.TipsService"
CREATE, GET, LIST = f"{SERVICE}/CreateTip", f"{SERVICE}/GetTip", f"{SERVICE}/ListTips"
WATCH, LOAD = f"{SERVICE}/WatchTips", f"{SERVICE}/LoadTips"
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAUTHENTICATED = 3, 8, 16


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Besieged]:
    path = await asyncio.to_thread(tmp_path_factory.mktemp, "besieged")
    async with besieged(path) as found:
        yield found


def a_request(text: str = "演習データ") -> tips_pb2.CreateTipRequest:
    request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent="agencies/jp-12")
    request.tip.text = f"{text} {MARKER}"
    request.tip.source = tips_pb2.Tip.SOURCE_OTHER
    request.tip.grading.reliability = tips_pb2.Grading.RELIABILITY_B
    request.tip.grading.accuracy = tips_pb2.Grading.ACCURACY_2
    request.tip.handling.purpose_code = "organised-robbery"
    return request


def within(field: int, content: bytes) -> bytes:
    """Write a message inside another."""
    length, size = len(content), bytearray()
    while length >> 7:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    size.append(length)
    return bytes([field << 3 | 2]) + bytes(size) + content


async def test_a_request_of_nothing_but_empty_messages_costs_little(node: Besieged) -> None:
    async with node.measured(megabytes=64), node.connection() as raw:
        for size, status, reason in (
            (4 << 20, RESOURCE_EXHAUSTED, None),
            (1000 << 10, INVALID_ARGUMENT, "REQUEST_TOO_LARGE"),
            (250 << 10, INVALID_ARGUMENT, "FIELD_INVALID"),
        ):
            for _ in range(4):
                answer = await raw.call(CREATE, within(3, b"\x5a\x00" * (size // 2)))

                assert answer.status == status
                assert reason is None or answer.reason == reason


async def test_a_load_of_nothing_but_empty_rows_costs_little(node: Besieged) -> None:
    async with node.measured(megabytes=64), node.connection() as raw:
        stream = await raw.open(LOAD)
        for _ in range(20):
            await raw.send(stream, message(b"\x1a\x00" * (120 << 10)))
        answer = await raw.answer(stream)

        assert (answer.status, answer.reason) == (INVALID_ARGUMENT, "FIELD_INVALID")


async def test_what_is_small_only_while_compressed_is_refused(node: Besieged) -> None:
    def bomb() -> bytes:
        return zlib.compress(bytes(64 << 20), 9, wbits=31)

    small = await asyncio.to_thread(bomb)
    async with node.measured(megabytes=64), node.connection() as raw:
        for _ in range(10):
            answer = await raw.call(CREATE, small, ("grpc-encoding", "gzip"), compressed=True)

            assert answer.status == RESOURCE_EXHAUSTED


async def test_headers_of_a_megabyte_are_refused_before_their_request(node: Besieged) -> None:
    large = [(f"x-{number}", MARKER + "y" * 1000) for number in range(300)]
    async with node.measured(megabytes=96), node.connection(token="") as raw:
        streams = await raw.burst(LIST, large, 60)
        answers = [await raw.answer(stream) for stream in streams]

        # gRPC refuses some of them by itself, as chance will have it.
        told = {(answer.status, answer.reason) for answer in answers}
        assert told <= {(INVALID_ARGUMENT, "REQUEST_TOO_LARGE"), (RESOURCE_EXHAUSTED, "")}


async def test_headers_that_grow_when_they_are_unpacked_end_their_connection(node: Besieged) -> None:
    async with node.measured(megabytes=64), node.connection() as raw:
        encoder = hpack.Encoder()
        first = encoder.encode([*raw.call_headers(LIST), ("x-bomb", "a" * 3900)])
        reference = encoder.encode([("x-bomb", "a" * 3900)])
        assert len(reference) == 1
        block = encoder.encode(raw.call_headers(LIST)) + reference * 16_000  # 62 MB in 16 KB
        await raw.raw([frame(HEADERS, 5, 1, first), *(frame(HEADERS, 5, 3 + 2 * n, block) for n in range(20))])

        await raw.gone.wait()


async def test_headers_without_end_end_their_connection(node: Besieged) -> None:
    async with node.measured(megabytes=64), node.connection() as raw:
        begin = hpack.Encoder().encode(raw.call_headers(LIST))
        more = b"".join(b"\x00\x05x-%03d\x64" % (number % 1000) + b"z" * 100 for number in range(140))
        flood = [frame(CONTINUATION, 0, 1, more)] * 1500
        await raw.raw([frame(HEADERS, 0, 1, begin), *flood])

        await raw.gone.wait()


async def test_calls_taken_back_at_once_cost_little(node: Besieged) -> None:
    body = message(tips_pb2.ListTipsRequest(parent="agencies/-").SerializeToString())
    async with node.measured(megabytes=64), node.connection() as raw:
        block = raw.block(LIST)
        for first in range(1, 10_000, 100):
            if raw.gone.is_set():
                break
            frames = []
            for stream in range(first, first + 100, 2):
                frames.append(frame(HEADERS, 4, stream, block))
                frames.append(frame(DATA, 1, stream, body) if first < 1000 else b"")
                frames.append(frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08"))
            await raw.raw([b"".join(frames)])


async def test_requests_that_never_end_do_not_keep_others_from_theirs(node: Besieged) -> None:
    """More than gRPC is trusted with: the later ones are timed, and the strangers among them refused."""
    beginning = b"\x00\x00\x0f\xff\xff" + MARKER.encode()
    async with node.measured(megabytes=64), AsyncExitStack() as stack:
        known = [await stack.enter_async_context(node.connection()) for _ in range(4)]
        strangers = await stack.enter_async_context(node.connection(token=""))
        for raw in (*known, strangers):
            await raw.burst(CREATE, [], 100, then=beginning)

        for answer in strangers.answers.values():
            await answer.ended.wait()
            assert (answer.status, answer.reason) == (UNAUTHENTICATED, "TOKEN_MISSING")
        async with node.connection() as other:
            made = await other.call(CREATE, a_request().SerializeToString())
        assert made.status == 0
        assert not any(answer.ended.is_set() for raw in known for answer in raw.answers.values())


async def test_connections_that_never_say_what_they_want_cost_little(node: Besieged) -> None:
    host, _, port = node.address.rpartition(":")
    async with node.measured(megabytes=64):
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(300)]
        for _, writer in opened:
            writer.write(b"PRI * HTTP/2.0\r\n")
            await writer.drain()
        await node.calls(50)
        for _, writer in opened:
            writer.close()


async def test_a_thousand_idle_connections_cost_little(node: Besieged) -> None:
    async with node.measured(megabytes=64), AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(node.connection()) for _ in range(1000)]
        await node.calls(50)

        assert not any(raw.gone.is_set() for raw in connections)


async def test_watchers_who_never_read_fill_no_memory(node: Besieged) -> None:
    client = await node.member.client("tips")
    tips = client.stub(TipsServiceStub)
    for _ in range(60):
        await client.call(tips.CreateTip, a_request("演習" * 9000))
    from_start = message(tips_pb2.WatchTipsRequest(from_start=True).SerializeToString())
    async with node.measured(megabytes=192), AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(node.connection()) for _ in range(3)]
        streams = []
        for raw in silent:
            for _ in range(100):
                stream = await raw.open(WATCH)
                await raw.send(stream, from_start, end=True)
                streams.append(raw.answers[stream])
        refused = 0
        while refused < len(streams) - Limits().streams_of_one:
            await node.calls(1)
            refused = sum(answer.ended.is_set() for answer in streams)
        for raw in silent:
            raw.stop_reading()
        for _ in range(20):
            await client.call(tips.CreateTip, a_request("演習" * 9000))

    ended = {(answer.status, answer.reason) for answer in streams if answer.ended.is_set() and answer.status}
    assert ended == {(RESOURCE_EXHAUSTED, "OVERLOADED")}


async def test_callers_who_go_away_harm_nobody_in_their_batch(node: Besieged) -> None:
    client = await node.member.client("tips")
    tips = client.stub(TipsServiceStub)
    leaving = [a_request() for _ in range(400)]
    async with node.measured(megabytes=64), node.connection() as raw:

        async def leave() -> None:
            for request in leaving:
                stream = await raw.open(CREATE)
                await raw.send(stream, message(request.SerializeToString()), end=True)
                if raw.answers[stream].ended.is_set():
                    continue
                raw.h2.reset_stream(stream, 8)
                await raw.flush()

        going = asyncio.create_task(leave())
        made = [await client.call(tips.CreateTip, a_request()) for _ in range(60)]
        await going

    for tip in made:
        assert await client.call(tips.GetTip, tips_pb2.GetTipRequest(name=tip.name)) == tip


@pytest.mark.parametrize("deadline", ["99999999H", "99999999999999H", "0n", "-1S", "x", ""])
async def test_an_absurd_deadline_stops_nobody(node: Besieged, deadline: str) -> None:
    request = tips_pb2.ListTipsRequest(parent="agencies/jp-12", page_size=1).SerializeToString()
    async with node.connection() as raw, asyncio.timeout(30):
        answer = await raw.call(LIST, request, ("grpc-timeout", deadline))

    assert answer.status is not None or raw.gone.is_set() or answer.reset is not None
    await node.calls(1)


@pytest.mark.parametrize(
    ("kind", "flags", "body"),
    [(PING, 0, b"12345678"), (SETTINGS, 0, b""), (DATA, 0, b"")],
    ids=["ping", "settings", "empty data"],
)
async def test_a_flood_of_frames_that_cost_their_sender_nothing_stops_nobody(
    node: Besieged, kind: int, flags: int, body: bytes
) -> None:
    async with node.measured(megabytes=64), node.connection() as raw:
        stream = await raw.open(LOAD)
        flood = [frame(kind, flags, stream if kind == DATA else 0, body) * 1000] * 100
        try:
            async with asyncio.timeout(2):
                await raw.raw(flood)
        except TimeoutError:
            pass  # the server reads no more of it for a while


async def test_nothing_of_the_attackers_is_in_any_refusal(node: Besieged) -> None:
    """Of all the ways to be refused, those whose text could quote the request."""
    bad = a_request()
    bad.tip.display_name = f"{MARKER}\n"
    async with node.connection() as raw:
        for path, body in (
            (GET, tips_pb2.GetTipRequest(name=f"tips/{MARKER}").SerializeToString()),
            (GET, tips_pb2.GetTipRequest(name=f"agencies/jp-12/tips/{MARKER}").SerializeToString()),
            (LIST, tips_pb2.ListTipsRequest(parent=MARKER[:32], page_token=MARKER).SerializeToString()),
            (LIST, tips_pb2.ListTipsRequest(parent="agencies/-", page_token=MARKER).SerializeToString()),
            (CREATE, bad.SerializeToString()),
            (CREATE, MARKER.encode()),
            (CREATE, bad.SerializeToString() + b"\xfa\x07" + bytes([len(MARKER)]) + MARKER.encode()),
            (f"{SERVICE}/{MARKER}", b""),
        ):
            answer = await raw.call(path, body)
            assert answer.status not in {0, None}
            assert MARKER not in answer.everything()
        for token in (MARKER, f"{MARKER}.{MARKER}.{MARKER}"):
            async with node.connection(token=token) as stranger:
                assert (await stranger.call(LIST, b"")).status == UNAUTHENTICATED

    node.assert_nothing_leaked()
