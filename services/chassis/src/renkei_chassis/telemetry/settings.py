"""The settings of what leaves a node for an OpenTelemetry collector."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator

from renkei_chassis.loopback import require_loopback
from renkei_chassis.settings import STRICT


class TelemetrySettings(BaseModel):
    """Section `telemetry`."""

    model_config = STRICT

    collector: str = Field(
        default="",
        max_length=64,
        description="`host:port` of an OpenTelemetry collector (OTLP over gRPC) that is told spans and metrics of "
        "every service. Loopback only, until there is TLS. Empty: nothing is exported.",
    )
    trace_ratio: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Which part of the traces that begin here is kept: 0 is none, 1 is all. A trace that a caller of "
        "this agency began is kept if the caller keeps it. Metrics are not sampled.",
    )
    late_after_seconds: float = Field(
        default=60.0,
        gt=0,
        le=86_400,
        description="An event handled later than this after it was written begins a trace of its own, with a link to "
        "the one it was written in: that one is closed by then.",
    )
    metrics_seconds: float = Field(default=15.0, gt=0, le=3600, description="How often metrics are exported.")

    @field_validator("collector")
    @classmethod
    def _is_on_this_machine(cls, address: str) -> str:
        if address:
            # NotLoopbackError is a ValueError, but repeats the value.
            try:
                require_loopback(address)
            except ValueError:
                raise ValueError("must be host:port on loopback, since nothing is encrypted yet") from None
        return address
