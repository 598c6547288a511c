"""Put the exchange together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane, ReadLaneRequest, ReadLaneResponse
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub

from renkei_chassis.alarms import STREAM_DISTRUSTED
from renkei_chassis.courier import FEED, Connection, Endpoint, Receiver, Relay, lane_shape, peer_inbox_prefix
from renkei_chassis.identity import Minter
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.client import Client
from renkei_chassis.service import Blueprint, Parts, Wiring
from renkei_exchange.admission import Admission
from renkei_exchange.alarms import Alarms
from renkei_exchange.api import ExchangeApi
from renkei_exchange.harm import Harm
from renkei_exchange.inbound import InboundLane
from renkei_exchange.inbox import Inbox
from renkei_exchange.lane import LANES, Route, lane_name
from renkei_exchange.outbound import Outbound
from renkei_exchange.peers import Peer
from renkei_exchange.receipts import ReceiptSender, Received
from renkei_exchange.recent import LaneSource
from renkei_exchange.store import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_chassis.courier import Alarm, UserKey
    from renkei_exchange.federation import Agency, Federation
    from renkei_exchange.settings import Settings

FOLLOWS: Final = ("tips", "arrests", "personas")
"""The services whose logs hold what may be released."""

# The lanes have a rhythm of their own; tries in between would only tell late that a peer is cut off.
_ONE_TRY: Final = Patience(first_pause_seconds=3600.0, longest_pause_seconds=3600.0)


def blueprint(
    settings: Settings,
    federation: Federation,
    *,
    key: Ed25519PrivateKey,
    nats_key: UserKey | None,
    follows: Sequence[str] = FOLLOWS,
) -> Blueprint:
    """Describe the exchange.

    `key` is the service's own, which signs also what we say to peers; `nats_key` is the nkey by which
    the peers' nats-servers know us, None to work without NATS between agencies.
    """

    def wire(parts: Parts) -> Wiring:
        return _Exchange(parts, settings, federation, key, nats_key).wiring(follows)

    return Blueprint(name="exchange", schema=SCHEMA, wire=wire)


class _Exchange:
    """The parts of one exchange on their way together."""

    def __init__(
        self,
        parts: Parts,
        settings: Settings,
        federation: Federation,
        key: Ed25519PrivateKey,
        nats_key: UserKey | None,
    ) -> None:
        agencies = federation.peers_of(parts.agency)
        self.parts = parts
        self.settings = settings
        self.nats_key = nats_key
        self.tasks: dict[str, Callable[[], Awaitable[None]]] = {}
        self.clients: list[Client] = []
        self.alarms = Alarms(parts.alarms)
        self.minter = Minter(key, issuer=f"{parts.agency}/services/exchange", role="PEER", clock=parts.clock)
        self.outbound = Outbound(
            own=parts.agency, peers=agencies, epoch=parts.database.epoch, erasures=lambda: parts.writer.erasures
        )
        self.received = Received(database=parts.database, writer=parts.writer, peers=agencies)
        self.harm = Harm(
            own=parts.agency,
            peers=agencies,
            outbound=self.outbound,
            database=parts.database,
            tokens=parts.tokens,
            clock=parts.clock,
        )
        self.admission = Admission(received=self.received, alarms=self.alarms)
        self.peers = {name: self._peer(agency) for name, agency in agencies.items()}

    def wiring(self, follows: Sequence[str]) -> Wiring:
        parts = self.parts
        inbox = Inbox(own=parts.agency, peers=self.peers, outbound=self.outbound, alarms=self.alarms)
        api = ExchangeApi(
            peers=self.peers,
            database=parts.database,
            received=self.received,
            harm=self.harm,
            tokens=parts.tokens,
            epoch=parts.database.epoch,
        )
        parts.metrics.observed(
            "renkei_exchange_unreachable_peers",
            "Peers that answer neither over NATS nor over gRPC.",
            lambda: sum(not peer.reachable for peer in self.peers.values()),
        )
        return Wiring(
            api=api.api(),
            follows={service: inbox.handlers() for service in follows},
            tasks={"received": self.received.run, **self.tasks},
            closing=[client.close for client in self.clients],
        )

    def _peer(self, agency: Agency) -> Peer:
        read_lane = self._reader(agency)
        control = self._inbound(agency, LANE_CONTROL, read_lane, None)
        data = self._inbound(agency, LANE_DATA, read_lane, control)
        receipts = ReceiptSender(
            peer=agency.name,
            outbound=self.outbound,
            writer=self.parts.writer,
            pause_seconds=self.settings.receipt_seconds,
        )
        data.on_commit = receipts.due
        self.tasks[f"receipts to {agency.code}"] = receipts.run
        peer = Peer(
            agency=agency,
            lanes={LANE_CONTROL: control, LANE_DATA: data},
            clock=self.parts.clock,
            connection=self._connection(agency, (control, data)),
        )
        for lane in (control, data):
            self.tasks[f"{lane_name(lane.route.lane)} of {agency.code}"] = lane.run
        if self.parts.courier is not None:
            for lane_kind in LANES:
                self._relay(self.parts.courier, agency, lane_kind)
        return peer

    def _reader(self, agency: Agency) -> Callable[[ReadLaneRequest], Awaitable[ReadLaneResponse]]:
        token = partial(self.minter.token, agency.name)
        client = Client(agency.exchange_address, token=token, patience=_ONE_TRY, chance=lambda: 1.0)
        self.clients.append(client)
        method = client.stub(ExchangeServiceStub).ReadLane

        async def read_lane(request: ReadLaneRequest) -> ReadLaneResponse:
            return await client.call(method, request, seconds=self.settings.call_seconds)

        return read_lane

    def _inbound(
        self,
        agency: Agency,
        lane: Lane.ValueType,
        read_lane: Callable[[ReadLaneRequest], Awaitable[ReadLaneResponse]],
        control: InboundLane | None,
    ) -> InboundLane:
        return InboundLane(
            route=Route(origin=agency.name, recipient=self.parts.agency, lane=lane),
            database=self.parts.database,
            writer=self.parts.writer,
            admission=self.admission,
            read_lane=read_lane,
            settings=self.settings,
            alarms=self.alarms,
            control=control,
        )

    def _connection(self, agency: Agency, lanes: Sequence[InboundLane]) -> Connection | None:
        """Connect to the peer's nats-server, where it keeps its lanes to us."""
        if self.nats_key is None:
            return None
        own = self.parts.agency.removeprefix("agencies/")
        endpoint = Endpoint(
            url=agency.nats_url,
            key=self.nats_key,
            name=f"exchange of {own}",
            inbox_prefix=peer_inbox_prefix(own),
        )
        connection = Connection(endpoint)
        self.tasks[f"nats of {agency.code}"] = connection.run
        for lane in lanes:
            name = lane_name(lane.route.lane)
            receiver = Receiver(
                connection,
                stream=lane_shape(own, name).name,
                durable=FEED,
                on_messages=lane.on_messages,
                may_create=False,
            )
            self.tasks[f"{name} of {agency.code} by nats"] = receiver.run
        return connection

    def _relay(self, courier: Connection, agency: Agency, lane: Lane.ValueType) -> None:
        """Keep the stream from which the peer reads one lane equal to what is stored."""
        name = lane_name(lane)
        peer = agency.name

        async def acknowledged() -> int:
            return self.received.through(peer, lane)

        async def on_acknowledged(number: int) -> None:
            self.received.note(peer, lane, number)

        def on_alarm(alarm: Alarm) -> None:
            self.alarms.sound(STREAM_DISTRUSTED, peer=peer, lane=name, stream=alarm.stream, kind=alarm.distrust.name)

        relay = Relay(
            courier,
            shape=lane_shape(agency.code, name),
            source=LaneSource(
                database=self.parts.database, recent=self.outbound.recent[peer, lane], peer=peer, lane=lane
            ),
            epoch=self.parts.database.epoch,
            acknowledged=acknowledged,
            on_acknowledged=on_acknowledged,
            on_alarm=on_alarm,
            erasures=lambda: self.parts.writer.erasures,
        )
        self.outbound.on_growth(peer, lane, relay.wake)
        self.tasks[f"{name} to {agency.code}"] = relay.run
