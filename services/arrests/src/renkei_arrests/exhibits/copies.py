"""What others tell of their exhibits: copies come with those of their arrests, are replaced, and go with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.arrests.v1.events_pb2 import (
    ArrestDeleted,
    ArrestPurged,
    ArrestWithdrawn,
    ExhibitsReceived,
    ExhibitsRecorded,
    ExhibitsReleased,
    ExhibitsRevised,
    ExhibitsWithdrawn,
)
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from sqlalchemy import func, select

from renkei_arrests.exhibits.names import parse
from renkei_arrests.record import ARRESTS
from renkei_arrests.store import EXHIBITS, TABLES
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import InvalidArgument
from renkei_chassis.follower.apply import SetAside
from renkei_chassis.records.occurrences import search_rows
from renkei_chassis.records.receiving import GRADE_MISSING, MALFORMED_RECORD, handlers, is_malformed, record_id_of
from renkei_chassis.records.texts.pending import note_copies
from renkei_chassis.release import NotReleasableError, strip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from renkei.arrests.v1.exhibits_pb2 import Exhibit
    from renkei.event.v1.event_pb2 import Event
    from sqlalchemy import Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.follower.apply import Handler

    Key = tuple[bytes, str]

# As many ids as one statement names.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What one event says of the exhibits of one arrest."""

    record_id: bytes
    agency: str
    arrest: str
    come: tuple[tuple[bytes, Exhibit], ...] = ()
    go: tuple[bytes, ...] = ()
    all_go: bool = False
    """The arrest itself is gone, and all that was told of it before."""


def exhibit_handlers() -> Mapping[str, Handler]:
    """Give the handlers of the exchange's log: those of arrests, which take exhibits along, and those of exhibits."""
    told: dict[str, Handler] = dict(handlers(ARRESTS))
    for event in (ArrestWithdrawn, ArrestDeleted, ArrestPurged):
        told[event.DESCRIPTOR.full_name] = _both(told[event.DESCRIPTOR.full_name], _arrest_gone)
    for come in (ExhibitsRecorded, ExhibitsRevised, ExhibitsReleased):
        told[come.DESCRIPTOR.full_name] = _come
    told[ExhibitsWithdrawn.DESCRIPTOR.full_name] = _go
    return told


def _both(first: Handler, second: Handler) -> Handler:
    def handle(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of three events)
        first(transaction, event, payload)
        second(transaction, event, payload)

    return handle


def _arrest_gone(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of three events)
    if event.origin.agency:
        record_id = record_id_of(ARRESTS, event, payload.name)
        change = _Change(record_id=record_id.bytes, agency=event.origin.agency, arrest=payload.name, all_go=True)
        transaction.collect(_after_the_arrests, change)


