"""One service's spans and numbers for an OpenTelemetry collector, only where a setting names one.

The OpenTelemetry packages are imported only when something is made: they cost a quarter of a second at start, and a
node without a collector needs none of them (`pip install renkei-chassis[otlp]`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import SettingsError
from renkei_chassis.telemetry.collector import Collector
from renkei_chassis.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

    from renkei_chassis.telemetry.collector import Signal
    from renkei_chassis.telemetry.metrics import Metrics
    from renkei_chassis.telemetry.settings import TelemetrySettings

FLUSH_SECONDS: Final = 3.0
"""How long a service that stops tries to get rid of what is left."""
_SCOPE: Final = "renkei_chassis"
_QUEUED_SPANS: Final = 4096
_SPANS_AT_ONCE: Final = 512
_SPAN_SECONDS: Final = 2.0


class OtlpMeter:
    """The OpenTelemetry side of one service's instruments."""

    def __init__(self, service: str, reader: MetricReader, *, agency: str = "") -> None:
        """Take the service's name as `service.name`, and the reader that exports."""
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 (slow to import, see above)

        self._provider = MeterProvider([reader], resource=_resource(service, agency), shutdown_on_exit=False)
        self._meter = self._provider.get_meter(_SCOPE)

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

    def __init__(self, service: str, processor: SpanProcessor, *, agency: str = "") -> None:
        """Take the service's name as `service.name`, and the processor that exports."""
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415 (Tracing samples, before it comes here)

        self._provider = TracerProvider(sampler=ALWAYS_ON, resource=_resource(service, agency), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self.tracer: Tracer = self._provider.get_tracer(_SCOPE)

    def shutdown(self) -> None:
        """Export what is left and stop. Blocks for as long as the collector takes: call it in a thread."""
        self._provider.shutdown()


class Exporting:
    """Everything of one service that goes to a collector. Two threads, until `close`."""

    def __init__(self, collector: Collector, settings: TelemetrySettings, *, agency: str, metrics: Metrics) -> None:
        """Begin to export: what `metrics` makes from now on, and the spans of `tracing`."""
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from renkei_chassis.telemetry.exporters import Line, NumbersOut, SpansOut  # noqa: PLC0415

        batches = metrics.counter(
            "renkei_telemetry_batches", "Batches for the collector, taken and lost.", ["signal", "outcome"]
        )

        def on_batch(signal: Signal, taken: bool) -> None:  # noqa: FBT001 (a callback's two arguments)
            batches(signal=signal, outcome="taken" if taken else "lost")

        self._line = Line(collector, on_batch=on_batch)
        service = metrics.service
        reader = PeriodicExportingMetricReader(
            NumbersOut(self._line), export_interval_millis=settings.metrics_seconds * 1000
        )
        self._meter = OtlpMeter(service, reader, agency=agency)
        processor = BatchSpanProcessor(
            SpansOut(self._line),
            max_queue_size=_QUEUED_SPANS,
            schedule_delay_millis=_SPAN_SECONDS * 1000,
            max_export_batch_size=_SPANS_AT_ONCE,
        )
        self._tracer = OtlpTracer(service, processor, agency=agency)
        metrics.export_to(self._meter)
        self.tracing = Tracing(self._tracer, ratio=settings.trace_ratio, late_after_seconds=settings.late_after_seconds)

    def close(self) -> None:
        """Export what is left and stop; three seconds, whatever the collector does. Blocks: call it in a thread."""
        self._line.end(FLUSH_SECONDS)
        self._tracer.shutdown()
        self._meter.shutdown()


def open_collector(settings: TelemetrySettings) -> Collector | None:
    """Give the line to the collector that the settings name, if they name one.

    Raises SettingsError where the packages for it are not installed.
    """
    if not settings.collector:
        return None
    try:
        return Collector(settings.collector)
    except ImportError as error:
        raise SettingsError("telemetry.collector: needs `pip install renkei-chassis[otlp]`") from error


def _resource(service: str, agency: str) -> Resource:
    """Say whose telemetry it is, and nothing that the environment or the machine would add."""
    from opentelemetry.sdk.resources import Resource as Made  # noqa: PLC0415 (slow to import, see above)

    attributes = {"service.name": f"renkei-{service}"}
    return Made({**attributes, "service.namespace": agency} if agency else attributes)
