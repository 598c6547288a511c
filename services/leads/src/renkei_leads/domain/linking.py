"""What links: identifiers into groups of sites, groups into sets of connected records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from renkei_leads.domain.records import Site

_PAST: Final = float("-inf")
_FUTURE: Final = float("inf")

Group = tuple["Site", ...]
"""Sites of one identifier that belong together: in at least two records."""


def groups_of(strength: Strength, sites: Sequence[Site]) -> list[Group]:
    """Divide the sites of one identifier into the groups that it makes.

    STRONG and WEAK: all of them are one. MEDIUM: a handle is sold and used again, so sites belong
    together while their spans overlap, directly or over others. A shared end counts as overlap; a
    span that ends before it begins overlaps nothing.
    """
    found = [tuple(sites)] if strength is not Strength.MEDIUM else _chains(sites)
    return [group for group in found if any(site.record != group[0].record for site in group)]


def overlap(one: Site, other: Site) -> bool:
    """Say whether the spans of two sites overlap. Neither may end before it begins."""
    return _start(one) <= _end(other) and _start(other) <= _end(one)


def connected(start: str, neighbours: Callable[[str], Iterable[str]]) -> set[str]:
    """Collect every record that can be reached from one, itself included."""
    reached = {start}
    waiting = [start]
    while waiting:
        for record in neighbours(waiting.pop()):
            if record not in reached:
                reached.add(record)
                waiting.append(record)
    return reached


def components(groups: Iterable[Group]) -> list[set[str]]:
    """Find the sets of records that groups connect; a record in no group is in none."""
    members = [{site.record for site in group} for group in groups]
    containing: dict[str, list[int]] = {}
    for number, records in enumerate(members):
        for record in records:
            containing.setdefault(record, []).append(number)
    used: set[int] = set()

    def neighbours(record: str) -> Iterable[str]:
        # A group leads everywhere it can lead the first time it is met.
        for number in containing[record]:
            if number not in used:
                used.add(number)
                yield from members[number]

    found: list[set[str]] = []
    placed: set[str] = set()
    for record in containing:
        if record not in placed:
            found.append(connected(record, neighbours))
            placed |= found[-1]
    return found


def _chains(sites: Sequence[Site]) -> list[Group]:
    """Sweep over the spans by their beginnings."""
    chains: list[list[Site]] = []
    end = _PAST
    for site in sorted((site for site in sites if _start(site) <= _end(site)), key=_start):
        if chains and _start(site) <= end:
            chains[-1].append(site)
            end = max(end, _end(site))
        else:
            chains.append([site])
            end = _end(site)
    return [tuple(chain) for chain in chains]


def _start(site: Site) -> float:
    return _PAST if site.from_us is None else site.from_us


def _end(site: Site) -> float:
    return _FUTURE if site.until_us is None else site.until_us