def _come(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (one of three events)
    """Check exhibits that were released to us. They are stripped once more, as records are."""
    if not event.origin.agency:
        return
    record_id = record_id_of(ARRESTS, event, payload.name)
    if event.grade not in {GRADE_FULL, GRADE_INDEX_ONLY}:
        raise SetAside(GRADE_MISSING)
    come = tuple(
        (_id_of(exhibit.name, payload.name), _kept(exhibit, event, payload.name)) for exhibit in payload.exhibits
    )
    change = _Change(record_id=record_id.bytes, agency=event.origin.agency, arrest=payload.name, come=come)
    transaction.collect(_after_the_arrests, change)


def _go(transaction: Transaction, event: Event, payload: ExhibitsWithdrawn) -> None:
    if event.origin.agency:
        record_id = record_id_of(ARRESTS, event, payload.name)
        go = tuple(_id_of(name, payload.name) for name in payload.exhibits)
        change = _Change(record_id=record_id.bytes, agency=event.origin.agency, arrest=payload.name, go=go)
        transaction.collect(_after_the_arrests, change)


def _kept(exhibit: Exhibit, event: Event, arrest: str) -> Exhibit:
    try:
        copy = strip(exhibit, event.grade)
    except NotReleasableError:
        raise SetAside(MALFORMED_RECORD) from None
    if copy.version < 1 or is_malformed(copy):
        raise SetAside(MALFORMED_RECORD)
    if copy.within:
        _id_of(copy.within, arrest)
    return copy


def _id_of(name: str, arrest: str) -> bytes:
    try:
        parsed = parse(name)
    except InvalidArgument:
        raise SetAside(MALFORMED_RECORD) from None
    if parsed.arrest != arrest:
        raise SetAside(MALFORMED_RECORD)
    return parsed.exhibit_id.bytes


def _after_the_arrests(transaction: Transaction, changes: Sequence[_Change]) -> None:
    """Wait for one round: by then the batch's copies of arrests are settled, whichever came first."""
    for change in changes:
        transaction.collect(_settle, change)


def _settle(transaction: Transaction, changes: Sequence[_Change]) -> None:
    by_arrest: dict[Key, list[_Change]] = {}
    for change in changes:
        by_arrest.setdefault((change.record_id, change.agency), []).append(change)
    for key, those in by_arrest.items():
        last_end = max((place for place, change in enumerate(those) if change.all_go), default=-1)
        if last_end >= 0:
            _forget_all(transaction, key)
        rest = those[last_end + 1 :]
        # What is told of an arrest that is not here came too late: somebody took it back.
        if rest and _is_held(transaction, key):
            _take(transaction, key, rest)


def _take(transaction: Transaction, key: Key, changes: Sequence[_Change]) -> None:
    wanted: dict[bytes, Exhibit | None] = {}
    for change in changes:
        for exhibit_id, exhibit in change.come:
            before = wanted.get(exhibit_id)
            if before is None or before.version <= exhibit.version:
                wanted[exhibit_id] = exhibit
        wanted.update(dict.fromkeys(change.go))
    held = _held(transaction, key, list(wanted))
    fresh = {
        exhibit_id: exhibit
        for exhibit_id, exhibit in wanted.items()
        if exhibit is None or exhibit_id not in held or held[exhibit_id].version <= exhibit.version
    }
    _forget(transaction, key, [exhibit_id for exhibit_id in fresh if exhibit_id in held])
    number = _last_number(transaction, key)
    for exhibit_id, copy in fresh.items():
        if copy is None:
            continue
        if exhibit_id not in held:
            number += 1
        copy.number = held[exhibit_id].number if exhibit_id in held else number
        _insert(transaction, key, exhibit_id, copy)
    note_copies(transaction, TABLES.texts, [key], {key})
    arrest = changes[0].arrest
    transaction.emit(NewEvent(payload=ExhibitsReceived(name=arrest), resource=arrest))


def _insert(transaction: Transaction, key: Key, exhibit_id: bytes, exhibit: Exhibit) -> None:
    record_id, agency = key
    place = {"record_id": record_id, "agency": agency, "id": exhibit_id}
    within = parse(exhibit.within).exhibit_id.bytes if exhibit.within else None
    transaction.insert(
        EXHIBITS.copies,
        {
            **place,
            "number": exhibit.number,
            "within_id": within,
            "version": exhibit.version,
            "content": exhibit.SerializeToString(),
        },
    )
    for row in search_rows(ARRESTS, list(exhibit.identifiers)):
        transaction.insert(EXHIBITS.copy_identifiers, {**place, **row})


def _is_held(transaction: Transaction, key: Key) -> bool:
    columns = TABLES.copies.c
    return transaction.first(select(columns.id).where(columns.id == key[0], columns.agency == key[1])) is not None


def _held(transaction: Transaction, key: Key, ids: Sequence[bytes]) -> dict[bytes, Row[Any]]:
    columns = EXHIBITS.copies.c
    found: dict[bytes, Row[Any]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        rows = transaction.execute(
            select(columns.id, columns.version, columns.number).where(
                columns.record_id == key[0],
                columns.agency == key[1],
                columns.id.in_(ids[start : start + _AT_ONCE]),
            )
        )
        found.update({bytes(row.id): row for row in rows})
    return found


def _last_number(transaction: Transaction, key: Key) -> int:
    columns = EXHIBITS.copies.c
    row = transaction.first(
        select(func.max(columns.number).label("last")).where(columns.record_id == key[0], columns.agency == key[1])
    )
    return 0 if row is None else row.last or 0


def _forget(transaction: Transaction, key: Key, ids: Sequence[bytes]) -> None:
    for table in (EXHIBITS.copies, EXHIBITS.copy_identifiers):
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            transaction.execute(
                table.delete().where(table.c.record_id == key[0], table.c.agency == key[1], table.c.id.in_(some))
            )
    if ids:
        transaction.scrub()


def _forget_all(transaction: Transaction, key: Key) -> None:
    for table in (EXHIBITS.copies, EXHIBITS.copy_identifiers):
        transaction.execute(table.delete().where(table.c.record_id == key[0], table.c.agency == key[1]))
    note_copies(transaction, TABLES.texts, [key], {key})
    transaction.scrub()
