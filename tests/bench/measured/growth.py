"""What a record costs in a store that holds 10^4, 10^5 and 10^6 of them: to create it, to read it, to list it."""

from __future__ import annotations

import asyncio
import random
import shutil
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.tips.v1 import tips_pb2

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.filled_store import fill, name_of
from tests.bench.pairs import alternate, compare
from tests.bench.processes import drive
from tests.bench.tips_service import AGENCY, CREATE, GET, tips_service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.figures import Bench
    from tests.bench.generator import Load
    from tests.bench.tips_service import Serving

LIST: Final = "/renkei.tips.v1.TipsService/ListTips"
_SIZES: Final = {"1e4": 10_000, "1e5": 100_000, "1e6": 1_000_000}
_LEAST, *_MORE = _SIZES
_ASKED: Final = 2000
_CALLERS: Final = {"create": 64, "get": 64, "list": 8}


async def growth(
    bench: Bench, *, sizes: Mapping[str, int] = _SIZES, seconds: float = 1.5, warm_seconds: float = 0.3
) -> None:
    """Fill one database, keep a copy of it at each size, and run a service on each; they are called in turn."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        await asyncio.to_thread(_stores, bench.directory, sizes)
        services = {
            size: await running.enter_async_context(tips_service(bench.directory / size, ports.claim()))
            for size in sizes
        }
        for what, callers in _CALLERS.items():
            if not any(bench.wants(_name(what, size)) for size in _MORE):
                continue
            load = partial(drive, callers=callers, seconds=seconds, warm_seconds=warm_seconds)
            sides = {
                size: partial(load, tips.port, *_calls(tips, what, sizes[size]), token=tips.token)
                for size, tips in services.items()
            }
            found = await alternate(sides, rounds=bench.pairs)
            for size in _MORE:
                value, floor, ratio = compare(_us_per_call(found[size]), _us_per_call(found[_LEAST]))
                bench.record(_name(what, size), value=value, floor=floor, ratio=ratio)


def _stores(directory: Path, sizes: Mapping[str, int]) -> None:
    filled, held = directory / "filled.db", 0
    for size, count in sizes.items():
        fill(filled, first=held, count=count - held)
        held = count
        data = directory / size / "data"
        data.mkdir(parents=True)
        shutil.copy(filled, data / "tips.db")


def _us_per_call(loads: Sequence[Load]) -> list[float]:
    return [1e6 / load.per_second for load in loads]


def _calls(tips: Serving, what: str, held: int) -> tuple[str, Sequence[bytes]]:
    if what == "create":
        return CREATE, [tips.create_message]
    if what == "list":
        return LIST, [tips_pb2.ListTipsRequest(parent=AGENCY, page_size=50).SerializeToString()]
    chance = random.Random(held)
    names = [name_of(chance.randrange(held)) for _ in range(min(_ASKED, held))]
    return GET, [tips_pb2.GetTipRequest(name=name).SerializeToString() for name in names]


def _name(what: str, size: str) -> str:
    return f"growth-{what}-{size}-over-{_LEAST}"


_WORDS: Final = {
    "create": "durable CreateTip, all guards on",
    "get": "GetTip of any of the records",
    "list": "ListTips, the first 50",
}
FIGURES: Final = [
    Figure(
        name="growth",
        lines=[
            Line(
                name=_name(what, size),
                what=f"time per call: {words}, {_CALLERS[what]} callers, into a store of {_SIZES[size]:,} tips, "
                f"against one of {_SIZES[_LEAST]:,}",
                unit="µs",
                bar=Bar(limit=1.5, at_least=False),
            )
            for what, words in _WORDS.items()
            for size in _MORE
        ],
        measure=growth,
    )
]
