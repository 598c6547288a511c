"""Numbers of several services on one loopback page, bounded, and the same numbers for a collector."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from renkei_chassis.ports import PortClaims
from renkei_chassis.telemetry.exposition import MetricsServer, page
from renkei_chassis.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def _samples(*services: Metrics) -> dict[tuple[str, str], float]:
    """Read the page back as Prometheus would: (name, sorted labels) -> value."""
    return {
        (sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page(services).decode())
        for sample in family.samples
    }


def test_two_services_share_a_page_and_no_number() -> None:
    tips, leads = Metrics("tips"), Metrics("leads")
    for metrics, calls in ((tips, 2), (leads, 3)):
        count = metrics.counter("renkei_calls", "Calls.", ["code"])
        for _ in range(calls):
            count(code="OK")

    samples = _samples(tips, leads)

    assert samples["renkei_calls_total", "code=OK,service=tips"] == 2
    assert samples["renkei_calls_total", "code=OK,service=leads"] == 3


def test_a_family_is_told_once_though_two_services_have_it() -> None:
    """Prometheus refuses a page that tells a family twice."""
    tips, leads = Metrics("tips"), Metrics("leads")
    for metrics in (tips, leads):
        metrics.counter("renkei_calls", "Calls.")(1)

    assert page([tips, leads]).count(b"# TYPE renkei_calls_total counter") == 1


def test_a_histogram_counts_in_seconds() -> None:
    metrics = Metrics("tips")
    record = metrics.histogram("renkei_call_seconds", "Time.", ["method"]).bind(method="GetTip")

    record(0.003)
    record(7.0)

    samples = _samples(metrics)
    assert samples["renkei_call_seconds_bucket", "le=0.0025,method=GetTip,service=tips"] == 0
    assert samples["renkei_call_seconds_bucket", "le=0.005,method=GetTip,service=tips"] == 1
    assert samples["renkei_call_seconds_count", "method=GetTip,service=tips"] == 2


def test_a_gauge_is_set_and_an_observed_one_is_read_when_asked() -> None:
    metrics = Metrics("tips")
    waiting = [5.0]
    metrics.gauge("renkei_lag", "Lag.")(7)
    metrics.observed("renkei_waiting", "Waiting.", lambda: waiting[0])
    waiting[0] = 6.0

    samples = _samples(metrics)

    assert samples["renkei_lag", "service=tips"] == 7
    assert samples["renkei_waiting", "service=tips"] == 6


def test_a_caller_cannot_fill_the_memory_with_label_values() -> None:
    metrics = Metrics("tips")
    count = metrics.counter("renkei_calls", "Calls.", ["method"])

    for number in range(1500):
        count(method=f"m{number}")

    samples = {labels: value for (name, labels), value in _samples(metrics).items() if name == "renkei_calls_total"}
    assert len(samples) == 1001
    assert samples["method=other,service=tips"] == 500


@pytest.mark.parametrize("labels", [{}, {"method": "a", "code": "b"}, {"code": "b"}])
def test_wrong_labels_are_a_mistake_of_the_code(labels: dict[str, str]) -> None:
    count = Metrics("tips").counter("renkei_calls", "Calls.", ["method"])

    with pytest.raises(TypeError, match="label"):
        count.bind(**labels)


@pytest.mark.parametrize("name", ["calls", "renkei_Calls", "renkei-calls"])
def test_a_name_of_another_form_is_a_mistake_of_the_code(name: str) -> None:
    with pytest.raises(ValueError, match="renkei_"):
        Metrics("tips").counter(name, "Calls.")


@pytest.fixture
def claimed() -> Iterator[int]:
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
async def port(claimed: int) -> AsyncIterator[int]:
    """Serve one service's numbers."""
    metrics = Metrics("tips")
    metrics.counter("renkei_calls", "Calls.")(4)
    server = MetricsServer([metrics])
    yield await server.start("127.0.0.1", claimed)
    await server.close()


