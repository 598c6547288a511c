"""What a partition is like for those who work: local work goes on, it is told of, and it heals by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub

from renkei_node.demo.proxy import Mode
from tests.system.federation import Federation, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

CHIBA, TOKYO, TOCHIGI = "jp-12", "jp-13", "jp-09"
# Longer than every timer of a lane: acknowledgement 5 s, pull 5 s, three missed pings, longest pause 5 s.
LONG_PARTITION_SECONDS = 16

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Callable[..., Federation]]:
    made: list[Federation] = []

    def make_one(*, courier: bool = True) -> Federation:
        federation = Federation(tmp_path, (CHIBA, TOKYO, TOCHIGI))
        federation.set_up(courier=courier)
        made.append(federation)
        return federation

    yield make_one
    for federation in made:
        await federation.stop()


async def started(make: Callable[..., Federation], *, courier: bool = True) -> Federation:
    federation = await asyncio.to_thread(lambda: make(courier=courier))
    await federation.start()
    return federation


async def traffic(federation: Federation, count: int) -> None:
    """Record at two agencies: for the other, for both others, for nobody."""
    for number in range(count):
        await federation.record(CHIBA, TOKYO, number=number)
        await federation.record(TOCHIGI, CHIBA, TOKYO, number=number)
        await federation.record(CHIBA, number=number)


@pytest.mark.slow
async def test_a_partition_longer_than_every_timer_heals_by_itself_and_local_work_goes_on(
    make: Callable[..., Federation],
) -> None:
    federation = await started(make)
    await traffic(federation, 3)
    await federation.settled()
    loop = asyncio.get_running_loop()

    await federation.lay(CHIBA, Mode.BLACKHOLE)
    ends = loop.time() + LONG_PARTITION_SECONDS
    while loop.time() < ends:
        await traffic(federation, 2)
        await _is_cut_off(federation, TOKYO, CHIBA)
    behind = set(federation.expected()[TOKYO]) - set(await asyncio.to_thread(federation[TOKYO].copies))
    await federation.lay(CHIBA, Mode.PASS)
    await federation.settled()

    assert behind  # it was a partition
    await asyncio.to_thread(federation.verify)


async def test_a_pulled_cable_is_told_of_and_put_back(make: Callable[..., Federation]) -> None:
    federation = await started(make)

    await federation.lay(CHIBA, Mode.CUT)
    await traffic(federation, 5)
    await until(lambda: _is_cut_off(federation, TOKYO, CHIBA))
    await federation.lay(CHIBA, Mode.PASS)
    await federation.settled()
    await until(lambda: _is_connected(federation, TOKYO, CHIBA))

    await asyncio.to_thread(federation.verify)


async def test_without_nats_everything_arrives(make: Callable[..., Federation]) -> None:
    federation = await started(make, courier=False)

    await traffic(federation, 15)
    await federation.settled()

    await asyncio.to_thread(federation.verify)


async def _is_cut_off(federation: Federation, here: str, there: str) -> bool:
    return await _state(federation, here, there) == exchange_pb2.Peer.STATE_CUT_OFF


async def _is_connected(federation: Federation, here: str, there: str) -> bool:
    return await _state(federation, here, there) == exchange_pb2.Peer.STATE_CONNECTED


async def _state(federation: Federation, here: str, there: str) -> int:
    client = await federation[here].client("exchange")
    answer = await client.call(client.stub(ExchangeServiceStub).ListPeers, exchange_pb2.ListPeersRequest())
    return next(peer.state for peer in answer.peers if peer.name == f"agencies/{there}")
