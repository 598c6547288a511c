"""What events of other agencies do here: their records are kept as read-only copies, or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import protovalidate
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from sqlalchemy import and_, select

from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import InvalidArgument
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.records.occurrences import search_rows
from renkei_chassis.records.times import broken_times, set_us, to_us
from renkei_chassis.release import NotReleasableError, strip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import ColumnElement, Table

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

    def store(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of several events)
        if event.origin.agency:
            _store(kind, transaction, event, getattr(payload, kind.word))

    def remove(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of two events)
        if event.origin.agency:
            _remove(kind, transaction, event, payload.name, payload.version)

    events = kind.events
    bring = (events.recorded, events.revised, events.released, events.restored, *events.more)
    return {
        **{event.DESCRIPTOR.full_name: store for event in bring},
        **{event.DESCRIPTOR.full_name: remove for event in (events.withdrawn, events.deleted)},
    }


def _store(kind: RecordKind, transaction: Transaction, event: Event, record: Record) -> None:
    """Keep a record as it was released, or put it in place of an older version.

    It is stripped once more: what the origin should not have sent, we do not keep.
    """
    record_id = _record_id(kind, event, record.name)
    if event.grade not in {GRADE_FULL, GRADE_INDEX_ONLY}:
        raise SetAside(GRADE_MISSING)
    try:
        copy: Record = strip(record, event.grade)
    except NotReleasableError:
        raise SetAside(MALFORMED_RECORD) from None
    if copy.version < 1 or _is_malformed(copy):
        raise SetAside(MALFORMED_RECORD)
    agency, tables = event.origin.agency, kind.tables
    if max(_known(transaction, tables.copies, record_id, agency), copy.version) > copy.version:
        return
    if _known(transaction, tables.withdrawals, record_id, agency) >= copy.version:
        return
    copy.received_grade = event.grade
    set_us(copy.receive_time, transaction.now_us)
    _forget(kind, transaction, record_id, agency)
    transaction.insert(
        tables.copies,
        {
            "id": record_id.bytes,
            "agency": agency,
            "version": copy.version,
            "state": copy.state,
            "category": kind.category(copy),
            "case_reference": copy.case_reference,
            "create_time_us": to_us(copy.create_time) if copy.HasField("create_time") else None,
            "content": copy.SerializeToString(),
        },
    )
    for row in search_rows(kind, [occurrence for _, occurrence in kind.occurrences(copy)]):
        transaction.insert(tables.copy_identifiers, {"record_id": record_id.bytes, "agency": agency, **row})
    _tell(transaction, kind.events.received(name=record.name, version=copy.version, grade=event.grade), record.name)


def _remove(kind: RecordKind, transaction: Transaction, event: Event, name: str, version: int) -> None:
    """Remove a copy, and remember that nothing up to this version comes back."""
    record_id = _record_id(kind, event, name)
    if version < 1:
        raise SetAside(MALFORMED_RECORD)
    agency, tables = event.origin.agency, kind.tables
    if _known(transaction, tables.withdrawals, record_id, agency) < version:
        transaction.execute(tables.withdrawals.delete().where(_is(tables.withdrawals, record_id, agency)))
        transaction.insert(tables.withdrawals, {"id": record_id.bytes, "agency": agency, "version": version})
    held = _known(transaction, tables.copies, record_id, agency)
    if 0 < held <= version:
        _forget(kind, transaction, record_id, agency)
        _tell(transaction, kind.events.removed(name=name), name)


def _record_id(kind: RecordKind, event: Event, name: str) -> UUID:
    """Read the id in a name, which has to be one of the agency that sent the event."""
    try:
        agency, record_id = kind.parse(name)
    except InvalidArgument:
        raise SetAside(MALFORMED_RECORD) from None
    if agency != event.origin.agency:
        raise SetAside(FOREIGN_ORIGINATOR)
    return record_id


def _is_malformed(copy: Message) -> bool:
    """Tell whether a record breaks the contract's bounds, unknown enum values aside."""
    if any(broken_times(copy, "")):
        return True
    return any(violation.proto.rule_id not in _OPEN_RULES for violation in protovalidate.collect_violations(copy))


def _known(transaction: Transaction, table: Table, record_id: UUID, agency: str) -> int:
    """Read the version in a row of copies or withdrawals; 0 for none."""
    row = transaction.first(select(table.c.version).where(_is(table, record_id, agency)))
    return 0 if row is None else int(row.version)


def _forget(kind: RecordKind, transaction: Transaction, record_id: UUID, agency: str) -> None:
    tables = kind.tables
    transaction.execute(tables.copies.delete().where(_is(tables.copies, record_id, agency)))
    columns = tables.copy_identifiers.c
    mine = and_(columns.record_id == record_id.bytes, columns.agency == agency)
    transaction.execute(tables.copy_identifiers.delete().where(mine))


def _is(table: Table, record_id: UUID, agency: str) -> ColumnElement[bool]:
    return and_(table.c.id == record_id.bytes, table.c.agency == agency)


def _tell(transaction: Transaction, payload: Message, name: str) -> None:
    transaction.emit(NewEvent(payload=payload, resource=name, trace_parent=transaction.trace_parent))
