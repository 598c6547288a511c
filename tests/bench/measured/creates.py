"""Durable creates with all guards on: against an echo of the same message, and against a bare durable create."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors import bare_create, echo
from tests.bench.pairs import alternate, compare
from tests.bench.processes import drive, process
from tests.bench.tips_service import CREATE, Serving, tips_service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.bench.figures import Bench
    from tests.bench.generator import Load

_SYNCS: Final = 200
_PAGES: Final = 12 * 1024  # what a commit of one create adds to the write-ahead log, about


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The service, and its floors."""

    tips: Serving
    echo: int
    bare: int

    async def load(self, callers: int, *, rounds: int, bare: bool) -> dict[str, list[Load]]:
        """Load the sides in turn with the same message."""
        message, token = [self.tips.create_message], self.tips.token
        sides = {
            "create": partial(drive, self.tips.port, CREATE, message, callers=callers, token=token),
            "echo": partial(drive, self.echo, echo.PATH, message, callers=callers, token=token),
        }
        if bare:
            sides["bare"] = partial(drive, self.bare, bare_create.PATH, message, callers=callers, token=token)
        return await alternate(sides, rounds=rounds)


@asynccontextmanager
async def sides(directory: Path, *, writer_process: bool) -> AsyncIterator[Sides]:
    """Start the service and its floors."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        tips = await running.enter_async_context(
            tips_service(directory / "tips", ports.claim(), writer_process=writer_process)
        )
        echoing, creating = ports.claim(), ports.claim()
        await running.enter_async_context(process("tests.bench.floors.echo", str(echoing), port=echoing))
        await running.enter_async_context(
            process("tests.bench.floors.bare_create", str(creating), str(directory / "bare.db"), port=creating)
        )
        yield Sides(tips=tips, echo=echoing, bare=creating)


async def measure(bench: Bench, *, process: bool) -> None:
    """Measure at each number of callers that is asked for."""
    prefix = "create-process" if process else "create"
    async with sides(bench.directory, writer_process=process) as running:
        for callers in (1, 16, 64, 256):
            name = f"{prefix}-{callers}"
            wanted = [each for each in (name, f"{name}-bare", f"{name}-p99", f"{name}-p50") if bench.wants(each)]
            if not wanted:
                continue
            loads = await running.load(callers, rounds=bench.pairs, bare=f"{name}-bare" in wanted)
            for each in wanted:
                if each.endswith("-p50"):
                    synced = await asyncio.to_thread(fdatasync_us, bench.directory / "synced")
                    floor = [load.p50_us + synced for load in loads["echo"]]
                    _record(bench, each, [load.p50_us for load in loads["create"]], floor)
                elif each.endswith("-p99"):
                    _record(bench, each, [load.p99_us for load in loads["create"]], [x.p99_us for x in loads["echo"]])
                else:
                    other = loads["bare" if each.endswith("-bare") else "echo"]
                    _record(bench, each, [x.per_second for x in loads["create"]], [x.per_second for x in other])


def _record(bench: Bench, name: str, subject: Sequence[float], floor: Sequence[float]) -> None:
    value, base, ratio = compare(subject, floor)
    bench.record(name, value=value, floor=base, ratio=ratio)


def fdatasync_us(path: Path) -> float:
    """Measure what the disk takes at least for one commit: the median of some hundred, in microseconds."""
    took = []
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        for number in range(_SYNCS):
            os.pwrite(handle, b"x" * _PAGES, number * _PAGES)
            began = time.perf_counter()
            os.fdatasync(handle)
            took.append(time.perf_counter() - began)
    finally:
        os.close(handle)
    return statistics.median(took) * 1e6


def _lines(prefix: str, how: str, bars: dict[int, float]) -> list[Line]:
    what = f"durable CreateTip, all guards on{how}, {{}} callers, against an echo of the same message"
    return [
        Line(
            name=f"{prefix}-{callers}",
            what=what.format(callers),
            unit="calls/s",
            bar=Bar(limit=bars[callers]) if callers in bars else None,
        )
        for callers in (1, 16, 64, 256)
    ]


_PROCESS: Final = ", writer in a process of its own"
FIGURES: Final = [
    Figure(
        name="creates",
        lines=[
            *_lines("create", "", {16: 0.35, 64: 0.60}),
            Line(
                name="create-64-bare",
                what="the same, 64 callers, against a bare durable create: the same rows, no guards, plain groups",
                unit="calls/s",
            ),
            Line(
                name="create-64-p99",
                what="99th percentile of the same, 64 callers, against the echo's",
                unit="µs",
                bar=Bar(limit=2.0, at_least=False),
            ),
            Line(
                name="create-1-p50",
                what="median of the same, 1 caller, against the echo's and one fdatasync",
                unit="µs",
                bar=Bar(limit=1.6, at_least=False),
            ),
        ],
        measure=partial(measure, process=False),
    ),
    Figure(
        name="creates-process",
        lines=[
            *_lines("create-process", _PROCESS, {64: 0.80, 256: 0.90}),
            Line(
                name="create-process-64-bare",
                what=f"the same{_PROCESS}, 64 callers, against a bare durable create",
                unit="calls/s",
            ),
            Line(
                name="create-process-64-p99",
                what=f"99th percentile of the same{_PROCESS}, 64 callers, against the echo's",
                unit="µs",
                bar=Bar(limit=2.0, at_least=False),
            ),
        ],
        measure=partial(measure, process=True),
    ),
]
