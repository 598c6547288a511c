"""What people do about a lead, and what becomes of it when the lead changes: plain rules over values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

SIGHT_BYTES: Final = 8


class Standing(IntEnum):
    """Where a lead stands with people, by the contract's numbers."""

    NEW = 1
    TAKEN = 2
    ACKNOWLEDGED = 3
    SNOOZED = 4
    CONFIRMED = 5
    DISMISSED = 6


class StepKind(IntEnum):
    """What was done about a lead, by the contract's numbers."""

    SEEN = 1
    TAKEN = 2
    ASSIGNED = 3
    HANDED_OVER = 4
    ACKNOWLEDGED = 5
    SNOOZED = 6
    CONFIRMED = 7
    DISMISSED = 8
    REOPENED = 9
    WOKEN = 10
    GREW = 11
    JOINED = 12
    CARRIED_OVER = 13


OPEN: Final = frozenset({Standing.NEW, Standing.TAKEN, Standing.ACKNOWLEDGED, Standing.SNOOZED})
DECIDED: Final = frozenset({Standing.CONFIRMED, Standing.DISMISSED})


class Why(Enum):
    """Why a step is refused."""

    HELD = "somebody else holds it"
    STANDING = "it cannot be taken from where the lead stands"


class StepRefusedError(ValueError):
    """A step that a lead cannot take."""

    def __init__(self, why: Why) -> None:
        """Take the reason; the caller knows the lead."""
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How much of a lead there was to see: which records, how sure it was, how many rows of evidence.

    Records are known by hashes of their names, which are random. Nothing of an identifier is here: it would outlive
    the records in which it stood.
    """

    records: frozenset[bytes] = frozenset()
    state: int = 0
    evidence: int = 0

    @staticmethod
    def of(names: Iterable[str], *, state: int, evidence: int) -> Sight:
        """Describe a lead by the names of its records."""
        hashes = frozenset(blake2b(name.encode(), digest_size=SIGHT_BYTES).digest() for name in names)
        return Sight(records=hashes, state=state, evidence=evidence)

    def covers(self, other: Sight) -> bool:
        """Say whether whoever saw this has seen all of the other."""
        return other.records <= self.records and other.state <= self.state and other.evidence <= self.evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """How a lead is followed up; without arguments that of a lead about which nobody did anything."""

    standing: Standing = Standing.NEW
    holder: str = ""
    unit: str = ""
    snooze_end_us: int | None = None
    has_grown: bool = False
    seen: Sight = Sight()
    act_us: int = 0
    """When people last did something; 0: never."""


def take(before: FollowUp, actor: str) -> FollowUp:
    """Hold a lead that nobody holds."""
    _open(before)
    if before.holder:
        raise StepRefusedError(Why.HELD)
    return _held(before, actor)


def assign(assignee: str, unit: str) -> Callable[[FollowUp, str], FollowUp]:
    """Give a lead to an officer, who holds it, or to a unit, where it waits; whoever held it."""

    def give(before: FollowUp, actor: str) -> FollowUp:
        del actor
        _open(before)
        given = replace(before, unit=unit or before.unit)
        return _held(given, assignee) if assignee else _free(given, Standing.NEW)

    return give


def hand_over(assignee: str, unit: str) -> Callable[[FollowUp, str], FollowUp]:
    """Give a lead on that the actor holds, or nobody."""
    give = assign(assignee, unit)

    def give_own(before: FollowUp, actor: str) -> FollowUp:
        _own(before, actor)
        return give(before, actor)

    return give_own


def acknowledge(before: FollowUp, actor: str) -> FollowUp:
    """Say of a lead that nobody holds that it was looked at."""
    del actor
    _open(before)
    if before.holder:
        raise StepRefusedError(Why.HELD)
    if before.standing is Standing.ACKNOWLEDGED:
        raise StepRefusedError(Why.STANDING)
    return _free(before, Standing.ACKNOWLEDGED)


def snooze(end_us: int) -> Callable[[FollowUp, str], FollowUp]:
    """Put a lead off; its holder goes on holding it."""

    def put_off(before: FollowUp, actor: str) -> FollowUp:
        _own(before, actor)
        return replace(before, standing=Standing.SNOOZED, snooze_end_us=end_us)

    return put_off


def decide(standing: Standing) -> Callable[[FollowUp, str], FollowUp]:
    """Confirm or dismiss a lead; nobody holds it then."""

    def close(before: FollowUp, actor: str) -> FollowUp:
        _own(before, actor)
        return _free(before, standing)

    return close


def reopen(before: FollowUp, actor: str) -> FollowUp:
    """Take a decision back."""
    del actor
    if before.standing not in DECIDED:
        raise StepRefusedError(Why.STANDING)
    return _free(before, Standing.NEW)


def wake(before: FollowUp) -> FollowUp:
    """Let a lead come back to whoever holds it, or to all."""
    return _held(before, before.holder) if before.holder else _free(before, Standing.NEW)


Step = tuple[StepKind, str, FollowUp]
"""A step that came by itself: what it was, the other lead if there was one, and how the lead stands after it."""


def settle(own: FollowUp | None, ended: Mapping[str, FollowUp], now: Sight) -> list[Step]:
    """Say what a change of a lead makes of its follow-up: the last step has how it stands.

    `own` is None where people did nothing about it. `ended` are the leads, by id, that ended now and gave it records,
    and that people had followed up since this one last took them in.

    What its people have seen changes nothing: so finding every lead anew changes nothing. Else whoever holds a lead
    goes on holding it, its own holder before another's; and the follow-up of a lead that ended goes on where this one
    has none, or an older one. Where there is something that nobody saw, the lead comes back.
    """
    if own is not None and own.seen.covers(now):
        return []
    steps: list[Step] = []
    after, rest = own, dict(ended)
    if ended:
        best = max(ended, key=lambda lead: (bool(ended[lead].holder), ended[lead].act_us, lead))
        if own is None or _goes_before(ended[best], own):
            other = rest.pop(best)
            after = replace(other, unit=other.unit or (own.unit if own is not None else ""))
            steps.append((StepKind.CARRIED_OVER, best, after))
    if after is None:
        return []
    steps.extend((StepKind.JOINED, lead, after) for lead in sorted(rest))
    if not after.seen.covers(now) and not after.has_grown:
        steps.append((StepKind.GREW, "", replace(wake(after), has_grown=True)))
    return steps


def _goes_before(other: FollowUp, own: FollowUp) -> bool:
    if bool(own.holder) != bool(other.holder):
        return bool(other.holder)
    return not own.holder and other.act_us > own.act_us


def see(follow_up: FollowUp, now: Sight, *, act_us: int) -> FollowUp:
    """Note that people acted at a time, on what there was to see."""
    return replace(follow_up, seen=now, act_us=act_us, has_grown=False)


def _open(before: FollowUp) -> None:
    if before.standing not in OPEN:
        raise StepRefusedError(Why.STANDING)


def _own(before: FollowUp, actor: str) -> None:
    _open(before)
    if before.holder not in {"", actor}:
        raise StepRefusedError(Why.HELD)


def _held(before: FollowUp, holder: str) -> FollowUp:
    return replace(before, standing=Standing.TAKEN, holder=holder, snooze_end_us=None)


def _free(before: FollowUp, standing: Standing) -> FollowUp:
    return replace(before, standing=standing, holder="", snooze_end_us=None)
