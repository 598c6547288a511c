"""Watch streams: a hundred subscribers of one log, and how soon each of them knows."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import statistics
import sys
import time
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.client import Client
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors import one_by_one
from tests.bench.loader import LoadJob, load
from tests.bench.pairs import compare, pairs
from tests.bench.processes import ROOT, process
from tests.bench.subscribers import Subscription
from tests.bench.tips_service import create_message, tips_service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.bench.figures import Bench
    from tests.bench.tips_service import Serving

WATCH: Final = "/renkei.tips.v1.TipsService/WatchTips"
_SUBSCRIBERS: Final = 100
_EVENTS: Final = 1000
_PER_SECOND: Final = 100
_LIVE: Final = 400
_PACKED: Final = 4  # about as many as the service makes of so many events
_NAMES: Final = 2  # the change names its record, and the record itself


def subscription(tips: Serving, *, events: int, subscribers: int, live: bool) -> Subscription:
    """Make what the subscribers are to do: from the first event, or from now on."""
    request = tips_pb2.WatchTipsRequest(from_start=not live)
    return Subscription(
        port=tips.port,
        path=WATCH,
        headers={"authorization": f"Bearer {tips.token}"},
        message=base64.b64encode(request.SerializeToString()).decode(),
        subscribers=subscribers,
        events=events,
        names_an_event=_NAMES,
        timed=live,
    )


@asynccontextmanager
async def subscribers(job: Subscription) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the subscribers; all have had their first answer when the block begins."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.subscribers",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )  # fmt: skip
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(dataclasses.asdict(job)).encode() + b"\n")
        if await child.stdout.readline() != b"ready\n":
            raise RuntimeError("the subscribers did not begin")
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _outcome(child: asyncio.subprocess.Process) -> dict[str, Any]:
    told, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError("the subscribers failed")
    found: dict[str, Any] = json.loads(told)
    return found


async def deliveries_per_second(job: Subscription) -> float:
    """Let the subscribers read everything; gives the events that arrived a second, over all of them."""
    async with subscribers(job) as child:
        return job.events * job.subscribers / float((await _outcome(child))["seconds"])


async def latencies_ms(tips: Serving, *, events: int, subscribers_: int) -> list[float]:
    """Create at a steady pace; gives the milliseconds from each answer until each subscriber had the change."""
    loop = asyncio.get_running_loop()
    answered: dict[str, float] = {}
    client = Client(f"127.0.0.1:{tips.port}", token=lambda: tips.token)
    template = tips_pb2.CreateTipRequest.FromString(tips.create_message)

    async def create() -> None:
        request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=template.parent, tip=template.tip)
        tip = await client.call(client.stub(TipsServiceStub).CreateTip, request)
        answered[tip.name] = time.monotonic()

    job = subscription(tips, events=events, subscribers=subscribers_, live=True)
    try:
        async with subscribers(job) as child:
            outcome = asyncio.create_task(_outcome(child))
            async with asyncio.TaskGroup() as tasks:
                began = loop.time()
                for number in range(events):
                    await asyncio.sleep(max(0.0, began + number / _PER_SECOND - loop.time()))
                    tasks.create_task(create())
            times = (await outcome)["times"]
    finally:
        await client.close()
    short = [name for name in answered if len(times.get(name, ())) != subscribers_]
    if short:
        raise RuntimeError(f"{len(short)} of {events} changes did not reach every subscriber once")
    return [1e3 * max(0.0, moment - at) for name, at in answered.items() for moment in times[name]]


def answer(events: int) -> bytes:
    """Make an answer with so many events, each of the size that the service's have."""
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    changes = []
    for _ in range(events):
        tip.name = f"agencies/jp-12/tips/{uuid.uuid4()}"
        changes.append(tips_pb2.TipChange(kind="TipRecorded", name=tip.name, tip=tip))
    return tips_pb2.WatchTipsResponse(changes=changes, resume_token="x" * 60).SerializeToString()


@asynccontextmanager
async def floor_of(path: Path, port: int, *, events: int, messages: int) -> AsyncIterator[None]:
    """Serve a bare stream: so many messages, the same each time, of so many events together."""
    await asyncio.to_thread(path.write_bytes, answer(events // messages))
    module = "tests.bench.floors.one_by_one"
    async with process(module, str(port), str(path), str(messages), port=port):
        yield


async def watching(bench: Bench, *, events: int = _EVENTS, live: int = _LIVE, many: int = _SUBSCRIBERS) -> None:
    """Measure how much goes out, then how soon."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        tips = await running.enter_async_context(tips_service(bench.directory / "tips", ports.claim()))
        await load(LoadJob(port=tips.port, token=tips.token, rows=events))
        job = subscription(tips, events=events, subscribers=many, live=False)
        for name, messages in {"watch-100": events, "watch-100-packed": min(_PACKED, events)}.items():
            if not bench.wants(name):
                continue
            port = ports.claim()
            async with floor_of(bench.directory / name, port, events=events, messages=messages):
                floor = dataclasses.replace(job, port=port, path=one_by_one.PATH)
                found = await pairs(
                    partial(deliveries_per_second, job), partial(deliveries_per_second, floor), rounds=bench.pairs
                )
            value, base, ratio = compare(found.subject, found.floor)
            bench.record(name, value=value, floor=base, ratio=ratio)
        if bench.wants("watch-100-p99"):
            rounds = [await latencies_ms(tips, events=live, subscribers_=many) for _ in range(bench.pairs)]
            p99 = statistics.median(statistics.quantiles(one, n=100)[98] for one in rounds)
            bench.record("watch-100-p99", value=p99)


FIGURES: Final = [
    Figure(
        name="watch",
        lines=[
            Line(
                name="watch-100",
                what=f"WatchTips, {_EVENTS:,} events to each of {_SUBSCRIBERS} subscribers, against a stream that "
                "sends one message an event",
                unit="events/s",
                bar=Bar(limit=30),
            ),
            Line(
                name="watch-100-packed",
                what=f"the same, against a bare stream of {_PACKED} messages that hold the same events: what the "
                "transport can carry",
                unit="events/s",
            ),
            Line(
                name="watch-100-p99",
                what=f"answer of a create until each of {_SUBSCRIBERS} subscribers has the change, "
                f"{_PER_SECOND} creates/s, 99th percentile",
                unit="ms",
                bar=Bar(limit=20, of="value", at_least=False),
            ),
        ],
        measure=watching,
    )
]
