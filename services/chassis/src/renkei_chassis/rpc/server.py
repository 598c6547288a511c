"""A service's gRPC server: its routes, its limits, its start and its drain."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.loopback import require_loopback
from renkei_chassis.rpc.methods import DuplexMethod, ReadMethod, StreamMethod
from renkei_chassis.rpc.routes import make_route

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

    from renkei_chassis.rpc.methods import Api, Method
    from renkei_chassis.rpc.pipeline import Pipeline
    from renkei_chassis.rpc.routes import Route

# Above the pipeline's own limit, so that a request somewhat too large gets our words and not gRPC's.
TRANSPORT_BYTES: Final = 1024 * 1024
DRAIN_SECONDS: Final = 10.0
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # on by default: a second process would take half of the calls, silently
    ("grpc.max_concurrent_streams", 100),  # unlimited by default
    # It counts calls that were answered and not yet taken apart, and refuses those of a client who keeps to the limit
    # (UNKNOWN, "stream removed"). What it guards against, a flood of calls taken back at once, costs us little.
    ("grpc.http.overload_protection", 0),
    ("grpc.max_receive_message_length", TRANSPORT_BYTES),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.absolute_max_metadata_size", 32 * 1024),
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
        for name, methods in api.items():
            service = descriptor_pool.Default().FindServiceByName(name)
            self._server.add_generic_rpc_handlers((_handlers(service, methods, pipeline),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = [*api, ""]
        if reflection:
            from grpc_reflection.v1alpha import reflection as reflecting  # noqa: PLC0415 (a demo's alone)

            reflecting.enable_server_reflection([*api, reflecting.SERVICE_NAME], self._server)

    async def start(self, host: str, port: int) -> int:
        """Bind and serve; returns the port. Raises OSError where it is taken, NotLoopbackError elsewhere."""
        try:
            bound = self._server.add_insecure_port(require_loopback(f"{host}:{port}"))
        except RuntimeError as error:
            raise OSError(f"cannot serve on {host}:{port}: the port is taken") from error
        await self._server.start()
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


def _handlers(service: ServiceDescriptor, methods: dict[str, Method] | Any, pipeline: Pipeline) -> Any:  # noqa: ANN401
    known = {method.name for method in service.methods}
    if known != set(methods):
        raise ValueError(f"{service.full_name}: unanswered or unknown methods {sorted(known ^ set(methods))}")
    handlers = {}
    for descriptor in service.methods:
        request_type = message_factory.GetMessageClass(descriptor.input_type)
        route = make_route(descriptor, request_type, methods[descriptor.name])
        handlers[descriptor.name] = _handler(route, pipeline)
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _handler(route: Route, pipeline: Pipeline) -> grpc.RpcMethodHandler[Any, Any]:
    """Bytes in, bytes out: the writer parses in its own stage."""
    match route.method:
        case WriteMethod() | ReadMethod():
            return grpc.unary_unary_rpc_method_handler(functools.partial(pipeline.unary, route))
        case StreamMethod():
            return grpc.unary_stream_rpc_method_handler(functools.partial(pipeline.stream, route))
        case DuplexMethod():
            return grpc.stream_stream_rpc_method_handler(functools.partial(pipeline.duplex, route))
