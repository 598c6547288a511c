"""Every fault that the harness knows, at least once, with fixed seeds; nothing is lost, doubled, torn or leaked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.failpoints import Place
from tests.system.faults.ground import CODES, Ground
from tests.system.faults.kinds import FAULTS
from tests.system.faults.schedule import each, play

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(150)
# Each part is a federation of its own, so that two can run beside each other.
PARTS = {
    "killed": ["kill a node", "restart a node", "freeze a node", "kill a nats-server", "freeze a nats-server"],
    "killed at a place": [f"kill {place}" for place in Place],
    "cut off": ["cut", "black hole", "one-way cut", "flap", "delay"],
    "misled": [kind for kind in FAULTS if kind.endswith(("messages", "courier", "stream", "again", "file", "bits"))],
    "out of time and space": ["clock ahead", "clock back", "start with a clock ahead", "file size limit"],
    "on a bad disk": ["full disk", "power cut"],
}


def test_every_fault_has_its_part() -> None:
    assert sorted(kind for part in PARTS.values() for kind in part) == sorted(FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
async def test_what_is_confirmed_is_there_once_wherever_it_belongs_after_every_fault(part: str, tmp_path: Path) -> None:
    kinds = PARTS[part]
    reason = await asyncio.to_thread(lambda: next((why for kind in kinds if (why := FAULTS[kind].impossible())), ""))
    if reason:
        pytest.skip(reason)
    seed = list(PARTS).index(part)
    ground = await asyncio.to_thread(
        lambda: Ground(tmp_path, seed=seed, has_disks=part == "on a bad disk", pause_seconds=0.01)
    )
    try:
        await ground.start()
        await play(ground, each(seed, kinds, seconds=0.8), at_once=3)
        for code in CODES:  # they still serve
            await ground.count_ok(code, 1)
        wrong = await ground.verdict()
    finally:
        await ground.stop()

    assert wrong == []
    assert {kind: ground.counts[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
