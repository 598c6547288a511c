"""Get, against an echo of a message as large as its answer."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

import grpc
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors import echo
from tests.bench.generator import PLACEHOLDER
from tests.bench.pairs import alternate, compare
from tests.bench.processes import drive, process
from tests.bench.tips_service import GET, tips_service

if TYPE_CHECKING:
    from tests.bench.figures import Bench
    from tests.bench.tips_service import Serving

_RECORDS: Final = 200
_CALLERS: Final = (16, 64)


async def get(bench: Bench) -> None:
    """Record some tips and read them in turn."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        tips = await running.enter_async_context(tips_service(bench.directory / "tips", ports.claim()))
        floor = ports.claim()
        await running.enter_async_context(process("tests.bench.floors.echo", str(floor), port=floor))
        records = [await _create(tips) for _ in range(_RECORDS)]
        asked = [tips_pb2.GetTipRequest(name=record.name).SerializeToString() for record in records]
        answer = records[0].SerializeToString()
        for callers in _CALLERS:
            if not bench.wants(f"get-{callers}"):
                continue
            loads = await alternate(
                {
                    "get": partial(drive, tips.port, GET, asked, callers=callers, token=tips.token),
                    "echo": partial(drive, floor, echo.PATH, [answer], callers=callers, token=tips.token),
                },
                rounds=bench.pairs,
            )
            value, base, ratio = compare(*([load.per_second for load in side] for side in loads.values()))
            bench.record(f"get-{callers}", value=value, floor=base, ratio=ratio)


async def _create(tips: Serving) -> tips_pb2.Tip:
    request = tips_pb2.CreateTipRequest.FromString(
        tips.create_message.replace(PLACEHOLDER.encode(), str(uuid7()).encode())
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{tips.port}") as channel:
        return await TipsServiceStub(channel).CreateTip(
            request, metadata=(("authorization", f"Bearer {tips.token}"),), timeout=10
        )


FIGURES: Final = [
    Figure(
        name="reads",
        lines=[
            Line(
                name=f"get-{callers}",
                what=f"GetTip, all guards on, {callers} callers, against an echo of a message of its answer's size",
                unit="calls/s",
                bar=Bar(limit=0.85),
            )
            for callers in _CALLERS
        ],
        measure=get,
    )
]
