"""The chassis's own server over real methods of the contract, each of which does what a test says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import descriptor_pool

from renkei_chassis import contract
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import RenkeiError, from_rpc_error
from renkei_chassis.log.api import log_api
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, Method, ReadMethod, StreamMethod
from renkei_chassis.rpc.pipeline import Pipeline
from renkei_chassis.rpc.server import Server
from renkei_chassis.telemetry.metrics import Metrics
from tests.chassis.identity.tokens import NOW, Agency
from tests.chassis.keeper import KEEP, Keeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from renkei_chassis.rpc.deadlines import Limits

PERSONAS = "renkei.personas.v1.PersonasService"
TIPS = "renkei.tips.v1.TipsService"
EXCHANGE = "renkei.exchange.v1.ExchangeService"
LOG = "renkei.event.v1.LogService"
SUBMIT = f"/{PERSONAS}/SubmitPersona"
GET = f"/{PERSONAS}/GetPersona"
LOAD = f"/{TIPS}/LoadTips"
WATCH = f"/{TIPS}/WatchTips"
READ_LANE = f"/{EXCHANGE}/ReadLane"


class Served:
    """A running server and a channel to it."""

    def __init__(self, server: Server, channel: grpc.aio.Channel, agency: Agency, metrics: Metrics) -> None:
        self.server = server
        self.channel = channel
        self.agency = agency
        self.metrics = metrics

    def bearing(self, token: str | None = None, *more: tuple[str, str]) -> Sequence[tuple[str, str]]:
        given = self.agency.officer(roles=["OFFICER"]) if token is None else token
        return (("authorization", f"Bearer {given}"), *more)

    async def call(
        self,
        path: str,
        request: Message | bytes,
        *,
        metadata: Sequence[tuple[str, str]] | None = None,
        seconds: float | None = 10,
    ) -> bytes:
        """Call a unary method; raises what the server told, rebuilt."""
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        method: Any = self.channel.unary_unary(path)
        try:
            answer: bytes = await method(
                raw, metadata=self.bearing() if metadata is None else metadata, timeout=seconds
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return answer

    async def stream(
        self, path: str, *requests: Message, metadata: Sequence[tuple[str, str]] | None = None, seconds: float = 10
    ) -> AsyncIterator[bytes]:
        """Call a streaming method, with one request or with many."""
        given = self.bearing() if metadata is None else metadata
        raw = [request.SerializeToString() for request in requests]
        method: Any
        if path == LOAD:
            method = self.channel.stream_stream(path)
            call = method(iter(raw), metadata=given, timeout=seconds)
        else:
            method = self.channel.unary_stream(path)
            call = method(raw[0], metadata=given, timeout=seconds)
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    async def ending(
        self, path: str, *requests: Message, metadata: Sequence[tuple[str, str]] | None = None
    ) -> tuple[list[bytes], RenkeiError | None]:
        """Call a streaming method, and give its answers and the error with which it ends."""
        answers = []
        try:
            async for answer in self.stream(path, *requests, metadata=metadata):
                answers.append(answer)  # noqa: PERF401 (those before the error count)
        except RenkeiError as error:
            return answers, error
        return answers, None

    async def refusal(self, path: str, request: Message | bytes, **given: Any) -> RenkeiError:  # noqa: ANN401
        """Call, and give the error with which it ends."""
        try:
            await self.call(path, request, **given)
        except RenkeiError as error:
            return error
        raise AssertionError("it was not refused")


@asynccontextmanager
async def served(
    keeper: Keeper,
    port: int,
    methods: Mapping[str, Method] | None = None,
    *,
    limits: Limits | None = None,
    reflection: bool = False,
) -> AsyncIterator[Served]:
    """Serve personas, tips, a log and lanes; `methods` by path say what is answered."""
    agency = Agency()
    metrics = Metrics("keeper")
    pipeline = Pipeline(
        verifier=agency.verifier(),
        writer=keeper.writer,
        metrics=metrics,
        service="keeper",
        limits=limits,
        now=lambda: NOW,
    )
    api: Api = {**{name: answers(name, methods or {}) for name in (PERSONAS, TIPS, EXCHANGE)}, **log_api(keeper.log)}
    server = Server(api=api, pipeline=pipeline, reflection=reflection)
    await server.start("127.0.0.1", port)
    try:
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)]
        ) as channel:
            yield Served(server, channel, agency, metrics)
    finally:
        await server.stop(1)


def answers(service: str, methods: Mapping[str, Method]) -> dict[str, Method]:
    """Answer every method of a service, whatever the contract adds to it: those of `methods` so, all others emptily."""
    found = descriptor_pool.Default().FindServiceByName(service)
    return {
        method.name: methods.get(f"/{service}/{method.name}") or _emptily(f"/{service}/{method.name}", method)
        for method in found.methods
    }


def _emptily(path: str, method: MethodDescriptor) -> Method:
    if path == SUBMIT:
        return KEEP
    answer = contract.message_type(method.output_type.full_name)()

    async def once(request: object, call: Call) -> Message:
        return answer

    async def many(request: object, call: Call) -> AsyncIterator[Message]:
        yield answer

    if method.client_streaming:
        return DuplexMethod(answers=many)
    if method.server_streaming:
        return StreamMethod(answers=many)
    if "request_id" in method.input_type.fields_by_name:
        return WriteMethod(
            rule=lambda transaction, request, caller: Written(answer=answer, resource="x"),
            rebuild=lambda transaction, resource, version: answer,
        )
    return ReadMethod(answer=once)
