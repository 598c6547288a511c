"""Put the personas service together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_personas.api import PersonasApi
from renkei_personas.store import SCHEMA

if TYPE_CHECKING:
    from renkei_personas.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows nobody: nothing comes in but by its own methods."""
    return Blueprint(name="personas", schema=SCHEMA, wire=partial(wire, settings))


def wire(settings: Settings, parts: Parts) -> Wiring:
    """Put the parts together."""
    api = PersonasApi(agency=parts.agency, settings=settings, database=parts.database, tokens=parts.tokens)
    return Wiring(api=api.api())
