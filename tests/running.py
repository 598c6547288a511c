"""Start one real service for a test: real database, real gRPC on a free loopback port, real tokens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.client import Client
from renkei_chassis.service import Service, Surroundings
from tests.databases import places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_chassis.clock import Clock
    from renkei_chassis.service import Blueprint

AGENCY = "agencies/jp-12"
NEIGHBOURS = ("tips", "arrests", "exchange")
NOBODY = "127.0.0.1:1"
PATIENT = Patience()
HASTY = Patience(first_pause_seconds=1e9, longest_pause_seconds=1e9)
"""Of a client that hears the first UNAVAILABLE: its pause before a second try never fits into a deadline."""


class Running:
    """A service that serves, and clients of it for whomever a test wants to be."""

    def __init__(self, *, service: Service, address: str, issuer: Ed25519PrivateKey, agency: str) -> None:
        self.agency = agency
        self.service = service
        self.address = address
        self._issuer = issuer
        self._clients: list[Client] = []

    def token(self, officer: str, *roles: str) -> str:
        """Make an officer's token."""
        return mint(
            self._issuer,
            issuer=self.agency,
            subject=f"{self.agency}/officers/{officer}",
            audience=self.agency,
            roles=roles,
            now_us=WallClock().now_us(),
            life_seconds=300,
            token_id=uuid7(),
        )

    def client(self, officer: str, *roles: str, patience: Patience = PATIENT) -> Client:
        """Give a client that calls as an officer."""
        client = Client(self.address, token=lambda: self.token(officer, *roles), patience=patience)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            await client.close()


@asynccontextmanager
async def running(
    blueprint: Blueprint,
    directory: Path,
    *,
    agency: str = AGENCY,
    clock: Clock | None = None,
    neighbours: Mapping[str, str] = MappingProxyType({}),
    key: Ed25519PrivateKey | None = None,
    trusted: Sequence[Issuer] = (),
    **more: Any,  # noqa: ANN401
) -> AsyncIterator[Running]:
    """Run a service without NATS. Nothing answers where neighbours would be, but for those whose address is given.

    `key` is the service's own, for a neighbour that is to trust it; `trusted` are whom it trusts itself beside its
    node; `more` surrounds it.
    """
    issuer, key = generate(), key or generate()
    own = f"{agency}/services/{blueprint.name}"
    trust = TrustFile(
        issuers=(
            Issuer(issuer=agency, kind=IssuerKind.NODE, public_key=public_text(issuer)),
            Issuer(issuer=own, kind=IssuerKind.SERVICE, public_key=public_text(key)),
            *trusted,
        )
    )
    ports = await asyncio.to_thread(PortClaims)
    try:
        address = f"127.0.0.1:{await asyncio.to_thread(ports.claim)}"
        around = Surroundings(
            agency=agency,
            data_directory=directory,
            databases=places(directory),
            addresses={**dict.fromkeys(NEIGHBOURS, NOBODY), **neighbours, blueprint.name: address},
            key=key,
            trust=trust,
            clock=clock or WallClock(),
            **more,
        )
        service = Service(blueprint=blueprint, surroundings=around)
        await service.start()
        started = Running(service=service, address=address, issuer=issuer, agency=agency)
        try:
            yield started
        finally:
            await started.close()
            await service.stop()
    finally:
        await asyncio.to_thread(ports.close)
