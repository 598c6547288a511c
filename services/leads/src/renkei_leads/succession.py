"""What becomes of leads when records come, change or go: found, changed, merged, retracted.

A lead's id derives from its first record, so every record has the one lead that it could begin. That
lead is live while the record is the first of a set; MERGED, into the lead of that set, while the
record is in a set that another one begins; and RETRACTED while the record is alone or gone. So the
state of a lead follows from the records that are visible, and not from how they came.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from renkei.leads.v1.events_pb2 import LeadChanged, LeadFound, LeadMerged, LeadRetracted
from renkei.leads.v1.leads_pb2 import Lead

from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.ids import uuid8_of
from renkei_leads.content import live_content, merged_content, retracted_content
from renkei_leads.domain import State
from renkei_leads.store import LeadRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from renkei_leads.domain import FoundLead

TAG: Final = b"renkei-lead-v1"
LIVE: Final = frozenset({State.CANDIDATE, State.SUPPORTED})


def lead_id(first_record: str) -> str:
    """Compute the id of the lead that a record begins: the same at every agency."""
    return str(uuid8_of(TAG, first_record))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What is to be written, and told."""

    new: list[LeadRow] = field(default_factory=list)
    changed: list[LeadRow] = field(default_factory=list)
    homes: dict[str, str] = field(default_factory=dict)
    """The live lead of each record that is in one now."""
    events: list[NewEvent] = field(default_factory=list)


def succeed(
    *,
    agency: str,
    found: Iterable[FoundLead],
    rows: Iterable[LeadRow],
    homes: Mapping[str, str],
    now_us: int,
) -> Outcome:
    """Compare the leads found among some records with what is stored about them.

    `rows` are the leads, live or ended, that begin with one of these records, and `homes` tells the
    live lead in which each of them was.
    """
    outcome = Outcome()
    old = {row.id: row for row in rows}
    for lead in found:
        _found(outcome, agency, lead, old, now_us)
    were_in: dict[str, list[str]] = {}
    for record, home in homes.items():
        were_in.setdefault(home, []).append(record)
    live = set(outcome.homes.values())
    for row in sorted((row for row in old.values() if row.id not in live), key=lambda row: row.id):
        into = outcome.homes.get(row.first_record, "")
        if into:
            _merged(outcome, agency, row, into, now_us)
        elif row.state is not State.RETRACTED:
            records = were_in.get(row.merged_into or row.id, ())
            _retracted(outcome, agency, row, {outcome.homes[name] for name in records if name in outcome.homes}, now_us)
    return outcome


def _found(outcome: Outcome, agency: str, lead: FoundLead, old: Mapping[str, LeadRow], now_us: int) -> None:
    known = lead_id(lead.first.name)
    outcome.homes.update({record.name: known for record in lead.records})
    name = _name(agency, known)
    content = live_content(name, lead)
    row = old.get(known)
    if row is not None and row.content == content:
        return
    fresh = LeadRow(
        id=known,
        state=lead.state,
        first_record=lead.first.name,
        merged_into="",
        create_us=row.create_us if row is not None else now_us,
        update_us=now_us,
        content=content,
    )
    (outcome.changed if row is not None else outcome.new).append(fresh)
    kind = LeadChanged if row is not None and row.state in LIVE else LeadFound
    told = kind(name=name, state=Lead.State.ValueType(lead.state), record_count=len(lead.records))
    outcome.events.append(NewEvent(payload=told, resource=name))


def _merged(outcome: Outcome, agency: str, row: LeadRow, into: str, now_us: int) -> None:
    if row.state is State.MERGED and row.merged_into == into:
        return
    name, target = _name(agency, row.id), _name(agency, into)
    content = merged_content(name, target)
    outcome.changed.append(replace(row, state=State.MERGED, merged_into=into, update_us=now_us, content=content))
    outcome.events.append(NewEvent(payload=LeadMerged(name=name, merged_into=target), resource=name))


def _retracted(outcome: Outcome, agency: str, row: LeadRow, successors: Iterable[str], now_us: int) -> None:
    name = _name(agency, row.id)
    content, listed = retracted_content(name, [_name(agency, successor) for successor in successors])
    outcome.changed.append(replace(row, state=State.RETRACTED, merged_into="", update_us=now_us, content=content))
    outcome.events.append(NewEvent(payload=LeadRetracted(name=name, succeeded_by=listed), resource=name))


def _name(agency: str, lead: str) -> str:
    return f"{agency}/leads/{lead}"
