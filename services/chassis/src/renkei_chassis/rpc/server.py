"""A service's gRPC server: its routes, its limits, its start and its drain."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.loopback import require_loopback
from renkei_chassis.rpc.arrivals import MAX_HEADER_BYTES, of_others
from renkei_chassis.rpc.methods import DuplexMethod, ReadMethod, StreamMethod
from renkei_chassis.rpc.routes import make_route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.descriptor import ServiceDescriptor

    from renkei_chassis.rpc.methods import Api, Method
    from renkei_chassis.rpc.pipeline import Pipeline
    from renkei_chassis.rpc.routes import Route

# Above the pipeline's own limit, so that a request somewhat too large gets our words and not gRPC's.
TRANSPORT_BYTES: Final = 1024 * 1024
MAX_CONNECTIONS: Final = 2048
DRAIN_SECONDS: Final = 10.0
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # on by default: a second process would take half of the calls, silently
    ("grpc.max_concurrent_streams", 100),  # unlimited by default
    # It counts calls that were answered and not yet taken apart, and refuses those of a client who keeps to the limit
    # (UNKNOWN, "stream removed"). What it guards against, a flood of calls taken back at once, costs us little.
    ("grpc.http.overload_protection", 0),
    ("grpc.max_receive_message_length", TRANSPORT_BYTES),
    # Told to clients; that they keep to it is looked after in `arrivals`.
    ("grpc.max_metadata_size", MAX_HEADER_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * MAX_HEADER_BYTES),
    # A thousand idle clients cost 9 MB; each can hold a hundred calls open.
    ("grpc.max_allowed_incoming_connections", MAX_CONNECTIONS),
    ("grpc.server_handshake_timeout_ms", 10_000),  # two minutes by default
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.max_connection_age_ms", 3_600_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 10),
    # A receiver decides for itself what it inflates; our own messages are small.
    ("grpc.default_compression_algorithm", 0),
)


class Server:
    """Serves an Api on one loopback port."""

    def __init__(self, *, api: Api, pipeline: Pipeline, reflection: bool = False) -> None:
        """Refuse an Api that leaves a method of the contract unanswered. Call on the event loop."""
        self._pipeline = pipeline
        self._server = grpc.aio.server(options=_OPTIONS)
        self._health = health.aio.HealthServicer()
        self._arrivals = pipeline.arrivals
        self._sweeping: asyncio.Task[None] | None = None
        routes = [
            route
            for name, methods in api.items()
            for route in _routes(descriptor_pool.Default().FindServiceByName(name), methods)
        ]
        quick = {route.path: _handler(route, pipeline) for route in routes}
        timed = {route.path: _timed_handler(route, pipeline) for route in routes}
        self._server.add_generic_rpc_handlers((self._arrivals.guard(quick.get, timed.get),))
        others: Any = _Others(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, others)
        self._names = [*api, ""]
        if reflection:
            from grpc_reflection.v1alpha import reflection as reflecting  # noqa: PLC0415 (a demo's alone)

            reflecting.enable_server_reflection([*api, reflecting.SERVICE_NAME], others)

    async def start(self, host: str, port: int) -> int:
        """Bind and serve; returns the port. Raises OSError where it is taken, NotLoopbackError elsewhere."""
        try:
            bound = self._server.add_insecure_port(require_loopback(f"{host}:{port}"))
        except RuntimeError as error:
            raise OSError(f"cannot serve on {host}:{port}: the port is taken") from error
        await self._server.start()
        self._sweeping = asyncio.create_task(self._arrivals.sweep(), name="arrivals")
        for name in self._names:
            await self._health.set(name, HealthCheckResponse.SERVING)
        return int(bound)

    async def stop(self, seconds: float = DRAIN_SECONDS) -> None:
        """Say that nothing new is taken, let what runs finish for so long, then cut it.

        The port stays open meanwhile: a server of gRPC that is stopping cancels what comes in, which
        no client may try again, while we say UNAVAILABLE. What comes in at the very end it cancels all the
        same; our own clients take that for UNAVAILABLE too.
        """
        ends = time.monotonic() + seconds
        self._pipeline.drain()
        await self._health.enter_graceful_shutdown()
        await self._pipeline.finish(seconds)
        await self._server.stop(max(0.0, ends - time.monotonic()))
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)


class _Others:
    """A server to which the services of others add themselves, with their headers looked at first."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(of_others(handlers))

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Do without the shortcut past the generic handlers, which generated code takes where it can."""


def _routes(service: ServiceDescriptor, methods: Mapping[str, Method]) -> list[Route]:
    known = {method.name for method in service.methods}
    if known != set(methods):
        raise ValueError(f"{service.full_name}: unanswered or unknown methods {sorted(known ^ set(methods))}")
    return [
        make_route(descriptor, message_factory.GetMessageClass(descriptor.input_type), methods[descriptor.name])
        for descriptor in service.methods
    ]


def _handler(route: Route, pipeline: Pipeline) -> grpc.RpcMethodHandler[Any, Any]:
    """Bytes in, bytes out: the writer parses in its own stage."""
    match route.method:
        case WriteMethod() | ReadMethod():
            return grpc.unary_unary_rpc_method_handler(functools.partial(pipeline.unary, route))
        case StreamMethod():
            return grpc.unary_stream_rpc_method_handler(functools.partial(pipeline.stream, route))
        case DuplexMethod():
            return grpc.stream_stream_rpc_method_handler(functools.partial(pipeline.duplex, route))


def _timed_handler(route: Route, pipeline: Pipeline) -> grpc.RpcMethodHandler[Any, Any]:
    """Answer the same calls, which look the same on the wire, and give up a request that does not come."""
    match route.method:
        case WriteMethod() | ReadMethod():
            return grpc.stream_unary_rpc_method_handler(functools.partial(pipeline.unary_slowly, route))
        case StreamMethod():
            return grpc.stream_stream_rpc_method_handler(functools.partial(pipeline.stream_slowly, route))
        case DuplexMethod():
            return _handler(route, pipeline)
