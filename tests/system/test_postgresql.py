"""Two agencies whose records are in PostgreSQL: nodes and servers are killed in the middle of their traffic."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import generate
from renkei_node.doctor import network, storage
from renkei_node.doctor.examination import examine
from renkei_node.layout import SERVICES
from tests.postgres_server import FAST, PostgresServer
from tests.system.federation import Federation, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

CHIBA, TOKYO = "jp-12", "jp-13"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def servers() -> Iterator[dict[str, PostgresServer]]:
    """Give each agency a server with a database for each service."""
    made = {code: PostgresServer({**FAST, "full_page_writes": "on"}) for code in (CHIBA, TOKYO)}
    for server in made.values():
        for service in SERVICES:
            server.run(f"CREATE DATABASE {service} TEMPLATE template0")
    yield made
    for server in made.values():
        server.close()


@pytest.fixture
async def federation(tmp_path: Path, servers: dict[str, PostgresServer]) -> AsyncIterator[Federation]:
    made = await asyncio.to_thread(Federation, tmp_path, (CHIBA, TOKYO), servers)
    await asyncio.to_thread(made.set_up)
    await made.start()
    yield made
    await made.stop()


async def traffic(federation: Federation, count: int) -> None:
    for number in range(count):
        await federation.record(CHIBA, TOKYO, number=number)
        await federation.record(TOKYO, CHIBA, number=number)
        await federation.record(CHIBA, number=number)


def kill_and_start(server: PostgresServer) -> None:
    server.kill()
    server.start()


@pytest.mark.slow
async def test_kills_of_nodes_and_of_database_servers_lose_double_and_leak_nothing(
    federation: Federation, servers: dict[str, PostgresServer]
) -> None:
    flow = asyncio.create_task(traffic(federation, 30))

    async def more(count: int) -> None:
        wanted = len(federation.acknowledged) + count
        await until(partial(_has, federation, wanted))

    await more(9)
    await asyncio.to_thread(kill_and_start, servers[CHIBA])
    await more(9)
    await asyncio.to_thread(federation[TOKYO].kill)
    await asyncio.to_thread(kill_and_start, servers[TOKYO])
    await asyncio.to_thread(federation[TOKYO].start)
    await federation[TOKYO].ready()
    await more(9)
    await asyncio.to_thread(federation[CHIBA].kill)
    await asyncio.to_thread(federation[CHIBA].start)
    await federation[CHIBA].ready()
    await more(6)
    await asyncio.to_thread(kill_and_start, servers[CHIBA])
    await flow
    await federation.settled()

    await asyncio.to_thread(federation.verify)


async def _has(federation: Federation, count: int) -> bool:
    return len(federation.acknowledged) >= count


@pytest.mark.slow
async def test_the_doctor_finds_a_running_node_well_and_hears_its_neighbours_clock(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "FULL_MEGABYTES", 0)
    directory = federation[CHIBA].directory
    await federation.record(CHIBA, TOKYO)

    async def told() -> set[str]:
        found = await asyncio.to_thread(examine, directory)
        return {finding.text for finding in found}

    well = await told()
    assert well >= {"settings_well", "ports_served", "nats_well", "database_well", "peer_well", "clock_well"}
    # The tests' servers do not sync, which the doctor sees.
    assert well.isdisjoint({"peer_silent", "port_silent", "database_unreachable", "database_broken", "clock_behind"})

    with monkeypatch.context() as later:
        later.setattr(network, "WallClock", _LaterClock)
        assert "peer_clock" in await told()
    with monkeypatch.context() as other_key:
        other_key.setattr(network, "load_private", lambda path: generate())
        assert "peer_refuses" in await told()
    await federation[TOKYO].stop()
    assert "peer_silent" in await told()


class _LaterClock(WallClock):
    def now_us(self) -> int:
        return super().now_us() + timedelta(minutes=1) // timedelta(microseconds=1)
