"""Put the personas service together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_personas.api import PersonasApi
from renkei_personas.store import SCHEMA

if TYPE_CHECKING:
    from renkei_personas.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """Describe the service. It follows nobody: nothing comes in but by its own methods."""

    def wire(parts: Parts) -> Wiring:
        api = PersonasApi(agency=parts.agency, settings=settings, database=parts.database, tokens=parts.tokens)
        return Wiring(api=api.api())

    return Blueprint(name="personas", schema=SCHEMA, wire=wire)
