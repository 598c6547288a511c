"""What one exchange stands on, and items and events to put through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from renkei.event.v1.event_pb2 import Event
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane
from renkei.policy.v1.policy_pb2 import GRADE_FULL, Grade
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.alarms import Alarms as Sounds
from renkei_chassis.ids import uuid7
from renkei_chassis.telemetry.metrics import Metrics
from renkei_exchange import store
from renkei_exchange.admission import Admission
from renkei_exchange.alarms import Alarms
from renkei_exchange.receipts import Received

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from google.protobuf.message import Message

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.log.log import Log
    from renkei_exchange.outbound import Outbound

PEER = "agencies/jp-09"


@dataclass(slots=True, kw_only=True, eq=False)
class Ground:
    """Database, log and writer of the exchange of `agencies/jp-12`, whose one peer is `agencies/jp-09`."""

    database: Database
    log: Log
    writer: Writer
    alarms: Alarms = field(default_factory=lambda: Alarms(Sounds(Metrics("exchange"))))

    def admission(self) -> Admission:
        received = Received(database=self.database, writer=self.writer, peers=[PEER])
        return Admission(received=received, alarms=self.alarms)

    async def put(self, outbound: Outbound, *items: store.OutItem) -> None:
        """Put items into lanes in one commit group."""

        def effect(transaction: Transaction) -> None:
            for item in items:
                outbound.put(transaction, item)

        await self.writer.run(effect)

    def state(self, lane: Lane.ValueType = LANE_DATA, *, outbound: bool = True, peer: str = PEER) -> store.LaneState:
        return self.database.recall(lambda connection: store.read_state(connection, peer, lane, outbound=outbound))

    async def bundles(self, lane: Lane.ValueType = LANE_DATA, *, after: int = 0, peer: str = PEER) -> list[bytes]:
        found = await self.database.read(lambda connection: store.read_bundles(connection, peer, lane, after=after))
        return [raw for _, raw in found]

    async def events(self) -> Sequence[Event]:
        return await self.log.events(after=0)


def out_item(
    text: str = "a", *, lane: Lane.ValueType = LANE_DATA, peer: str = PEER, resource: str = "", body: bytes = b""
) -> store.OutItem:
    """Make an item to be sent, whose body is no event."""
    return store.OutItem(
        peer=peer,
        lane=lane,
        body=body or text.encode(),
        event_id=uuid7(),
        type_name="renkei.tips.v1.TipRecorded",
        resource=resource,
        grade=GRADE_FULL,
    )


def event_body(
    payload: Message | None = None,
    *,
    type_name: str = "",
    data: bytes = b"",
    event_id: UUID | str | None = None,
    grade: Grade.ValueType = GRADE_FULL,
    resource: str = "agencies/jp-09/tips/1",
) -> bytes:
    """Make the body of an item as an honest exchange makes it, or with one thing wrong."""
    message = payload if payload is not None else TipRecorded()
    name = type_name or message.DESCRIPTOR.full_name
    event = Event(id=str(event_id or uuid7()), type=name, grade=grade, resource=resource)
    event.time.FromMicroseconds(1_700_000_000_000_000)
    event.data.type_url = f"type.googleapis.com/{name}"
    event.data.value = data or message.SerializeToString()
    return event.SerializeToString()


__all__ = ["LANE_CONTROL", "LANE_DATA", "PEER", "Ground", "event_body", "out_item"]
