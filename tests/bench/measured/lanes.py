"""From the commit at one agency to the commit at the other: at a hundred records a second, and after a long cut."""

from __future__ import annotations

import asyncio
import statistics
import uuid
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_node.demo.proxy import Mode
from tests.bench.figures import Bar, Figure, Line
from tests.bench.tips_service import create_message
from tests.system.federation import Federation, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from renkei_chassis.rpc.client import Client
    from tests.bench.figures import Bench
    from tests.system.federation import Member

_HERE, _THERE = "jp-12", "jp-13"
_PER_SECOND: Final = 100
_SECONDS: Final = 6
_BACKLOG: Final = 10_000
_ROWS: Final = 100
_CAUGHT_UP_SECONDS: Final = 120.0


@asynccontextmanager
async def two_agencies(path: Path, *, courier: bool) -> AsyncIterator[Federation]:
    """Run two nodes as processes, with NATS or without, joined by cables that can be pulled."""
    federation = Federation(path, (_HERE, _THERE))
    await asyncio.to_thread(federation.set_up, courier=courier)
    try:
        await federation.start()
        yield federation
    finally:
        await federation.stop()


def shared_tip() -> tips_pb2.Tip:
    """Make a tip that the other agency gets in full."""
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    tip.handling.releasable_to.append(f"agencies/{_THERE}")
    return tip


async def latencies(federation: Federation, *, count: int) -> list[float]:
    """Create records at a steady pace and give for each the seconds from its answer here to its change there.

    A change is seen by a watch, so what the watch takes is counted too.
    """
    loop = asyncio.get_running_loop()
    client = await federation[_HERE].client("tips")
    answered: dict[str, float] = {}
    seen: dict[str, float] = {}
    watching = asyncio.Event()

    async def watch(there: Client) -> None:
        request = tips_pb2.WatchTipsRequest()
        async with aclosing(there.watch(there.stub(TipsServiceStub).WatchTips, request)) as answers:
            async for answer in answers:
                watching.set()
                now = loop.time()
                seen.update({change.name: now for change in answer.changes})
                if len(seen) >= count:
                    return

    async def create() -> None:
        request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=f"agencies/{_HERE}", tip=shared_tip())
        tip = await client.call(client.stub(TipsServiceStub).CreateTip, request)
        answered[tip.name] = loop.time()

    async with asyncio.timeout(_CAUGHT_UP_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(watch(await federation[_THERE].client("tips")))
        await watching.wait()  # its first checkpoint
        began = loop.time()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / _PER_SECOND - loop.time()))
            tasks.create_task(create())
    return [max(0.0, seen[name] - at) for name, at in answered.items()]


async def latency(bench: Bench) -> None:
    """Measure the way between two agencies under light load."""
    async with two_agencies(bench.directory / "latency", courier=True) as federation:
        await latencies(federation, count=_PER_SECOND)  # connections, first pages
        rounds = [await latencies(federation, count=_PER_SECOND * _SECONDS) for _ in range(bench.pairs)]
    halves = [statistics.quantiles(one, n=100) for one in rounds]
    bench.record("lane-p50", value=statistics.median(cuts[49] for cuts in halves) * 1e3)
    bench.record("lane-p99", value=statistics.median(cuts[98] for cuts in halves) * 1e3)


async def catch_up_seconds(path: Path, *, courier: bool, rounds: int) -> float:
    """Cut the cables, record a backlog, put them back: give the seconds until the other agency holds all of it."""
    loop = asyncio.get_running_loop()
    took = []
    async with two_agencies(path, courier=courier) as federation:
        there = federation[_THERE]
        for number in range(1, rounds + 1):
            await federation.lay(_THERE, Mode.CUT)
            await load(await federation[_HERE].client("tips"), _BACKLOG)
            began = loop.time()
            await federation.lay(_THERE, Mode.PASS)
            wanted = number * _BACKLOG

            async def arrived(wanted: int = wanted) -> bool:
                return await asyncio.to_thread(_copies, there) >= wanted

            await until(arrived, seconds=_CAUGHT_UP_SECONDS)
            took.append(loop.time() - began)
    return statistics.median(took)


async def load(client: Client, count: int) -> None:
    """Record so many tips for the other agency over the bulk path."""
    tip, load_id = shared_tip(), str(uuid.uuid4())

    def messages() -> Iterator[tips_pb2.LoadTipsRequest]:
        for first in range(1, count + 1, _ROWS):
            rows = [tips_pb2.TipRow(row=row, tip=tip) for row in range(first, first + _ROWS)]
            yield tips_pb2.LoadTipsRequest(load_id=load_id, parent=f"agencies/{_HERE}", rows=rows)

    answered = 0
    async for answer in client.duplex(client.stub(TipsServiceStub).LoadTips, messages(), seconds=_CAUGHT_UP_SECONDS):
        answered += sum(result.WhichOneof("result") == "name" for result in answer.results)
    if answered != count:
        raise RuntimeError(f"{answered} of {count} rows were recorded")


def _copies(member: Member) -> int:
    count = member.rows("tips", "SELECT count(*) FROM tip_copy")[0][0]
    assert isinstance(count, int)
    return count


async def catch_up(bench: Bench) -> None:
    """Measure how soon a backlog has crossed, with NATS and without."""
    for name, courier in (("catch-up", True), ("catch-up-without-nats", False)):
        if bench.wants(name):
            path = bench.directory / name
            bench.record(name, value=await catch_up_seconds(path, courier=courier, rounds=bench.pairs))


FIGURES: Final = [
    Figure(
        name="lane-latency",
        lines=[
            Line(
                name=name,
                what=f"commit at one agency to committed at the other, {_PER_SECOND} records/s, {part}",
                unit="ms",
                bar=Bar(limit=limit, of="value", at_least=False),
            )
            for name, part, limit in (("lane-p50", "median", 15), ("lane-p99", "99th percentile", 150))
        ],
        measure=latency,
    ),
    Figure(
        name="catch-ups",
        lines=[
            Line(
                name=name,
                what=f"a cable put back until {_BACKLOG:,} missed records are committed at the other agency, {how}",
                unit="s",
                bar=Bar(limit=limit, of="value", at_least=False),
            )
            for name, how, limit in (("catch-up", "with NATS", 5), ("catch-up-without-nats", "without NATS", 10))
        ],
        measure=catch_up,
    ),
]
