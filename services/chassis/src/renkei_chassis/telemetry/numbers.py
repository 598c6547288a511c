"""The numbers of a service as OpenTelemetry tells them: read out of Prometheus' registry whenever they are sent.

Whoever counts therefore counts once. Only `telemetry.otlp` imports this module, and only when a collector is named.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prometheus_client import Metric as Family
    from prometheus_client.samples import Sample

    from renkei_chassis.telemetry.exporters import Line
    from renkei_chassis.telemetry.metrics import Metrics

_BOUND: Final = "le"


class NumbersOut:
    """Sends all numbers of one service every so many seconds, on a thread of its own, until `close`.

    Totals are cumulative, so that a lost batch costs nothing but resolution.
    """

    def __init__(
        self, line: Line, metrics: Metrics, *, resource: Mapping[str, str], scope: str, seconds: float
    ) -> None:
        """Begin."""
        self._line = line
        self._make = partial(numbers_of, metrics, resource=resource, scope=scope)
        self._seconds = seconds
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"numbers of {metrics.service}", daemon=True)
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Send the last ones, and stop; what is being sent now has so long at most."""
        self._closing.set()
        self._thread.join(seconds)
        self._send()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            self._send()

    def _send(self) -> None:
        self._line.send("metrics", self._make)


def numbers_of(metrics: Metrics, *, resource: Mapping[str, str], scope: str) -> ExportMetricsServiceRequest:
    """Read every number of a service as it is now."""
    now = time.time_ns()
    told = ScopeMetrics(
        scope=InstrumentationScope(name=scope),
        metrics=[_metric(family, now) for family in metrics.registry.collect() if family.samples],
    )
    of_service = ResourceMetrics(resource=Resource(attributes=_attributes(resource)), scope_metrics=[told])
    return ExportMetricsServiceRequest(resource_metrics=[of_service])


def _metric(family: Family, now: int) -> Metric:
    metric = Metric(name=family.name, description=family.documentation)
    for labels, samples in _series(family.samples):
        if family.type == "histogram":
            metric.unit = "s" if family.name.endswith("_seconds") else "1"
            metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.histogram.data_points.append(_distribution(labels, samples, now))
        elif family.type == "counter":
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
            metric.sum.data_points.append(_number(labels, samples, now, "_total"))
        else:
            metric.gauge.data_points.append(_number(labels, samples, now, ""))
    return metric


def _series(samples: Iterable[Sample]) -> Iterator[tuple[Mapping[str, str], Sequence[Sample]]]:
    """Put the samples together that differ in name and bucket alone."""
    found: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in samples:
        key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != _BOUND))
        found.setdefault(key, []).append(sample)
    for key, together in found.items():
        yield dict(key), together


def _number(labels: Mapping[str, str], samples: Sequence[Sample], now: int, ending: str) -> NumberDataPoint:
    value = next(sample.value for sample in samples if not ending or sample.name.endswith(ending))
    return NumberDataPoint(
        attributes=_attributes(labels), start_time_unix_nano=_began(samples), time_unix_nano=now, as_double=value
    )


def _distribution(labels: Mapping[str, str], samples: Sequence[Sample], now: int) -> HistogramDataPoint:
    """Prometheus counts what is below each bound, OpenTelemetry what is between two of them."""
    below = sorted((float(sample.labels[_BOUND]), int(sample.value)) for sample in samples if _BOUND in sample.labels)
    counts = [count - before for (_, count), before in zip(below, [0, *(count for _, count in below)], strict=False)]
    return HistogramDataPoint(
        attributes=_attributes(labels),
        start_time_unix_nano=_began(samples),
        time_unix_nano=now,
        count=sum(counts),
        sum=next(sample.value for sample in samples if sample.name.endswith("_sum")),
        bucket_counts=counts,
        explicit_bounds=[bound for bound, _ in below[:-1]],
    )


def _began(samples: Iterable[Sample]) -> int:
    """Give since when a total is counted, in nanoseconds; 0 where it is none."""
    return next((int(sample.value * 1e9) for sample in samples if sample.name.endswith("_created")), 0)


def _attributes(labels: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in labels.items()]
