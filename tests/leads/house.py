"""A real leads service, and stand-ins for its three neighbours that have nothing but a log."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.event_pb2 import Origin
from renkei.leads.v1.leads_pb2 import GetLeadRequest, Lead, ListLeadsRequest
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from sqlalchemy import MetaData

from renkei_chassis.clock import WallClock
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.follower.state import list_aside
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.client import Client
from renkei_chassis.service import Blueprint, Service, Surroundings, Wiring
from tests.databases import places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from renkei.policy.v1.policy_pb2 import Grade

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.ports import PortClaims

AGENCY: Final = "agencies/jp-12"
NEIGHBOURS: Final = ("tips", "arrests", "exchange")


@dataclass(slots=True, kw_only=True)
class House:
    """A running leads service and the logs that it follows."""

    service: Service
    neighbours: dict[str, Service]
    address: str
    key: Ed25519PrivateKey
    clients: list[Client]

    def client(self, *roles: str, officer: str = "sato") -> Client:
        """Call as somebody of these roles; as an officer where none is given."""

        def token() -> str:
            return mint(
                self.key,
                issuer=AGENCY,
                subject=f"{AGENCY}/officers/{officer}",
                audience=AGENCY,
                roles=roles or ("OFFICER",),
                now_us=WallClock().now_us(),
                life_seconds=600,
                token_id=uuid7(),
            )

        client = Client(self.address, token=token)
        self.clients.append(client)
        return client

    async def tell(self, *payloads: Message) -> None:
        """Let the own tips and arrests say something, and wait until it is in effect."""
        for service, those in groupby(payloads, key=lambda payload: payload.DESCRIPTOR.full_name.split(".")[1]):
            await self._say(service, [NewEvent(payload=payload, resource=name_in(payload)) for payload in those])

    async def bring(self, *payloads: Message, origin: str = "", grade: Grade.ValueType = GRADE_FULL) -> None:
        """Let the exchange say what another agency's lane brought, and wait until it is in effect."""
        events = []
        for payload in payloads:
            agency = origin or "/".join(name_in(payload).split("/")[:2])
            came = Origin(agency=agency, lane="data", epoch=str(uuid.uuid4()), bundle=1, item=1)
            events.append(NewEvent(payload=payload, resource=name_in(payload), origin=came, grade=grade))
        await self._say("exchange", events)

    async def _say(self, service: str, events: Sequence[NewEvent]) -> None:
        neighbour = self.neighbours[service]

        def emit(transaction: Transaction) -> None:
            for event in events:
                transaction.emit(event)

        await neighbour.writer.run(emit)
        follower = self.service.followers[f"{AGENCY}/logs/{service}"]
        follower.courier_changed(connected=False)  # it asks at once, not at its next tick
        await follower.caught_up(neighbour.log.position.sequence)

    async def leads(self, **query: Any) -> list[Lead]:  # noqa: ANN401 (fields of the request)
        """List leads."""
        client = self.client()
        listed = client.items(
            client.stub(LeadsServiceStub).ListLeads, ListLeadsRequest(parent=AGENCY, **query), "leads"
        )
        return [lead async for lead in listed]

    async def lead(self, name: str) -> Lead:
        """Get a lead."""
        client = self.client()
        return await client.call(client.stub(LeadsServiceStub).GetLead, GetLeadRequest(name=name))

    async def told(self) -> list[Event]:
        """Read what the service told."""
        return await self.service.log.events(after=0)

    async def kinds_told(self) -> list[str]:
        """Read in short what the service told."""
        return [event.type.rpartition(".")[2] for event in await self.told()]

    async def set_aside(self) -> list[str]:
        """Read why events were set aside."""
        return [row.reason for row in await self.service.database.read(list_aside)]


def name_in(payload: Any) -> str:  # noqa: ANN401 (any event about a record)
    """Read the record's name in an event."""
    for word in ("opinion", "tip", "arrest"):
        if hasattr(payload, word):
            return str(getattr(payload, word).name)
    return str(payload.name)


@asynccontextmanager
async def run_house(blueprint: Blueprint, directory: Path, ports: PortClaims) -> AsyncIterator[House]:
    """Run the leads service between its neighbours, without NATS."""
    names = (*NEIGHBOURS, blueprint.name)
    keys = {name: generate() for name in ("node", *names)}
    trust = TrustFile(
        issuers=tuple(
            Issuer(
                issuer=AGENCY if name == "node" else f"{AGENCY}/services/{name}",
                kind=IssuerKind.NODE if name == "node" else IssuerKind.SERVICE,
                public_key=public_text(key),
            )
            for name, key in keys.items()
        )
    )
    claimed = {name: ports.claim() for name in names}
    addresses = {name: f"127.0.0.1:{port}" for name, port in claimed.items()}
    clients: list[Client] = []
    running: dict[str, Service] = {}
    async with AsyncExitStack() as stack:
        for port in claimed.values():
            stack.callback(ports.release, port)
        for each in (*map(_log_alone, NEIGHBOURS), blueprint):
            surroundings = Surroundings(
                agency=AGENCY,
                data_directory=directory,
                databases=places(directory),
                addresses=addresses,
                key=keys[each.name],
                trust=trust,
            )
            running[each.name] = Service(blueprint=each, surroundings=surroundings)
            stack.push_async_callback(running[each.name].stop)
        await asyncio.gather(*(running[name].start() for name in NEIGHBOURS))
        await running[blueprint.name].start()
        yield House(
            service=running.pop(blueprint.name),
            neighbours=running,
            address=addresses[blueprint.name],
            key=keys["node"],
            clients=clients,
        )
        for client in clients:
            await client.close()


def _log_alone(name: str) -> Blueprint:
    return Blueprint(name=name, schema=Schema(component=name, metadata=MetaData()), wire=lambda _: Wiring(api={}))
