"""Durable creates with all guards on, against an echo of the same message."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors import echo
from tests.bench.pairs import alternate, compare
from tests.bench.processes import drive, process
from tests.bench.tips_service import CREATE, tips_service

if TYPE_CHECKING:
    from tests.bench.figures import Bench

_CALLERS: Final = (1, 16, 64, 256)
_BARS: Final = {16: Bar(limit=0.35), 64: Bar(limit=0.60)}


async def in_process(bench: Bench) -> None:
    """Measure with the writer in the service's own process."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        tips = await running.enter_async_context(tips_service(bench.directory / "tips", ports.claim()))
        floor = ports.claim()
        await running.enter_async_context(process("tests.bench.floors.echo", str(floor), port=floor))
        message = [tips.create_message]
        for callers in _CALLERS:
            if not bench.wants(f"create-{callers}"):
                continue
            results = await alternate(
                {
                    "create": partial(drive, tips.port, CREATE, message, callers=callers, token=tips.token),
                    "echo": partial(drive, floor, echo.PATH, message, callers=callers, token=tips.token),
                },
                rounds=bench.pairs,
            )
            value, base, ratio = compare(*([load.per_second for load in loads] for loads in results.values()))
            bench.record(f"create-{callers}", value=value, floor=base, ratio=ratio)


FIGURES: Final = [
    Figure(
        name="creates",
        lines=[
            Line(
                name=f"create-{callers}",
                what=f"durable CreateTip, all guards on, {callers} callers, against an echo of the same message",
                unit="calls/s",
                bar=_BARS.get(callers),
            )
            for callers in _CALLERS
        ],
        measure=in_process,
    )
]
