"""Faults of processes: killed, frozen, restarted, killed at a named place."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from renkei_chassis.failpoints import VARIABLE
from tests.system.faults.threads import in_thread
from tests.system.federation import until

if TYPE_CHECKING:
    from tests.system.faults.ground import Ground, Step

_PLACE_SECONDS = 40.0


async def kill(ground: Ground, step: Step) -> None:
    """Kill -9; the nats-server lives on and is adopted."""
    await in_thread(ground[step.victim].kill)
    await asyncio.sleep(step.seconds / 4)
    await ground.restart(step.victim)


async def restart(ground: Ground, step: Step) -> None:
    """Stop in good order, in the middle of calls, and start again."""
    process = ground[step.victim].process
    assert process is not None
    process.send_signal(signal.SIGTERM)
    status = await in_thread(process.wait, 20)
    if status != 0:
        ground.history.complaints.append(f"STRANGE {step.victim} ended with {status} when it was asked to stop")
    await ground.restart(step.victim)


async def freeze(ground: Ground, step: Step) -> None:
    """SIGSTOP: its connections stay open, and nobody answers."""
    process = ground[step.victim].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(step.seconds)
    process.send_signal(signal.SIGCONT)


async def kill_nats(ground: Ground, step: Step) -> None:
    """Kill the courier; the node brings it up again."""
    await in_thread(ground[step.victim].kill_nats)
    await asyncio.sleep(step.seconds / 4)


async def freeze_nats(ground: Ground, step: Step) -> None:
    """A courier that takes connections and answers nobody."""
    member = ground[step.victim]
    await in_thread(member.signal_nats, signal.SIGSTOP)
    await asyncio.sleep(step.seconds)
    await in_thread(member.signal_nats, signal.SIGCONT)


async def kill_at(place: str, ground: Ground, step: Step, *, passes: int | None = None) -> None:
    """Kill itself at a named place, in the middle of work; it has to come by there."""
    passes = 8 + step.number % 24 if passes is None else passes
    await in_thread(ground[step.victim].kill)
    await ground.restart(step.victim, failpoint=f"{place}@{passes}")
    process = ground[step.victim].process
    assert process is not None

    async def is_dead() -> bool:
        return process.poll() is not None

    try:
        await until(is_dead, seconds=_PLACE_SECONDS)
    except TimeoutError:
        ground.history.complaints.append(f"BLIND {step.victim} never came by {place}, to be killed there")
        process.kill()
    else:
        if process.returncode != -signal.SIGKILL:
            ground.history.complaints.append(
                f"STRANGE {step.victim} ended with {process.returncode} instead of at {place}"
            )
    await in_thread(process.wait)
    await ground.restart(step.victim)
    assert VARIABLE not in ground[step.victim].environment
