"""What is told of exhibits, and whom: always the agencies of their arrest's label, in events that a courier can carry.

| event | to whom | what our own services do |
|---|---|---|
| ExhibitsRecorded, ExhibitsRevised | the label's agencies | take the exhibits |
| ExhibitsReleased | who gets the arrest, or another grade of it; perhaps nobody | take them: they may have come back |
| ExhibitsWithdrawn | the label's agencies | drop them |

Where the arrest itself is withdrawn, deleted or purged, whoever holds its exhibits drops them without being told.
What stands in an address book alone is told in no event, not even here at home.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.arrests.v1.arrests_pb2 import Arrest
from renkei.arrests.v1.events_pb2 import ExhibitsRecorded, ExhibitsReleased, ExhibitsRevised, ExhibitsWithdrawn
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from renkei.identifiers.v1.identifiers_pb2 import RELATION_ADDRESS_BOOK
from sqlalchemy import select

from renkei_arrests.store import EXHIBITS, TABLES
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.records.audience import audience_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.audience import Audience

_EVENT_BYTES: Final = 128 * 1024  # with the largest exhibit on top, less than a pack of events
_IN_AN_EVENT: Final = 1000
# As many as one statement names or brings into memory.
_AT_ONCE: Final = 500


def is_told(exhibit: Exhibit) -> bool:
    """Say whether an exhibit may be told at all: bystanders in an address book are not."""
    return not exhibit.identifiers or any(one.relation != RELATION_ADDRESS_BOOK for one in exhibit.identifiers)


def recorded(transaction: Transaction, record_id: bytes, exhibit_id: bytes) -> None:
    """Have a new exhibit told when the batch is complete, together with the others of its arrest."""
    transaction.collect(_tell_recorded, (record_id, exhibit_id))


def revised(transaction: Transaction, arrest: Arrest, before: Exhibit, after: Exhibit) -> None:
    """Tell a new version, or that there is nothing left of it to tell."""
    if is_told(after):
        _tell(transaction, ExhibitsRevised, arrest.name, [after], audience_of(arrest.handling))
    elif is_told(before):
        withdrawn(transaction, arrest, [before.name])


def withdrawn(transaction: Transaction, arrest: Arrest, names: Sequence[str]) -> None:
    """Take exhibits back from everybody who may have them."""
    for start in range(0, len(names), _IN_AN_EVENT):
        payload = ExhibitsWithdrawn(name=arrest.name, exhibits=names[start : start + _IN_AN_EVENT])
        transaction.emit(NewEvent(payload=payload, resource=arrest.name, audience=audience_of(arrest.handling)))


def released(transaction: Transaction, record_id: bytes, arrest: Arrest, audience: Audience) -> None:
    """Tell every exhibit of an arrest again."""
    columns, after = EXHIBITS.exhibits.c, 0
    while True:
        rows = transaction.execute(
            select(EXHIBITS.exhibits)
            .where(columns.record_id == record_id, columns.number > after)
            .order_by(columns.number)
            .limit(_AT_ONCE)
        ).all()
        _tell(transaction, ExhibitsReleased, arrest.name, _worth_telling(rows), audience)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].number


def _tell_recorded(transaction: Transaction, new: Sequence[tuple[bytes, bytes]]) -> None:
    """Tell new exhibits as they and their arrest are at the end of the batch, in which both may have changed."""
    by_arrest: dict[bytes, list[bytes]] = {}
    for record_id, exhibit_id in new:
        by_arrest.setdefault(record_id, []).append(exhibit_id)
    for record_id, ids in by_arrest.items():
        records = TABLES.records.c
        row = transaction.first(select(records.content, records.delete_time_us).where(records.id == record_id))
        if row is None or row.delete_time_us is not None:
            continue  # told when it comes back
        arrest = Arrest.FromString(row.content)
        found = {bytes(row.id): row for row in _rows(transaction, ids)}
        exhibits = _worth_telling([found[exhibit_id] for exhibit_id in ids])
        _tell(transaction, ExhibitsRecorded, arrest.name, exhibits, audience_of(arrest.handling))


def _rows(transaction: Transaction, ids: Sequence[bytes]) -> Iterator[Row[tuple[object, ...]]]:
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        yield from transaction.execute(select(EXHIBITS.exhibits).where(EXHIBITS.exhibits.c.id.in_(some))).all()


def _worth_telling(rows: Iterable[Row[tuple[object, ...]]]) -> Iterator[Exhibit]:
    for row in rows:
        if row.delete_time_us is None and is_told(exhibit := Exhibit.FromString(row.content)):
            yield exhibit


def _tell(
    transaction: Transaction,
    event: type[ExhibitsRecorded | ExhibitsRevised | ExhibitsReleased],
    arrest: str,
    exhibits: Iterable[Exhibit],
    audience: Audience,
) -> None:
    for some in _chunks(exhibits):
        payload = event(name=arrest, exhibits=some)
        transaction.emit(NewEvent(payload=payload, resource=arrest, audience=audience))


def _chunks(exhibits: Iterable[Exhibit]) -> Iterator[list[Exhibit]]:
    chunk: list[Exhibit] = []
    size = 0
    for exhibit in exhibits:
        chunk.append(exhibit)
        size += exhibit.ByteSize()
        if size >= _EVENT_BYTES or len(chunk) == _IN_AN_EVENT:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
