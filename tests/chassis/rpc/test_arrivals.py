"""What a call may cost before its request is here, and after its answers are not read any more."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1.personas_pb2 import GetPersonaRequest, Persona
from renkei.tips.v1.tips_pb2 import WatchTipsRequest, WatchTipsResponse

from renkei_chassis.rpc.arrivals import MAX_HEADER_BYTES, header_bytes
from renkei_chassis.rpc.deadlines import Limits
from renkei_chassis.rpc.methods import Call, ReadMethod, StreamMethod
from tests.attacks.http2 import Raw
from tests.chassis.keeper import asking
from tests.chassis.rpc.served import GET, SUBMIT, WATCH, Served, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_chassis.rpc.methods import Method
    from tests.chassis.keeper import Keeper

INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAUTHENTICATED = 3, 4, 8, 16
BEGINNING = b"\x00\x00\x00\xff\xff"
QUICK = Limits(arrival=0.3, streams_of_one=3, streams=4)


async def answer(request: object, call: Call) -> Persona:
    return Persona(name="agencies/jp-12/personas/1")


async def silent(request: object, call: Call) -> AsyncIterator[WatchTipsResponse]:
    yield WatchTipsResponse(resume_token="x")
    await asyncio.Event().wait()


METHODS: dict[str, Method] = {GET: ReadMethod(answer=answer), WATCH: StreamMethod(answers=silent)}


def raw(server: Served, port: int, *, token: str | None = None, window: int | None = None) -> Raw:
    given = server.agency.officer(roles=["OFFICER"]) if token is None else token
    return Raw(f"127.0.0.1:{port}", given, window=window)


@asynccontextmanager
async def crowd(server: Served, port: int) -> AsyncIterator[None]:
    """Begin more calls than gRPC is trusted with, and never send their requests."""
    async with raw(server, port) as one, raw(server, port) as two, raw(server, port) as three:
        for client in (one, two, three):
            await client.burst(GET[1:], [], 95)
        yield


async def test_beyond_some_hundreds_a_request_that_does_not_come_is_given_up(keeper: Keeper, port: int) -> None:
    async with (
        served(keeper, port, METHODS, limits=QUICK) as server,
        crowd(server, port),
        raw(server, port) as client,
    ):
        found = [await client.open(path[1:]) for path in (GET, WATCH, SUBMIT)]
        await client.send(found[0], BEGINNING)
        ended = [await client.answer(stream) for stream in found]

    assert [(each.status, each.reason) for each in ended] == [(DEADLINE_EXCEEDED, "DEADLINE")] * 3


async def test_then_a_request_that_comes_is_answered_as_ever(keeper: Keeper, port: int) -> None:
    async with served(keeper, port, METHODS) as server, crowd(server, port):
        read = await server.call(GET, GetPersonaRequest(name="agencies/jp-12/personas/1"))
        refused = await server.refusal(GET, b"\xff\xff")
        written = await server.call(SUBMIT, asking("a"))
        watched = await anext(server.stream(WATCH, WatchTipsRequest()))

    assert Persona.FromString(read).name
    assert refused.reason == "MALFORMED_REQUEST"
    assert Persona.FromString(written).name
    assert WatchTipsResponse.FromString(watched).resume_token == "x"
    assert len(await keeper.units()) == 1


async def test_then_a_stranger_is_refused_before_the_request(keeper: Keeper, port: int) -> None:
    async with (
        served(keeper, port, METHODS) as server,
        crowd(server, port),
        raw(server, port, token="") as stranger,
    ):
        ended = await stranger.answer(await stranger.open(GET[1:]))

    assert (ended.status, ended.reason) == (UNAUTHENTICATED, "TOKEN_MISSING")


async def test_calls_that_went_away_are_not_counted_for_ever(keeper: Keeper, port: int) -> None:
    async with served(keeper, port, METHODS) as server:
        arrivals = server.server._pipeline.arrivals
        async with crowd(server, port):
            await server.call(GET, GetPersonaRequest(name="agencies/jp-12/personas/1"))
            assert arrivals.many()
        async with asyncio.timeout(10):
            while arrivals.many():  # noqa: ASYNC110 (the sweep sets no event)
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("path", [GET, WATCH, "/grpc.health.v1.Health/Check"])
async def test_headers_too_large_are_refused_before_the_request(keeper: Keeper, port: int, path: str) -> None:
    more = [(f"x-{number}", "y" * 500) for number in range(MAX_HEADER_BYTES // 500)]
    async with served(keeper, port, METHODS) as server, raw(server, port) as client:
        ended = await client.answer(await client.open(path[1:], *more))

    assert (ended.status, ended.reason) in {(INVALID_ARGUMENT, "REQUEST_TOO_LARGE"), (RESOURCE_EXHAUSTED, "")}


def test_headers_are_counted_as_http2_counts_them() -> None:
    assert header_bytes((("ab", "cde"), ("x-bin", b"12"))) == 2 + 3 + 32 + 5 + 2 + 32


async def test_one_caller_and_all_together_have_so_many_streams(keeper: Keeper, port: int) -> None:
    async with served(keeper, port, METHODS, limits=QUICK) as server:
        own = [server.stream(WATCH, WatchTipsRequest()) for _ in range(3)]
        for stream in own:
            await anext(stream)
        _, one_more = await server.ending(WATCH, WatchTipsRequest())
        tanaka = server.bearing(server.agency.officer(sub="agencies/jp-12/officers/tanaka", roles=["OFFICER"]))
        other = server.stream(WATCH, WatchTipsRequest(), metadata=tanaka)
        await anext(other)
        _, too_many = await server.ending(WATCH, WatchTipsRequest(), metadata=tanaka)
        for stream in (*own, other):
            await stream.aclose()  # type: ignore[attr-defined]  # a generator

    assert one_more is not None
    assert too_many is not None
    assert (one_more.reason, too_many.reason) == ("OVERLOADED", "OVERLOADED")


async def test_calls_whose_requests_came_are_not_counted(keeper: Keeper, port: int) -> None:
    """Otherwise every call would take the slower way after the first few hundred."""
    async with served(keeper, port, METHODS) as server:
        for number in range(20):
            await server.call(GET, GetPersonaRequest(name="agencies/jp-12/personas/1"))
            await server.call(SUBMIT, asking(str(number)))
            await server.refusal(GET, b"\xff\xff")
            watching = server.stream(WATCH, WatchTipsRequest())
            await anext(watching)
            await watching.aclose()  # type: ignore[attr-defined]  # a generator

        assert server.server._pipeline.arrivals._waiting == set()
