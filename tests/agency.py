"""One service of an agency on real ports: its officers, and a stand-in for its exchange that has a log and no lanes."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.event_pb2 import Origin
from renkei.exchange.v1.exchange_pb2 import ListPeersResponse
from sqlalchemy import MetaData

from renkei_chassis.clock import Clock, WallClock
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import Unimplemented
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.methods import ReadMethod
from renkei_chassis.service import Blueprint, Service, Surroundings, Wiring
from tests.databases import places
from tests.running import PATIENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from renkei.exchange.v1.exchange_pb2 import ListPeersRequest
    from renkei.policy.v1.policy_pb2 import Grade

    from renkei_chassis.ports import PortClaims
    from renkei_chassis.rpc.calling import Patience
    from renkei_chassis.rpc.methods import Api, Call

AGENCY: Final = "agencies/jp-12"
TOCHIGI: Final = "agencies/jp-09"
TOKYO: Final = "agencies/jp-13"
SAPPORO: Final = "agencies/jp-01"
NOBODY: Final = "agencies/jp-47"
MEMBERS: Final = (AGENCY, TOCHIGI, TOKYO, SAPPORO)


def request_id() -> str:
    return str(uuid.uuid4())


@dataclass(slots=True, kw_only=True)
class Agency:
    """A running service, its exchange's log, and a way to call it as somebody."""

    service: Service
    exchange: Service
    address: str
    key: Ed25519PrivateKey
    clients: list[Client]
    cut_off: set[str]
    """The agencies that the exchange calls cut off."""

    def client(self, *roles: str, officer: str = "sato", patience: Patience = PATIENT) -> Client:
        """Call as an officer of these roles; as an officer and supervisor where none is given."""
        token = mint(
            self.key,
            issuer=AGENCY,
            subject=f"{AGENCY}/officers/{officer}",
            audience=AGENCY,
            roles=roles or ("OFFICER", "SUPERVISOR"),
            now_us=WallClock().now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )
        client = Client(self.address, token=lambda: token, patience=patience)
        self.clients.append(client)
        return client

    async def bring(
        self,
        payload: Message,
        *,
        grade: Grade.ValueType,
        origin: str = TOKYO,
        resource: str = "",
        event_id: uuid.UUID | None = None,
    ) -> None:
        """Let the exchange's log tell what came from another agency, and wait until it is in effect here."""
        fields: Any = payload
        record = next((getattr(fields, word) for word in ("opinion", "tip", "arrest") if hasattr(fields, word)), fields)
        event = NewEvent(
            payload=payload,
            resource=resource or record.name,
            origin=Origin(agency=origin, lane="data", epoch=str(uuid.uuid4()), bundle=1, item=1),
            grade=grade,
            event_id=event_id,
        )
        await self.exchange.writer.run(lambda transaction: transaction.emit(event))
        await self.followed()

    async def followed(self) -> None:
        """Wait until everything in the exchange's log is in effect, or set aside."""
        follower = self.service.followers[f"{AGENCY}/logs/exchange"]
        follower.courier_changed(connected=False)  # it asks at once, not at its next tick
        await follower.caught_up(self.exchange.log.position.sequence)

    async def events(self, after: int = 0) -> list[Event]:
        """Read the service's own log."""
        return await self.service.log.events(after=after)


@asynccontextmanager
async def run_agency(
    blueprint: Blueprint,
    directory: Path,
    ports: PortClaims,
    *,
    clock: Clock | None = None,
    writer_process: bool = False,
) -> AsyncIterator[Agency]:
    """Run the service of a blueprint without NATS."""
    keys = {name: generate() for name in ("node", blueprint.name, "exchange")}
    issuers = [
        Issuer(
            issuer=AGENCY if name == "node" else f"{AGENCY}/services/{name}",
            kind=IssuerKind.NODE if name == "node" else IssuerKind.SERVICE,
            public_key=public_text(key),
        )
        for name, key in keys.items()
    ]
    claimed = dict(zip((blueprint.name, "exchange"), await asyncio.to_thread(ports.claim_many, 2), strict=True))
    addresses = {name: f"127.0.0.1:{port}" for name, port in claimed.items()}
    cut_off: set[str] = set()
    stand_in = Blueprint(
        name="exchange",
        schema=Schema(component="exchange", metadata=MetaData()),
        wire=lambda _: Wiring(api=_exchange_api(cut_off)),
    )
    services = {
        each.name: Service(
            blueprint=each,
            surroundings=Surroundings(
                agency=AGENCY,
                data_directory=directory,
                databases=places(directory),
                addresses=addresses,
                key=keys[each.name],
                trust=TrustFile(issuers=tuple(issuers)),
                clock=clock or WallClock(),
                writer_process=writer_process and each is blueprint,
            ),
        )
        for each in (stand_in, blueprint)
    }
    running: list[Service] = []
    clients: list[Client] = []
    try:
        for service in services.values():
            await service.start()
            running.append(service)
        yield Agency(
            service=services[blueprint.name],
            exchange=services["exchange"],
            address=addresses[blueprint.name],
            key=keys["node"],
            clients=clients,
            cut_off=cut_off,
        )
    finally:
        for client in clients:
            await client.close()
        for service in reversed(running):
            await service.stop()
        for port in claimed.values():
            await asyncio.to_thread(ports.release, port)


def _exchange_api(cut_off: set[str]) -> Api:
    async def list_peers(_request: ListPeersRequest, _call: Call) -> ListPeersResponse:
        return ListPeersResponse(unreachable=sorted(cut_off))

    async def no_lanes(_request: Message, _call: Call) -> Message:
        raise Unimplemented("INTERNAL", "a stand-in has no lanes")

    return {
        "renkei.exchange.v1.ExchangeService": {
            "ListPeers": ReadMethod(answer=list_peers),
            **{
                name: ReadMethod(answer=no_lanes)
                for name in (
                    "ReadLane",
                    "ListDeliveries",
                    "RaiseImminentHarm",
                    "ReviewImminentHarm",
                    "ListImminentHarm",
                )
            },
        }
    }
