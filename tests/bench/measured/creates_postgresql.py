"""Durable creates with all guards on, in PostgreSQL: against a bare grouped insert there, through as plain a call."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.floors import bare_create
from tests.bench.pairs import pairs
from tests.bench.processes import drive, process
from tests.bench.tips_service import CREATE, tips_service
from tests.postgres_server import PostgresServer

if TYPE_CHECKING:
    from tests.bench.figures import Bench

_SETTINGS: Final = {"shared_buffers": "256MB"}  # and fsync is on, as it is unless somebody turns it off
_PLAIN: Final = "create-postgresql"
_APART: Final = "create-postgresql-process"
_CALLERS: Final = {_PLAIN: (16, 64), _APART: (64,)}


async def creates(bench: Bench, *, seconds: float = 1.5, warm_seconds: float = 0.3) -> None:
    """Run the service, the same with its writer in a process of its own, and the floor, each in its own database."""
    async with AsyncExitStack() as running:
        ports = running.enter_context(PortClaims())
        server = await asyncio.to_thread(PostgresServer, _SETTINGS)
        running.push_async_callback(asyncio.to_thread, server.close)
        for name in ("plain", "process", "bare"):
            await asyncio.to_thread(server.run, f"CREATE DATABASE {name} TEMPLATE template0")
        plain, apart = [
            await running.enter_async_context(
                tips_service(bench.directory / name, ports.claim(), database=server.url(name), writer_process=own)
            )
            for name, own in (("plain", False), ("process", True))
        ]
        bare = ports.claim()
        await running.enter_async_context(
            process("tests.bench.floors.bare_create", str(bare), server.url("bare"), port=bare)
        )
        for prefix, tips in ((_PLAIN, plain), (_APART, apart)):
            for callers in _CALLERS[prefix]:
                if not bench.wants(f"{prefix}-{callers}"):
                    continue
                load = partial(
                    drive,
                    messages=[tips.create_message],
                    callers=callers,
                    token=tips.token,
                    seconds=seconds,
                    warm_seconds=warm_seconds,
                )
                found = await pairs(
                    partial(load, tips.port, CREATE), partial(load, bare, bare_create.PATH), rounds=bench.pairs
                )
                value, floor, ratio = found.median(lambda one: one.per_second)
                bench.record(f"{prefix}-{callers}", value=value, floor=floor, ratio=ratio)


def _line(prefix: str, callers: int, how: str = "") -> Line:
    return Line(
        name=f"{prefix}-{callers}",
        what=f"durable CreateTip in PostgreSQL, all guards on{how}, {callers} callers, against a bare grouped insert "
        "of the same rows in the same server",
        unit="calls/s",
        bar=Bar(limit=0.80),
    )


FIGURES: Final = [
    Figure(
        name="creates-postgresql",
        lines=[
            *(_line(_PLAIN, callers) for callers in _CALLERS[_PLAIN]),
            *(_line(_APART, callers, ", writer in a process of its own") for callers in _CALLERS[_APART]),
        ],
        measure=creates,
    )
]
