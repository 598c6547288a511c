"""Police forces with a real exchange, a real nats-server and, in place of tips, a service that only has a log."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, Grade
from renkei.tips.v1 import events_pb2, tips_pb2
from sqlalchemy import MetaData, func, select

from renkei_chassis.clock import WallClock
from renkei_chassis.courier import Endpoint, UserKey, generate_user_key
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.identity import Issuer, IssuerKind, Minter, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.client import Client
from renkei_chassis.service import Blueprint, Parts, Service, Surroundings, Wiring
from renkei_exchange import store
from renkei_exchange.federation import Agency, Federation, peer_issuers
from renkei_exchange.settings import Settings
from renkei_exchange.wiring import blueprint
from tests.databases import places, rows_of
from tests.exchange.servers import NatsServer, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.ports import PortClaims

QUICK = Settings(receipt_seconds=0.05, tick_seconds_without_courier=0.05, longest_pause_seconds=0.3)


def _only_a_log(name: str) -> Blueprint:
    def wire(parts: Parts) -> Wiring:
        return Wiring(api={})

    return Blueprint(name=name, schema=Schema(component=name, metadata=MetaData()), wire=wire)


@dataclass(slots=True, kw_only=True, eq=False)
class Force:
    """One agency: `tips` (a log alone), `exchange`, and its nats-server."""

    code: str
    directory: Path
    ports: Mapping[str, int]
    key: Ed25519PrivateKey = field(default_factory=generate)
    tips_key: Ed25519PrivateKey = field(default_factory=generate)
    node_key: Ed25519PrivateKey = field(default_factory=generate)
    local_nkey: UserKey = field(default_factory=generate_user_key)
    nkey: UserKey = field(default_factory=generate_user_key)
    settings: Settings = QUICK
    nats: NatsServer | None = None
    federation: Federation = field(init=False)
    tips: Service = field(init=False)
    exchange: Service = field(init=False)
    running: bool = False
    trusts: TrustFile | None = None
    """Whom the node trusts, if not just itself and the federation."""
    _clients: list[Client] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"agencies/{self.code}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports['exchange']}"

    def as_member(self) -> Agency:
        return Agency(
            name=self.name,
            display_name="演習データ",
            display_name_en=self.code,
            contact_desk="desk",
            exchange_address=self.address,
            nats_url=f"nats://127.0.0.1:{self.ports['nats']}",
            exchange_public_key=public_text(self.key),
            nats_public_nkey=self.nkey.public,
        )

    def own_trust(self) -> TrustFile:
        """Trust the services and officers of this force, and no peer."""
        own = [
            Issuer(issuer=self.name, kind=IssuerKind.NODE, public_key=public_text(self.node_key)),
            Issuer(issuer=f"{self.name}/services/exchange", kind=IssuerKind.SERVICE, public_key=public_text(self.key)),
            Issuer(issuer=f"{self.name}/services/tips", kind=IssuerKind.SERVICE, public_key=public_text(self.tips_key)),
        ]
        return TrustFile(issuers=tuple(own))

    def trust(self) -> TrustFile:
        return self.own_trust().merged(peer_issuers(self.federation, self.name))

    async def start_all(self) -> None:
        """Start the nats-server, if there is to be one, and both services."""
        if self.nats is not None:
            await self.nats.start()
        await self.start_services()

    async def start_services(self) -> None:
        self.tips = Service(blueprint=_only_a_log("tips"), surroundings=self._surroundings(self.tips_key))
        await self.tips.start()
        await self.start_exchange()

    async def start_exchange(self) -> None:
        plan = blueprint(
            self.settings,
            self.federation,
            key=self.key,
            nats_key=self.nkey if self.nats is not None else None,
            follows=("tips",),
        )
        self.exchange = Service(blueprint=plan, surroundings=self._surroundings(self.key))
        await self.exchange.start()
        self.running = True

    async def stop_exchange(self) -> None:
        if self.running:
            self.running = False
            await self.exchange.stop()

    async def stop(self) -> None:
        for client in self._clients:
            await client.close()
        self._clients.clear()
        await self.stop_exchange()
        if hasattr(self, "tips"):
            await self.tips.stop()
        if self.nats is not None:
            await self.nats.kill()

    def client(self) -> Client:
        """Call the exchange as somebody of the agency who may ask everything but ReadLane."""

        def token() -> str:
            return mint(
                self.node_key,
                issuer=self.name,
                subject=f"{self.name}/officers/sato",
                audience=self.name,
                roles=("OFFICER", "OPERATOR"),
                now_us=WallClock().now_us(),
                life_seconds=600,
                token_id=uuid7(),
            )

        made = Client(self.address, token=token)
        self._clients.append(made)
        return made

    def peer_client(self, called: Force, *, key: Ed25519PrivateKey | None = None, audience: str = "") -> Client:
        """Call another force's exchange as this force's own exchange does."""
        minter = Minter(key or self.key, issuer=f"{self.name}/services/exchange", role="PEER", clock=WallClock())
        made = Client(called.address, token=partial(minter.token, audience or called.name))
        self._clients.append(made)
        return made

    async def peers(self) -> dict[str, exchange_pb2.Peer]:
        client = self.client()
        answer = await client.call(client.stub(ExchangeServiceStub).ListPeers, exchange_pb2.ListPeersRequest())
        return {peer.name: peer for peer in answer.peers}

    async def deliveries(self, resource: str = "", recipient: str = "") -> Sequence[exchange_pb2.Delivery]:
        client = self.client()
        request = exchange_pb2.ListDeliveriesRequest(resource=resource, recipient=recipient)
        return (await client.call(client.stub(ExchangeServiceStub).ListDeliveries, request)).deliveries

    def made(self, code: str) -> int:
        """Tell the last bundle of the data lane to a peer."""
        return self._state(code).position.bundle

    def received(self, code: str) -> int:
        """Tell through which bundle a peer is known to have committed that lane."""
        return self._state(code).received

    def unreachable(self) -> int:
        """Count the peers that answer neither way, as the exchange's own metric does."""
        return int(self.exchange.metrics.registry.get_sample_value("renkei_exchange_unreachable_peers") or 0)

    def _state(self, code: str) -> store.LaneState:
        return self.exchange.database.recall(
            partial(store.read_state, peer=f"agencies/{code}", lane=exchange_pb2.LANE_DATA, outbound=True)
        )

    async def record(self, *texts: str, to: Mapping[str, Grade.ValueType] | None = None) -> list[UUID]:
        """Record tips in one commit group; returns the ids of their events."""
        ids = [uuid7() for _ in texts]
        events = [
            NewEvent(
                payload=events_pb2.TipRecorded(tip=a_tip(self.code, event_id, text)),
                resource=f"{self.name}/tips/{event_id}",
                audience={f"agencies/{code}": grade for code, grade in (to or {}).items()},
                event_id=event_id,
            )
            for event_id, text in zip(ids, texts, strict=True)
        ]
        await self.emit(*events)
        return ids

    async def emit(self, *events: NewEvent) -> None:
        def effect(transaction: Transaction) -> None:
            for event in events:
                transaction.emit(event)

        await self.tips.writer.run(effect)

    async def log(self) -> list[Event]:
        """Read the whole log of the exchange: what came in."""
        found: list[Event] = []
        while batch := await self.exchange.log.events(after=len(found)):
            found += batch
        return found

    async def has(self, count: int, seconds: float = 20) -> list[Event]:
        """Wait until so many events have come in."""
        async with asyncio.timeout(seconds):
            await self.exchange.log.grown(after=count - 1)
        return await self.log()

    async def files(self) -> bytes:
        """Give every byte that the force keeps: databases, write-ahead logs, streams, logs."""

        def read() -> bytes:
            files = [path.read_bytes() for path in sorted(self.directory.rglob("*")) if path.is_file()]
            return b"".join([*files, *rows_of(self.directory)])

        return await asyncio.to_thread(read)

    def _surroundings(self, key: Ed25519PrivateKey) -> Surroundings:
        courier = None
        if self.nats is not None:
            courier = Endpoint(url=self.nats.url, key=self.local_nkey, name=self.code)
        return Surroundings(
            agency=self.name,
            data_directory=self.directory / "data",
            databases=places(self.directory / "data"),
            addresses={name: f"127.0.0.1:{port}" for name, port in self.ports.items()},
            key=key,
            trust=self.trusts or self.trust(),
            courier=courier,
        )


