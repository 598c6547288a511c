"""Know how far the peers have committed our lanes, and tell them how far we have committed theirs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from renkei.exchange.v1.events_pb2 import LaneReceived
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane
from renkei.policy.v1.policy_pb2 import GRADE_UNSPECIFIED

from renkei_chassis.ids import uuid7
from renkei_exchange import store
from renkei_exchange.lane import LANES
from renkei_exchange.release import lane_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Never
    from uuid import UUID

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_exchange.outbound import Outbound


class Received:
    """Through which bundle each peer has committed our lanes: the most that any sign of it says.

    Signs are receipts, what a peer asks ReadLane to go on after, and what it acknowledged on NATS.
    """

    def __init__(self, *, database: Database, writer: Writer, peers: Iterable[str]) -> None:
        """Read what was known when the service stopped."""
        self._writer = writer
        self._noted: dict[tuple[str, Lane.ValueType], int] = {}
        self._news = asyncio.Event()
        self._through: dict[tuple[str, int], int] = {
            (peer, lane): database.recall(partial(store.read_state, peer=peer, lane=lane, outbound=True)).received
            for peer in peers
            for lane in LANES
        }

    def through(self, peer: str, lane: Lane.ValueType) -> int:
        """Tell through which bundle a peer has committed one of our lanes."""
        return self._through[peer, lane]

    def note(self, peer: str, lane: Lane.ValueType, through: int) -> None:
        """Take a sign. It is stored in a moment, by `run`."""
        if through > max(self._noted.get((peer, lane), 0), self._through[peer, lane]):
            self._noted[peer, lane] = through
            self._news.set()

    async def run(self) -> Never:
        """Store what was noted, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            noted, self._noted = self._noted, {}
            try:
                await self._writer.run(partial(self._store, noted))
            except BaseException:
                for (peer, lane), through in noted.items():
                    self._noted[peer, lane] = max(through, self._noted.get((peer, lane), 0))
                self._news.set()
                raise

    def confirm(self, transaction: Transaction, peer: str, receipt: LaneReceived) -> bool:
        """Take a receipt that came by the control lane. False: it speaks of what we never sent."""
        if receipt.lane not in LANES:
            return False
        state = store.read_state(transaction, peer, receipt.lane, outbound=True)
        if receipt.epoch != state.position.epoch or receipt.through_bundle > state.position.bundle:
            return False
        if store.read_head(transaction, peer, receipt.lane, receipt.through_bundle) != receipt.head:
            return False
        self._move(transaction, peer, receipt.lane, receipt.through_bundle)
        return True

    def _store(self, noted: dict[tuple[str, Lane.ValueType], int], transaction: Transaction) -> None:
        for (peer, lane), through in noted.items():
            self._move(transaction, peer, lane, through)

    def _move(self, transaction: Transaction, peer: str, lane: Lane.ValueType, through: int) -> None:
        state = store.read_state(transaction, peer, lane, outbound=True)
        if not state.received < through <= state.position.bundle:
            return
        moved = replace(state, received=through, receive_time_us=transaction.now_us)
        store.write_state(transaction, peer, lane, moved, outbound=True)
        transaction.after_commit(partial(self._moved, peer, lane, through))

    def _moved(self, peer: str, lane: Lane.ValueType, through: int) -> None:
        self._through[peer, lane] = max(through, self._through[peer, lane])


class ReceiptSender:
    """Tells one peer by the control lane through which data bundle everything is committed here."""

    def __init__(
        self,
        *,
        peer: str,
        outbound: Outbound,
        writer: Writer,
        pause_seconds: float,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Take the peer and the least time between two receipts."""
        self._peer = peer
        self._outbound = outbound
        self._writer = writer
        self._pause_seconds = pause_seconds
        self._new_id = new_id
        self._due = asyncio.Event()
        # What was committed before a crash may not have been told of.
        self._due.set()

    def due(self) -> None:
        """Say that data bundles of the peer were committed."""
        self._due.set()

    async def run(self) -> Never:
        """Tell, and gather what comes meanwhile, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._writer.run(self._tell)
            except BaseException:
                self._due.set()
                raise
            await asyncio.sleep(self._pause_seconds)

    def _tell(self, transaction: Transaction) -> None:
        state = store.read_state(transaction, self._peer, LANE_DATA, outbound=False)
        position = state.position
        if position.bundle <= state.received:
            return
        receipt = LaneReceived(lane=LANE_DATA, epoch=position.epoch, through_bundle=position.bundle, head=position.head)
        event_id = self._new_id()
        item = store.OutItem(
            peer=self._peer,
            lane=LANE_CONTROL,
            body=lane_body(receipt, event_id=event_id, time_us=transaction.now_us),
            event_id=event_id,
            type_name=receipt.DESCRIPTOR.full_name,
            resource="",
            grade=GRADE_UNSPECIFIED,
        )
        self._outbound.put(transaction, item)
        told = replace(state, received=position.bundle)
        store.write_state(transaction, self._peer, LANE_DATA, told, outbound=False)
