"""The link chart: records on the left, identifiers on the right, and a numbered line for each row of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP: Final = 56
_TOP: Final = 34
_LEFT: Final = 250
_RIGHT: Final = 590
WIDTH: Final = 860
MOST: Final = 24
"""As many records, and as many identifiers, as a chart shows: more is a tangle that nobody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the evidence table: an identifier stands in a record."""

    number: int
    identifier: int
    """The place of the identifier among those of the lead."""
    record: str
    is_weak: bool
    """To be confirmed: it links weakly, or its source is withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A box of the chart."""

    key: str
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A line of the chart, with the place of its number."""

    number: int
    is_weak: bool
    x1: int
    y1: int
    x2: int
    y2: int
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All of it, in units of the picture."""

    records: Sequence[Point]
    identifiers: Sequence[Point]
    edges: Sequence[Edge]
    height: int
    omitted: int
    """Rows of the table that have no line here."""


def draw(rows: Sequence[Row]) -> Chart:
    """Lay out the chart: each line carries the number of its row, and no two numbers lie on one another."""
    names = list(dict.fromkeys(row.record for row in rows))[:MOST]
    forms = list(dict.fromkeys(row.identifier for row in rows))[:MOST]
    height = max(len(names), len(forms)) * _STEP + _TOP
    left = _column(len(names), height)
    right = _column(len(forms), height)
    records = {name: Point(key=name, x=_LEFT, y=y) for name, y in zip(names, left, strict=True)}
    identifiers = {form: Point(key=str(form), x=_RIGHT, y=y) for form, y in zip(forms, right, strict=True)}
    edges: list[Edge] = []
    taken: set[tuple[int, int]] = set()
    for row in rows:
        start, end = records.get(row.record), identifiers.get(row.identifier)
        if start is None or end is None:
            continue
        x, y = _place_of_number(start, end, taken)
        edges.append(Edge(number=row.number, is_weak=row.is_weak, x1=start.x, y1=start.y, x2=end.x, y2=end.y, x=x, y=y))
    return Chart(
        records=tuple(records.values()),
        identifiers=tuple(identifiers.values()),
        edges=tuple(edges),
        height=height,
        omitted=len(rows) - len(edges),
    )


def _column(count: int, height: int) -> list[int]:
    free = (height - _TOP) / max(count, 1)
    return [int(_TOP + free * (index + 0.5)) for index in range(count)]


def _place_of_number(start: Point, end: Point, taken: set[tuple[int, int]]) -> tuple[int, int]:
    """Find a place on the line where no other number lies; the middle where the line is full."""
    for part in (0.5, 0.34, 0.66, 0.24, 0.76, 0.42, 0.58, 0.18, 0.82):
        x, y = int(start.x + (end.x - start.x) * part), int(start.y + (end.y - start.y) * part)
        cell = (x // 26, y // 22)
        if not any((cell[0] + dx, cell[1] + dy) in taken for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
            taken.add(cell)
            return x, y
    return (start.x + end.x) // 2, (start.y + end.y) // 2
