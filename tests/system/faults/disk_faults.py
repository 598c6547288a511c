"""Faults of disks: full, limited, and cut from power."""

from __future__ import annotations

import asyncio
import resource
import signal
from typing import TYPE_CHECKING

from tests.system.faults.history import Outcome
from tests.system.faults.threads import in_thread

if TYPE_CHECKING:
    from tests.system.faults.ground import Ground, Step


async def limit(ground: Ground, step: Step) -> None:
    """Let no file of the node grow: the kernel refuses what goes beyond a size, as a quota does."""
    process = ground[step.victim].process
    assert process is not None
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, hard))
    await asyncio.sleep(step.seconds)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
    await ground.count_ok(step.victim, 1)


async def fill(ground: Ground, step: Step) -> None:
    """Fill the disk: writes stop before they are confirmed, reads go on, and all returns by itself."""
    loop = asyncio.get_running_loop()
    disk = ground.disks[step.victim]
    process = ground[step.victim].process
    await in_thread(disk.fill)
    began = loop.time()
    await asyncio.sleep(step.seconds)
    ended = loop.time()
    await in_thread(disk.free)
    if process is not ground[step.victim].process or process is None or process.poll() is not None:
        ground.history.complaints.append(f"STOPPED {step.victim} ended when its disk was full")
        return
    waiting = [
        operation
        for operation in ground.history.operations
        if operation.agency == step.victim and operation.outcome is Outcome.INVOKED and operation.began < ended
    ]
    ground.counts["full disk: writes waited"] += len(waiting)
    ground.counts["full disk: calls answered"] += ground.history.ok_within(step.victim, began, ended)
    await ground.count_ok(step.victim, 1)


async def power_cut(ground: Ground, step: Step) -> None:
    """Keep what the disk holds in one moment and lose everything that was not synced."""
    member, disk = ground[step.victim], ground.disks[step.victim]
    assert member.process is not None
    member.process.send_signal(signal.SIGSTOP)
    await in_thread(member.signal_nats, signal.SIGSTOP)
    # What was confirmed before this moment has to be on the disk; what is confirmed after it, nobody hears.
    await in_thread(disk.keep_what_is_safe)
    await in_thread(ground.stop_power, step.victim)
    await in_thread(disk.lose_the_rest)
    await ground.restart(step.victim)
