"""Find the leads among records: who belongs together, on what evidence, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from renkei_leads.domain.evidence import Evidence, is_supported
from renkei_leads.domain.linking import Group, components, groups_of
from renkei_leads.domain.records import links
from renkei_normalform import Strength

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from renkei_leads.domain.identifiers import Identifier
    from renkei_leads.domain.records import Record, Site

_STRONGEST_FIRST: Final = {Strength.STRONG: 0, Strength.MEDIUM: 1, Strength.WEAK: 2}


class State(IntEnum):
    """How sure a lead is, or that it ended, by the contract's numbers."""

    CANDIDATE = 1
    SUPPORTED = 2
    MERGED = 3
    RETRACTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLead:
    """A maximal set of records that linking identifiers connect."""

    state: State
    records: tuple[Record, ...]
    """In their order; the first one gives the lead its id."""
    evidence: tuple[Evidence, ...]
    """The strongest first."""

    @property
    def first(self) -> Record:
        """Give the record from whose name the lead's id derives."""
        return self.records[0]


def find_leads(
    records: Mapping[str, Record], sites: Iterable[Site], *, crowded: Callable[[Identifier], bool]
) -> list[FoundLead]:
    """Find every lead among the records, in the order of their first records.

    `sites` are all sites of these records. `crowded` says of an identifier that it stands in more
    records than the bound allows, wherever they are: as long as it does, none of its links and none
    of its evidence exists, also what existed before it was crowded. So the result follows from the
    records alone and never from the order in which they came.
    """
    standing: dict[Identifier, list[Site]] = {}
    for site in sites:
        if links(site.relation):
            standing.setdefault(site.identifier, []).append(site)
    grouped: dict[Identifier, tuple[Strength, list[Group]]] = {}
    for identifier, those in standing.items():
        strength = identifier.strength
        if len(those) > 1 and strength is not None and not crowded(identifier):
            grouped[identifier] = (strength, groups_of(strength, those))
    linking = [group for strength, groups in grouped.values() if strength is not Strength.WEAK for group in groups]
    together = components(linking)
    home = {record: number for number, members in enumerate(together) for record in members}
    evidence: list[list[Evidence]] = [[] for _ in together]
    for identifier, (strength, groups) in grouped.items():
        for number, those_of_lead in _by_lead(strength, groups, home).items():
            evidence[number].append(Evidence(identifier=identifier, strength=strength, groups=those_of_lead))
    found = [_lead([records[name] for name in together[n]], evidence[n]) for n in range(len(together))]
    return sorted(found, key=lambda lead: lead.first.order)


def _by_lead(strength: Strength, groups: Iterable[Group], home: Mapping[str, int]) -> dict[int, tuple[Group, ...]]:
    """Give the groups of one identifier to the leads in which they lie; what is WEAK is cut to each lead."""
    parts: dict[int, list[Group]] = {}
    for group in groups:
        if strength is not Strength.WEAK:
            parts.setdefault(home[group[0].record], []).append(group)
            continue
        of_lead: dict[int, list[Site]] = {}
        for site in group:
            if site.record in home:
                of_lead.setdefault(home[site.record], []).append(site)
        for number, sites in of_lead.items():
            for part in groups_of(strength, sites):
                parts.setdefault(number, []).append(part)
    return {number: tuple(those) for number, those in parts.items()}


def _lead(records: Iterable[Record], evidence: Iterable[Evidence]) -> FoundLead:
    ordered = tuple(sorted(records, key=lambda record: record.order))
    rows = tuple(sorted(evidence, key=lambda row: (_STRONGEST_FIRST[row.strength], row.identifier.key)))
    state = State.SUPPORTED if is_supported(rows) else State.CANDIDATE
    return FoundLead(state=state, records=ordered, evidence=rows)
