"""Put the desk together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei_chassis.identity import Verifier
from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_desk.asking import Asking
from renkei_desk.certificate import ensure_certificate
from renkei_desk.feed import Feed
from renkei_desk.notes import Notes
from renkei_desk.purposes import Purposes
from renkei_desk.rendering import Pages
from renkei_desk.serving import serve
from renkei_desk.sessions import Sessions
from renkei_desk.tables import SCHEMA
from renkei_desk.tail import Tail
from renkei_desk.web import Desk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from renkei_chassis.identity import TrustFile
    from renkei_desk.domain.cases import Case
    from renkei_desk.sessions import Renew
    from renkei_desk.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a desk stands."""

    addresses: Mapping[str, str]
    """`host:port` of every service of the agency, by short name."""
    trust: TrustFile
    """Whose tokens open a session."""
    folder: Path
    """Where its certificate lies."""
    renew: Renew | None
    """Makes a fresh token for an officer and roles; None: a session ends with the token that began it."""
    cases: Sequence[Case] = ()
    """Public background for the map."""


def blueprint(settings: Settings, place: Place) -> Blueprint:
    """Describe the service. It tells nothing and follows nothing into its database; its pages ask the others."""

    def wire(parts: Parts) -> Wiring:
        asking = Asking(parts.agency, place.addresses)
        sessions = Sessions(
            database=parts.database, writer=parts.writer, clock=parts.clock, settings=settings, renew=place.renew
        )
        tails = {service: Tail(parts.client(service)) for service in ("leads", "arrests")}
        feeds = {service: Feed(tail, tells=service.removesuffix("s")) for service, tail in tails.items()}
        desk = Desk(
            agency=parts.agency,
            port=settings.port,
            sessions=sessions,
            verifier=Verifier(audience=parts.agency, trust=place.trust),
            clock=parts.clock,
            asking=asking,
            feeds=feeds,
            pages=Pages(
                agency_name=settings.agency_name or parts.agency, training=settings.training, now=parts.clock.now
            ),
            cases=place.cases,
            purposes=Purposes(database=parts.database, writer=parts.writer),
            notes=Notes(database=parts.database, writer=parts.writer),
        )

        def end() -> None:
            for tail in tails.values():
                tail.end()  # the browsers come back to whoever serves then

        async def run() -> None:
            certificate, key = await asyncio.to_thread(ensure_certificate, place.folder, now=parts.clock.now())
            await serve(desk.app, port=settings.port, certificate=certificate, key=key, before_end=end)

        following = {f"tail of {service}": tail.run for service, tail in tails.items()}
        return Wiring(api={}, tasks={"web": run, **following}, closing=(asking.close,))

    return Blueprint(name="desk", schema=SCHEMA, wire=wire)
