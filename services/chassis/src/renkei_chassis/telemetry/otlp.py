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
    from collections.abc import Mapping

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
        """Begin to export: the numbers of `metrics`, and the spans of `tracing`."""
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from renkei_chassis.telemetry.exporters import Line, SpansOut  # noqa: PLC0415
        from renkei_chassis.telemetry.numbers import NumbersOut  # noqa: PLC0415

        batches = metrics.counter(
            "renkei_telemetry_batches", "Batches for the collector, taken and lost.", ["signal", "outcome"]
        )

        def on_batch(signal: Signal, taken: bool) -> None:  # noqa: FBT001 (a callback's two arguments)
            batches(signal=signal, outcome="taken" if taken else "lost")

        self._line = Line(collector, on_batch=on_batch)
        service = metrics.service
        self._numbers = NumbersOut(
            self._line, metrics, resource=_owner(service, agency), scope=_SCOPE, seconds=settings.metrics_seconds
        )
        processor = BatchSpanProcessor(
            SpansOut(self._line),
            max_queue_size=_QUEUED_SPANS,
            schedule_delay_millis=_SPAN_SECONDS * 1000,
            max_export_batch_size=_SPANS_AT_ONCE,
        )
        self._tracer = OtlpTracer(service, processor, agency=agency)
        self.tracing = Tracing(self._tracer, ratio=settings.trace_ratio, late_after_seconds=settings.late_after_seconds)

    def close(self) -> None:
        """Export what is left and stop; three seconds, whatever the collector does. Blocks: call it in a thread."""
        self._line.end(FLUSH_SECONDS)
        self._tracer.shutdown()
        self._numbers.close(FLUSH_SECONDS)


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
    from opentelemetry.sdk.resources import Resource as Made  # noqa: PLC0415 (slow to import, see above)

    return Made(dict(_owner(service, agency)))


def _owner(service: str, agency: str) -> Mapping[str, str]:
    """Say whose telemetry it is, and nothing that the environment or the machine would add."""
    attributes = {"service.name": f"renkei-{service}"}
    return {**attributes, "service.namespace": agency} if agency else attributes
