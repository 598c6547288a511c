"""Where there is no room: memory stays bounded, a full disk refuses before it confirms, and all returns by itself."""

from __future__ import annotations

import asyncio
import signal
import uuid
from typing import TYPE_CHECKING

import grpc.aio
import nats.errors
import psutil
import pytest
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.courier.jetstream import JetStreamError, read_stream
from renkei_chassis.errors import Unavailable
from tests.system.faults.checker import settle
from tests.system.faults.courier_faults import connected
from tests.system.faults.disks import impossible
from tests.system.faults.ground import CODES, Ground
from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.timeout(150), pytest.mark.slow]
CHIBA, TOKYO, TOCHIGI = CODES
ROWS, ROWS_AT_ONCE = 4_000, 80
TEXT = "演習データ" + "x" * 2_000
MORE_MEGABYTES = 80  # far below what is loaded several times over, far above what a garbage collector leaves lying


@pytest.fixture
async def ground(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Ground]:
    has_disks = getattr(request, "param", "") == "with disks"
    if has_disks and (reason := await asyncio.to_thread(impossible)):
        pytest.skip(reason)
    made = await asyncio.to_thread(lambda: Ground(tmp_path, seed=0, has_disks=has_disks))
    try:
        await made.start(with_load=False)
        yield made
    finally:
        await made.stop()


def megabytes(ground: Ground, code: str) -> float:
    process = ground[code].process
    assert process is not None
    return psutil.Process(process.pid).memory_info().rss / 1e6


async def load(ground: Ground, code: str, audience: str) -> int:
    """Load many rows; returns how many were confirmed."""
    client = await ground[code].client("tips")
    load_id, tip = str(uuid.uuid4()), tips_pb2.Tip(text=TEXT, source=tips_pb2.Tip.SOURCE_OTHER)
    tip.grading.reliability, tip.grading.accuracy = tips_pb2.Grading.RELIABILITY_B, tips_pb2.Grading.ACCURACY_2
    tip.handling.purpose_code = "organised-robbery"
    tip.handling.releasable_to.append(f"agencies/{audience}")
    asked = [
        tips_pb2.LoadTipsRequest(
            load_id=load_id,
            parent=ground[code].name,
            rows=[tips_pb2.TipRow(row=row, tip=tip) for row in range(first, first + ROWS_AT_ONCE)],
        )
        for first in range(1, ROWS + 1, ROWS_AT_ONCE)
    ]
    answers = client.duplex(client.stub(TipsServiceStub).LoadTips, asked)
    return sum([bool(result.name) async for answer in answers for result in answer.results])


async def test_consumers_that_are_stuck_cost_a_bounded_memory_and_get_everything_afterwards(ground: Ground) -> None:
    """A peer that is frozen, and a watcher that reads nothing, are no reason to keep anything in memory."""
    client = await ground[CHIBA].client("tips")
    await ground.federation.record(CHIBA, TOKYO)
    watch = client.stub(TipsServiceStub).WatchTips(
        tips_pb2.WatchTipsRequest(from_start=True),
        metadata=(("authorization", f"Bearer {await asyncio.to_thread(ground[CHIBA].token, 'OFFICER')}"),),
    )
    assert await watch.read() is not grpc.aio.EOF  # it is served, and from here on it reads no more
    peer = ground[TOKYO].process
    assert peer is not None
    before = await asyncio.to_thread(megabytes, ground, CHIBA)
    peer.send_signal(signal.SIGSTOP)

    confirmed = await load(ground, CHIBA, TOKYO)
    after = await asyncio.to_thread(megabytes, ground, CHIBA)
    peer.send_signal(signal.SIGCONT)

    assert confirmed == ROWS
    assert after - before < MORE_MEGABYTES
    assert await settle(ground.federation, seconds=60) == []
    assert len(await asyncio.to_thread(ground[TOKYO].copies)) == ROWS + 1
    watch.cancel()


@pytest.mark.parametrize("ground", ["with disks"], indirect=True)
async def test_a_full_disk_refuses_writes_and_serves_reads_and_returns_by_itself(ground: Ground) -> None:
    federation, disk = ground.federation, ground.disks[CHIBA]
    first = await federation.record(CHIBA, TOKYO)
    process = ground[CHIBA].process
    await asyncio.to_thread(disk.fill)

    reason = await until_refused(ground)
    await federation.record(TOKYO, CHIBA)  # it waits there
    read = await read_tip(ground, first.name)
    await asyncio.to_thread(disk.free)
    await federation.record(CHIBA, TOKYO)
    left = await settle(federation, seconds=60)

    assert reason == "STORAGE_UNAVAILABLE"
    assert first.marker in read.text
    assert left == []
    await asyncio.to_thread(federation.verify)
    assert process is ground[CHIBA].process
    assert process is not None
    assert process.poll() is None
    await until(lambda: courier_is_level(ground), seconds=30)


async def until_refused(ground: Ground) -> str:
    """Record until it is refused: a write-ahead log has some room of its own."""
    async with asyncio.timeout(60):
        while True:
            try:
                await ground.federation.record(CHIBA, TOKYO, patience=0.0)
            except Unavailable as error:
                return error.reason


async def read_tip(ground: Ground, name: str) -> tips_pb2.Tip:
    client = await ground[CHIBA].client("tips")
    return await client.call(client.stub(TipsServiceStub).GetTip, tips_pb2.GetTipRequest(name=name))


async def courier_is_level(ground: Ground) -> bool:
    """Tell whether the relay has brought the whole log to the courier again."""
    ((last,),) = await asyncio.to_thread(ground[CHIBA].rows, "tips", "SELECT max(number) FROM renkei_pack")
    try:
        async with connected(ground, CHIBA) as link:
            state = await read_stream(link, "LOG_tips")
    except (JetStreamError, nats.errors.Error, TimeoutError):
        return False
    return state is not None and state.last == last
