"""The page of a lead: caveats first, then why its records belong together, as a picture and as its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1.identifiers_pb2 import (
    PROVENANCE_UNSPECIFIED,
    PROVENANCE_WITHHELD_ASK_ORIGINATOR,
    IdentifierType,
    Provenance,
    Relation,
)
from renkei.leads.v1.leads_pb2 import Evidence, Lead, LeadRecord

from renkei_desk.domain.chart import Chart, draw
from renkei_desk.domain.chart import Row as ChartRow
from renkei_desk.domain.timeline import Moment, Timeline, lay_out
from renkei_desk.pages.inbox import code_of
from renkei_desk.rendering import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.tips.v1.tips_pb2 import Tip

MOST_ROWS: Final = 200
MOST_MOMENTS: Final = 40
_SHORT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """A row of the table of evidence."""

    number: int
    kind: str
    form: str
    strength: int
    record: str
    provenance: str
    relation: str
    is_weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadView:
    """What the page shows."""

    lead: Lead
    caveats: Mapping[str, Sequence[str]]
    """The records of each caveat."""
    rows: Sequence[EvidenceRow]
    rows_omitted: int
    chart: Chart
    moments: Sequence[Moment]
    timeline: Timeline | None
    records: Sequence[LeadRecord]


def view(lead: Lead, records: Mapping[str, Tip | Arrest]) -> LeadView:
    """Take what is shown of a lead, and of those of its records that the officer may see."""
    rows = _rows(lead)
    shown = rows[:MOST_ROWS]
    chart_rows = [
        ChartRow(number=row.number, identifier=identifier, record=row.record, is_weak=row.is_weak)
        for identifier, row in shown
    ]
    moments = _moments(lead, records)
    return LeadView(
        lead=lead,
        caveats=_caveats(lead.records),
        rows=[row for _, row in shown],
        rows_omitted=len(rows) - len(shown) + lead.evidence_omitted,
        chart=draw(chart_rows),
        moments=moments,
        timeline=lay_out(moments),
        records=lead.records[:MOST_ROWS],
    )


def wanted(lead: Lead) -> Sequence[str]:
    """Name the records whose times the page shows."""
    return [record.name for record in lead.records[:MOST_MOMENTS]]


def short_of(name: str) -> str:
    """Give a record's name as short as people say it: agency and the end of its id, where ids differ."""
    return f"{code_of(name)} …{name[-_SHORT:]}"


def link_of(name: str) -> str:
    """Give where the page of a record is."""
    return f"/records/{name.removeprefix('agencies/')}"


def _caveats(records: Iterable[LeadRecord]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for record in records:
        if record.caveat:
            found.setdefault(record.caveat, []).append(record.name)
    return found


def _rows(lead: Lead) -> list[tuple[int, EvidenceRow]]:
    """Give every place of every identifier a number: these are the lines of the chart."""
    found: list[tuple[int, EvidenceRow]] = []
    for identifier, evidence in enumerate(lead.evidence):
        for place in evidence.records:
            row = EvidenceRow(
                number=len(found) + 1,
                kind=IdentifierType.Name(evidence.type),
                form=evidence.normal_form,
                strength=evidence.strength,
                record=place.name,
                provenance=Provenance.Name(place.provenance),
                relation=Relation.Name(place.relation),
                is_weak=evidence.strength == Evidence.STRENGTH_WEAK
                or place.provenance in {PROVENANCE_UNSPECIFIED, PROVENANCE_WITHHELD_ASK_ORIGINATOR},
            )
            found.append((identifier, row))
    return found


def _moments(lead: Lead, records: Mapping[str, Tip | Arrest]) -> list[Moment]:
    found: list[Moment] = []
    for number, name in enumerate(wanted(lead), start=1):
        record = records.get(name)
        if record is None:
            continue
        happened: Timestamp = getattr(record, "observe_time" if "/tips/" in name else "restraint_time")
        learned = record.receive_time if record.receive_time.seconds else record.create_time
        found.append(
            Moment(
                number=number,
                agency=code_of(name),
                record=name,
                happened=moment_of(happened) if happened.seconds else None,
                learned=moment_of(learned),
            )
        )
    return found
