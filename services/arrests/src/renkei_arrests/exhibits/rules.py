"""Record, correct and delete exhibits: each a plain function of one request inside the writer's batch."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1 import exhibits_pb2
from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from sqlalchemy import and_, bindparam, func, select

from renkei_arrests.exhibits import telling
from renkei_arrests.exhibits.names import ExhibitName, format_name, id_of, parse
from renkei_arrests.record import ARRESTS
from renkei_arrests.store import EXHIBITS, TABLES
from renkei_chassis.database.requests import Written
from renkei_chassis.errors import Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFoundOrDenied
from renkei_chassis.records.masks import read_mask, replace_fields
from renkei_chassis.records.occurrences import read_occurrences
from renkei_chassis.records.rules import denied, foreign_originator
from renkei_chassis.records.texts.pending import note_changed
from renkei_chassis.records.times import check_times, set_us, to_us
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from renkei.identifiers.v1.identifiers_pb2 import Occurrence
    from sqlalchemy import Connection, Row, Select

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import Policy

MOST: Final = 50_000
"""Exhibits of one arrest, the deleted ones counted: all of them are told again in one transaction."""
_ETAG_BYTES: Final = 10
_OUTPUT_ONLY: Final = frozenset(
    {"name", "version", "number", "etag", "create_time", "update_time", "delete_time", "recorder", "correction_reason"}
)
_FIXED: Final = _OUTPUT_ONLY | {"within"}
# The chassis wants a request_id in everything that it validates; this one is never looked at.
_ANY_REQUEST: Final = "00000000-0000-4000-8000-000000000000"
# As many ids as one statement names.
_AT_ONCE: Final = 500


def _ask_place() -> Select[Any]:
    records, columns = TABLES.records.c, EXHIBITS.exhibits.c
    last = select(func.max(columns.number)).where(columns.record_id == bindparam("that_record"))
    taken = select(columns.version).where(columns.id == bindparam("that"))
    within = select(columns.version).where(
        columns.id == bindparam("that_within"),
        columns.record_id == bindparam("that_record"),
        columns.delete_time_us.is_(None),
    )
    return select(
        records.content,
        records.delete_time_us,
        last.scalar_subquery().label("last"),
        taken.scalar_subquery().label("taken"),
        within.scalar_subquery().label("within"),
    ).where(records.id == bindparam("that_record"))


# Built once: it is asked for every row of a load.
_PLACE: Final = _ask_place()


def _occurrences(exhibit: Exhibit) -> Iterator[tuple[str, Occurrence]]:
    for index, occurrence in enumerate(exhibit.identifiers):
        yield f"identifiers[{index}]", occurrence


# Identifiers are read as those of an arrest; without a span they are good around the arrest's restraint.
_READ: Final = replace(ARRESTS, word="exhibit", occurrences=_occurrences, anchor=lambda _exhibit: None)


class ExhibitRules:
    """What may be done with exhibits of own arrests."""

    def __init__(self, policy: Policy) -> None:
        """Take what the agency decided about its arrests."""
        self._policy = policy

    def create(
        self, transaction: Transaction, request: exhibits_pb2.CreateExhibitRequest, caller: Principal
    ) -> Written:
        """Record an exhibit. Raises EXHIBIT_WITHIN_UNKNOWN, TOO_MANY_EXHIBITS and what any record raises."""
        agency, record_id = ARRESTS.parse(request.parent, field="parent")
        if agency != self._policy.agency:
            raise foreign_originator(agency)
        exhibit_id = id_of(caller, request.request_id)
        within = self._within(request)
        place = _place_of(transaction, record_id.bytes, exhibit_id.bytes, within)
        if place is None:
            raise denied(ARRESTS)
        arrest = _arrest_of(place)
        if place.taken:
            raise AlreadyExists("RESOURCE_EXISTS", "this exhibit was recorded, longer ago than its request is known")
        if within is not None and not place.within:
            raise _within_unknown()
        number = (place.last or 0) + 1
        if number > MOST:
            raise FailedPrecondition("TOO_MANY_EXHIBITS", f"an arrest has {MOST} exhibits at most")
        exhibit = Exhibit()
        exhibit.CopyFrom(request.exhibit)
        for field in _OUTPUT_ONLY:
            exhibit.ClearField(field)  # type: ignore[arg-type]  # names of fields of it
        exhibit.name = format_name(request.parent, exhibit_id)
        exhibit.number = number
        set_us(exhibit.create_time, transaction.now_us)
        rows = self._finish(transaction, arrest, exhibit, version=1, reason="", caller=caller)
        transaction.insert(
            EXHIBITS.exhibits,
            {
                "id": exhibit_id.bytes,
                "record_id": record_id.bytes,
                "number": number,
                "within_id": within,
                "version": 1,
                "delete_time_us": None,
                "deleter": "",
                "delete_reason": "",
                "content": exhibit.SerializeToString(),
            },
        )
        _add_identifiers(transaction, record_id.bytes, exhibit_id.bytes, rows)
        if rows:
            transaction.collect(_index, record_id.bytes)
        telling.recorded(transaction, record_id.bytes, exhibit_id.bytes)
        return Written(answer=exhibit, resource=exhibit.name, version=1)

    def update(
        self, transaction: Transaction, request: exhibits_pb2.UpdateExhibitRequest, caller: Principal
    ) -> Written:
        """Correct an exhibit as a new version."""
        taken = read_mask(Exhibit.DESCRIPTOR, request.update_mask.paths, output_only=_FIXED)
        if not request.exhibit.etag:
            raise InvalidArgument("FIELD_INVALID", "exhibit.etag: must be the etag that was read")
        name, row, arrest = self._current(transaction, request.exhibit.name, field="exhibit.name")
        before = Exhibit.FromString(row.content)
        _check_etag(before, request.exhibit.etag)
        after = Exhibit.FromString(row.content)
        replace_fields(after, request.exhibit, taken)
        version = row.version + 1
        rows = self._finish(
            transaction, arrest, after, version=version, reason=request.reason, caller=caller, before=before
        )
        validate(exhibits_pb2.CreateExhibitRequest(request_id=_ANY_REQUEST, parent=name.arrest, exhibit=after))
        record_id, exhibit_id = name.record_id.bytes, name.exhibit_id.bytes
        transaction.insert(
            EXHIBITS.versions,
            {"record_id": record_id, "id": exhibit_id, "version": row.version, "content": bytes(row.content)},
        )
        transaction.execute(
            EXHIBITS.exhibits.update()
            .where(EXHIBITS.exhibits.c.id == exhibit_id)
            .values(version=version, content=after.SerializeToString())
        )
        columns = EXHIBITS.identifiers.c
        transaction.execute(
            EXHIBITS.identifiers.delete().where(and_(columns.record_id == record_id, columns.id == exhibit_id))
        )
        _add_identifiers(transaction, record_id, exhibit_id, rows)
        transaction.collect(_index, record_id)
        telling.revised(transaction, arrest, before, after)
        return Written(answer=after, resource=after.name, version=version)

    def delete(
        self, transaction: Transaction, request: exhibits_pb2.DeleteExhibitRequest, caller: Principal
    ) -> Written:
        """Mark an exhibit and all within it as deleted, and take them back from everybody."""
        name, row, arrest = self._current(transaction, request.name)
        exhibit = Exhibit.FromString(row.content)
        if request.etag:
            _check_etag(exhibit, request.etag)
        gone = _with_all_within(transaction, name.record_id.bytes, name.exhibit_id.bytes)
        told: list[str] = []
        for start in range(0, len(gone), _AT_ONCE):
            some = gone[start : start + _AT_ONCE]
            columns = EXHIBITS.exhibits.c
            contents = transaction.execute(
                select(columns.content).where(columns.id.in_(some)).order_by(columns.number)
            ).all()
            told += [
                one.name for one in map(Exhibit.FromString, (each.content for each in contents)) if telling.is_told(one)
            ]
            transaction.execute(
                EXHIBITS.exhibits.update()
                .where(columns.id.in_(some))
                .values(delete_time_us=transaction.now_us, deleter=caller.subject, delete_reason=request.reason)
            )
            found = EXHIBITS.identifiers.c
            transaction.execute(
                EXHIBITS.identifiers.delete().where(found.record_id == name.record_id.bytes, found.id.in_(some))
            )
        transaction.collect(_index, name.record_id.bytes)
        telling.withdrawn(transaction, arrest, told)
        set_us(exhibit.delete_time, transaction.now_us)
        return Written(answer=exhibit, resource=exhibit.name, version=row.version)

    def rebuild(self, transaction: Transaction, resource: str, version: int) -> Exhibit | None:
        """Give the answer of Create or Update again."""
        return find_version(transaction, parse(resource), version)

    def rebuild_deleted(self, transaction: Transaction, resource: str, version: int) -> Exhibit | None:
        """Give the answer of Delete again."""
        name = parse(resource)
        row = _find(transaction, name)
        exhibit = find_version(transaction, name, version)
        if row is None or exhibit is None or row.delete_time_us is None:
            return None
        set_us(exhibit.delete_time, row.delete_time_us)
        return exhibit

    def _within(self, request: exhibits_pb2.CreateExhibitRequest) -> bytes | None:
        if not request.exhibit.within:
            return None
        within = parse(request.exhibit.within, field="exhibit.within")
        if within.arrest != request.parent:
            raise _within_unknown()
        return within.exhibit_id.bytes

    def _current(
        self, transaction: Transaction, text: str, *, field: str = "name"
    ) -> tuple[ExhibitName, Row[Any], Arrest]:
        name = parse(text, field=field)
        if name.agency != self._policy.agency:
            raise foreign_originator(name.agency)
        row = _find(transaction, name)
        place = _place_of(transaction, name.record_id.bytes, name.exhibit_id.bytes, None)
        if row is None or place is None:
            raise no_such_exhibit()
        arrest = _arrest_of(place)
        if row.delete_time_us is not None:
            raise FailedPrecondition("DELETED", "the exhibit is marked as deleted; record it anew")
        return name, row, arrest

    def _finish(
        self,
        transaction: Transaction,
        arrest: Arrest,
        exhibit: Exhibit,
        *,
        version: int,
        reason: str,
        caller: Principal,
        before: Exhibit | None = None,
    ) -> list[dict[str, Any]]:
        check_times(exhibit, "exhibit")
        rows = read_occurrences(_READ, exhibit, policy=self._policy, now_us=to_us(arrest.restraint_time), before=before)
        exhibit.version = version
        exhibit.etag = secrets.token_hex(_ETAG_BYTES)
        exhibit.recorder = caller.subject
        exhibit.correction_reason = reason
        set_us(exhibit.update_time, transaction.now_us)
        return rows


def find_version(connection: Connection | Transaction, name: ExhibitName, version: int) -> Exhibit | None:
    """Read one version of an own exhibit, whether it is the current one or not."""
    row = _find(connection, name)
    if row is not None and row.version == version:
        return Exhibit.FromString(row.content)
    columns = EXHIBITS.versions.c
    found = connection.execute(
        select(columns.content).where(
            columns.record_id == name.record_id.bytes,
            columns.id == name.exhibit_id.bytes,
            columns.version == version,
        )
    ).first()
    return None if found is None else Exhibit.FromString(found.content)


def no_such_exhibit() -> NotFoundOrDenied:
    """Refuse an exhibit that is not there."""
    return NotFoundOrDenied("DENIED", "the exhibit cannot be read by the caller")


def _find(connection: Connection | Transaction, name: ExhibitName) -> Row[Any] | None:
    columns = EXHIBITS.exhibits.c
    return connection.execute(
        select(EXHIBITS.exhibits).where(columns.id == name.exhibit_id.bytes, columns.record_id == name.record_id.bytes)
    ).first()


def _place_of(transaction: Transaction, record_id: bytes, exhibit_id: bytes, within: bytes | None) -> Row[Any] | None:
    """Read at once all that a new exhibit depends on; None where the arrest is not there."""
    wanted = {"that_record": record_id, "that": exhibit_id, "that_within": within}
    return transaction.execute(_PLACE, [wanted]).first()


def _arrest_of(place: Row[Any]) -> Arrest:
    if place.delete_time_us is not None:
        raise FailedPrecondition("DELETED", "the arrest is marked as deleted; undelete it first")
    return Arrest.FromString(place.content)


def _with_all_within(transaction: Transaction, record_id: bytes, exhibit_id: bytes) -> list[bytes]:
    """Name an exhibit and all that lies within it, however deep. What lies within another was recorded after it."""
    columns = EXHIBITS.exhibits.c
    rows = transaction.execute(
        select(columns.id, columns.within_id)
        .where(columns.record_id == record_id, columns.delete_time_us.is_(None))
        .order_by(columns.number)
    ).all()
    gone = {exhibit_id: None}
    for row in rows:
        if row.within_id is not None and bytes(row.within_id) in gone:
            gone[bytes(row.id)] = None
    return list(gone)


def _add_identifiers(
    transaction: Transaction, record_id: bytes, exhibit_id: bytes, rows: Iterable[dict[str, Any]]
) -> None:
    for row in rows:
        transaction.insert(EXHIBITS.identifiers, {"record_id": record_id, "id": exhibit_id, **row})


def _index(transaction: Transaction, record_ids: Sequence[bytes]) -> None:
    """Let the index of searches come to arrests whose exhibits hold other identifiers now, once for a batch."""
    for record_id in dict.fromkeys(record_ids):
        note_changed(transaction, TABLES.texts, record_id)


def _check_etag(exhibit: Exhibit, etag: str) -> None:
    if exhibit.etag != etag:
        raise Aborted("ETAG_MISMATCH", "the exhibit changed since it was read; read it again")


def _within_unknown() -> FailedPrecondition:
    return FailedPrecondition(
        "EXHIBIT_WITHIN_UNKNOWN",
        "exhibit.within names no exhibit of this arrest, or a deleted one",
        metadata={"field": "exhibit.within"},
    )
