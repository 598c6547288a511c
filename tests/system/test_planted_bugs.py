"""The checker finds bugs that were planted. Some in every run of the tests, all of them with `make faults`."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.system.faults.ground import Ground
from tests.system.faults.kinds import FAULTS
from tests.system.faults.planted import BUGS
from tests.system.faults.scenarios import VICTIM

TRACK_RECORD = Path(__file__).parents[2] / "docs" / "track-record.md"
pytestmark = pytest.mark.timeout(170)
# One for each part of the way: writer, follower, lane, and the only door.
ALWAYS = (
    "acknowledge before commit",
    "cursor outside the transaction",
    "ignore gaps",
    "widen the audience",
)
CHOSEN = tuple(BUGS) if os.environ.get("RENKEI_FAULTS") == "all" else ALWAYS


@pytest.mark.slow
@pytest.mark.parametrize("name", CHOSEN)
async def test_a_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    bug = BUGS[name]
    if reason := await asyncio.to_thread(bug.impossible):
        pytest.skip(reason)
    has_disks = name == "do not sync"
    ground = await asyncio.to_thread(
        lambda: Ground(tmp_path, seed=1, plant={VICTIM: name}, has_disks=has_disks, pause_seconds=0.01)
    )
    try:
        await ground.start()
        await bug.scenario(ground)
        wrong = await ground.verdict(seconds=8.0)
    finally:
        await ground.stop()

    assert any(line.startswith(bug.seen) for line in wrong), wrong


def test_the_track_record_names_every_fault_and_every_planted_bug() -> None:
    rows = re.findall(r"(?m)^\| ([^|]+) \|", TRACK_RECORD.read_text(encoding="utf-8"))

    assert [name for name in (*FAULTS, *BUGS) if name not in rows] == []


def test_at_least_ten_bugs_are_planted() -> None:
    assert len(BUGS) >= 10
    assert set(ALWAYS) <= set(BUGS)
