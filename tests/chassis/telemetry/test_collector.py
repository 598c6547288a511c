"""Spans and numbers reach a collector over OTLP, and one that is not there costs nobody anything."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from renkei_chassis.loopback import NotLoopbackError
from renkei_chassis.ports import PortClaims
from renkei_chassis.telemetry import collector as collector_module
from renkei_chassis.telemetry.collector import Collector
from renkei_chassis.telemetry.metrics import Metrics
from renkei_chassis.telemetry.otlp import Exporting, open_collector
from renkei_chassis.telemetry.settings import TelemetrySettings
from tests.otlp import Received, receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

METHOD = "/renkei.tips.v1.TipsService/GetTip"


@pytest.fixture
def port() -> Iterator[int]:
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
def export(port: int) -> Iterator[Callable[..., Exporting]]:
    lines: list[Collector] = []

    def make(metrics: Metrics, *, seconds: float = 3600) -> Exporting:
        settings = TelemetrySettings(collector=f"127.0.0.1:{port}", trace_ratio=1, metrics_seconds=seconds)
        lines.append(Collector(settings.collector))
        return Exporting(lines[-1], settings, agency="agencies/jp-12", metrics=metrics)

    yield make
    for line in lines:
        line.close()


def test_what_is_left_of_spans_and_numbers_is_sent_at_the_end(port: int, export: Callable[..., Exporting]) -> None:
    metrics = Metrics("tips")
    with receiving(port) as received:
        exporting = export(metrics)
        metrics.counter("renkei_calls", "Calls.", ["code"])(2, code="OK")
        with exporting.tracing.server(METHOD, []):
            pass

        exporting.close()

    (told,) = received.spans()
    assert (told.service, told.span.name) == ("renkei-tips", METHOD.removeprefix("/"))
    (point,) = received.numbers()["renkei-tips"]["renkei_calls"].sum.data_points
    assert point.as_double == 2
    assert b"agencies/jp-12" in received.everything()


def test_only_the_part_that_the_ratio_keeps_is_sent(port: int) -> None:
    line = Collector(f"127.0.0.1:{port}")
    settings = TelemetrySettings(collector=f"127.0.0.1:{port}", trace_ratio=0)
    with receiving(port) as received:
        exporting = Exporting(line, settings, agency="agencies/jp-12", metrics=(metrics := Metrics("tips")))
        metrics.counter("renkei_calls", "Calls.")(1)
        with exporting.tracing.server(METHOD, []):
            pass
        exporting.close()
    line.close()

    assert received.spans() == []
    assert received.metrics, "numbers are not sampled"


def _batches(metrics: Metrics, signal: str, outcome: str) -> float:
    labels = {"signal": signal, "outcome": outcome}
    return metrics.registry.get_sample_value("renkei_telemetry_batches_total", labels) or 0


def test_what_a_missing_collector_does_not_take_is_counted_and_told_of_once(
    export: Callable[..., Exporting], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics("tips")
    exporting = export(metrics)
    metrics.counter("renkei_calls", "Calls.")(1)
    for _ in range(2000):
        with exporting.tracing.server(METHOD, []):
            pass

    began = time.monotonic()
    exporting.close()

    assert time.monotonic() - began < collector_module.SEND_SECONDS
    assert _batches(metrics, "traces", "lost") >= 4
    assert _batches(metrics, "metrics", "lost") == 1
    assert [record.msg for record in caplog.records] == ["the collector takes nothing; telemetry is dropped"]


def test_a_collector_that_swallows_everything_holds_up_the_end_for_moments_only(
    port: int, export: Callable[..., Exporting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "SEND_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", port)):
        metrics = Metrics("tips")
        exporting = export(metrics)
        for _ in range(2000):
            with exporting.tracing.server(METHOD, []):
                pass

        began = time.monotonic()
        exporting.close()

        assert time.monotonic() - began < 2
        assert _batches(metrics, "traces", "lost") >= 4


class Turning:
    """A clock that a test turns on, so that a pause is over at once."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_collector_that_comes_back_is_used_again(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    clock = Turning()
    line = Collector(f"127.0.0.1:{port}", clock=clock)
    tried: list[int] = []

    def make() -> Any:  # noqa: ANN401 (a generated class)
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2  # noqa: PLC0415 (an extra)

        tried.append(1)
        return trace_service_pb2.ExportTraceServiceRequest()

    assert not line.send("traces", make)
    assert not line.send("traces", make), "it rests"
    assert len(tried) == 1
    received = Received()
    with receiving(port, received):
        clock.now += 1000
        while not line.send("traces", make):  # gRPC has a pause of its own before it connects again
            clock.now += 1000
            time.sleep(0.05)
    line.close()

    assert len(received.traces) == 1
    assert [record.msg for record in caplog.records if record.name == "renkei.telemetry"] == [
        "the collector takes nothing; telemetry is dropped",
        "the collector takes telemetry again",
    ]


@pytest.mark.parametrize("address", ["collector:4317", "10.0.0.1:4317", "127.0.0.1", "http://127.0.0.1:4317"])
def test_a_collector_elsewhere_is_refused_until_there_is_tls(address: str) -> None:
    with pytest.raises(ValueError, match="loopback") as refused:
        TelemetrySettings(collector=address)
    with pytest.raises(NotLoopbackError):
        Collector(address)

    assert address not in json.dumps(str(refused.value.errors(include_input=False)))  # type: ignore[attr-defined]  # pydantic's


def test_no_collector_is_opened_where_none_is_named() -> None:
    assert open_collector(TelemetrySettings()) is None
