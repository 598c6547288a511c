"""A server's start and end: what it refuses to serve, where it binds, and how it drains."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from renkei.personas.v1.personas_pb2 import GetPersonaRequest, Persona
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from renkei.tips.v1.tips_pb2 import WatchTipsRequest, WatchTipsResponse

from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.loopback import NotLoopbackError
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, ReadMethod, StreamMethod
from renkei_chassis.rpc.pipeline import Pipeline
from renkei_chassis.rpc.routes import make_route
from renkei_chassis.rpc.server import Server
from renkei_chassis.telemetry.metrics import Metrics
from tests.chassis.identity.tokens import Agency
from tests.chassis.keeper import AGENCY, KEEP, Keeper, asking
from tests.chassis.rpc.served import GET, LOG, PERSONAS, SUBMIT, TIPS, WATCH, answers, served
from tests.running import HASTY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_chassis.rpc.methods import Method

READ = GetPersonaRequest(name=f"{AGENCY}/personas/1")


def make_server(keeper: Keeper, api: Api) -> Server:
    pipeline = Pipeline(verifier=Agency().verifier(), writer=keeper.writer, metrics=Metrics("keeper"), service="keeper")
    return Server(api=api, pipeline=pipeline)


async def answer(request: object, call: Call) -> Persona:
    return Persona()


async def many(request: object, call: Call) -> AsyncIterator[Persona]:
    yield Persona()


READING = ReadMethod(answer=answer)
FULL: Final = answers(PERSONAS, {})


@pytest.mark.parametrize("missing", ["SubmitPersona", "GetPersona"])
async def test_a_service_with_an_unanswered_method_does_not_start(keeper: Keeper, missing: str) -> None:
    api = {PERSONAS: {name: method for name, method in FULL.items() if name != missing}}

    with pytest.raises(ValueError, match=f"unanswered or unknown methods.*{missing}"):
        make_server(keeper, api)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Destroy": READING}, "unanswered or unknown methods.*Destroy"),
        ({"GetPersona": StreamMethod(answers=many)}, "GetPersona does not stream as a StreamMethod"),
        ({"GetPersona": DuplexMethod(answers=many)}, "GetPersona does not stream as a DuplexMethod"),
        ({"GetPersona": KEEP}, "GetPersona writes and has no request_id"),
    ],
    ids=["unknown", "stream", "duplex", "write without id"],
)
async def test_an_answer_that_does_not_fit_its_method_does_not_start(
    keeper: Keeper, change: dict[str, Method], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make_server(keeper, {PERSONAS: {**FULL, **change}})


def test_a_method_without_a_permission_in_the_contract_does_not_start() -> None:
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="bare.proto", package="bare.v1", syntax="proto3")
    file.message_type.add(name="Empty")
    file.service.add(name="Bare").method.add(name="Do", input_type=".bare.v1.Empty", output_type=".bare.v1.Empty")
    pool.Add(file)
    method = pool.FindServiceByName("bare.v1.Bare").methods[0]
    request_type = message_factory.GetMessageClass(method.input_type)

    with pytest.raises(ValueError, match=r"/bare\.v1\.Bare/Do has no permission"):
        make_route(method, request_type, READING)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "[::]", ""])  # noqa: S104
async def test_a_server_binds_loopback_only(keeper: Keeper, port: int, host: str) -> None:
    with pytest.raises(NotLoopbackError):
        await make_server(keeper, {PERSONAS: FULL}).start(host, port)


async def test_a_port_that_is_taken_is_named(keeper: Keeper, port: int) -> None:
    """By a server of ours as well: half of the calls would go to each of the two."""
    async with served(keeper, port):
        with pytest.raises(OSError, match=f"cannot serve on 127.0.0.1:{port}: the port is taken"):
            await make_server(keeper, {PERSONAS: FULL}).start("127.0.0.1", port)


async def test_a_server_that_never_started_stops(keeper: Keeper) -> None:
    async with asyncio.timeout(5):
        await make_server(keeper, {PERSONAS: FULL}).stop()


async def test_health_says_which_services_are_served(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        for name in ("", PERSONAS, TIPS, LOG):
            request = health_pb2.HealthCheckRequest(service=name)
            answered = await server.call("/grpc.health.v1.Health/Check", request, metadata=())
            checked = health_pb2.HealthCheckResponse.FromString(answered)
            assert checked.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("wanted", [True, False])
async def test_the_contract_is_shown_only_where_that_is_wanted(keeper: Keeper, port: int, *, wanted: bool) -> None:
    async with served(keeper, port, reflection=wanted) as server:
        reflection: Any = server.channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection(iter([request.SerializeToString()]), timeout=10)
        shown = [reflection_pb2.ServerReflectionResponse.FromString(raw) async for raw in call] if wanted else []
        code = await call.code()

    assert code is (grpc.StatusCode.OK if wanted else grpc.StatusCode.UNIMPLEMENTED)
    assert (PERSONAS in {one.name for answer in shown for one in answer.list_services_response.service}) == wanted


async def test_more_calls_than_a_connection_carries_wait_and_none_is_refused(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:

        async def call_often(caller: int) -> int:
            return len([await server.call(SUBMIT, asking(f"{caller} {number}")) for number in range(4)])

        answered = await asyncio.gather(*(call_often(caller) for caller in range(150)))

    assert sum(answered) == 600
    assert len(await keeper.units()) == 600


# The end.


async def test_a_running_call_is_finished_while_the_server_drains(keeper: Keeper, port: int) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: object, call: Call) -> Persona:
        began.set()
        await go_on.wait()
        return Persona(name="finished")

    async with served(keeper, port, {GET: ReadMethod(answer=wait)}) as server:
        calling = asyncio.ensure_future(server.call(GET, READ))
        await began.wait()
        stopping = asyncio.ensure_future(server.server.stop(10))
        await asyncio.sleep(0)
        refused = await server.refusal(SUBMIT, asking("late"))
        go_on.set()

        assert Persona.FromString(await calling).name == "finished"
        await stopping
    assert isinstance(refused, Unavailable)
    assert refused.reason == "SHUTTING_DOWN"


async def test_streams_end_at_once_when_the_server_drains(keeper: Keeper, port: int) -> None:
    """A watch lasts an hour; waiting for it would make every stop take all of the patience there is."""

    async def watch(request: object, call: Call) -> AsyncIterator[WatchTipsResponse]:
        yield WatchTipsResponse()
        began.set()
        await asyncio.sleep(3600)

    began = asyncio.Event()
    async with served(keeper, port, {WATCH: StreamMethod(answers=watch)}) as server:
        watching = asyncio.ensure_future(server.ending(WATCH, WatchTipsRequest()))
        await began.wait()
        async with asyncio.timeout(5):
            await server.server.stop(60)
            answers, refusal = await watching

    assert len(answers) == 1
    assert isinstance(refusal, Unavailable)
    assert refusal.reason == "SHUTTING_DOWN"


async def test_a_call_that_does_not_end_is_cut_after_the_patience(keeper: Keeper, port: int) -> None:
    async def wait(request: object, call: Call) -> Persona:
        began.set()
        await asyncio.sleep(3600)
        raise AssertionError

    began = asyncio.Event()
    async with served(keeper, port, {GET: ReadMethod(answer=wait)}) as server:
        calling = asyncio.ensure_future(server.refusal(GET, READ))
        await began.wait()
        async with asyncio.timeout(5):
            await server.server.stop(0.05)
            await calling


async def test_whoever_calls_while_a_server_ends_is_told_to_try_again(keeper: Keeper, port: int) -> None:
    """gRPC cancels what comes in at the moment it ends; for our clients that is UNAVAILABLE like all the rest."""

    async def call_on(client: Client) -> RenkeiError:
        stub = client.stub(PersonasServiceStub)
        while True:
            try:
                await client.call(stub.GetPersona, READ)
            except RenkeiError as error:
                return error
            answered.set()

    answered = asyncio.Event()
    async with served(keeper, port) as server:
        token = server.agency.officer(roles=["OFFICER"])
        async with Client(f"127.0.0.1:{port}", token=lambda: token, patience=HASTY) as client:
            calling = [asyncio.ensure_future(call_on(client)) for _ in range(30)]
            await answered.wait()
            await server.server.stop(5)
            async with asyncio.timeout(10):
                ends = await asyncio.gather(*calling)

    assert {type(end) for end in ends} == {Unavailable}
