"""Count a year's investigations in the shape that the NPA publishes: how many, into what, and how they ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JAPAN: Final = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One investigation, as far as it is counted. An outcome of 0: it has not ended."""

    agency: str
    crime: int
    start: datetime
    outcome: int
    documents_issued: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year's counts; `rows` by crime and outcome."""

    investigations: int
    rows: Mapping[tuple[int, int], int]
    documents_issued: int
    agencies: int


def count(facts: Iterable[Fact], *, year: int) -> Year:
    """Count the investigations whose period begins in a calendar year, Japan time."""
    found = [fact for fact in facts if fact.start.astimezone(JAPAN).year == year]
    rows = Counter((fact.crime, fact.outcome) for fact in found)
    return Year(
        investigations=len(found),
        rows=dict(sorted(rows.items())),
        documents_issued=sum(fact.documents_issued for fact in found),
        agencies=len({fact.agency for fact in found}),
    )
