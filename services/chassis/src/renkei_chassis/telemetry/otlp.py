"""The way to an OpenTelemetry collector: numbers and spans over OTLP/HTTP, only where a setting names an endpoint.

The OpenTelemetry packages are imported here and nowhere else, and only when something is made: they cost a quarter of a
second at start, and a node without a collector needs none of them (`pip install renkei-chassis[otlp]`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from renkei_chassis.errors import SettingsError
from renkei_chassis.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

_SCOPE: Final = "renkei_chassis"


def checked_endpoint(endpoint: str) -> str:
    """Return a collector's base URL without its slash, or raise SettingsError: https anywhere, http on loopback."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return endpoint.rstrip("/")
    if parts.scheme != "http" or not is_loopback(host):
        raise SettingsError("otlp_endpoint: must be https://, or http:// on loopback")
    return endpoint.rstrip("/")


class OtlpMeter:
    """The OpenTelemetry side of one service's instruments."""

    def __init__(self, service: str, reader: MetricReader) -> None:
        """Take the service's name as `service.name`, and the reader that exports."""
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 (slow to import, see above)
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        self._provider = MeterProvider([reader], resource=Resource({"service.name": f"renkei-{service}"}))
        self._meter = self._provider.get_meter(_SCOPE)

    @classmethod
    def to(cls, endpoint: str, service: str, *, interval_seconds: float = 15.0) -> OtlpMeter:
        """Export to a collector every `interval_seconds`."""
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415

        exporter = OTLPMetricExporter(f"{checked_endpoint(endpoint)}/v1/metrics")
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=interval_seconds * 1000)
        return cls(service, reader)

    def counter(self, name: str, description: str) -> Callable[[float, Mapping[str, str]], None]:
        """Make the counter and give the call that adds to it."""
        return self._meter.create_counter(name, description=description).add

    def gauge(self, name: str, description: str) -> Callable[[float, Mapping[str, str]], None]:
        """Make the gauge and give the call that sets it."""
        return self._meter.create_gauge(name, description=description).set

    def observed(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Make a gauge that is read at each export, in the exporter's thread."""
        from opentelemetry.metrics import Observation as Observed  # noqa: PLC0415

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            yield Observed(read())

        self._meter.create_observable_gauge(name, [observe], description=description)

    def histogram(
        self, name: str, description: str, buckets: Sequence[float]
    ) -> Callable[[float, Mapping[str, str]], None]:
        """Make the histogram with Prometheus' buckets and give the call that records."""
        unit = "s" if name.endswith("_seconds") else "1"
        return self._meter.create_histogram(
            name, unit, description, explicit_bucket_boundaries_advisory=list(buckets)
        ).record

    def shutdown(self) -> None:
        """Export what is left and stop. Blocks for as long as the collector takes: call it in a thread."""
        self._provider.shutdown()


class OtlpTracer:
    """The OpenTelemetry side of one service's spans."""

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        """Take the service's name as `service.name`, and the processor that exports."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415 (Tracing samples, before it comes here)

        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=Resource({"service.name": f"renkei-{service}"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer(_SCOPE)

    @classmethod
    def to(cls, endpoint: str, service: str) -> OtlpTracer:
        """Export to a collector in batches."""
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        return cls(service, BatchSpanProcessor(OTLPSpanExporter(f"{checked_endpoint(endpoint)}/v1/traces")))

    def shutdown(self) -> None:
        """Export what is left and stop. Blocks for as long as the collector takes: call it in a thread."""
        self._provider.shutdown()
