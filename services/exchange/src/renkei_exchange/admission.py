"""Decide what an item that came from another agency does here. A lane never stops for what an item holds."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from renkei.event.v1.event_pb2 import Event, Origin
from renkei.exchange.v1.events_pb2 import LaneReceived
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL

from renkei_chassis.contract import event_type, is_known
from renkei_chassis.database.transaction import NewEvent, RawPayload
from renkei_chassis.log.append import erase_resource
from renkei_exchange import alarms, harm, store
from renkei_exchange.lane import lane_name
from renkei_exchange.release import GRADES, leaves_when_released, speaks_of_lanes
from renkei_exchange.store import PURGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.database.transaction import Transaction
    from renkei_exchange.alarms import Alarms
    from renkei_exchange.lane import Arrived, Route, Take
    from renkei_exchange.receipts import Received

_TYPE_URL: Final = "type.googleapis.com/"
_RECEIPT: Final = LaneReceived.DESCRIPTOR.full_name
_MAX_TYPE: Final = 256
_MAX_RESOURCE: Final = 200
_LAST_SECOND: Final = 253_402_300_799  # the year 9999: what a timestamp may say
_NANOSECONDS: Final = 1_000_000_000


class Admission:
    """Hands what arrives to the local services through our own log, each event once."""

    def __init__(self, *, received: Received, alarms: Alarms) -> None:
        """Take whom receipts are for."""
        self._received = received
        self._alarms = alarms

    def admit(self, transaction: Transaction, route: Route, takes: Sequence[Take]) -> None:
        """Bring the items of bundles that follow each other into effect, in their order."""
        arrived = [(take, item, _read(item)) for take in takes for item in take.items]
        ids = [uuid.UUID(event.id) for _, _, event in arrived if event is not None]
        known = store.known_events(transaction, route.origin, ids)
        purged = self._erase(transaction, route, [event for _, _, event in arrived if event is not None])
        for take, item, event in arrived:
            if item.body is None:
                continue  # withheld: its digest is in the chain, and that is all there is
            if event is None:
                self._refuse(transaction, alarms.UNREADABLE, route, item)
                continue
            event_id = uuid.UUID(event.id)
            if event_id in known or (event.resource in purged and event.type not in PURGED):
                continue
            known.add(event_id)
            self._one(transaction, route, take, item, event)

    def _erase(self, transaction: Transaction, route: Route, events: Sequence[Event]) -> set[str]:
        """Erase what our log holds of records that are purged now; returns all purged ones of which something comes.

        Nothing more of these gets into the log, however late it is.
        """
        fresh = {event.resource for event in events if event.type in PURGED and _purges(event, route)}
        for name in sorted(fresh):
            erase_resource(transaction, name, origin=route.origin, keep=PURGED)
        return fresh | store.purged_records(transaction, route.origin, {event.resource for event in events} - fresh)

    def _one(self, transaction: Transaction, route: Route, take: Take, item: Arrived, event: Event) -> None:
        if not _belongs(event, route):
            self._refuse(transaction, alarms.WRONG_LANE, route, item, event_type=event.type)
        elif event.type == _RECEIPT:
            self._receipt(transaction, route, item, event)
        elif event.type == harm.TYPE and not harm.receive(transaction, route.origin, event.data.value):
            self._refuse(transaction, alarms.UNREADABLE, route, item)
        else:
            transaction.emit(_new_event(route, take, item, event))

    def _receipt(self, transaction: Transaction, route: Route, item: Arrived, event: Event) -> None:
        """Take a receipt. It speaks to the exchange alone: in the log it would tell nobody anything."""
        try:
            receipt = LaneReceived.FromString(event.data.value)
        except DecodeError:
            self._refuse(transaction, alarms.UNREADABLE, route, item)
            return
        if not self._received.confirm(transaction, route.origin, receipt):
            self._refuse(transaction, alarms.RECEIPT_MISMATCH, route, item)

    def _refuse(self, transaction: Transaction, reason: str, route: Route, item: Arrived, **fields: str) -> None:
        self._alarms.sound_after(
            transaction, reason, peer=route.origin, lane=lane_name(route.lane), item=item.number, **fields
        )


def _read(item: Arrived) -> Event | None:
    """Read an item's body; None for what is no event that a log could hold."""
    if item.body is None:
        return None
    try:
        event = Event.FromString(item.body)
        event_id = uuid.UUID(event.id)
    except (DecodeError, ValueError):
        return None
    well_formed = (
        event.id == str(event_id)
        and 0 < len(event.type) <= _MAX_TYPE
        and len(event.resource) <= _MAX_RESOURCE
        and "\0" not in event.type + event.resource
        and event.data.type_url == _TYPE_URL + event.type
        and 0 <= event.time.seconds <= _LAST_SECOND
        and 0 <= event.time.nanos < _NANOSECONDS
    )
    return event if well_formed else None


def _belongs(event: Event, route: Route) -> bool:
    """Tell whether the contract lets such an event come by this lane. What it does not know passes through."""
    if route.lane == LANE_CONTROL:
        return not is_known(event.type) or speaks_of_lanes(event.type)
    if event.grade not in GRADES:
        return False
    return not is_known(event.type) or leaves_when_released(event.type)


def _purges(event: Event, route: Route) -> bool:
    """Tell whether an event purges a record of the agency that sent it, under the record's own name."""
    if not _belongs(event, route) or not event.resource.startswith(f"{route.origin}/"):
        return False
    try:
        payload: Any = event_type(event.type).FromString(event.data.value)
    except DecodeError:
        return False
    named: str = payload.name
    return named == event.resource


def _new_event(route: Route, take: Take, item: Arrived, event: Event) -> NewEvent:
    origin = Origin(
        agency=route.origin,
        lane=lane_name(route.lane),
        epoch=take.position.epoch,
        bundle=take.position.bundle,
        item=item.number,
    )
    origin.time.CopyFrom(event.time)
    return NewEvent(
        payload=RawPayload(type_name=event.type, data=event.data.value),
        resource=event.resource,
        may_ignore=event.may_ignore,
        event_id=uuid.UUID(event.id),
        origin=origin,
        grade=event.grade,
    )
