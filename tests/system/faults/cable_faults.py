"""Faults of the cables between agencies. Work at both ends goes on meanwhile, and that is checked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from renkei_node.demo.proxy import Mode
from tests.system.faults.cables import Mischief, NatsCable
from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_node.demo.proxy import Proxy
    from tests.system.faults.ground import Ground, Step

# Shorter, and a busy machine might simply not have come round to it.
_TELLING_SECONDS: Final = 2.0


async def cut(ground: Ground, step: Step) -> None:
    """Pull every cable of an agency."""
    async with _local_work(ground, step.victim):
        await ground.federation.lay(step.victim, Mode.CUT)
        await asyncio.sleep(step.seconds)
        await ground.federation.lay(step.victim, Mode.PASS)


async def black_hole(ground: Ground, step: Step) -> None:
    """Swallow everything, and let both sides believe."""
    async with _local_work(ground, step.victim):
        await ground.federation.lay(step.victim, Mode.BLACKHOLE)
        await asyncio.sleep(step.seconds)
        await ground.federation.lay(step.victim, Mode.PASS)


async def one_way(ground: Ground, step: Step) -> None:
    """Between two agencies: what the one asks arrives, the answers do not; the other way round all is well."""
    async with _local_work(ground, step.victim):
        await _lay(ground, step, Mode.ONE_WAY)
        await asyncio.sleep(step.seconds)
        await _lay(ground, step, Mode.PASS)


async def flap(ground: Ground, step: Step) -> None:
    """Pull and put back, again and again."""
    async with _local_work(ground, step.victim):
        for _ in range(6):
            await ground.federation.lay(step.victim, Mode.CUT)
            await asyncio.sleep(step.seconds / 12)
            await ground.federation.lay(step.victim, Mode.PASS)
            await asyncio.sleep(step.seconds / 12)


async def delay(ground: Ground, step: Step) -> None:
    """Let everything take its time."""
    async with _local_work(ground, step.victim):
        for cable in _cables(ground, step.victim):
            await cable.set_mode(Mode.DELAY, delay_seconds=0.02 + step.number % 10 / 20)
        await asyncio.sleep(step.seconds)
        await ground.federation.lay(step.victim, Mode.PASS)


async def duplicate(ground: Ground, step: Step) -> None:
    """Bring messages twice."""
    await _mischief(ground, step, Mischief.DUPLICATE)


async def reorder(ground: Ground, step: Step) -> None:
    """Bring messages in another order."""
    await _mischief(ground, step, Mischief.REORDER)


async def drop(ground: Ground, step: Step) -> None:
    """Lose messages on a line that otherwise works."""
    await _mischief(ground, step, Mischief.DROP)


async def _mischief(ground: Ground, step: Step, mischief: Mischief) -> None:
    cables = [cable for cable in _cables(ground, step.victim) if isinstance(cable, NatsCable)]
    before = sum(cable.done[mischief] for cable in cables)
    for cable in cables:
        cable.mischief = mischief
    await asyncio.sleep(step.seconds)

    async def suffered() -> bool:
        return sum(cable.done[mischief] for cable in cables) > before

    # At least one message has to have suffered, or nothing was tried.
    try:
        await until(suffered, seconds=10.0)
    except TimeoutError:
        ground.counts[f"{step.kind}: no message came by"] += 1
    for cable in cables:
        cable.mischief = Mischief.NONE


async def _lay(ground: Ground, step: Step, mode: Mode) -> None:
    for cable in ground.federation.cables[step.victim, step.peer]:
        await cable.set_mode(mode)


def _cables(ground: Ground, code: str) -> list[Proxy]:
    return [cable for pair, cables in ground.federation.cables.items() if code in pair for cable in cables]


@asynccontextmanager
async def _local_work(ground: Ground, code: str) -> AsyncIterator[None]:
    """See that an agency's own clients are served while it is cut off."""
    loop = asyncio.get_running_loop()
    process = ground[code].process
    began = loop.time()
    yield
    ended = loop.time()
    was_up = process is not None and process is ground[code].process and process.poll() is None
    if was_up and ended - began >= _TELLING_SECONDS and not ground.history.ok_within(code, began, ended):
        ground.history.complaints.append(f"STOPPED local work at {code} stood still while its cables were bad")
