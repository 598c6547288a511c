"""連携状態: whether the other agencies answer, and what is on its way in either direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.exchange.v1.exchange_pb2 import Peer

from renkei_desk.pages.inbox import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.exchange.v1.exchange_pb2 import LaneStatus, ListPeersResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane in one direction."""

    lane: int
    outbound: bool
    last: int
    received: int
    waiting: int
    blocked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow:
    """Another agency."""

    code: str
    display_name: str
    contact_desk: str
    connected: bool
    seconds: float
    """How long it has been so."""
    not_received: int
    not_sent: int
    lanes: Sequence[Lane]


def view(answer: ListPeersResponse, *, now_seconds: float) -> Sequence[PeerRow]:
    """Take what is shown, those that are cut off first."""
    rows = [_row(peer, now_seconds) for peer in answer.peers]
    return sorted(rows, key=lambda row: (row.connected, row.code))


def _row(peer: Peer, now_seconds: float) -> PeerRow:
    lanes = [_lane(lane) for lane in peer.lanes]
    return PeerRow(
        code=code_of(peer.name),
        display_name=peer.display_name,
        contact_desk=peer.contact_desk,
        connected=peer.state == Peer.STATE_CONNECTED,
        seconds=max(now_seconds - peer.state_time.seconds, 0.0) if peer.state_time.seconds else 0.0,
        not_received=sum(lane.waiting for lane in lanes if not lane.outbound),
        not_sent=sum(lane.waiting for lane in lanes if lane.outbound),
        lanes=lanes,
    )


def _lane(lane: LaneStatus) -> Lane:
    return Lane(
        lane=lane.lane,
        outbound=lane.outbound,
        last=lane.last_bundle,
        received=lane.received_bundle,
        waiting=max(lane.last_bundle - lane.received_bundle, 0),
        blocked=lane.blocked_reason,
    )
