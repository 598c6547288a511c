"""Numbers and spans reach a collector over OTLP/HTTP; the collector here takes what it is posted on loopback."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from renkei_chassis.telemetry.metrics import Metrics
from renkei_chassis.telemetry.otlp import OtlpMeter, OtlpTracer
from renkei_chassis.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("opentelemetry.sdk", reason="renkei-chassis[otlp] is not installed")


class _Collector(ThreadingHTTPServer):
    """Keeps the bodies that were posted, by path."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Post)
        self.bodies: dict[str, bytes] = {}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Post(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Collector)
        self.server.bodies[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[_Collector]:
    with PortClaims() as claims, _Collector(claims.claim()) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_numbers_of_the_last_seconds_are_sent_at_the_end(collector: _Collector) -> None:
    meter = OtlpMeter.to(collector.endpoint + "/", "tips", interval_seconds=3600)
    Metrics("tips", otlp=meter).counter("renkei_calls", "Calls.")(2)

    meter.shutdown()

    assert b"renkei_calls" in collector.bodies["/v1/metrics"]
    assert b"renkei-tips" in collector.bodies["/v1/metrics"]


def test_the_spans_of_the_last_seconds_are_sent_at_the_end(collector: _Collector) -> None:
    tracer = OtlpTracer.to(collector.endpoint, "tips")
    with Tracing(tracer).server("/renkei.tips.v1.TipsService/GetTip", []):
        pass

    tracer.shutdown()

    assert b"renkei.tips.v1.TipsService/GetTip" in collector.bodies["/v1/traces"]
