"""Record, correct, delete and restore own records: each a plain function of one request inside the writer's batch."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from renkei_chassis.database.requests import Written
from renkei_chassis.database.transaction import NewEvent, RawPayload
from renkei_chassis.errors import Aborted, FailedPrecondition, FieldViolation, InvalidArgument, NotFoundOrDenied
from renkei_chassis.ids import uuid7
from renkei_chassis.records import own
from renkei_chassis.records.audience import audience_of, change_of
from renkei_chassis.records.label import check_label
from renkei_chassis.records.masks import read_mask, replace_fields
from renkei_chassis.records.occurrences import read_occurrences
from renkei_chassis.records.times import check_times, set_us
from renkei_chassis.resource_names import AGENCY
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message
    from sqlalchemy import Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.audience import Audience
    from renkei_chassis.records.kind import Policy, Record, RecordKind

_MICROSECOND: Final = timedelta(microseconds=1)
_ETAG_BYTES: Final = 10
# The chassis wants a request_id in everything that it validates; this one is never looked at.
_ANY_REQUEST: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """An own record as it stands when a rule begins."""

    record_id: UUID
    row: Row[Any]
    record: Record


class Rules:
    """What may be done with own records of one kind."""

    def __init__(
        self,
        kind: RecordKind,
        policy: Policy,
        *,
        new_id: Callable[[], UUID] = uuid7,
        new_etag: Callable[[], str] = lambda: secrets.token_hex(_ETAG_BYTES),
    ) -> None:
        """Take the kind, what the agency decided, and where ids and etags come from."""
        self._kind = kind
        self._policy = policy
        self._new_id = new_id
        self._new_etag = new_etag
        self._prefix = f"{policy.agency}/{kind.collection}/"
        self._label_field = f"{kind.word}.handling"

    def create(self, transaction: Transaction, *, parent: str, record: Record, caller: Principal) -> Written:
        """Record something new. The hot path: it reads nothing."""
        if parent != self._policy.agency:
            AGENCY.parse(parent, field="parent")
            raise foreign_originator(parent)
        record_id = self._new_id()
        name = f"{self._prefix}{record_id}"
        fresh: Record = self._kind.message()
        fresh.CopyFrom(record)
        for field in (*self._kind.output_only, *self._kind.recorded_later):
            if "." not in field:
                fresh.ClearField(field)
        fresh.name = name
        set_us(fresh.create_time, transaction.now_us)
        rows = self._finish(transaction, fresh, version=1, reason="", caller=caller)
        content = own.add(transaction, self._kind, record_id, fresh, transaction.now_us)
        own.add_identifiers(transaction, self._kind.tables, record_id, rows)
        self._kind.on_stored(transaction, record_id.bytes, fresh)
        self._tell(transaction, self._kind.events.recorded, name, content, audience_of(fresh.handling))
        return self._answer(transaction, fresh, name, 1)

    def update(
        self,
        transaction: Transaction,
        *,
        record: Record,
        paths: Sequence[str],
        reason: str,
        caller: Principal,
    ) -> Written:
        """Correct fields as a new version, and tell whoever had it, gets it or loses it."""
        taken = read_mask(cast("Descriptor", self._kind.message.DESCRIPTOR), paths, output_only=self._kind.output_only)
        field = f"{self._kind.word}.etag"
        if not record.etag:
            what = "must be the etag that was read"
            raise InvalidArgument(
                "FIELD_INVALID", f"{field}: {what}", violations=[FieldViolation(field=field, description=what)]
            )
        current = self.current(transaction, record.name, etag=record.etag, field=f"{self._kind.word}.name")
        for name, *_ in taken:
            refusal = self._kind.recorded_later.get(name)
            if refusal is not None and not current.record.HasField(name):
                raise FailedPrecondition(refusal, f"{self._kind.word}.{name} is not recorded yet")

        def correct(fresh: Record) -> None:
            replace_fields(fresh, record, taken)

        return self.revise(transaction, current, correct, reason=reason, caller=caller)

    def revise(
        self,
        transaction: Transaction,
        current: Current,
        change: Callable[[Record], None],
        *,
        reason: str,
        caller: Principal | None,
        event: type[Message] | None = None,
        labelled: bool = True,
    ) -> Written:
        """Store the next version, as `change` makes it, and tell it as `event` or, if none is named, as revised.

        The first event tells everybody who keeps the record, and our own services, which act on it even
        where nobody else is concerned. What follows, …Released and …Withdrawn, is for others only.

        No `caller`: the service does so itself. Not `labelled`: it must be possible whatever the label says; where the
        label may not stand any more, the version is told to nobody.
        """
        kind, before = self._kind, current.record
        after: Record = kind.message()
        after.CopyFrom(before)
        change(after)
        kind.succeed(before, after)
        version = current.row.version + 1
        stands = labelled or self._stands(after)
        rows = self._finish(
            transaction, after, version=version, reason=reason, caller=caller, labelled=labelled, before=before
        )
        request = kind.create_request(request_id=_ANY_REQUEST, parent=self._policy.agency)
        getattr(request, kind.word).CopyFrom(after)
        validate(request)
        content = own.replace(transaction, kind, current.row, after, rows)
        kind.on_stored(transaction, current.record_id.bytes, after)
        had, has = audience_of(before.handling), audience_of(after.handling)
        audience = change_of(had, has) if stands else change_of({}, {})
        name = before.name
        self._tell(transaction, event or kind.events.revised, name, content, audience.kept)
        if audience.added:
            self._tell(transaction, kind.events.released, name, content, audience.added)
        if audience.removed:
            self._tell_gone(transaction, kind.events.withdrawn, name, version, audience.removed)
        regraded = {agency: grade for agency, grade in audience.told.items() if had.get(agency) != grade}
        if regraded:
            kind.on_released(transaction, current.record_id.bytes, after, regraded)
        return self._answer(transaction, after, name, version)

    def delete(
        self,
        transaction: Transaction,
        *,
        name: str,
        etag: str,
        reason: str,
        caller: Principal,
        undelete: timedelta | None = None,
    ) -> Written:
        """Mark as deleted and withdraw from everybody who had it. `undelete`: how long it can be brought back."""
        current = self.current(transaction, name, etag=etag)
        lasts = self._policy.undelete if undelete is None else undelete
        purge_time_us = transaction.now_us + lasts // _MICROSECOND
        own.mark_deleted(
            transaction,
            self._kind.tables,
            current.row,
            purge_time_us=purge_time_us,
            recorder=caller.subject,
            reason=reason,
        )
        self._kind.on_deleted(transaction, current.record_id.bytes)
        record, version = current.record, current.row.version
        self._tell_gone(transaction, self._kind.events.deleted, name, version, audience_of(record.handling))
        set_us(record.delete_time, transaction.now_us)
        set_us(record.purge_time, purge_time_us)
        return self._answer(transaction, record, name, version)

    def undelete(self, transaction: Transaction, *, name: str, caller: Principal) -> Written:
        """Take the mark back, as a new version, and release it again under its label.

        Raises UNDELETE_EXPIRED from the record's `purge_time` on.
        """
        current = self.current(transaction, name, deleted=True)
        if transaction.now_us >= current.row.purge_time_us:
            raise FailedPrecondition("UNDELETE_EXPIRED", f"the {self._kind.word} was to be purged already")
        after, before = current.record, own.read(self._kind, current.row)
        version = current.row.version + 1
        after.ClearField("delete_time")
        after.ClearField("purge_time")
        self._kind.restore(after)
        rows = self._finish(transaction, after, version=version, reason="", caller=caller, before=before)
        content = own.replace(transaction, self._kind, current.row, after, rows)
        self._kind.on_stored(transaction, current.record_id.bytes, after)
        audience = audience_of(after.handling)
        self._tell(transaction, self._kind.events.restored, name, content, audience)
        self._kind.on_released(transaction, current.record_id.bytes, after, audience)
        return self._answer(transaction, after, name, version)

    def rebuild(self, transaction: Transaction, resource: str, version: int) -> Record | None:
        """Give the answer of Create, Update or Undelete again: the version that it made."""
        _, record_id = self._kind.parse(resource)
        content = own.find_version(transaction, self._kind.tables, record_id, version)
        if content is None:
            return None
        record = self._kind.message.FromString(content)
        self._kind.present(record, transaction.now)
        return record

    def rebuild_deleted(self, transaction: Transaction, resource: str, version: int) -> Record | None:
        """Give the answer of Delete again: the version that it marked, with its mark."""
        record = self.rebuild(transaction, resource, version)
        _, record_id = self._kind.parse(resource)
        row = own.find_deletion(transaction, self._kind.tables, record_id, version)
        if record is None or row is None:
            return None
        own.mark(record, row)
        return record

    def current(
        self, transaction: Transaction, name: str, *, etag: str = "", deleted: bool = False, field: str = "name"
    ) -> Current:
        """Read an own record that a rule may change.

        Raises FOREIGN_ORIGINATOR, DENIED, DELETED (or NOT_DELETED where `deleted` is asked for), and
        ETAG_MISMATCH for an etag that is given and is not the current one.
        """
        agency, record_id = self._kind.parse(name, field=field)
        if agency != self._policy.agency:
            raise foreign_originator(agency)
        row = own.find(transaction, self._kind.tables, record_id)
        if row is None:
            raise denied(self._kind)
        if deleted and row.delete_time_us is None:
            raise FailedPrecondition("NOT_DELETED", f"the {self._kind.word} is not marked as deleted")
        if not deleted and row.delete_time_us is not None:
            raise FailedPrecondition("DELETED", f"the {self._kind.word} is marked as deleted; undelete it first")
        record = own.read(self._kind, row)
        if etag and etag != record.etag:
            raise Aborted("ETAG_MISMATCH", f"the {self._kind.word} changed since it was read; read it again")
        return Current(record_id=record_id, row=row, record=record)

    def _stands(self, record: Record) -> bool:
        try:
            check_label(record.handling, self._policy, field=self._label_field)
        except (FailedPrecondition, InvalidArgument):
            return False
        return True

    def _finish(
        self,
        transaction: Transaction,
        record: Record,
        *,
        version: int,
        reason: str,
        caller: Principal | None,
        labelled: bool = True,
        before: Record | None = None,
    ) -> list[dict[str, Any]]:
        """Check a version that is about to be stored and set what callers cannot; returns its rows for searches."""
        kind, policy = self._kind, self._policy
        check_times(record, kind.word)
        if labelled:
            check_label(record.handling, policy, field=self._label_field)
        rows = read_occurrences(kind, record, policy=policy, now_us=transaction.now_us, before=before)
        kind.complete(record)
        record.version = version
        record.etag = self._new_etag()
        record.contact_desk = policy.contact_desk
        record.recorder = caller.subject if caller is not None else f"{policy.agency}/services/{kind.collection}"
        record.correction_reason = reason
        set_us(record.update_time, transaction.now_us)
        return rows

    def _answer(self, transaction: Transaction, record: Record, name: str, version: int) -> Written:
        self._kind.present(record, transaction.now)
        return Written(answer=record, resource=name, version=version)

    def _tell(
        self, transaction: Transaction, event: type[Message], name: str, content: bytes, audience: Audience
    ) -> None:
        payload = RawPayload(type_name=event.DESCRIPTOR.full_name, data=as_first_field(content))
        transaction.emit(
            NewEvent(payload=payload, resource=name, audience=audience, trace_parent=transaction.trace_parent)
        )

    def _tell_gone(
        self, transaction: Transaction, event: type[Message], name: str, version: int, audience: Audience
    ) -> None:
        payload = event(name=name, version=version)
        transaction.emit(
            NewEvent(payload=payload, resource=name, audience=audience, trace_parent=transaction.trace_parent)
        )


def foreign_originator(agency: str) -> FailedPrecondition:
    """Refuse to change what another agency recorded."""
    return FailedPrecondition(
        "FOREIGN_ORIGINATOR",
        f"only {agency} can change its records; ask its contact desk",
        metadata={"agency": agency},
    )


def denied(kind: RecordKind) -> NotFoundOrDenied:
    """Refuse a record that is not there, in the words in which one is refused that is."""
    return NotFoundOrDenied("DENIED", f"the {kind.word} cannot be read by the caller")


def as_first_field(content: bytes) -> bytes:
    """Wrap a serialised record as field 1 of an event, without parsing it again."""
    length, size = len(content), bytearray(b"\x0a")
    while length >> 7:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    size.append(length)
    return bytes(size) + content
