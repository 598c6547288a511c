"""What breaks between two exchanges, one thing at a time: everything still arrives, once and in order."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from tests.exchange.forces import Force, forces, linked, payload_of, to
from tests.exchange.servers import until

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims


async def arrived(force: Force, count: int) -> list[str]:
    return [payload_of(event).tip.text.removeprefix("text-") for event in await force.has(count, seconds=40)]


async def repaired(force: Force, peer: str) -> int:
    return sum(lane.repaired for lane in (await force.peers())[peer].lanes)


async def test_a_nats_server_that_is_killed_costs_speed_and_nothing_else(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await linked(tochigi, chiba)
        assert tochigi.nats is not None
        await tochigi.record("before", to=to("jp-12"))
        await arrived(chiba, 1)

        await tochigi.nats.kill()
        await tochigi.record("meanwhile", to=to("jp-12"))
        assert await arrived(chiba, 2) == ["before", "meanwhile"]
        assert chiba.unreachable() == 0  # it answers over gRPC

        await tochigi.nats.start()
        await tochigi.record("after", to=to("jp-12"))
        assert await arrived(chiba, 3) == ["before", "meanwhile", "after"]


async def test_a_wiped_stream_is_filled_again_and_nothing_comes_twice(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await linked(tochigi, chiba)
        assert tochigi.nats is not None
        for number in range(5):
            await tochigi.record(str(number), to=to("jp-12"))
        await arrived(chiba, 5)

        await tochigi.nats.kill()
        await tochigi.nats.wipe()
        await tochigi.nats.start()
        for number in range(5, 10):
            await tochigi.record(str(number), to=to("jp-12"))

        assert await arrived(chiba, 10) == [str(number) for number in range(10)]
        # And then NATS alone brings again: the new stream goes on where the lane is.
        async with asyncio.timeout(40):
            before, count = -1, 10
            while before != await repaired(chiba, "agencies/jp-09"):
                before = await repaired(chiba, "agencies/jp-09")
                await tochigi.record(str(count), to=to("jp-12"))
                count += 1
                await arrived(chiba, count)


async def test_a_peer_that_was_down_catches_up(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        assert chiba.nats is not None
        await tochigi.record("0", to=to("jp-12"))
        await arrived(chiba, 1)
        await chiba.stop_exchange()
        await chiba.nats.kill()
        words = [str(number) for number in range(1, 1501)]
        for start in range(0, len(words), 100):
            await tochigi.record(*words[start : start + 100], to=to("jp-12"))
        await until(lambda: tochigi.unreachable() == 1)

        await chiba.nats.start()
        await chiba.start_exchange()

        assert await arrived(chiba, 1501) == ["0", *words]
        await until(lambda: tochigi.received("jp-12") == tochigi.made("jp-12"))
        await until(lambda: tochigi.unreachable() == 0)


async def test_a_receiver_that_stops_in_the_middle_goes_on_where_it_stood(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        words = [str(number) for number in range(300)]
        for start in range(0, len(words), 10):
            await tochigi.record(*words[start : start + 10], to=to("jp-12"))
            if start in {100, 200}:
                await arrived(chiba, start // 2)
                await chiba.stop_exchange()
                await chiba.start_exchange()

        assert await arrived(chiba, 300) == words


async def test_a_sender_that_stops_in_the_middle_goes_on_where_it_stood(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        words = [str(number) for number in range(300)]
        for start in range(0, len(words), 10):
            await tochigi.record(*words[start : start + 10], to=to("jp-12"))
            if start in {100, 200}:
                await tochigi.stop_exchange()
                await tochigi.start_exchange()

        assert await arrived(chiba, 300) == words
        assert len(await tochigi.deliveries()) == 100  # the first page of them


async def test_a_sender_that_lost_its_exchange_offers_everything_again(tmp_path: Path, ports: PortClaims) -> None:
    """A new database is a new epoch: Chiba reads it from the start and knows what it has by event id."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        for number in range(5):
            await tochigi.record(str(number), to=to("jp-12"))
        await arrived(chiba, 5)

        await tochigi.stop_exchange()
        await asyncio.to_thread(_lose, tochigi)
        await tochigi.start_exchange()
        await tochigi.record("5", to=to("jp-12"))

        assert await arrived(chiba, 6) == [str(number) for number in range(6)]
        await until(lambda: tochigi.received("jp-12") == tochigi.made("jp-12") > 0)


def _lose(force: Force) -> None:
    for path in (force.directory / "data").glob("exchange.db*"):
        path.unlink()


async def test_a_receiver_that_lost_its_exchange_gets_everything_again(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        for number in range(5):
            await tochigi.record(str(number), to=to("jp-12"))
        await arrived(chiba, 5)
        await until(lambda: tochigi.received("jp-12") == tochigi.made("jp-12"))

        await chiba.stop_exchange()
        await asyncio.to_thread(_lose, chiba)
        await chiba.start_exchange()

        assert await arrived(chiba, 5) == [str(number) for number in range(5)]


async def test_lanes_need_no_nats_between_agencies(tmp_path: Path, ports: PortClaims) -> None:
    """Chiba's nats-server and its links are gone for good, Tochigi's own courier works."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        assert tochigi.nats is not None
        assert chiba.nats is not None
        await chiba.nats.kill()
        await tochigi.nats.kill()
        await asyncio.to_thread(shutil.rmtree, tochigi.nats.directory)
        await tochigi.record("a", to=to("jp-12"))
        await chiba.record("b", to=to("jp-09"))

        assert await arrived(chiba, 1) == ["a"]
        assert await arrived(tochigi, 1) == ["b"]
