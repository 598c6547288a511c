"""A collector that really receives: the gRPC services of OpenTelemetry's own contract, on a loopback port."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

SERVER, CONSUMER = 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A span and the service that told it."""

    service: str
    span: Span


class Received(trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer):
    """Everything that came, as it came."""

    def __init__(self) -> None:
        self.traces: list[trace_service_pb2.ExportTraceServiceRequest] = []
        self.metrics: list[metrics_service_pb2.ExportMetricsServiceRequest] = []
        self.came = threading.Event()

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 (one name for two methods)
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            self.traces.append(request)
            answer: Any = trace_service_pb2.ExportTraceServiceResponse()
        else:
            self.metrics.append(request)
            answer = metrics_service_pb2.ExportMetricsServiceResponse()
        self.came.set()
        return answer

    def spans(self, name: str = "") -> list[Told]:
        return [
            Told(service=_service(resource.resource.attributes), span=span)
            for request in list(self.traces)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            if not name or span.name == name
        ]

    def numbers(self) -> dict[str, dict[str, Any]]:
        """Give the newest metrics by service and name."""
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for request in list(self.metrics):
            for resource in request.resource_metrics:
                service = _service(resource.resource.attributes)
                for scope in resource.scope_metrics:
                    found[service].update({metric.name: metric for metric in scope.metrics})
        return found

    def attribute_names(self) -> set[str]:
        """Name every attribute of every span, link, event and number."""
        names: set[str] = set()
        for told in self.spans():
            parts: Sequence[Any] = (told.span, *told.span.links, *told.span.events)
            names.update(pair.key for part in parts for pair in part.attributes)
        for metrics in self.numbers().values():
            for metric in metrics.values():
                points = getattr(metric, metric.WhichOneof("data")).data_points
                names.update(pair.key for point in points for pair in point.attributes)
        return names

    def everything(self) -> bytes:
        return b"".join(request.SerializeToString() for request in (*self.traces, *self.metrics))


@contextmanager
def receiving(port: int, received: Received | None = None) -> Iterator[Received]:
    """Receive on a port until the end. Blocks for a moment at both ends."""
    kept = received or Received()
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(kept, server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(kept, server)
    assert server.add_insecure_port(f"127.0.0.1:{port}") == port
    server.start()
    try:
        yield kept
    finally:
        server.stop(0).wait()


def _service(attributes: Sequence[KeyValue]) -> str:
    return next(pair.value.string_value for pair in attributes if pair.key == "service.name")