async def _ask(port: int, request: str | bytes) -> tuple[str, str]:
    """Send raw bytes and give the status line and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request if isinstance(request, bytes) else request.encode())
    await writer.drain()
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return head.split("\r\n")[0].removeprefix("HTTP/1.1 "), body


@pytest.mark.parametrize(
    ("request_line", "host", "status"),
    [
        ("GET / HTTP/1.1", "127.0.0.1", "404 Not Found"),
        ("GET /metrics/../x HTTP/1.1", "127.0.0.1", "404 Not Found"),
        ("POST /metrics HTTP/1.1", "127.0.0.1", "405 Method Not Allowed"),
        ("nonsense", "127.0.0.1", "404 Not Found"),
        ("GET /metrics HTTP/1.1", "evil.example", "421 Misdirected Request"),
        ("GET /metrics HTTP/1.1", "127.0.0.1.evil.example", "421 Misdirected Request"),
        ("GET /metrics HTTP/1.1", "", "421 Misdirected Request"),
    ],
)
async def test_what_is_not_a_scrape_is_refused(port: int, request_line: str, host: str, status: str) -> None:
    """The last three are a web page that had its name point to loopback."""
    answer, body = await _ask(port, f"{request_line}\r\nHost: {host}\r\n\r\n")

    assert answer == status
    assert "renkei_" not in body


async def test_a_request_without_a_host_is_refused(port: int) -> None:
    assert (await _ask(port, "GET /metrics HTTP/1.1\r\n\r\n"))[0] == "421 Misdirected Request"


async def test_an_endless_head_is_cut_off(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000)

    try:
        answer = await reader.read()
    except ConnectionError:
        answer = b""
    writer.close()

    assert answer == b""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_scrape_gets_the_numbers(port: int, host: str) -> None:
    status, body = await _ask(port, f"GET /metrics?x=1 HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n")

    assert status == "200 OK"
    assert 'renkei_calls_total{service="tips"} 4.0' in body.splitlines()


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::"])  # noqa: S104 (it must be refused)
async def test_numbers_are_served_on_loopback_only(host: str, claimed: int) -> None:
    with pytest.raises(ValueError, match="loopback"):
        await MetricsServer([]).start(host, claimed)


def test_a_collector_is_told_the_same_numbers() -> None:
    pytest.importorskip("opentelemetry.proto", reason="renkei-chassis[otlp] is not installed")
    from renkei_chassis.telemetry.numbers import numbers_of  # noqa: PLC0415 (an extra: not always there)

    metrics = Metrics("tips")
    calls = metrics.counter("renkei_calls", "Calls.", ["code"])
    calls(2, code="OK")
    calls(3, code="UNKNOWN")
    metrics.gauge("renkei_lag", "Lag.")(7)
    metrics.observed("renkei_waiting", "Waiting.", lambda: 6.0)
    seconds = metrics.histogram("renkei_call_seconds", "Time.", buckets=(0.1, 1.0))
    for value in (0.5, 0.75, 4.0):
        seconds(value)
    metrics.counter("renkei_silent", "Never counted.", ["code"])
    began = time.time_ns()

    told = numbers_of(metrics, resource={"service.name": "renkei-tips"}, scope="renkei_chassis")

    (resource,) = told.resource_metrics
    assert {each.key: each.value.string_value for each in resource.resource.attributes} == {
        "service.name": "renkei-tips"
    }
    found = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    assert found.keys() == {"renkei_calls", "renkei_lag", "renkei_waiting", "renkei_call_seconds"}
    counted = found["renkei_calls"].sum
    assert counted.is_monotonic
    assert counted.aggregation_temporality == 2  # cumulative
    assert {point.attributes[0].value.string_value: point.as_double for point in counted.data_points} == {
        "OK": 2,
        "UNKNOWN": 3,
    }
    assert all(0 < point.start_time_unix_nano <= began <= point.time_unix_nano for point in counted.data_points)
    (distribution,) = found["renkei_call_seconds"].histogram.data_points
    assert found["renkei_call_seconds"].unit == "s"
    assert (list(distribution.explicit_bounds), list(distribution.bucket_counts)) == ([0.1, 1.0], [0, 2, 1])
    assert (distribution.count, distribution.sum) == (3, 5.25)
    assert [found[name].gauge.data_points[0].as_double for name in ("renkei_lag", "renkei_waiting")] == [7, 6]
