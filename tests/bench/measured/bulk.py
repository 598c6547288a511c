"""The bulk path, against an executemany of the same rows in one process, with the same indexes and synchronous=FULL."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors.bare_create import Creates
from tests.bench.loader import LoadJob, load
from tests.bench.pairs import compare, pairs
from tests.bench.tips_service import create_message, tips_service

if TYPE_CHECKING:
    from tests.bench.figures import Bench
    from tests.bench.tips_service import Serving

_ROWS: Final = 20_000
_ROWS_A_COMMIT: Final = 1000


async def rows_per_second(tips: Serving, *, rows: int) -> float:
    """Load rows into the service from another process."""
    return rows / await load(LoadJob(port=tips.port, token=tips.token, rows=rows))


async def bare_rows_per_second(creates: Creates, *, rows: int) -> float:
    """Put the same rows in by plain SQL, a thousand a commit."""
    group = [create_message()] * _ROWS_A_COMMIT

    def put() -> float:
        began = time.perf_counter()
        for _ in range(rows // _ROWS_A_COMMIT):
            creates.commit(group)
        return rows / (time.perf_counter() - began)

    return await asyncio.to_thread(put)


async def bulk(bench: Bench, *, rows: int = _ROWS) -> None:
    """Load, and put in, in turns; both databases grow alike."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        tips = await running.enter_async_context(tips_service(bench.directory / "tips", ports.claim()))
        creates = await asyncio.to_thread(Creates, bench.directory / "bare.db")
        running.callback(creates.close)
        found = await pairs(
            partial(rows_per_second, tips, rows=rows),
            partial(bare_rows_per_second, creates, rows=rows),
            rounds=bench.pairs,
        )
    value, floor, ratio = compare(found.subject, found.floor)
    bench.record("bulk-load", value=value, floor=floor, ratio=ratio)


FIGURES: Final = [
    Figure(
        name="bulk",
        lines=[
            Line(
                name="bulk-load",
                what=f"LoadTips, all guards on, {_ROWS:,} rows over two streams, against an in-process executemany "
                f"of the same rows, indexes and synchronous=FULL, {_ROWS_A_COMMIT:,} a commit",
                unit="rows/s",
                bar=Bar(limit=0.5),
            )
        ],
        measure=bulk,
    )
]