@asynccontextmanager
async def forces(
    directory: Path, ports: PortClaims, *codes: str, nats: bool, start: bool = True
) -> AsyncIterator[list[Force]]:
    """Run forces that know each other; stop whatever of them runs in the end."""
    services = ("tips", "exchange", "nats")
    made = [
        Force(
            code=code,
            directory=directory / code,
            ports=dict(zip(services, await asyncio.to_thread(ports.claim_many, len(services)), strict=True)),
        )
        for code in codes
    ]
    federation = Federation(agencies=tuple(force.as_member() for force in made))
    for force in made:
        force.federation = federation
        if nats:
            force.nats = NatsServer(
                force.directory / "nats",
                code=force.code,
                port=force.ports["nats"],
                key=force.local_nkey.public,
                peers={other.code: other.nkey.public for other in made if other is not force},
            )
    try:
        if start:
            await asyncio.gather(*(force.start_all() for force in made))
        yield made
    finally:
        for force in made:
            await force.stop()


async def linked(*made: Force) -> None:
    """Wait until every lane has been asked for once and every exchange hears of every other."""
    for force in made:
        await linked_to(force, len(made) - 1)


async def linked_to(force: Force, count: int) -> None:
    """Wait until a force has asked for every lane of so many others once."""
    await until(partial(_hears_all, force, count))


def _hears_all(force: Force, count: int) -> bool:
    heard = select(func.count()).select_from(store.lanes).where(~store.lanes.c.outbound)
    return bool(force.exchange.database.recall(lambda found: found.execute(heard).scalar_one()) == 2 * count)


def a_tip(code: str, tip_id: UUID, text: str) -> tips_pb2.Tip:
    """Make a tip with an identifier that leaves in an index entry, one that never leaves, and a text."""
    tip = tips_pb2.Tip(name=f"agencies/{code}/tips/{tip_id}", text=f"text-{text}", etag=f"etag-{text}")
    for word, relation in (
        ("subject", identifiers_pb2.RELATION_USED_BY_SUBJECT),
        ("bystander", identifiers_pb2.RELATION_ADDRESS_BOOK),
    ):
        found = tip.identifiers.add(relation=relation)
        found.identifier.original = f"{word}-original-{text}"
        found.identifier.normal_form = f"{word}-{text}"
    return tip


def to(*codes: str, grade: Grade.ValueType = GRADE_FULL) -> dict[str, Grade.ValueType]:
    """Name an audience."""
    return dict.fromkeys(codes, grade)


def payload_of(event: Event) -> events_pb2.TipRecorded:
    """Read a TipRecorded out of an event."""
    return events_pb2.TipRecorded.FromString(event.data.value)
