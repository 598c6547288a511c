"""The timeline: when things happened, and when this agency learned of them, in a lane for each agency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

WIDTH: Final = 860
_LEFT: Final = 150
_RIGHT: Final = 830
_ROW: Final = 20
_GAP: Final = 18
_ROOM: Final = 30
_TOP: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A record on the timeline. `happened` is not known of every record, and nobody learns of a public case."""

    number: int
    agency: str
    record: str
    happened: datetime | None
    learned: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A sign in the picture: a disc for what happened, a square for what was learned."""

    number: int
    is_learned: bool
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """An agency's line."""

    agency: str
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All of it, in units of the picture."""

    lanes: Sequence[Lane]
    marks: Sequence[Mark]
    first: datetime
    last: datetime
    height: int


def lay_out(moments: Sequence[Moment]) -> Timeline | None:
    """Place every moment that has a time; None where there is none."""
    moments = [each for each in moments if each.happened or each.learned]
    if not moments:
        return None
    times = [when for moment in moments for when in (moment.happened, moment.learned) if when is not None]
    first, last = min(times), max(times)
    span = max((last - first).total_seconds(), 1.0)
    names = sorted({moment.agency for moment in moments})
    marks: list[Mark] = []
    lanes: list[Lane] = []
    top = _TOP
    for name in names:
        ends: list[list[int]] = [[], []]  # of each row of a lane: where its last mark stands
        placed: list[tuple[int, bool, int, int]] = []
        for moment in sorted((each for each in moments if each.agency == name), key=_when):
            both: list[tuple[datetime | None, bool]] = [(moment.happened, False), (moment.learned, True)]
            for when, is_learned in both:
                if when is None:
                    continue
                x = int(_LEFT + (when - first).total_seconds() / span * (_RIGHT - _LEFT))
                placed.append((moment.number, is_learned, x, _free_row(ends[is_learned], x)))
        rows = 1 + max((row for _, is_learned, _, row in placed if not is_learned), default=0)
        for number, is_learned, x, row in placed:
            y = top + (row + rows * is_learned) * _ROW
            marks.append(Mark(number=number, is_learned=is_learned, x=x, y=y))
        lanes.append(Lane(agency=name, y=top))
        top += _ROW * (rows + len(ends[True])) + _GAP
    marks.sort(key=lambda mark: (mark.number, mark.is_learned))
    return Timeline(lanes=tuple(lanes), marks=tuple(marks), first=first, last=last, height=top)


def _when(moment: Moment) -> datetime:
    when = moment.learned or moment.happened
    assert when is not None  # noqa: S101 (see lay_out)
    return when


def _free_row(ends: list[int], x: int) -> int:
    """Find the first row in which a mark has room, and take it."""
    for row, taken in enumerate(ends):
        if abs(x - taken) >= _ROOM:
            ends[row] = x
            return row
    ends.append(x)
    return len(ends) - 1
