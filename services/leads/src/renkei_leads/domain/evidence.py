"""What a lead rests on, and when two pieces of it are independent.

A piece of evidence is an identifier shared by a pair of records of one lead (of MEDIUM strength: in
spans that overlap). Two pieces are independent when

* they do not rest on the same pair of records, and
* each record that stands only in the one differs, by agency or by the provenance of the identifier,
  from each record that stands only in the other, and
* at least one of them links: two WEAK pieces are not enough.

The identifier may be the same: a number on a device seized in Tochigi, in a tip in Tokyo and in an
advertisement in Sapporo is seen three times. A pair that shares two identifiers is one observation,
for one mistake can have made both. A provenance that is withheld, not said, or unknown to this
program shows no difference: it may be the very same source. A record that has the identifier from
two places (of MEDIUM strength: in spans that overlap the partner's) differs by either.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeVar

from renkei_leads.domain.linking import Group, overlap
from renkei_leads.domain.records import Provenance
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from renkei_leads.domain.identifiers import Identifier
    from renkei_leads.domain.records import Site

T = TypeVar("T")

_SAYS_NOTHING: Final = frozenset({Provenance.UNSPECIFIED, Provenance.WITHHELD_ASK_ORIGINATOR})
_KNOWN: Final = frozenset(Provenance) - _SAYS_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An identifier that stands in more than one record of a lead, and where."""

    identifier: Identifier
    strength: Strength
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record has an identifier from, as far as it can show a difference."""

    agency: str
    provenances: frozenset[int]

    def differs(self, other: Origin) -> bool:
        """Say whether the two come from different agencies, or from different sources of one."""
        if self.agency != other.agency:
            return True
        return bool(self.provenances and other.provenances) and len(self.provenances | other.provenances) > 1


@dataclass(frozen=True, slots=True)
class Piece:
    """An identifier shared by two records."""

    records: tuple[str, str]
    origins: tuple[Origin, Origin]
    weak: bool


def is_supported(evidence: Sequence[Evidence]) -> bool:
    """Say whether two pieces of the evidence are independent."""
    origins = {_origin([site]) for row in evidence for group in row.groups for site in group}
    if not any(one.differs(other) for one, other in combinations(origins, 2)):
        return False  # the usual burst of one agency's tips: no need to look at its pairs
    known = _Known()
    for piece in pieces(evidence):
        if known.has_independent_of(piece):
            return True
        known.add(piece)
    return False


def pieces(evidence: Iterable[Evidence]) -> Iterator[Piece]:
    """Give every piece of the evidence, those that link first."""
    for row in sorted(evidence, key=lambda row: row.strength is Strength.WEAK):
        for group in row.groups:
            sites: dict[str, list[Site]] = {}
            for site in group:
                sites.setdefault(site.record, []).append(site)
            for one, other in combinations(sorted(sites), 2):
                mine: Sequence[Site] = sites[one]
                theirs: Sequence[Site] = sites[other]
                if row.strength is Strength.MEDIUM:
                    mine, theirs = _meeting(mine, theirs), _meeting(theirs, mine)
                if mine:
                    yield Piece((one, other), (_origin(mine), _origin(theirs)), row.strength is Strength.WEAK)


class _Known:
    """The pieces met so far; of each kind two, for one of them may rest on the pair at hand."""

    def __init__(self) -> None:
        # At a record: who shares something with it, by the partner's origin and whether that something is weak.
        self._partners: dict[str, dict[tuple[Origin, bool], list[str]]] = {}
        self._pairs: dict[tuple[frozenset[Origin], bool], list[tuple[str, str]]] = {}

    def has_independent_of(self, piece: Piece) -> bool:
        """Say whether one of them is independent of a piece."""
        for here, there, origin in _ends(piece):
            for (other, weak), partners in self._partners.get(here, {}).items():
                if not (weak and piece.weak) and origin.differs(other) and partners != [there]:
                    return True
        # Where all four origins differ, it is one whether a record is shared or not.
        for (origins, weak), pairs in self._pairs.items():
            if weak and piece.weak:
                continue
            if pairs != [piece.records] and all(mine.differs(other) for mine in piece.origins for other in origins):
                return True
        return False

    def add(self, piece: Piece) -> None:
        """Remember a piece."""
        for here, there, origin in _ends(piece):
            _keep_two(self._partners.setdefault(here, {}).setdefault((origin, piece.weak), []), there)
        _keep_two(self._pairs.setdefault((frozenset(piece.origins), piece.weak), []), piece.records)


def _keep_two(kept: list[T], item: T) -> None:
    if len(kept) < 2 and item not in kept:  # noqa: PLR2004 (the name says it)
        kept.append(item)


def _ends(piece: Piece) -> tuple[tuple[str, str, Origin], tuple[str, str, Origin]]:
    """See a piece from each of its records: (this one, its partner, the partner's origin)."""
    (one, other), (of_one, of_other) = piece.records, piece.origins
    return (one, other, of_other), (other, one, of_one)


def _origin(sites: Sequence[Site]) -> Origin:
    agency = "/".join(sites[0].record.split("/", 2)[:2])
    return Origin(agency, frozenset(site.provenance for site in sites) & _KNOWN)


def _meeting(some: Sequence[Site], others: Sequence[Site]) -> Sequence[Site]:
    """Choose the sites whose spans overlap one of the others."""
    return [one for one in some if any(overlap(one, other) for other in others)]
