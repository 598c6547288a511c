"""Search for words in texts, and for parts of identifiers, over 10^5 and 10^6 tips, on both databases."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack, ExitStack
from itertools import product
from typing import TYPE_CHECKING, Final

import grpc
from renkei.tips.v1.tips_pb2 import SearchTipsRequest
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.processes import python
from tests.bench.text_corpus import PARTS, QUERIES
from tests.bench.tips_service import tips_service
from tests.postgres_server import FAST, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei.tips.v1.tips_pb2_grpc import TipsServiceAsyncStub

    from tests.bench.figures import Bench

_DATABASES: Final = ("sqlite", "postgresql")
_SIZES: Final = {"1e5": 100_000, "1e6": 1_000_000}
_ROUNDS: Final = 3
_WHAT: Final = {"text": "words of the fixed mix", "part": "a part of an identifier"}
_BAR: Final = Bar(limit=20, of="value", at_least=False)
# Ten times the tips: twice the places where what is rare is looked for.
_GROWTH_BAR: Final = Bar(limit=2, of="value", at_least=False)


async def searches(bench: Bench) -> None:
    """Fill a database, ask the service that runs on it, and fill it further."""
    for database in _DATABASES:
        wanted = [size for size in _SIZES if any(bench.wants(f"{what}-{database}-{size}") for what in _WHAT)]
        if any(bench.wants(f"{what}-growth-{database}") for what in _WHAT):
            wanted = list(_SIZES)
        with ExitStack() as running:
            directory = bench.directory / database
            settings = {"data_directory": str(directory / "data")}
            where = str(directory / "data" / "tips.db")
            await asyncio.to_thread((directory / "data").mkdir, parents=True)
            server: PostgresServer | None = None
            if wanted and database == "postgresql":
                server = await asyncio.to_thread(PostgresServer, {**FAST, "shared_buffers": "512MB"})
                running.callback(server.close)
                server.run("CREATE DATABASE tips TEMPLATE template0")
                where = settings["database"] = server.url("tips")
            slowest: dict[str, dict[str, float]] = {}
            stored = 0
            for size in wanted:
                job = json.dumps({"where": where, "first": stored, "count": _SIZES[size] - stored})
                told = await python("tests.bench.text_store", job)
                sys.stdout.write(f"{database} {size}: {told.decode()}\n")
                stored = _SIZES[size]
                if server is not None:  # what a server does by itself within minutes: filling is not what is measured
                    server.run("VACUUM ANALYZE", database="tips")
                    server.run("CHECKPOINT")
                slowest[size] = await _asked(directory / size, settings)
                for what, took in slowest[size].items():
                    bench.record(f"{what}-{database}-{size}", value=took)
            if len(slowest) == len(_SIZES):
                for what in _WHAT:
                    bench.record(f"{what}-growth-{database}", value=slowest["1e6"][what] / slowest["1e5"][what])


async def _asked(directory: Path, settings: dict[str, str]) -> dict[str, float]:
    """Give the p95 of searches for words and for parts of identifiers, in milliseconds, one caller at a time."""
    async with AsyncExitStack() as running:
        port = running.enter_context(PortClaims()).claim()
        serving = await running.enter_async_context(tips_service(directory, port, telemetry=None, **settings))
        channel = await running.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        stub: TipsServiceAsyncStub = TipsServiceStub(channel)
        metadata = (("authorization", f"Bearer {serving.token}"),)
        asked = {
            "text": [SearchTipsRequest(text=query) for query in QUERIES],
            "part": [SearchTipsRequest(identifier=part) for part in PARTS],
        }
        return {what: await _p95(stub, requests, metadata) for what, requests in asked.items()}


async def _p95(
    stub: TipsServiceAsyncStub, requests: Sequence[SearchTipsRequest], metadata: tuple[tuple[str, str], ...]
) -> float:
    took: list[float] = []
    for number, request in product(range(_ROUNDS + 1), requests):
        began = time.perf_counter()
        await stub.SearchTips(request, metadata=metadata, timeout=60)
        if number:  # the first round warms what every service that runs has warm
            took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return took[min(len(took) * 95 // 100, len(took) - 1)]


def _lines() -> list[Line]:
    lines: list[Line] = []
    for database, (what, told) in product(_DATABASES, _WHAT.items()):
        lines += [
            Line(
                name=f"{what}-{database}-{size}",
                what=f"SearchTips for {told}, {count:,} tips, {database}, p95 of one caller",
                unit="ms",
                bar=_BAR,
            )
            for size, count in _SIZES.items()
        ]
        lines.append(
            Line(
                name=f"{what}-growth-{database}",
                what=f"the p95 for {told} at 10^6 tips over that at 10^5, {database}",
                unit="times",
                bar=_GROWTH_BAR,
            )
        )
    return lines


FIGURES: Final = [Figure(name="texts", lines=_lines(), measure=searches)]
