"""The life of a tip: which step leads from which state to which."""

from __future__ import annotations

from enum import Enum, IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(IntEnum):
    """Where a tip stands; the numbers are the contract's."""

    RECEIVED = 1
    TRIAGED = 2
    ASSIGNED = 3
    ACTIONED = 4
    NO_ACTION = 5
    MERGED = 6


class Act(Enum):
    """What moves a tip."""

    TRIAGE = "triage"
    ASSIGN = "assign"
    ACT_ON = "act on"
    SET_ASIDE = "set aside"
    MERGE = "merge"
    UNMERGE = "unmerge"


STEPS: Final[Mapping[tuple[State, Act], State | None]] = MappingProxyType(
    {
        (State.RECEIVED, Act.TRIAGE): State.TRIAGED,
        # Something new came up: a tip that was closed is judged again.
        (State.ACTIONED, Act.TRIAGE): State.TRIAGED,
        (State.NO_ACTION, Act.TRIAGE): State.TRIAGED,
        (State.TRIAGED, Act.ASSIGN): State.ASSIGNED,
        (State.ASSIGNED, Act.ASSIGN): State.ASSIGNED,  # another unit
        (State.TRIAGED, Act.ACT_ON): State.ACTIONED,
        (State.ASSIGNED, Act.ACT_ON): State.ACTIONED,
        (State.TRIAGED, Act.SET_ASIDE): State.NO_ACTION,
        (State.ASSIGNED, Act.SET_ASIDE): State.NO_ACTION,
        # To see that two tips are one is a judgement, so a tip is triaged first.
        (State.TRIAGED, Act.MERGE): State.MERGED,
        (State.ASSIGNED, Act.MERGE): State.MERGED,
        (State.ACTIONED, Act.MERGE): State.MERGED,
        (State.NO_ACTION, Act.MERGE): State.MERGED,
        (State.MERGED, Act.UNMERGE): None,
    }
)
"""What is not here is refused. None: back to the state before the merge."""


class StepRefusedError(ValueError):
    """The step does not lead on from where the tip stands."""


def step(state: State, act: Act, *, before_merge: State | None = None) -> State:
    """Tell where an act leads. Raises StepRefusedError where it leads nowhere."""
    if (state, act) not in STEPS:
        text = f"a tip that is {state.name} cannot take the step: {act.value}"
        raise StepRefusedError(text)
    after = STEPS[state, act]
    if after is not None:
        return after
    if before_merge is None:
        text = "nothing says what the tip was before its merge"
        raise StepRefusedError(text)
    return before_merge
