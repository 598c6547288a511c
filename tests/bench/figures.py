"""What a figure is: one measurement that fills one or more rows, each with a bar that it has to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a row has to reach: at least or at most so much, of its ratio to the floor or of its value."""

    limit: float
    of: Literal["ratio", "value"] = "ratio"
    at_least: bool = True

    def __str__(self) -> str:
        return f"{self.of} {'≥' if self.at_least else '≤'} {self.limit:g}"

    def reached(self, *, value: float, ratio: float | None) -> bool:
        """Tell whether it is reached. A bar on a ratio that was not measured is not."""
        found = ratio if self.of == "ratio" else value
        if found is None:
            return False
        return found >= self.limit if self.at_least else found <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row before it is measured."""

    name: str
    """Unique among all figures: `create-64-callers`."""
    what: str
    """One sentence: what is measured, and against what."""
    unit: str
    bar: Bar | None = None
    """None: the row is shown for comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it is written. `floor` has the unit of `value`."""

    name: str
    what: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    bar: str
    ok: bool
    machine: str


class Bench:
    """What a figure is measured with: how often, where, and what takes the results."""

    def __init__(self, *, directory: Path, pairs: int, wanted: Collection[str]) -> None:
        """`directory` is empty and the figure's own; `wanted` names the rows that were asked for."""
        self.directory = directory
        self.pairs = pairs
        self.results: dict[str, tuple[float, float | None, float | None]] = {}
        self._wanted = frozenset(wanted)

    def wants(self, name: str) -> bool:
        """Tell whether a row was asked for; measuring another is wasted time, and no harm."""
        return name in self._wanted

    def record(self, name: str, *, value: float, floor: float | None = None, ratio: float | None = None) -> None:
        """Take the result of a row. Without `ratio` it is value / floor."""
        if ratio is None and floor:
            ratio = value / floor
        self.results[name] = (value, floor, ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measurement; a module of `tests.bench.measured` lists its own as `FIGURES`."""

    name: str
    lines: Sequence[Line]
    measure: Callable[[Bench], Awaitable[None]]
    """Calls `bench.record` for every wanted row; what it starts is stopped when it returns."""
