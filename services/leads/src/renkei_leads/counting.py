"""Count leads: by how sure they are, by the agencies whose records they hold, by what links them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.leads.v1.leads_pb2 import AgencyLeads, IdentifierTypeLeads, Lead, LeadCounts
from sqlalchemy import select

from renkei_leads.domain import State
from renkei_leads.ordering import STANDING
from renkei_leads.tables import follow_ups, leads

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

_LIVE: Final = (int(State.CANDIDATE), int(State.SUPPORTED))
_AT_ONCE: Final = 500  # as many contents are held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which live leads are to be counted; what is empty, 0 or None leaves nothing out."""

    standings: Collection[int] = ()
    min_update_us: int | None = None
    end_update_us: int | None = None
    """Before this time."""
    identifier_type: int = 0


def count(connection: Connection, wanted: Wanted) -> LeadCounts:
    """Look at every lead that is wanted, a few at a time. What a lead holds stands in its content alone."""
    statement = select(leads.c.content).where(leads.c.state.in_(_LIVE))
    if wanted.standings:
        statement = statement.outerjoin(follow_ups, follow_ups.c.lead == leads.c.id)
        statement = statement.where(STANDING.in_(list(wanted.standings)))
    if wanted.min_update_us is not None:
        statement = statement.where(leads.c.update_us >= wanted.min_update_us)
    if wanted.end_update_us is not None:
        statement = statement.where(leads.c.update_us < wanted.end_update_us)
    all_leads, supported, types = Counter[str](), Counter[str](), Counter[int]()
    total = sure = 0
    for (content,) in connection.execute(statement.execution_options(yield_per=_AT_ONCE)):
        lead = Lead.FromString(bytes(content))
        kinds = {evidence.type for evidence in lead.evidence}
        if wanted.identifier_type and wanted.identifier_type not in kinds:
            continue
        agencies = {_agency_of(record.name) for record in lead.records}
        total += 1
        all_leads.update(agencies)
        types.update(kinds)
        if lead.state == Lead.STATE_SUPPORTED:
            sure += 1
            supported.update(agencies)
    return LeadCounts(
        leads=total,
        supported=sure,
        agencies=[
            AgencyLeads(agency=agency, leads=number, supported=supported[agency])
            for agency, number in sorted(all_leads.items())
        ],
        types=[IdentifierTypeLeads(type=kind, leads=number) for kind, number in sorted(types.items())],  # type: ignore[arg-type]  # numbers of that enum
    )


def _agency_of(record: str) -> str:
    return "/".join(record.split("/")[:2])
