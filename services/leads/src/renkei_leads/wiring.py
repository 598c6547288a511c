"""Put the leads service together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.records.protected import forms_of
from renkei_chassis.records.reach import Reach
from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_leads.api import LeadsApi
from renkei_leads.content import Terms
from renkei_leads.domain import normal_form
from renkei_leads.follow_up_api import SERVICE as FOLLOW_UP
from renkei_leads.follow_up_api import FollowUpApi
from renkei_leads.inbox import handlers
from renkei_leads.matching import Matching
from renkei_leads.tables import SCHEMA
from renkei_leads.wake_task import WakeTask

if TYPE_CHECKING:
    from renkei_leads.settings import Settings


_PACE_SECONDS: Final = 0.05  # less than anybody sees, and many records of a load in one commit


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows the agency's own records, and what the exchange brings in."""
    return Blueprint(name="leads", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    matching = Matching(agency=parts.agency, max_records_per_identifier=settings.max_records_per_identifier)
    protected = forms_of(settings.protected, normal_form)
    reach = Reach(parts.client("exchange"), peers=frozenset(settings.members) - {parts.agency})
    terms = terms_of(settings)
    api = LeadsApi(
        agency=parts.agency,
        database=parts.database,
        tokens=parts.tokens,
        changes=parts.changes,
        reach=reach,
        terms=terms,
    )
    follow_up = FollowUpApi(
        agency=parts.agency, terms=terms, database=parts.database, tokens=parts.tokens, writer=parts.writer
    )
    waking = WakeTask(
        agency=parts.agency,
        database=parts.database,
        writer=parts.writer,
        clock=parts.clock,
        seconds=settings.wake_seconds,
    )
    return Wiring(
        api={**api.api(), FOLLOW_UP: follow_up.methods()},
        follows=handlers(matching, agency=parts.agency, protected=protected),
        pace_seconds=_PACE_SECONDS,
        tasks={"reach": reach.run, "waking": waking.run},
    )


def terms_of(settings: Settings) -> Terms:
    """Read what the agency decided about the time that people take."""
    return Terms(
        look_supported=timedelta(minutes=settings.supported_look_minutes),
        look_candidate=timedelta(minutes=settings.candidate_look_minutes),
        longest_snooze=timedelta(days=settings.longest_snooze_days),
    )
