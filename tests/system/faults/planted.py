"""Bugs that somebody might write, planted in a node's process, to see that the checker finds them.

Each replaces a function of the product inside one process of a test (`launch.py`); nothing of them, and no switch for
them, is in what ships. Beside each stands what brings it to light and the first words of what the checker then says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.system.faults import planted_follower, planted_lane, planted_writer, scenarios
from tests.system.faults.disks import impossible as no_disks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.system.faults.ground import Ground


def _never() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A planted bug."""

    plant: Callable[[], None]
    scenario: Callable[[Ground], Awaitable[None]]
    """What happens at the agency where it is planted."""
    seen: tuple[str, ...]
    """With which words one of the checker's lines has to begin."""
    impossible: Callable[[], str] = _never


BUGS: Final = {
    "acknowledge before commit": Bug(
        plant=planted_writer.acknowledge_before_commit, scenario=scenarios.killed_in_the_window, seen=("LOST",)
    ),
    "publish before commit": Bug(
        plant=planted_writer.publish_before_commit, scenario=scenarios.killed_in_the_window, seen=("LEAKED", "LOST")
    ),
    "answer from a cache without commit": Bug(
        plant=planted_writer.answer_from_cache, scenario=scenarios.limited_files, seen=("LOST",)
    ),
    "keep request ids in memory": Bug(
        plant=planted_writer.forget_request_ids, scenario=scenarios.killed_after_commit, seen=("DOUBLED",)
    ),
    "dedupe by content": Bug(
        plant=planted_writer.dedupe_by_content, scenario=scenarios.twins, seen=("LOST two requests",)
    ),
    "burn numbers of a failed commit": Bug(
        plant=planted_writer.burn_numbers, scenario=scenarios.limited_files, seen=("TORN",)
    ),
    "do not sync": Bug(
        plant=planted_writer.do_not_sync, scenario=scenarios.power_cut, seen=("LOST",), impossible=no_disks
    ),
    "cursor outside the transaction": Bug(
        plant=planted_follower.cursor_outside, scenario=scenarios.killed_in_the_window, seen=("DOUBLED",)
    ),
    "cursor before the effect": Bug(
        plant=planted_follower.cursor_before, scenario=scenarios.killed_in_the_window, seen=("LOST",)
    ),
    "no dedupe": Bug(plant=planted_follower.no_dedupe, scenario=scenarios.deleted_stream, seen=("DOUBLED",)),
    "resume at a NATS sequence": Bug(
        plant=planted_follower.resume_at_nats, scenario=scenarios.wiped_with_a_backlog, seen=("LOST", "LATE")
    ),
    "drop on a full buffer": Bug(plant=planted_follower.drop_when_full, scenario=scenarios.backlog, seen=("LOST",)),
    "forget withdrawals": Bug(
        plant=planted_follower.forget_withdrawals, scenario=scenarios.withdrawn, seen=("LOST the withdrawal",)
    ),
    "ignore gaps": Bug(plant=planted_lane.ignore_gaps, scenario=scenarios.dropped_messages, seen=("LOST",)),
    "lane cursor before commit": Bug(
        plant=planted_lane.cursor_before, scenario=scenarios.killed_in_the_window, seen=("LOST",)
    ),
    "widen the audience": Bug(plant=planted_lane.widen, scenario=scenarios.work, seen=("LEAKED",)),
    "print requests": Bug(plant=planted_writer.print_requests, scenario=scenarios.work, seen=("LEAKED",)),
}
