"""What an event of a local service does here: it goes, stripped, into the lanes of its frozen audience."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import events_pb2 as arrests
from renkei.exchange.v1.exchange_pb2 import LANE_DATA
from renkei.tips.v1 import events_pb2 as tips

from renkei_chassis.contract import EVENT_TYPES
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.release import NotReleasableError
from renkei_exchange import alarms
from renkei_exchange.harm import is_review_overdue
from renkei_exchange.lane import LARGEST_BODY
from renkei_exchange.release import GRADES, leaves_when_released, released_body
from renkei_exchange.store import PURGED, OutItem, is_out, withhold_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from renkei.policy.v1.policy_pb2 import Grade

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler
    from renkei_exchange.alarms import Alarms
    from renkei_exchange.outbound import Outbound

_FIRST: Final = frozenset(
    kind.DESCRIPTOR.full_name
    for kind in (
        tips.TipRecorded,
        tips.TipReleased,
        tips.TipRestored,
        tips.OpinionRecorded,
        tips.OpinionReleased,
        tips.OpinionRestored,
        arrests.ArrestRecorded,
        arrests.ArrestReleased,
        arrests.ArrestRestored,
    )
)
"""With what a record goes out. Corrections and recalls go always, and so does what supervision rests on."""


class Inbox:
    """Sends on what local services release. It may narrow an audience and never widens one."""

    def __init__(self, *, own: str, peers: Collection[str], outbound: Outbound, alarms: Alarms) -> None:
        """Take this agency and the members of the federation beside it."""
        self._own = own
        self._peers = frozenset(peers)
        self._outbound = outbound
        self._alarms = alarms

    def handlers(self) -> Mapping[str, Handler]:
        """Give a handler for every event of the contract: also for those that must not leave, if one tries to."""
        return dict.fromkeys(EVENT_TYPES, self._handle)

    def _handle(self, transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (any event)
        if event.type in PURGED and not event.origin.agency:
            withhold_record(transaction, event.resource)
        if not event.audience:
            return
        refusal = _refusal(event)
        if refusal is not None:
            self._alarm(transaction, refusal, event)
            return
        if event.type in _FIRST and is_review_overdue(transaction, transaction.now_us):
            self._hold(transaction, event)
        bodies: dict[int, bytes | None] = {}
        for agency, grade in self._recipients(transaction, event):
            if grade not in bodies:
                bodies[grade] = self._body(transaction, event, payload, grade)
            body = bodies[grade]
            if body is None:
                continue
            item = OutItem(
                peer=agency,
                lane=LANE_DATA,
                body=body,
                event_id=uuid.UUID(event.id),
                type_name=event.type,
                resource=event.resource,
                grade=grade,
            )
            self._outbound.put(transaction, item)

    def _hold(self, transaction: Transaction, event: Event) -> None:
        """Set a new release aside until the review of our message of imminent harm is done.

        Only of a record that nobody has yet: what others have must always be corrected and recalled, and every later
        event of a record waits behind one that was set aside.
        """
        goes = any(entry.agency in self._peers and entry.grade in GRADES for entry in event.audience)
        if goes and not is_out(transaction, event.resource):
            raise SetAside(alarms.HARM_REVIEW_OVERDUE)

    def _recipients(self, transaction: Transaction, event: Event) -> Iterator[tuple[str, Grade.ValueType]]:
        """Give each member of the federation that receives the event, once, at the lowest grade named for it."""
        grades: dict[str, Grade.ValueType] = {}
        for entry in event.audience:
            grades[entry.agency] = min(entry.grade, grades.get(entry.agency, entry.grade))
        for agency, grade in sorted(grades.items()):
            if agency == self._own or not grade:
                continue
            if agency not in self._peers:
                self._alarm(transaction, alarms.UNKNOWN_AGENCY, event)
            elif grade not in GRADES:
                self._alarm(transaction, alarms.UNKNOWN_GRADE, event)
            else:
                yield agency, grade

    def _body(self, transaction: Transaction, event: Event, payload: Message, grade: Grade.ValueType) -> bytes | None:
        try:
            body = released_body(event, payload, grade)
        except NotReleasableError:
            self._alarm(transaction, alarms.NOT_RELEASABLE, event)
            return None
        if len(body) > LARGEST_BODY:
            self._alarm(transaction, alarms.TOO_LARGE, event)
            return None
        return body

    def _alarm(self, transaction: Transaction, reason: str, event: Event) -> None:
        self._alarms.sound_after(
            transaction,
            reason,
            log=event.source,
            sequence=event.sequence,
            event_id=event.id,
            event_type=event.type,
        )


def _refusal(event: Event) -> str | None:
    if event.origin.agency:
        return alarms.NOT_OURS
    if not leaves_when_released(event.type):
        return alarms.NOT_RELEASABLE_TYPE
    return None
