"""What telemetry costs: creates with numbers, spans and an exporter, against the same service without any of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.pairs import compare, pairs
from tests.bench.processes import drive, process
from tests.bench.tips_service import CREATE, tips_service

if TYPE_CHECKING:
    from tests.bench.figures import Bench
    from tests.bench.generator import Load
    from tests.bench.tips_service import Serving

_CALLERS: Final = 64
_SECONDS: Final = 2.5  # an export or more falls into each


async def telemetry(bench: Bench, *, seconds: float = _SECONDS) -> None:
    """Run both side by side; only one is loaded at a time."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        collector = ports.claim()
        await running.enter_async_context(process("tests.bench.collector", str(collector), port=collector))
        loud = await running.enter_async_context(
            tips_service(
                bench.directory / "loud",
                ports.claim(),
                telemetry={"collector": f"127.0.0.1:{collector}", "metrics_seconds": 1.0},
                metrics_port=ports.claim(),
            )
        )
        silent = await running.enter_async_context(
            tips_service(bench.directory / "silent", ports.claim(), module="tests.bench.floors.silent_tips")
        )
        found = await pairs(partial(_creates, loud, seconds), partial(_creates, silent, seconds), rounds=bench.pairs)
    value, floor, ratio = compare(*([load.per_second for load in side] for side in (found.subject, found.floor)))
    bench.record("telemetry-64", value=value, floor=floor, ratio=ratio)


async def _creates(tips: Serving, seconds: float) -> Load:
    return await drive(tips.port, CREATE, [tips.create_message], callers=_CALLERS, token=tips.token, seconds=seconds)


FIGURES: Final = [
    Figure(
        name="telemetry",
        lines=[
            Line(
                name="telemetry-64",
                what=f"durable CreateTip, {_CALLERS} callers, with metrics, spans at the usual ratio and an exporter, "
                "against the same service without any of them",
                unit="calls/s",
                bar=Bar(limit=0.95),
            )
        ],
        measure=telemetry,
    )
]
