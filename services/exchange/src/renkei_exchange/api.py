"""The exchange's methods: the peers' way to their own lanes, and how the lanes stand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, Delivery, LaneStatus
from renkei.exchange.v1.exchange_pb2 import Peer as PeerMessage

from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import NotAllowed, OutOfRange
from renkei_chassis.rpc.methods import Api, Call, ReadMethod
from renkei_exchange import store
from renkei_exchange.lane import LANES, LaneError, resume_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message
    from renkei.exchange.v1.exchange_pb2 import Lane

    from renkei_chassis.database.engine import Database
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_exchange.harm import Harm
    from renkei_exchange.peers import Peer
    from renkei_exchange.receipts import Received

_PEERS: str = "peers"
_DELIVERIES: str = "deliveries"


class ExchangeApi:
    """The methods of ExchangeService."""

    def __init__(
        self,
        *,
        peers: Mapping[str, Peer],
        database: Database,
        received: Received,
        harm: Harm,
        tokens: PageTokens,
        epoch: str,
    ) -> None:
        """Take the peers by name, and the epoch of the lanes to them."""
        self._peers = peers
        self._database = database
        self._received = received
        self._harm = harm
        self._tokens = tokens
        self._epoch = epoch

    def api(self) -> Api:
        """Give the methods."""
        return {
            "renkei.exchange.v1.ExchangeService": {
                "ReadLane": ReadMethod(answer=self.read_lane),
                "ListPeers": ReadMethod(answer=self.list_peers),
                "ListDeliveries": ReadMethod(answer=self.list_deliveries),
                **self._harm.methods(),
            }
        }

    async def read_lane(self, request: exchange_pb2.ReadLaneRequest, call: Call) -> Message:
        peer = call.caller.agency
        if peer not in self._peers:
            raise NotAllowed("NOT_A_MEMBER", "the caller's agency is not in this node's federation")
        last = (await self._outbound(peer, request.lane)).position.bundle
        try:
            after = resume_after(
                epoch=self._epoch, last_bundle=last, asked_epoch=request.epoch, asked_after=request.after_bundle
            )
        except LaneError as error:
            raise OutOfRange(
                error.reason.value,
                "the caller holds bundles that were never made here; an operator must look",
                metadata={"last_bundle": str(last)},
            ) from None
        self._received.note(peer, request.lane, after)
        size = page_size(request.max_bundles, default=store.SLICE_BUNDLES, largest=store.SLICE_BUNDLES)
        found = []
        if after < last:
            found = await self._database.read(
                partial(store.read_bundles, peer=peer, lane=request.lane, after=after, limit=size)
            )
        return exchange_pb2.ReadLaneResponse(
            bundles=[raw for _, raw in found],
            # The lane may have grown while it was read.
            last_bundle=max(last, found[-1][0] if found else 0),
            epoch=self._epoch,
        )

    async def list_peers(self, request: exchange_pb2.ListPeersRequest, call: Call) -> Message:
        (after,) = self._tokens.decode(_PEERS, request, request.page_token) or ("",)
        names = [name for name in sorted(self._peers) if name > after]
        size = page_size(request.page_size, default=len(self._peers), largest=len(self._peers))
        answer = exchange_pb2.ListPeersResponse(
            peers=[await self._peer(self._peers[name]) for name in names[:size]],
            unreachable=[name for name in sorted(self._peers) if not self._peers[name].reachable],
        )
        if len(names) > size:
            answer.next_page_token = self._tokens.encode(_PEERS, request, (names[size - 1],))
        return answer

    async def list_deliveries(self, request: exchange_pb2.ListDeliveriesRequest, call: Call) -> Message:
        size = page_size(request.page_size, default=100, largest=1000)
        (before,) = self._tokens.decode(_DELIVERIES, request, request.page_token) or (None,)
        rows = await self._database.read(
            partial(
                store.list_deliveries,
                resource=request.resource,
                recipient=request.recipient,
                before=before,
                limit=size + 1,
            )
        )
        answer = exchange_pb2.ListDeliveriesResponse()
        for row in rows[:size]:
            delivered = row.peer in self._peers and row.bundle <= self._received.through(row.peer, LANE_DATA)
            line = answer.deliveries.add(
                resource=row.resource,
                type=row.type,
                recipient=row.peer,
                grade=row.grade,
                bundle=row.bundle,
                state=Delivery.STATE_DELIVERED if delivered else Delivery.STATE_QUEUED,
            )
            line.create_time.FromMicroseconds(row.time_us)
        if len(rows) > size:
            answer.next_page_token = self._tokens.encode(_DELIVERIES, request, (rows[size - 1].id,))
        return answer

    async def _peer(self, peer: Peer) -> PeerMessage:
        message = PeerMessage(
            name=peer.agency.name,
            display_name=peer.agency.display_name,
            contact_desk=peer.agency.contact_desk,
            state=PeerMessage.STATE_CONNECTED if peer.reachable else PeerMessage.STATE_CUT_OFF,
        )
        message.state_time.FromMicroseconds(peer.since_us)
        for lane in LANES:
            message.lanes.append(await self._inbound_status(peer, lane))
            message.lanes.append(await self._outbound_status(peer, lane))
        return message

    async def _inbound_status(self, peer: Peer, lane: Lane.ValueType) -> LaneStatus:
        at_work = peer.lanes[lane]
        state = await self._database.look(partial(store.read_state, peer=peer.agency.name, lane=lane, outbound=False))
        status = LaneStatus(
            lane=lane,
            last_bundle=max(at_work.last_known, state.position.bundle),
            received_bundle=state.position.bundle,
            repaired=at_work.repaired,
            blocked_reason=state.blocked,
            items=state.position.item,
        )
        _set_time(status, state.receive_time_us)
        return status

    async def _outbound_status(self, peer: Peer, lane: Lane.ValueType) -> LaneStatus:
        state = await self._outbound(peer.agency.name, lane)
        status = LaneStatus(
            lane=lane,
            outbound=True,
            last_bundle=state.position.bundle,
            received_bundle=self._received.through(peer.agency.name, lane),
            items=state.position.item,
        )
        _set_time(status, state.receive_time_us)
        return status

    async def _outbound(self, peer: str, lane: Lane.ValueType) -> store.LaneState:
        return await self._database.look(partial(store.read_state, peer=peer, lane=lane, outbound=True))


def _set_time(status: LaneStatus, time_us: int) -> None:
    if time_us:
        status.receive_time.FromMicroseconds(time_us)
