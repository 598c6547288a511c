"""統計: leads, tips and arrests by state, kind and prefecture, and a year's undercover work where it is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.identifiers.v1.identifiers_pb2 import IdentifierType
from renkei.personas.v1.enums_pb2 import Outcome
from renkei.personas.v1.personas_pb2 import Plan

from renkei_desk.domain.bars import Bars, draw
from renkei_desk.outlines import PREFECTURES, jis_of
from renkei_desk.pages.inbox import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from renkei.leads.v1.leads_pb2 import LeadCounts
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
    leads: LeadCounts,
    arrests: tuple[Sequence[Arrest], bool],
    undercover: Statistics | None,
    value: Callable[[str], str],
    language: str,
) -> Sequence[Table]:
    """Make every table. `arrests` come with whether there are more; `value` says a value in words."""
    held, more_arrests = arrests
    found = [
        _table(
            "leads_by_state",
            {"LEAD_STATE_CANDIDATE": leads.leads - leads.supported, "LEAD_STATE_SUPPORTED": leads.supported},
            value,
        ),
        _table("leads_by_kind", {IdentifierType.Name(each.type): each.leads for each in leads.types}, value),
        _table(
            "leads_by_prefecture",
            {jis: each.leads for each in leads.agencies if (jis := jis_of(code_of(each.agency)))},
            lambda jis: getattr(PREFECTURES[jis], language),
            by_name=True,
        ),
        _table(
            "arrests_by_kind",
            Counter(f"ARREST_{Arrest.Kind.Name(each.kind)}" for each in held),
            value,
            cut=more_arrests,
        ),
        _table(
            "arrests_by_state",
            Counter(f"ARREST_{Arrest.State.Name(each.state)}" for each in held),
            value,
            cut=more_arrests,
        ),
    ]
    if undercover is not None and undercover.investigations:
        counted = Counter[str]()
        for row in undercover.rows:
            crime = value(Plan.CrimeCode.Name(row.crime_code))
            counted[f"{crime} / {value(Outcome.Name(row.outcome))}"] += row.investigations
        found.append(_drawn("undercover", list(counted.items()), cut=False))
    return found


def _table(
    key: str, counted: Mapping[str, int], value: Callable[[str], str], *, cut: bool = False, by_name: bool = False
) -> Table:
    there = [(name, count) for name, count in counted.items() if count]
    ordered = sorted(there, key=lambda item: item[0] if by_name else (-item[1], item[0]))
    return _drawn(key, [(value(name), count) for name, count in ordered], cut=cut)


def _drawn(key: str, rows: Sequence[tuple[str, int]], *, cut: bool) -> Table:
    return Table(key=key, rows=rows, bars=draw(rows), cut=cut)
