"""Put the personas service together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_personas.acts import Acts
from renkei_personas.api import api_of
from renkei_personas.bases import Bases
from renkei_personas.clock_task import ClockTask
from renkei_personas.collisions import Collisions
from renkei_personas.contacts import Contacts
from renkei_personas.disclosures import Disclosures
from renkei_personas.documents import Documents
from renkei_personas.inbox import Inbox
from renkei_personas.learning import Learning
from renkei_personas.names import Names
from renkei_personas.plans import Plans
from renkei_personas.reading import Reading
from renkei_personas.refusals import Refusals
from renkei_personas.reports import Reports
from renkei_personas.rereading import Rereading
from renkei_personas.store.tables import SCHEMA

if TYPE_CHECKING:
    from renkei_personas.settings import Settings


_PACE_SECONDS: Final = 0.2  # collisions are looked for by people, and reports wait for people


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service.

    It follows the exchange, through which reports and acknowledgements come in, and with tips and arrests also what
    real records say, which invented values must not hit.
    """
    return Blueprint(name="personas", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    names = Names(parts.agency)
    acts = Acts(names=names, settings=settings)
    collisions = Collisions(parts.database.secret)
    learned = Learning(acts=acts, collisions=collisions).handlers()
    follows = Inbox(acts=acts, npa=settings.npa, learned=learned).handlers()
    reading = Reading(acts=acts, database=parts.database, tokens=parts.tokens, clock=parts.clock)
    api = api_of(
        plans=Plans(acts=acts),
        bases=Bases(acts=acts, keys=settings.legal_basis_keys),
        reading=reading,
        documents=Documents(acts=acts, reading=reading, database=parts.database, collisions=collisions),
        contacts=Contacts(acts=acts, reading=reading),
        disclosures=Disclosures(acts=acts, reading=reading),
        reports=Reports(names=names, npa=settings.npa, database=parts.database, tokens=parts.tokens),
    )
    clocks = ClockTask(
        acts=acts,
        database=parts.database,
        writer=parts.writer,
        clock=parts.clock,
        seconds=settings.clock_seconds,
    )
    rereading = Rereading(
        agency=parts.agency,
        logs=follows,
        handlers=learned,
        database=parts.database,
        writer=parts.writer,
        client=parts.client,
    )
    return Wiring(
        api=api,
        follows=follows,
        pace_seconds=_PACE_SECONDS,
        tasks={"clocks": clocks.run, "rereading": rereading.run},
        on_refused=Refusals(parts.writer).record,
    )
