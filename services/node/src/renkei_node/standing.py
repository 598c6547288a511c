"""Ask a running node how it stands: services, followers, peers and lanes. Positions and counts, never contents."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from renkei.event.v1.log_pb2 import ListAlarmsRequest, ListFollowersRequest
from renkei.event.v1.log_pb2_grpc import FollowerServiceStub
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub

from renkei_chassis.errors import RenkeiError
from renkei_chassis.rpc.sync_client import SyncClient

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from renkei_node.settings import NodeSettings, Ports

_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowerStanding:
    """How far one log is in effect in one service."""

    source: str
    sequence: int
    lag: int
    set_aside: int
    oldest_set_aside_seconds: int
    """How long the oldest of them waits; 0 where none does."""
    repaired: int
    courier: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmStanding:
    """Something to look at: how often since the service started, and how many seconds ago it was last."""

    reason: str
    subject: str
    count: int
    last_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStanding:
    """One service: whether it answers, what it follows, and what it raised. `error` is a reason, or empty."""

    name: str
    serving: bool
    error: str = ""
    followers: list[FollowerStanding] = field(default_factory=list)
    alarms: list[AlarmStanding] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStanding:
    """One lane, in one direction."""

    lane: str
    outbound: bool
    last: int
    received: int
    repaired: int
    blocked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStanding:
    """Another agency as this one sees it. `since` is seconds since 1970, 0 where it is not known."""

    name: str
    display_name: str
    connected: bool
    since: int
    lanes: list[LaneStanding]

    @property
    def waiting(self) -> int:
        """Bundles that are not received yet, in both directions together."""
        return sum(max(lane.last - lane.received, 0) for lane in self.lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A node as a whole."""

    agency: str
    training: bool
    release_without_instrument: bool
    services: list[ServiceStanding]
    peers: list[PeerStanding]

    def as_json(self) -> dict[str, object]:
        """Give it as plain values."""
        return asdict(self)


def ask(settings: NodeSettings, ports: Ports, token: str) -> Standing:
    """Ask every service of the node; one that does not answer is part of the answer."""
    return Standing(
        agency=settings.agency,
        training=settings.training,
        release_without_instrument=settings.release_without_instrument,
        services=[_service(name, ports, token) for name in ports.services],
        peers=_peers(ports, token),
    )


def _service(name: str, ports: Ports, token: str) -> ServiceStanding:
    try:
        with SyncClient(ports.address(name), token=lambda: token) as client:
            stub = client.stub(FollowerServiceStub)
            answer = client.call(stub.ListFollowers, ListFollowersRequest(), seconds=_SECONDS)
            sounded = client.call(stub.ListAlarms, ListAlarmsRequest(), seconds=_SECONDS)
    except RenkeiError as error:
        return ServiceStanding(name=name, serving=False, error=error.reason)
    followers = [
        FollowerStanding(
            source=follower.source,
            sequence=follower.sequence,
            lag=max(follower.last_known_sequence - follower.sequence, 0),
            set_aside=follower.set_aside,
            oldest_set_aside_seconds=_age(follower.oldest_set_aside_time),
            repaired=follower.repaired,
            courier=follower.courier_connected,
        )
        for follower in answer.followers
    ]
    alarms = [
        AlarmStanding(reason=alarm.reason, subject=alarm.subject, count=alarm.count, last_seconds=_age(alarm.last_time))
        for alarm in sounded.alarms
    ]
    return ServiceStanding(name=name, serving=True, followers=followers, alarms=alarms)


def _peers(ports: Ports, token: str) -> list[PeerStanding]:
    try:
        with SyncClient(ports.address("exchange"), token=lambda: token) as client:
            stub = client.stub(ExchangeServiceStub)
            answer = client.call(stub.ListPeers, exchange_pb2.ListPeersRequest(), seconds=_SECONDS)
    except RenkeiError:
        return []
    return [
        PeerStanding(
            name=peer.name,
            display_name=peer.display_name,
            connected=peer.state == exchange_pb2.Peer.STATE_CONNECTED,
            since=_seconds(peer.state_time),
            lanes=[_lane(lane) for lane in peer.lanes],
        )
        for peer in answer.peers
    ]


def _lane(lane: exchange_pb2.LaneStatus) -> LaneStanding:
    return LaneStanding(
        lane=exchange_pb2.Lane.Name(lane.lane).removeprefix("LANE_").lower(),
        outbound=lane.outbound,
        last=lane.last_bundle,
        received=lane.received_bundle,
        repaired=lane.repaired,
        blocked=lane.blocked_reason,
    )


def _age(timestamp: Timestamp) -> int:
    return max(int(time.time()) - timestamp.seconds, 0) if timestamp.seconds else 0


def _seconds(timestamp: Timestamp) -> int:
    return timestamp.seconds
