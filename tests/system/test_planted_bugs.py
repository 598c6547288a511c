"""The checker finds bugs that were planted. Some in every run of the tests, all of them with `make faults`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from tests.system.faults.ground import Ground
from tests.system.faults.planted import BUGS
from tests.system.faults.scenarios import VICTIM

if TYPE_CHECKING:
    from pathlib import Path

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


def test_at_least_ten_bugs_are_planted() -> None:
    assert len(BUGS) >= 10
    assert set(ALWAYS) <= set(BUGS)
