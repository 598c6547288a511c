"""Who is let in: each refusal has a reason, and nothing of a request is looked at before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, ReadLaneRequest, ReadLaneResponse
from renkei.personas.v1.personas_pb2 import GetPersonaRequest
from renkei.tips.v1.tips_pb2 import WatchTipsRequest

from renkei_chassis.errors import NotAllowed, Unauthenticated
from renkei_chassis.rpc.methods import Call, ReadMethod
from tests.chassis.identity.tokens import PEER, SECOND, Agency
from tests.chassis.keeper import asking
from tests.chassis.rpc.served import GET, READ_LANE, SUBMIT, WATCH, served

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_chassis.rpc.methods import Method
    from tests.chassis.keeper import Keeper

READ = GetPersonaRequest(name="agencies/jp-12/personas/1")
LANE = ReadLaneRequest(lane=LANE_DATA)


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "TOKEN_MISSING"),
        ("", "TOKEN_MISSING"),
        ("Bearer ", "TOKEN_MALFORMED"),
        ("Basic c2F0bw==", "TOKEN_MALFORMED"),
        ("Bearer abc", "TOKEN_MALFORMED"),
        ("Bearer " + "x" * 5000, "TOKEN_MALFORMED"),
    ],
    ids=["none", "empty", "nothing borne", "another scheme", "no token", "too long"],
)
@pytest.mark.parametrize("path", [GET, SUBMIT])
async def test_a_call_without_a_good_token_is_refused(
    keeper: Keeper, port: int, authorization: str | None, reason: str, path: str
) -> None:
    async with served(keeper, port) as server:
        metadata = () if authorization is None else (("authorization", authorization),)
        refusal = await server.refusal(path, READ, metadata=metadata)

    assert isinstance(refusal, Unauthenticated)
    assert refusal.reason == reason


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (lambda agency: agency.officer(exp=SECOND - 10, iat=SECOND - 300, nbf=SECOND - 300), "TOKEN_EXPIRED"),
        (lambda agency: agency.officer(iat=SECOND + 60, nbf=SECOND + 60), "TOKEN_NOT_YET_VALID"),
        (lambda agency: agency.officer(aud="agencies/jp-13"), "TOKEN_WRONG_AUDIENCE"),
        (lambda _: Agency().officer(), "TOKEN_BAD_SIGNATURE"),
        (lambda agency: agency.officer({"kid": "agencies/jp-99"}), "TOKEN_UNTRUSTED_ISSUER"),
        (lambda agency: agency.officer(roles=["SERVICE"]), "TOKEN_ROLE_NOT_ALLOWED"),
    ],
    ids=["expired", "early", "audience", "signature", "issuer", "role"],
)
async def test_a_token_that_is_not_believed_is_refused_with_its_reason(
    keeper: Keeper, port: int, token: Callable[[Agency], str], reason: str
) -> None:
    async with served(keeper, port) as server:
        refusal = await server.refusal(GET, READ, metadata=server.bearing(token(server.agency)))

    assert isinstance(refusal, Unauthenticated)
    assert refusal.reason == reason


async def test_a_role_that_does_not_hold_the_permission_is_refused(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        refusal = await server.refusal(
            SUBMIT, asking("a"), metadata=server.bearing(server.agency.officer(roles=["AUDITOR"]))
        )

    assert isinstance(refusal, NotAllowed)
    assert (refusal.reason, refusal.metadata) == ("ROLE_MISSING", {"permission": "personas.submit"})
    assert await keeper.units() == []


@pytest.mark.parametrize("path", [GET, SUBMIT, "/renkei.event.v1.LogService/ReadLog"])
async def test_a_peer_is_let_in_to_its_lane_and_nowhere_else(keeper: Keeper, port: int, path: str) -> None:
    callers: list[Call] = []

    async def read_lane(request: ReadLaneRequest, call: Call) -> ReadLaneResponse:
        callers.append(call)
        return ReadLaneResponse()

    methods: dict[str, Method] = {READ_LANE: ReadMethod(answer=read_lane)}
    async with served(keeper, port, methods) as server:
        peer = server.bearing(server.agency.of_peer())
        await server.call(READ_LANE, LANE, metadata=peer)
        refusal = await server.refusal(path, b"", metadata=peer)

    assert refusal.reason == "ROLE_MISSING"
    assert [(call.caller.subject, call.caller.agency) for call in callers] == [(PEER, "agencies/jp-09")]


async def test_nobody_but_a_peer_may_read_a_lane(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        for token in (server.agency.officer(roles=["OPERATOR", "OFFICER"]), server.agency.of_service()):
            assert (await server.refusal(READ_LANE, LANE, metadata=server.bearing(token))).reason == "ROLE_MISSING"


async def test_streams_are_guarded_too(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        answers, refusal = await server.ending(WATCH, WatchTipsRequest(), metadata=())

    assert answers == []
    assert isinstance(refusal, Unauthenticated)
    assert refusal.reason == "TOKEN_MISSING"


async def test_an_unauthenticated_request_is_not_even_parsed(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        refusal = await server.refusal(GET, b"\xff\xff", metadata=())

    assert refusal.reason == "TOKEN_MISSING"


async def test_a_trace_of_our_own_is_followed_and_a_peers_is_not(keeper: Keeper, port: int) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    seen: list[str] = []

    async def answer(request: object, call: Call) -> ReadLaneResponse:
        seen.append(call.trace_parent)
        return ReadLaneResponse()

    methods: dict[str, Method] = {GET: ReadMethod(answer=answer), READ_LANE: ReadMethod(answer=answer)}
    async with served(keeper, port, methods) as server:
        for text in (trace, "no trace", f"{trace}-and-words"):
            await server.call(GET, READ, metadata=server.bearing(None, ("traceparent", text)))
        await server.call(READ_LANE, LANE, metadata=server.bearing(server.agency.of_peer(), ("traceparent", trace)))
        await server.call(SUBMIT, asking("a"), metadata=server.bearing(None, ("traceparent", trace)))

    assert seen == [trace, "", "", ""]
    assert [event.trace_parent for event in await keeper.events()] == [trace]
