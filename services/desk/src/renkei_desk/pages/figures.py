"""統計: leads, tips and arrests by state, kind and prefecture, and a year's undercover work where it is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from renkei.leads.v1.leads_pb2 import Lead
from renkei.personas.v1.enums_pb2 import Outcome
from renkei.personas.v1.personas_pb2 import Plan

from renkei_desk.domain.bars import Bars, draw
from renkei_desk.outlines import PREFECTURES
from renkei_desk.pages.region import of_lead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from renkei.personas.v1.reports_pb2 import Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of counts and its picture."""

    key: str
    """Its title's word, and its name in an address."""
    rows: Sequence[tuple[str, int]]
    bars: Bars
    cut: bool
    """Only the newest were counted."""


def tables(
    *,
    leads: tuple[Sequence[Lead], bool],
    arrests: tuple[Sequence[Arrest], bool],
    undercover: Statistics | None,
    value: Callable[[str], str],
    language: str,
) -> Sequence[Table]:
    """Count everything. `leads` and `arrests` come with whether there are more; `value` says a value in words."""
    several, more_leads = leads
    held, more_arrests = arrests
    found = [
        _table("leads_by_state", (f"LEAD_{Lead.State.Name(lead.state)}" for lead in several), value, cut=more_leads),
        _table(
            "leads_by_kind",
            (kind for lead in several for kind in {IdentifierType.Name(each.type) for each in lead.evidence}),
            value,
            cut=more_leads,
        ),
        _table(
            "leads_by_prefecture",
            (jis for lead in several for jis in of_lead(lead)),
            lambda jis: getattr(PREFECTURES[jis], language),
            cut=more_leads,
            by_name=True,
        ),
        _table("arrests_by_kind", (f"ARREST_{Arrest.Kind.Name(each.kind)}" for each in held), value, cut=more_arrests),
        _table(
            "arrests_by_state", (f"ARREST_{Arrest.State.Name(each.state)}" for each in held), value, cut=more_arrests
        ),
    ]
    if undercover is not None and undercover.investigations:
        counted = Counter[str]()
        for row in undercover.rows:
            crime = value(Plan.CrimeCode.Name(row.crime_code))
            counted[f"{crime} / {value(Outcome.Name(row.outcome))}"] += row.investigations
        found.append(_drawn("undercover", list(counted.items()), cut=False))
    return found


def _table(key: str, names: Iterable[str], value: Callable[[str], str], *, cut: bool, by_name: bool = False) -> Table:
    counted = Counter(names)
    ordered = sorted(counted.items(), key=lambda item: item[0] if by_name else (-item[1], item[0]))
    return _drawn(key, [(value(name), count) for name, count in ordered], cut=cut)


def _drawn(key: str, rows: Sequence[tuple[str, int]], *, cut: bool) -> Table:
    return Table(key=key, rows=rows, bars=draw(rows), cut=cut)
