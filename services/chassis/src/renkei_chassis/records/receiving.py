"""What events of other agencies do here: their records are kept as read-only copies, or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import protovalidate
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.records.copies import Change, Copies
from renkei_chassis.records.times import broken_times, set_us
from renkei_chassis.release import NotReleasableError, strip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler
    from renkei_chassis.records.kind import Record, RecordKind

FOREIGN_ORIGINATOR: Final = "FOREIGN_ORIGINATOR"
MALFORMED_RECORD: Final = "MALFORMED_RECORD"
GRADE_MISSING: Final = "GRADE_MISSING"
# A value that a newer contract knows is no fault of an event.
_OPEN_RULES: Final = frozenset({"enum.defined_only"})


def handlers(kind: RecordKind) -> Mapping[str, Handler]:
    """Give the handlers of a kind's events, for the exchange's log. Each is safe to repeat."""
    copies = Copies(kind)

    def store(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several events)
        if event.origin.agency:
            copies.change(transaction, _kept(kind, transaction, event, getattr(payload, kind.word)))

    def remove(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of three events)
        if event.origin.agency:
            copies.change(transaction, _removed(kind, transaction, event, payload))

    events = kind.events
    bring = (events.recorded, events.revised, events.released, events.restored, *events.more)
    return {
        **{event.DESCRIPTOR.full_name: store for event in bring},
        **{event.DESCRIPTOR.full_name: remove for event in (events.withdrawn, events.deleted, events.purged)},
    }


def _kept(kind: RecordKind, transaction: Transaction, event: Event, record: Record) -> Change:
    """Check a record that was released to us.

    It is stripped once more: what the origin should not have sent, we do not keep.
    """
    record_id = record_id_of(kind, event, record.name)
    if event.grade not in {GRADE_FULL, GRADE_INDEX_ONLY}:
        raise SetAside(GRADE_MISSING)
    try:
        copy: Record = strip(record, event.grade)
    except NotReleasableError:
        raise SetAside(MALFORMED_RECORD) from None
    if copy.version < 1 or is_malformed(copy):
        raise SetAside(MALFORMED_RECORD)
    copy.received_grade = event.grade
    set_us(copy.receive_time, transaction.now_us)
    return Change(
        record_id=record_id.bytes,
        agency=event.origin.agency,
        name=record.name,
        version=copy.version,
        copy=copy,
        trace_parent=transaction.trace_parent,
    )


def _removed(kind: RecordKind, transaction: Transaction, event: Event, payload: Any) -> Change:  # noqa: ANN401
    """Check what is taken back: nothing up to this version comes again."""
    record_id = record_id_of(kind, event, payload.name)
    if payload.version < 1:
        raise SetAside(MALFORMED_RECORD)
    return Change(
        record_id=record_id.bytes,
        agency=event.origin.agency,
        name=payload.name,
        version=payload.version,
        copy=None,
        trace_parent=transaction.trace_parent,
    )


def record_id_of(kind: RecordKind, event: Event, name: str) -> UUID:
    """Read the id in a name, which has to be one of the agency that sent the event."""
    try:
        agency, record_id = kind.parse(name)
    except InvalidArgument:
        raise SetAside(MALFORMED_RECORD) from None
    if agency != event.origin.agency:
        raise SetAside(FOREIGN_ORIGINATOR)
    return record_id


def is_malformed(copy: Message) -> bool:
    """Tell whether a record breaks the contract's bounds, unknown enum values aside."""
    if any(broken_times(copy, "")):
        return True
    return any(violation.proto.rule_id not in _OPEN_RULES for violation in protovalidate.collect_violations(copy))
