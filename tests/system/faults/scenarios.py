"""What brings a planted bug to light: short, and the same every time. It happens to the first agency."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Final

from renkei_chassis.failpoints import Place
from tests.system.faults import cable_faults, courier_faults, disk_faults, process_faults
from tests.system.faults.ground import CODES, Step
from tests.system.faults.history import Outcome

if TYPE_CHECKING:
    from tests.system.faults.ground import Ground
    from tests.system.faults.history import History

VICTIM: Final = CODES[0]
WINDOW: Final = "planted"
"""The fail point inside a planted bug's window."""
_WORK: Final = 10
_DROPPED: Final = 20
"""How many messages have to be lost: of the last ones of a lane, nobody can see that they were."""


async def work(ground: Ground) -> None:
    """Nothing happens but work."""
    await ground.count_ok(VICTIM, _WORK)


async def twins(ground: Ground) -> None:
    """The same is reported twice."""
    await ground.seen(
        lambda history: any(each.kind == "twin" and each.agency == VICTIM and each.name for each in history.operations)
    )


async def withdrawn(ground: Ground) -> None:
    """Another agency takes something back."""
    await ground.seen(
        lambda history: any(
            VICTIM in record.ever - record.last.audience and record.settled for record in history.confirmed()
        )
    )


async def killed_in_the_window(ground: Ground) -> None:
    """Kill it where the bug is."""
    await ground.count_ok(VICTIM, 5)
    await process_faults.kill_at(WINDOW, ground, _step(), passes=2)
    await ground.count_ok(VICTIM, 5)


async def killed_after_commit(ground: Ground) -> None:
    """Kill it when a commit is done and nobody knows; then somebody repeats what was answered before."""
    await ground.count_ok(VICTIM, _WORK)
    await process_faults.kill_at(Place.AFTER_COMMIT, ground, _step(), passes=25)
    now = asyncio.get_running_loop().time()

    def repeated(history: History) -> bool:
        answered = [each for each in history.operations if each.agency == VICTIM and each.outcome is Outcome.OK]
        before = {each.request_id for each in answered if each.ended < now}
        return any(each.kind == "repeat" and each.began > now and each.request_id in before for each in answered)

    await ground.seen(repeated)


async def limited_files(ground: Ground) -> None:
    """Let its files not grow for a while."""
    await ground.count_ok(VICTIM, 5)
    await disk_faults.limit(ground, _step(seconds=2.0))
    await ground.count_ok(VICTIM, 5)


async def power_cut(ground: Ground) -> None:
    """Cut its power."""
    await ground.count_ok(VICTIM, _WORK)
    await disk_faults.power_cut(ground, _step())
    await ground.count_ok(VICTIM, 5)


async def deleted_stream(ground: Ground) -> None:
    """Delete the stream of its exchange's log: the relay fills a new one, and everything comes again."""
    await ground.count_ok(CODES[1], _WORK)
    await courier_faults.delete_stream(ground, _step())
    await ground.count_ok(CODES[1], _WORK)


async def wiped_with_a_backlog(ground: Ground) -> None:
    """Wipe its courier while much is on its way."""
    await ground.count_ok(VICTIM, 5)
    await asyncio.to_thread(ground[VICTIM].signal_nats, signal.SIGSTOP)
    await ground.count_ok(VICTIM, _WORK)
    await courier_faults.wipe(ground, _step())
    await ground.count_ok(VICTIM, _WORK)


async def backlog(ground: Ground) -> None:
    """Let much come at once, after a time of silence."""
    await ground.count_ok(VICTIM, 5)
    await process_faults.freeze_nats(ground, _step(seconds=2.5))
    await ground.count_ok(VICTIM, 5)


async def dropped_messages(ground: Ground) -> None:
    """Lose messages on its lines."""
    while sum(ground.dropped(VICTIM)) < _DROPPED:
        await cable_faults.drop(ground, _step(seconds=1.0))
    await ground.count_ok(CODES[1], 5)


def _step(*, seconds: float = 1.0) -> Step:
    return Step(kind="scenario", victim=VICTIM, peer=CODES[1], seconds=seconds, number=0)
