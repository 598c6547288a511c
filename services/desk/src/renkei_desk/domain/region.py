"""The map of a region: outlines of prefectures as paths of a picture, cropped to those that matter.

Neighbours are drawn together; what lies far off gets a frame of its own beside them, as maps of Japan have always done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

WIDTH: Final = 860
HEIGHT: Final = 700
_GAP: Final = 16
_FAR: Final = 1.5  # degrees between neighbours and those far off
_BESIDE: Final = 0.32  # of the width, for what lies far off
_MARGIN: Final = 0.35  # of a degree, around what is shown
_APART: Final = 30
_ROUNDS: Final = 40

Ring = tuple[tuple[float, float], ...]
"""Longitude and latitude of each point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefecture:
    """A prefecture's outline."""

    jis: str
    """Its code of JIS X 0401, `12`."""
    ja: str
    en: str
    rings: tuple[Ring, ...]

    @property
    def main(self) -> Ring:
        """Give the largest part: islands far off must not make the map as wide as the ocean."""
        return max(self.rings, key=_extent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A prefecture of the picture."""

    jis: str
    ja: str
    en: str
    path: str
    x: int
    y: int
    """Where its number stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Neighbours in a frame."""

    x: int
    y: int
    width: int
    height: int
    shapes: Sequence[Shape]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """All of it, in units of the picture."""

    width: int
    height: int
    panels: Sequence[Panel]


def draw(
    prefectures: Iterable[Prefecture], shown: Collection[str], *, width: int = WIDTH, height: int = HEIGHT
) -> Region | None:
    """Draw the prefectures that are shown, and what of others lies between them; None where nothing is shown."""
    known = list(prefectures)
    groups = _neighbours([each for each in known if each.jis in shown])
    if not groups:
        return None
    main = round(width * (1 - _BESIDE)) - _GAP if len(groups) > 1 else width
    panels = [_panel(known, groups[0], x=0, y=0, width=main, height=height)]
    below = 0
    for group in groups[1:]:
        room = (height - _GAP * (len(groups) - 2)) // (len(groups) - 1)
        panels.append(_panel(known, group, x=main + _GAP, y=below, width=width - main - _GAP, height=room))
        below += panels[-1].height + _GAP
    return Region(
        width=max(each.x + each.width for each in panels),
        height=max(each.y + each.height for each in panels),
        panels=panels,
    )


def _neighbours(shown: Sequence[Prefecture]) -> list[list[Prefecture]]:
    """Put those together that lie near to each other, the largest group first."""
    groups: list[list[Prefecture]] = []
    for each in shown:
        near = [group for group in groups if any(_is_near(each, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([each, *(other for group in near for other in group)])
    return sorted(groups, key=lambda group: (-len(group), group[0].jis))


def _is_near(one: Prefecture, other: Prefecture) -> bool:
    a, b = _box(one.main), _box(other.main)
    return all(max(a[axis] - b[axis + 2], b[axis] - a[axis + 2]) < _FAR for axis in (0, 1))


def _panel(
    known: Sequence[Prefecture], group: Sequence[Prefecture], *, x: int, y: int, width: int, height: int
) -> Panel:
    boxes = [_box(each.main) for each in group]
    west, south = min(box[0] for box in boxes) - _MARGIN, min(box[1] for box in boxes) - _MARGIN
    east, north = max(box[2] for box in boxes) + _MARGIN, max(box[3] for box in boxes) + _MARGIN
    # A degree of longitude is shorter than one of latitude, the more so the further north.
    narrow = cos(radians((south + north) / 2))
    scale = min(width / ((east - west) * narrow), height / (north - south))

    def place(point: tuple[float, float]) -> tuple[int, int]:
        return round((point[0] - west) * narrow * scale), round((north - point[1]) * scale)

    drawn: list[Shape] = []
    for each in known:
        rings = [ring for ring in each.rings if _touches(_box(ring), (west, south, east, north))]
        if rings:
            middle = place(_middle(each.main))
            path = "".join(_path([place(point) for point in ring]) for ring in rings)
            drawn.append(Shape(jis=each.jis, ja=each.ja, en=each.en, path=path, x=middle[0], y=middle[1]))
    return Panel(
        x=x,
        y=y,
        width=round((east - west) * narrow * scale),
        height=round((north - south) * scale),
        shapes=_apart(drawn, {each.jis for each in group}),
    )


def _box(ring: Ring) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs), min(ys), max(xs), max(ys)


def _extent(ring: Ring) -> float:
    west, south, east, north = _box(ring)
    return (east - west) * (north - south)


def _touches(box: tuple[float, float, float, float], frame: tuple[float, float, float, float]) -> bool:
    return box[0] < frame[2] and box[2] > frame[0] and box[1] < frame[3] and box[3] > frame[1]


def _middle(ring: Ring) -> tuple[float, float]:
    """Give the centre of an area, by the shoelace formula."""
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        cross = x1 * y2 - x2 * y1
        area += cross
        x += (x1 + x2) * cross
        y += (y1 + y2) * cross
    return (x / (3 * area), y / (3 * area)) if area else ring[0]


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Write a ring as a path, without points that fall together."""
    kept = [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
    return "M" + "L".join(f"{x} {y}" for x, y in kept) + "Z"


def _apart(shapes: Sequence[Shape], shown: Collection[str]) -> list[Shape]:
    """Move the numbers of neighbours away from each other, so that each can be read."""
    places = {each.jis: (float(each.x), float(each.y)) for each in shapes if each.jis in shown}
    names = sorted(places)
    for _ in range(_ROUNDS):
        for index, one in enumerate(names):
            for other in names[index + 1 :]:
                (x1, y1), (x2, y2) = places[one], places[other]
                dx, dy = x2 - x1, y2 - y1
                distance = max((dx * dx + dy * dy) ** 0.5, 1.0)
                if distance < _APART:
                    step = (_APART - distance) / distance / 4
                    places[one] = (x1 - dx * step, y1 - dy * step)
                    places[other] = (x2 + dx * step, y2 + dy * step)
    moved = {jis: (round(x), round(y)) for jis, (x, y) in places.items()}
    return [replace(each, x=moved[each.jis][0], y=moved[each.jis][1]) if each.jis in moved else each for each in shapes]
