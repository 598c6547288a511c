"""Say what the leads among some records are, slowly and in the plainest way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from renkei_chassis.ids import uuid8_of
from renkei_leads.domain import Identifier, Provenance, Relation, Site, State
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Records: TypeAlias = "Mapping[str, Iterable[Site]]"
"""The visible records by name, and what stands in them."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A lead as it should be: its state, its records in order, and what shared by whom."""

    state: State
    records: tuple[str, ...]
    evidence: frozenset[tuple[Identifier, frozenset[str]]]


@dataclass(frozen=True)
class Shared:
    """An identifier that two records share."""

    identifier: Identifier
    pair: frozenset[str]
    provenances: tuple[tuple[str, frozenset[int]], ...]

    def origin(self, record: str) -> tuple[str, frozenset[int]]:
        return record.split("/")[1], dict(self.provenances)[record]


def expected_leads(records: Records, *, bound: int) -> dict[str, Expected]:
    """Give every lead by its id."""
    shared = list(_shared(records, bound))
    sets = [{name} for name in records]
    for each in shared:
        if each.identifier.strength is not Strength.WEAK:
            touched = [members for members in sets if members & each.pair]
            sets = [members for members in sets if not members & each.pair] + [set().union(*touched)]
    return {
        str(uuid8_of(b"renkei-lead-v1", min(members, key=_order))): _expected(members, shared)
        for members in sets
        if len(members) > 1
    }


def _expected(members: set[str], shared: Iterable[Shared]) -> Expected:
    inside = [each for each in shared if each.pair <= members]
    holders: dict[Identifier, set[str]] = {}
    for each in inside:
        holders.setdefault(each.identifier, set()).update(each.pair)
    supported = any(_independent(one, other) for one, other in combinations(inside, 2))
    return Expected(
        state=State.SUPPORTED if supported else State.CANDIDATE,
        records=tuple(sorted(members, key=_order)),
        evidence=frozenset((identifier, frozenset(names)) for identifier, names in holders.items()),
    )


def _shared(records: Records, bound: int) -> Iterable[Shared]:
    standing: dict[Identifier, dict[str, list[Site]]] = {}
    for name, sites in records.items():
        for site in sites:
            if site.relation in {Relation.USED_BY_SUBJECT, Relation.COMMUNICATED, Relation.MENTIONED}:
                standing.setdefault(site.identifier, {}).setdefault(name, []).append(site)
    for identifier, by_record in standing.items():
        if len(by_record) > bound or identifier.strength is None:
            continue
        for one, other in combinations(by_record, 2):
            met = [
                (mine, theirs)
                for mine in by_record[one]
                for theirs in by_record[other]
                if identifier.strength is not Strength.MEDIUM or _overlap(mine, theirs)
            ]
            if met:
                said = ((one, _said(mine for mine, _ in met)), (other, _said(theirs for _, theirs in met)))
                yield Shared(identifier, frozenset({one, other}), said)


def _said(sites: Iterable[Site]) -> frozenset[int]:
    unsaid = {Provenance.UNSPECIFIED, Provenance.WITHHELD_ASK_ORIGINATOR}
    return frozenset(site.provenance for site in sites) & (frozenset(Provenance) - unsaid)


def _overlap(one: Site, other: Site) -> bool:
    starts = [float("-inf") if site.from_us is None else site.from_us for site in (one, other)]
    ends = [float("inf") if site.until_us is None else site.until_us for site in (one, other)]
    return max(starts) <= min(ends)


def _independent(one: Shared, other: Shared) -> bool:
    if one.pair == other.pair or {one.identifier.strength, other.identifier.strength} == {Strength.WEAK}:
        return False
    return all(
        _differ(one.origin(mine), other.origin(theirs))
        for mine in one.pair - other.pair
        for theirs in other.pair - one.pair
    )


def _differ(one: tuple[str, frozenset[int]], other: tuple[str, frozenset[int]]) -> bool:
    if one[0] != other[0]:
        return True
    return any(mine != theirs for mine in one[1] for theirs in other[1])


def _order(name: str) -> tuple[str, str]:
    return name.rpartition("/")[2], name
