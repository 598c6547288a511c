"""A bar chart: a bar for each count, with its words before and its number behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 640
LEFT: Final = 240
_RIGHT: Final = 70  # room for the number
_STEP: Final = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar."""

    label: str
    count: int
    y: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """All of it, in units of the picture."""

    bars: Sequence[Bar]
    height: int


def draw(counts: Sequence[tuple[str, int]]) -> Bars:
    """Draw one bar for each count, in the order given; the largest fills the width."""
    most = max((count for _, count in counts), default=0) or 1
    bars = [
        Bar(label=label, count=count, y=index * _STEP + 6, length=round((WIDTH - LEFT - _RIGHT) * count / most))
        for index, (label, count) in enumerate(counts)
    ]
    return Bars(bars=bars, height=max(len(bars), 1) * _STEP + 6)
