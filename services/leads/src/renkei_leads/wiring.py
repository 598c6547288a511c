"""Put the leads service together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_leads.api import LeadsApi
from renkei_leads.inbox import handlers
from renkei_leads.matching import Matching
from renkei_leads.store import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from renkei_leads.settings import Settings


def blueprint(settings: Settings, *, unreachable: Callable[[], Awaitable[Sequence[str]]] | None = None) -> Blueprint:
    """Describe the service. `unreachable` tells which agencies are cut off; without it the exchange is asked."""

    def wire(parts: Parts) -> Wiring:
        matching = Matching(agency=parts.agency, max_records_per_identifier=settings.max_records_per_identifier)
        api = LeadsApi(
            agency=parts.agency,
            database=parts.database,
            tokens=parts.tokens,
            changes=parts.changes,
            unreachable=unreachable or _nobody,
        )
        return Wiring(api=api.api(), follows=handlers(matching, agency=parts.agency))

    return Blueprint(name="leads", schema=SCHEMA, wire=wire)


async def _nobody() -> Sequence[str]:
    return ()
