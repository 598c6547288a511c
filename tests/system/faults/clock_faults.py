"""Faults of clocks: turned while a node runs, and wrong when it starts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.system.faults.process_faults import restart
from tests.system.faults.threads import in_thread

if TYPE_CHECKING:
    from tests.system.faults.ground import Ground, Step


async def ahead(ground: Ground, step: Step) -> None:
    """Turn the clock ahead by up to a day: the node refuses to write until it is put right."""
    await _jump(ground, step, 20.0 + step.number % 86_400)


async def back(ground: Ground, step: Step) -> None:
    """Turn the clock back."""
    await _jump(ground, step, -20.0 - step.number % 86_400)


async def start_ahead(ground: Ground, step: Step) -> None:
    """Start with a clock that is ahead, and again with the right one: time in the logs never goes back."""
    await in_thread(ground.turn_clock, step.victim, 8.0)
    await restart(ground, step)
    await asyncio.sleep(step.seconds / 2)
    await in_thread(ground.turn_clock, step.victim, 0.0)
    await restart(ground, step)


async def _jump(ground: Ground, step: Step, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    await in_thread(ground.turn_clock, step.victim, seconds)
    # What was on its way when the clock was turned may still be answered.
    await asyncio.sleep(0.3)
    began = loop.time()
    await asyncio.sleep(step.seconds / 2)
    ended = loop.time()
    written = [
        operation
        for operation in ground.history.operations
        if operation.agency == step.victim
        and operation.kind in {"create", "twin", "correct", "delete"}
        and operation.outcome == "ok"
        and began <= operation.began
        and operation.ended <= ended
    ]
    if written:
        ground.history.complaints.append(f"STRANGE {step.victim} wrote {len(written)} times by a clock that was turned")
    await in_thread(ground.turn_clock, step.victim, 0.0)
    await ground.count_ok(step.victim, 1)
