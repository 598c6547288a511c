"""Put the leads service together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_chassis.records.protected import forms_of
from renkei_chassis.records.reach import Reach
from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_leads.api import LeadsApi
from renkei_leads.domain import normal_form
from renkei_leads.inbox import handlers
from renkei_leads.matching import Matching
from renkei_leads.tables import SCHEMA

if TYPE_CHECKING:
    from renkei_leads.settings import Settings


_PACE_SECONDS: Final = 0.05  # less than anybody sees, and many records of a load in one commit


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows the agency's own records, and what the exchange brings in."""

    def wire(parts: Parts) -> Wiring:
        matching = Matching(agency=parts.agency, max_records_per_identifier=settings.max_records_per_identifier)
        protected = forms_of(settings.protected, normal_form)
        reach = Reach(parts.client("exchange"), peers=frozenset(settings.members) - {parts.agency})
        api = LeadsApi(
            agency=parts.agency,
            database=parts.database,
            tokens=parts.tokens,
            changes=parts.changes,
            reach=reach,
        )
        return Wiring(
            api=api.api(),
            follows=handlers(matching, agency=parts.agency, protected=protected),
            pace_seconds=_PACE_SECONDS,
            tasks={"reach": reach.run},
        )

    return Blueprint(name="leads", schema=SCHEMA, wire=wire)
