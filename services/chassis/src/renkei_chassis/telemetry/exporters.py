"""What OpenTelemetry's own threads call: hand batches of one service to the collector, and never hold up its end.

Only `telemetry.otlp` imports this module, and only when a collector is named.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from renkei_chassis.telemetry.collector import SEND_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from renkei_chassis.telemetry.collector import Collector, Signal


class Line:
    """One service's way to the collector: until `end` is called there is time, and from then on not for long."""

    def __init__(self, collector: Collector, *, on_batch: Callable[[Signal, bool], None]) -> None:
        """Take whom to tell of each batch: the signal, and whether it was taken."""
        self._collector = collector
        self._on_batch = on_batch
        self._ends: float | None = None

    def end(self, seconds: float) -> None:
        """Say that what is left has so long altogether."""
        self._ends = time.monotonic() + seconds

    def send(self, signal: Signal, make: Callable[[], Any]) -> bool:
        """Send one batch and tell of it."""
        seconds = SEND_SECONDS if self._ends is None else self._ends - time.monotonic()
        taken = self._collector.send(signal, make, seconds=seconds)
        self._on_batch(signal, taken)
        return taken


class SpansOut(SpanExporter):
    """Sends finished spans."""

    def __init__(self, line: Line) -> None:
        """Take the line."""
        self._line = line

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send; what is not taken is gone."""
        taken = self._line.send("traces", partial(encode_spans, spans))
        return SpanExportResult.SUCCESS if taken else SpanExportResult.FAILURE
