"""Measure subject and floor in turn, so that whatever else the machine does falls on both."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs(Generic[T]):
    """What each side gave, round by round."""

    subject: Sequence[T]
    floor: Sequence[T]

    def median(self, number: Callable[[T], float]) -> tuple[float, float, float]:
        """Give the medians of subject and floor, and the median of the ratios of the rounds."""
        return compare([number(one) for one in self.subject], [number(one) for one in self.floor])


def compare(subject: Sequence[float], floor: Sequence[float]) -> tuple[float, float, float]:
    """Give the medians of two series and of their quotients, pair by pair."""
    ratios = [one / other for one, other in zip(subject, floor, strict=True)]
    return statistics.median(subject), statistics.median(floor), statistics.median(ratios)


async def alternate(sides: Mapping[str, Callable[[], Awaitable[T]]], *, rounds: int) -> dict[str, list[T]]:
    """Measure every side once a round; each second round goes the other way round."""
    results: dict[str, list[T]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            results[name].append(await sides[name]())
    return results


async def pairs(subject: Callable[[], Awaitable[T]], floor: Callable[[], Awaitable[T]], *, rounds: int) -> Pairs[T]:
    """Measure two sides in turn."""
    results = await alternate({"subject": subject, "floor": floor}, rounds=rounds)
    return Pairs(subject=results["subject"], floor=results["floor"])
