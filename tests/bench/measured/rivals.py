"""What carries events between two databases over JetStream: our relay and follower against two packages that do so.

All of it in one PostgreSQL server that syncs, over one nats-server, with the same record in each row and message.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.couriers import CourierJob, carry
from tests.bench.figures import Bar, Figure, Line
from tests.bench.nats_server import nats_server
from tests.bench.pairs import alternate, compare
from tests.bench.processes import python
from tests.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tests.bench.couriers import Carried
    from tests.bench.figures import Bench

_EVENTS: Final = 4096
_PACK: Final = 16  # what as many callers at once make of a commit
_CONNECTIONS: Final = 16  # more make the subscriber no faster


async def rivals(bench: Bench, *, events: int = _EVENTS) -> None:
    """Let each carry a backlog of its own, in turns."""
    async with AsyncExitStack() as running:
        port = running.enter_context(PortClaims()).claim()
        postgres = await asyncio.to_thread(PostgresServer, {})
        running.push_async_callback(asyncio.to_thread, postgres.close)
        nats = await running.enter_async_context(nats_server(bench.directory / "nats", port))
        fresh = _databases(postgres)

        async def ours(events_a_pack: int) -> Carried:
            outbox, inbox = await asyncio.to_thread(lambda: (next(fresh), next(fresh)))
            return await carry(
                CourierJob(outbox=outbox, inbox=inbox, nats=nats, events=events, events_a_pack=events_a_pack)
            )

        async def theirs(module: str, **more: int) -> float:
            database = await asyncio.to_thread(next, fresh)
            return float(await python(module, json.dumps({"database": database, "server": nats, **more})))

        sides: dict[str, Callable[[], Awaitable[Carried | float]]] = {
            "packed": partial(ours, _PACK),
            "single": partial(ours, 1),
            "relay": partial(theirs, "tests.bench.floors.outbox_relay", rows=events),
            "inbox": partial(theirs, "tests.bench.floors.stream_inbox", messages=events, connections=_CONNECTIONS),
        }
        found = await alternate(sides, rounds=bench.pairs)
    for name, part in (("relay", "relayed"), ("inbox", "received")):
        floor = [one for one in found[name] if isinstance(one, float)]
        for suffix, side in (("", "packed"), ("-single", "single")):
            value, base, ratio = compare([getattr(one, part) for one in found[side]], floor)
            bench.record(f"{name}{suffix}", value=value, floor=base, ratio=ratio)


def _databases(server: PostgresServer) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        server.run(f"CREATE DATABASE bench{number} TEMPLATE template0")
        yield server.url(f"bench{number}")


_RELAY: Final = "a backlog of the log until JetStream has acknowledged it"
_INBOX: Final = "a backlog of JetStream until it is committed and acknowledged, each event once"
FIGURES: Final = [
    Figure(
        name="rivals",
        lines=[
            Line(
                name="relay",
                what=f"{_RELAY}, {_PACK} events a commit, against the relay of nats-outbox",
                unit="events/s",
                bar=Bar(limit=10),
            ),
            Line(
                name="relay-single",
                what="the same where each event had a commit, and so has a message, of its own",
                unit="events/s",
            ),
            Line(
                name="inbox",
                what=f"{_INBOX}, {_PACK} events a message, against a FastStream subscriber that commits a row for "
                f"each message, over {_CONNECTIONS} connections and in any order",
                unit="events/s",
                bar=Bar(limit=4),
            ),
            Line(
                name="inbox-single",
                what="the same where each event has a message of its own",
                unit="events/s",
            ),
        ],
        measure=rivals,
    )
]
