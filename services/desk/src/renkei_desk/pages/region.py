"""地図: how many open leads touch each prefecture, and the public cases that happened there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1.identifiers_pb2 import IdentifierType

from renkei_desk.domain.dates import JAPAN
from renkei_desk.domain.question import parse
from renkei_desk.domain.region import Region, draw
from renkei_desk.domain.timeline import Moment, Timeline, lay_out
from renkei_desk.outlines import PREFECTURES, jis_of
from renkei_desk.pages.inbox import code_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from renkei.leads.v1.leads_pb2 import Lead, LeadCounts

    from renkei_desk.domain.cases import Case

KINDS: Final = tuple(IdentifierType.Name(number) for number in IdentifierType.values() if number)
_SMALL: Final = 420


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the reader asked for. Empty: everything."""

    first: date | None
    last: date | None
    kind: str
    """`IDENTIFIER_TYPE_PHONE`."""

    @property
    def query(self) -> str:
        """Write it as the end of an address."""
        parts = {"from": self.first, "to": self.last, "kind": self.kind}
        return "&".join(f"{name}={value}" for name, value in parts.items() if value)

    @property
    def begin(self) -> datetime | None:
        """When the first day begins, in Japan."""
        return None if self.first is None else datetime.combine(self.first, time(), JAPAN)

    @property
    def end(self) -> datetime | None:
        """When the last day is over."""
        return None if self.last is None else datetime.combine(self.last, time(), JAPAN) + timedelta(days=1)

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies in the days asked for, of Japan."""
        day = moment.astimezone(JAPAN).date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A prefecture's row of the table."""

    jis: str
    ja: str
    en: str
    leads: int
    supported: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A public case, with the number of its mark."""

    number: int
    case: Case
    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionView:
    """What the page shows."""

    region: Region | None
    places: Sequence[Place]
    by_jis: Mapping[str, Place]
    cases: Sequence[CaseRow]
    timeline: Timeline | None


def wanted(first: str, last: str, kind: str) -> Wanted:
    """Read the filters; what is none is not there."""
    return Wanted(first=parse(first).day, last=parse(last).day, kind=kind if kind in KINDS else "")


def view(leads: LeadCounts, cases: Iterable[Case], members: Iterable[str], asked: Wanted, language: str) -> RegionView:
    """Count per prefecture: of the agencies that belong together, and of every place where something is."""
    shown_cases = [case for case in cases if asked.holds(_noon(case.day))]
    found: dict[str, list[int]] = {jis_of(code): [0, 0, 0] for code in members}
    for each in leads.agencies:
        counts = found.setdefault(jis_of(code_of(each.agency)), [0, 0, 0])
        counts[0] += each.leads
        counts[1] += each.supported
    for case in shown_cases:
        found.setdefault(jis_of(case.agency), [0, 0, 0])[2] += 1
    found.pop("", None)  # an agency without a prefecture
    places = [_place(jis, counts) for jis, counts in sorted(found.items())]
    rows = [_case_row(number, case) for number, case in enumerate(shown_cases, start=1)]
    return RegionView(
        region=draw(PREFECTURES.values(), set(found)),
        places=places,
        by_jis={each.jis: each for each in places},
        cases=rows,
        timeline=lay_out(
            [
                Moment(
                    number=row.number,
                    agency=getattr(row, language),
                    record="",
                    happened=_noon(row.case.day),
                    learned=None,
                )
                for row in rows
            ]
        ),
    )


def small(lead: Lead) -> Region | None:
    """Draw where a lead's records are from."""
    return draw(PREFECTURES.values(), of_lead(lead), width=_SMALL, height=_SMALL)


def records_in(lead: Lead) -> Mapping[str, int]:
    """Count a lead's records in each prefecture."""
    return Counter(jis for record in lead.records if (jis := jis_of(code_of(record.name))))


def of_lead(lead: Lead) -> set[str]:
    """Name the prefectures whose agencies' records a lead holds."""
    return {jis_of(code_of(record.name)) for record in lead.records} - {""}


def _place(jis: str, counts: Sequence[int]) -> Place:
    known = PREFECTURES[jis]
    return Place(jis=jis, ja=known.ja, en=known.en, leads=counts[0], supported=counts[1], cases=counts[2])


def _case_row(number: int, case: Case) -> CaseRow:
    known = PREFECTURES.get(jis_of(case.agency))
    return CaseRow(number=number, case=case, ja=known.ja if known else "", en=known.en if known else "")


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), JAPAN).astimezone(UTC)
