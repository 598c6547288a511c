"""A schedule of faults, made of a seed: what happens to whom, for how long, and what happens at the same time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from tests.system.faults.ground import CODES, Step
from tests.system.faults.kinds import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.system.faults.ground import Ground

STEPS: Final = 10
_SHORTEST_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 5.0
_AT_ONCE: Final = 2


def possible(kinds: Sequence[str] = tuple(FAULTS)) -> tuple[str, ...]:
    """Leave out what this machine cannot do."""
    return tuple(kind for kind in kinds if not FAULTS[kind].impossible())


def plan(seed: int, *, kinds: Sequence[str] = tuple(FAULTS), count: int = STEPS) -> tuple[Step, ...]:
    """Make a schedule. The same seed and kinds make the same schedule, here and anywhere."""
    chance = random.Random(seed)
    steps = []
    for _ in range(count):
        victim, peer = chance.sample(CODES, 2)
        steps.append(
            Step(
                kind=chance.choice(kinds),
                victim=victim,
                peer=peer,
                seconds=round(chance.uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS), 2),
                number=chance.randrange(1 << 30),
            )
        )
    return tuple(steps)


def each(seed: int, kinds: Sequence[str], *, seconds: float = 1.0) -> tuple[Step, ...]:
    """Make a schedule with every kind once, in an order of its own."""
    chance = random.Random(seed)
    steps = []
    for kind in chance.sample(kinds, len(kinds)):
        victim, peer = chance.sample(CODES, 2)
        number = chance.randrange(1 << 30)
        steps.append(Step(kind=kind, victim=victim, peer=peer, seconds=seconds, number=number))
    return tuple(steps)


async def play(ground: Ground, steps: Sequence[Step], *, at_once: int = _AT_ONCE) -> None:
    """Let it happen, so many at a time, never two to one victim; what is impossible here is counted and left out."""
    turns = {code: asyncio.Lock() for code in CODES}

    async def worker(first: int) -> None:
        for step in steps[first::at_once]:
            fault = FAULTS[step.kind]
            if await asyncio.to_thread(fault.impossible):
                ground.counts[f"{step.kind}: impossible here"] += 1
                continue
            async with turns[step.victim]:
                await fault.act(ground, step)
            ground.counts[step.kind] += 1

    async with asyncio.TaskGroup() as group:
        for first in range(at_once):
            group.create_task(worker(first))
