"""What a node costs by itself: how soon it serves, what it holds, and what it burns while nothing happens."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from tests.bench.figures import Bar, Figure, Line
from tests.bench.measured.lanes import load, two_agencies

if TYPE_CHECKING:
    from tests.bench.figures import Bench
    from tests.system.federation import Member

_IMPORTS: Final = "import grpc.aio, nats, sqlalchemy, opentelemetry.sdk.trace, protovalidate, pydantic"
_IDLE_SECONDS: Final = 10.0
_LOADED: Final = 20_000
_MEGABYTE: Final = 1e6


async def node(bench: Bench) -> None:
    """Start a node several times, leave it alone, then load it. Its one peer runs beside it."""
    starts, floors = [], []
    async with two_agencies(bench.directory, courier=True) as federation:
        member = federation["jp-12"]
        for _ in range(bench.pairs):
            await member.stop()
            floors.append(await _import_seconds())
            began = time.monotonic()
            await asyncio.to_thread(member.start)
            await member.ready()
            starts.append(time.monotonic() - began)
        start, floor = statistics.median(starts), statistics.median(floors)
        bench.record("node-start", value=start, floor=floor)
        bench.record("node-idle-cpu", value=100 * await _idle(member))
        bench.record("node-idle-memory", value=_resident(member) / _MEGABYTE)
        await load(await member.client("tips"), _LOADED)
        await asyncio.sleep(1)
        bench.record("node-loaded-memory", value=await asyncio.to_thread(_most_resident, member) / _MEGABYTE)


async def _import_seconds() -> float:
    """Time an interpreter that only imports what every service stands on."""
    began = time.monotonic()
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", _IMPORTS)
    if await child.wait():
        raise RuntimeError("the imports failed")
    return time.monotonic() - began


async def _idle(member: Member) -> float:
    """Give the share of a core that the node's process takes while nobody calls."""
    await asyncio.sleep(2)  # what a start leaves to do
    process = _process(member)
    before = process.cpu_times()
    await asyncio.sleep(_IDLE_SECONDS)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / _IDLE_SECONDS


def _process(member: Member) -> psutil.Process:
    if member.process is None:
        raise RuntimeError("the node does not run")
    return psutil.Process(member.process.pid)


def _resident(member: Member) -> float:
    return float(_process(member).memory_info().rss)


def _most_resident(member: Member) -> float:
    """Read the peak that the kernel kept."""
    status = Path(f"/proc/{_process(member).pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) * 1024


def _at_most(limit: float) -> Bar:
    return Bar(limit=limit, of="value", at_least=False)


FIGURES: Final = [
    Figure(
        name="node",
        lines=[
            Line(
                name="node-start",
                what="start of a node until all its services serve; floor: an interpreter that imports the libraries",
                unit="s",
                bar=_at_most(2),
            ),
            Line(
                name="node-idle-memory", what="resident memory of an idle node's process", unit="MB", bar=_at_most(200)
            ),
            Line(
                name="node-loaded-memory",
                what=f"peak resident memory of that process after a load of {_LOADED:,} tips for its peer",
                unit="MB",
                bar=_at_most(200),
            ),
            Line(
                name="node-idle-cpu",
                what="processor time of that process while nobody calls, of one core",
                unit="%",
                bar=_at_most(2),
            ),
        ],
        measure=node,
    )
]
