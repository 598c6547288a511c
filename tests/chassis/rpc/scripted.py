"""A real gRPC server whose methods do what a test says."""

# ruff: noqa: ANN401 (one script serves every method)

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc

from renkei_chassis import contract
from renkei_chassis.errors import STATUS_DETAILS_HEADER, RenkeiError, to_status

if TYPE_CHECKING:
    from google.protobuf.message import Message

Context = grpc.aio.ServicerContext[Any, Any]
Once = Callable[[Any, Context], Awaitable["Message"]]
Many = Callable[[Any, Context], AsyncIterator["Message"]]


@asynccontextmanager
async def serving(port: int, behaviours: dict[str, Once | Many]) -> AsyncIterator[grpc.aio.Server]:
    """Serve methods of the contract, by the end of their path (`TipsService/GetTip`), on this port."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([_Scripted(behaviours)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield server
    finally:
        await server.stop(None)


class _Scripted(grpc.GenericRpcHandler):
    def __init__(self, behaviours: dict[str, Once | Many]) -> None:
        self._handlers = {}
        for path, method, _ in contract.methods():
            behaviour = behaviours.get(path.rpartition(".")[2])
            if behaviour is None:
                continue
            make: Any = {
                (False, False): grpc.unary_unary_rpc_method_handler,
                (False, True): grpc.unary_stream_rpc_method_handler,
                (True, True): grpc.stream_stream_rpc_method_handler,
            }[method.client_streaming, method.server_streaming]
            self._handlers[path] = make(
                _telling(behaviour, streams=method.server_streaming),
                request_deserializer=contract.message_type(method.input_type.full_name).FromString,
                response_serializer=contract.message_type(method.output_type.full_name).SerializeToString,
            )

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._handlers.get(handler_call_details.method)


def _telling(behaviour: Any, *, streams: bool) -> Any:
    """Let a behaviour raise our errors, as a service's methods do."""

    async def once(request: Any, context: Context) -> Any:
        try:
            return await behaviour(request, context)
        except RenkeiError as error:
            await _tell(context, error)

    async def many(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for answer in behaviour(request, context):
                yield answer
        except RenkeiError as error:
            await _tell(context, error)

    return many if streams else once


async def _tell(context: Context, error: RenkeiError) -> None:
    status = to_status(error)
    await context.abort(error.code, status.message, ((STATUS_DETAILS_HEADER, status.SerializeToString()),))
