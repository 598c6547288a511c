"""One real exchange among many agencies that are none: what a record costs it, by how many agencies receive it.

`python -m tests.bench.crowd` reads a job from standard input and writes what came of it, both JSON. What is told is
the processor time of the exchange, of the log it follows and of its nats-server, from the first record of a run until
every recipient has acknowledged the last. The other agencies are in a process of their own.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nats
import psutil
from nats.js.api import ConsumerConfig, StreamConfig
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis.courier import FEED, LANES, generate_user_key, lane_shape
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.identity import generate, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_exchange.federation import Agency, Federation
from renkei_exchange.settings import Settings
from tests.bench.light_peers import LightPeer, Neighbourhood
from tests.bench.nats_server import nats_server
from tests.bench.processes import process, python
from tests.bench.tips_service import create_message
from tests.exchange.forces import Force, linked_to
from tests.exchange.servers import NatsServer
from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import Sequence

_OWN: Final = "jp-12"
_A_COMMIT: Final = 16  # what as many callers at once make of it
_PULLS: Final = 1024  # that may wait at the nats-server which the light peers share


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdJob:
    """So many agencies, the real one among them; and for each number of recipients, so many records."""

    agencies: int
    runs: Sequence[tuple[int, int]]
    idle_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Processor time: of a record in each run, in microseconds, and of each second in which nothing happens."""

    records_us: Sequence[float]
    idle: float


async def crowd(job: CrowdJob) -> Costs:
    """Do it in another process."""
    return Costs(**json.loads(await python("tests.bench.crowd", json.dumps(dataclasses.asdict(job)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crowd:
    force: Force
    peers: Sequence[str]

    async def release(self, records: int, recipients: Sequence[str]) -> None:
        """Record tips for some of the peers, and wait until all of these have acknowledged all of them."""
        audience = {f"agencies/{code}": GRADE_FULL for code in recipients}
        tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
        for _ in range(records // _A_COMMIT):
            events = []
            for _ in range(_A_COMMIT):
                tip.name = f"{self.force.name}/tips/{uuid7()}"
                payload = events_pb2.TipRecorded(tip=tip)
                events.append(NewEvent(payload=payload, resource=tip.name, audience=audience))
            await self.force.emit(*events)
        await self.force.exchange.followers[f"{self.force.name}/logs/tips"].caught_up(
            self.force.tips.log.position.sequence
        )
        for code in recipients:
            await until(partial(self._has_all, code))

    async def _has_all(self, code: str) -> bool:
        return self.force.received(code) == self.force.made(code)

    async def cost_us(self, records: int, recipients: int) -> float:
        """Give the processor time of a record, in microseconds."""
        before = self._processor_seconds()
        await self.release(records, self.peers[:recipients])
        return 1e6 * (self._processor_seconds() - before) / records

    async def idle(self, seconds: float) -> float:
        """Give the processor time that goes while nothing happens, as a share of one core."""
        before = self._processor_seconds()
        began = time.monotonic()
        await asyncio.sleep(seconds)
        return (self._processor_seconds() - before) / (time.monotonic() - began)

    def _processor_seconds(self) -> float:
        assert self.force.nats is not None
        nats = psutil.Process(self.force.nats.pid).cpu_times()
        return time.process_time() + float(nats.user + nats.system)


def _neighbour(number: int, exchange_port: int, nats_port: int) -> tuple[LightPeer, Agency]:
    """Make an agency that is none, and what the federation says of it."""
    key, code = generate_user_key(), f"jp-p{number:02}"
    member = Agency(
        name=f"agencies/{code}",
        display_name="演習データ",
        display_name_en=code,
        contact_desk="desk",
        exchange_address=f"127.0.0.1:{exchange_port}",
        nats_url=f"nats://127.0.0.1:{nats_port}",
        exchange_public_key=public_text(generate()),
        nats_public_nkey=key.public,
    )
    return LightPeer(code=code, seed=key.seed, exchange_port=exchange_port, nats_port=nats_port), member


async def _join(running: AsyncExitStack, directory: Path, agencies: int) -> _Crowd:
    """Start everything; all lanes have been asked for once, and have carried a record, when it is done."""
    ports = running.enter_context(PortClaims())
    claimed = await asyncio.to_thread(ports.claim_many, 4 + 2 * (agencies - 1))
    tips, exchange, own_nats, shared_nats = claimed[:4]
    own_ports = {"tips": tips, "exchange": exchange, "nats": own_nats}
    force = Force(code=_OWN, directory=directory / _OWN, ports=own_ports, settings=Settings())
    neighbours = [
        _neighbour(number, exchange_port, nats_port)
        for number, (exchange_port, nats_port) in enumerate(zip(claimed[4::2], claimed[5::2], strict=True), start=1)
    ]
    peers = [peer for peer, _ in neighbours]
    force.federation = Federation(agencies=(force.as_member(), *(member for _, member in neighbours)))
    force.nats = NatsServer(
        directory / _OWN / "nats",
        code=_OWN,
        port=own_nats,
        key=force.local_nkey.public,
        peers={peer.code: member.nats_public_nkey for peer, member in neighbours},
    )
    shared = await running.enter_async_context(nats_server(directory / "shared", shared_nats))
    await _make_empty_streams(shared)
    running.push_async_callback(force.nats.kill)
    await force.nats.start()
    around = Neighbourhood(nats_url=force.nats.url, shared_nats_port=shared_nats, peers=peers)
    await asyncio.to_thread(around.save, directory / "peers.json")
    await running.enter_async_context(
        process("tests.bench.light_peers", str(directory / "peers.json"), port=peers[0].exchange_port)
    )
    running.push_async_callback(force.stop)
    await force.start_services()
    await linked_to(force, len(peers))
    joined = _Crowd(force=force, peers=[peer.code for peer in peers])
    await joined.release(_A_COMMIT, joined.peers)
    return joined


async def _make_empty_streams(url: str) -> None:
    connection = await nats.connect(url)
    streams = connection.jetstream()
    for lane in LANES:
        shape = lane_shape(_OWN, lane)
        await streams.add_stream(StreamConfig(name=shape.name, subjects=[shape.subject]))
        await streams.add_consumer(shape.name, ConsumerConfig(durable_name=FEED.name, max_waiting=_PULLS))
    await connection.close()


async def main() -> int:
    """Read the job, do it, tell."""
    job = CrowdJob(**json.load(sys.stdin))
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as directory:
        async with AsyncExitStack() as running:
            joined = await _join(running, Path(directory), job.agencies)
            records_us = [await joined.cost_us(records, recipients) for recipients, records in job.runs]
            costs = Costs(records_us=records_us, idle=await joined.idle(job.idle_seconds))
    json.dump(dataclasses.asdict(costs), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
