"""The rules of stolen money: what a trail of movements adds up to, and by how much it does not. No I/O, no clock.

A movement takes yen from one place to another, in no order that anybody could rely on. So nothing is played through:
each place is weighed, what came against what left.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping


class Kind(Enum):
    """What a place is; the names are the contract's."""

    VICTIM = "VICTIM"
    ACCOUNT = "ACCOUNT"
    WALLET = "WALLET"
    COURIER = "COURIER"
    CASH_DROP = "CASH_DROP"
    HOLDER = "HOLDER"
    SEIZED = "SEIZED"
    SPENT = "SPENT"
    UNKNOWN = "UNKNOWN"


# Money begins and ends there, so nothing has to balance.
_OUTSIDE: Final = frozenset({Kind.VICTIM, Kind.SPENT, Kind.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere money was; equal where it is the same."""

    kind: Kind
    key: Hashable = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that went from one place to another."""

    source: Place
    destination: Place
    yen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What movements add up to. `taken + appeared + unexplained == returned + seized + spent + lost + held`, always."""

    taken: int
    appeared: int
    returned: int
    seized: int
    spent: int
    lost: int
    held: int
    unexplained: int
    balances: Mapping[Place, int]
    """What came less what left, of each place that does not come out even."""

    def difference(self, damage: int) -> int:
        """Tell how much of what the victims say was taken is in no movement; less than 0 where movements take more."""
        return damage - self.taken if damage else 0

    def reconciled(self, damage: int) -> bool:
        """Say whether it adds up."""
        return not (self.difference(damage) or self.unexplained or self.appeared or self.lost)


def total(movements: Iterable[Movement]) -> Totals:
    """Add up."""
    came: Counter[Place] = Counter()
    left: Counter[Place] = Counter()
    for movement in movements:
        left[movement.source] += movement.yen
        came[movement.destination] += movement.yen
    places = [place for place in (*left, *came) if place.kind not in _OUTSIDE]
    balances = {place: came[place] - left[place] for place in dict.fromkeys(places) if came[place] != left[place]}
    there = {place: yen for place, yen in balances.items() if yen > 0}
    return Totals(
        taken=_of(left, Kind.VICTIM),
        appeared=_of(left, Kind.UNKNOWN),
        returned=_of(came, Kind.VICTIM),
        seized=_of(there, Kind.SEIZED),
        spent=_of(came, Kind.SPENT),
        lost=_of(came, Kind.UNKNOWN),
        held=sum(yen for place, yen in there.items() if place.kind is not Kind.SEIZED),
        unexplained=-sum(yen for yen in balances.values() if yen < 0),
        balances=balances,
    )


def _of(yen_by_place: Mapping[Place, int], kind: Kind) -> int:
    return sum(yen for place, yen in yen_by_place.items() if place.kind is kind)
