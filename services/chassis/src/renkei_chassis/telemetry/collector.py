"""The line to an OpenTelemetry collector: OTLP over gRPC, one for all services of a process.

Telemetry is the first thing to be lost. Nobody waits for a collector but the exporters' own threads; while it does not
answer, what was to be sent is dropped without trying, and the log has one line when that begins and one when it ends.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import grpc

from renkei_chassis.loopback import require_loopback
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable

Signal = Literal["traces", "metrics"]

SEND_SECONDS: Final = 3.0
"""How long one batch may take. A collector that swallows everything holds an exporter's thread so long."""
PAUSE_SECONDS: Final = 5.0
"""How long nothing is tried after a batch was not taken."""
_OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 4000),
)
_LOG: Final = logging.getLogger("renkei.telemetry")


class _Request(Protocol):
    """A request of a collector service."""

    def SerializeToString(self) -> bytes:
        """Give the bytes that are sent."""
        ...


class Collector:
    """A connection that fails quickly, and tells of it once. Called from exporters' threads."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take `host:port`; nothing connects yet. Raises NotLoopbackError for one that is not on this machine."""
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc  # noqa: PLC0415 (an extra)
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc  # noqa: PLC0415

        self._channel = grpc.insecure_channel(require_loopback(address), options=_OPTIONS)
        self._methods: dict[Signal, Any] = {
            "traces": trace_service_pb2_grpc.TraceServiceStub(self._channel).Export,
            "metrics": metrics_service_pb2_grpc.MetricsServiceStub(self._channel).Export,
        }
        self._clock = clock
        self._lock = threading.Lock()
        self._failing = ""
        self._not_before = 0.0

    @property
    def resting(self) -> bool:
        """Whether nothing is tried now, since a batch was not taken a moment ago."""
        return self._clock() < self._not_before

    def send(self, signal: Signal, make: Callable[[], _Request], *, seconds: float = SEND_SECONDS) -> bool:
        """Send one batch, made only if it is tried; returns whether the collector took it. Raises nothing of gRPC."""
        if self.resting or seconds <= 0:
            return False
        try:
            self._methods[signal](make(), timeout=min(seconds, SEND_SECONDS))
        except grpc.RpcError as error:
            code: grpc.StatusCode = getattr(error, "code", lambda: grpc.StatusCode.UNKNOWN)()
            self._note(code.name)
            return False
        except ValueError:  # the channel is closed
            return False
        self._note("")
        return True

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _note(self, failing: str) -> None:
        with self._lock:
            before, self._failing = self._failing, failing
            self._not_before = self._clock() + PAUSE_SECONDS if failing else 0.0
        if failing and not before:
            log_event(_LOG, "the collector takes nothing; telemetry is dropped", level=logging.WARNING, code=failing)
        elif before and not failing:
            log_event(_LOG, "the collector takes telemetry again")
