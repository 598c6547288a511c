"""Keep, replace and remove copies of others' records: all that a batch of events says, at once.

Row by row this cost a node that catches up more than everything else it did. What stands in the
tables is asked once for a batch, and each table is written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.records.occurrences import search_rows
from renkei_chassis.records.texts.pending import note_copies
from renkei_chassis.records.times import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Delete, Select, Table

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.kind import Record, RecordKind

    Key = tuple[bytes, str]

# A statement names so many ids at most; databases take some thousands.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one event says of one record."""

    record_id: bytes
    agency: str
    """The originator."""
    name: str
    version: int
    copy: Record | None
    """The record as it was released, checked and stripped. None: nothing up to this version may be kept."""
    trace_parent: str = ""

    @property
    def key(self) -> Key:
        """Name the record in the tables."""
        return self.record_id, self.agency


class Copies:
    """The copies of one kind of record."""

    def __init__(self, kind: RecordKind) -> None:
        """Prepare the statements."""
        self._kind = kind
        tables = kind.tables
        self._versions = _versions(tables.copies)
        self._barred = _versions(tables.withdrawals)
        self._forget = [
            _delete(tables.copies, "id"),
            _delete(tables.copy_identifiers, "record_id"),
        ]
        self._unbar = _delete(tables.withdrawals, "id")

    def change(self, transaction: Transaction, change: Change) -> None:
        """Hand over what an event says. In effect it is as if each came after the one before it."""
        transaction.collect(self._settle, change)

    def _settle(self, transaction: Transaction, changes: Sequence[Change]) -> None:
        before = _read(transaction, self._versions, changes)
        barred = _read(transaction, self._barred, changes)
        held, bars = dict(before), dict(barred)
        last: dict[Key, Change] = {}
        for change in changes:
            if self._takes_effect(change, held, bars):
                last[change.key] = change
                self._tell(transaction, change)
        moved = {key: version for key, version in bars.items() if version != barred.get(key, 0)}
        _run(transaction, self._unbar, [key for key in moved if key in barred])
        for (record_id, agency), version in moved.items():
            row = {"id": record_id, "agency": agency, "version": version}
            transaction.insert(self._kind.tables.withdrawals, row)
        for delete in self._forget:
            _run(transaction, delete, [key for key in last if key in before])
        note_copies(transaction, self._kind.tables.texts, list(last), set(before))
        for change in last.values():
            if change.copy is not None:
                self._insert(transaction, change, change.copy)
        if any(change.copy is None and key in before for key, change in last.items()):
            transaction.scrub()

    def _takes_effect(self, change: Change, held: dict[Key, int], bars: dict[Key, int]) -> bool:
        """Move what is held and what is barred; tell whether a copy comes or goes by it."""
        key = change.key
        if change.copy is not None:
            if held.get(key, 0) > change.version or bars.get(key, 0) >= change.version:
                return False
            held[key] = change.version
            return True
        bars[key] = max(bars.get(key, 0), change.version)
        return 0 < held.get(key, 0) <= change.version and held.pop(key) > 0

    def _insert(self, transaction: Transaction, change: Change, copy: Record) -> None:
        kind = self._kind
        transaction.insert(
            kind.tables.copies,
            {
                "id": change.record_id,
                "agency": change.agency,
                "version": copy.version,
                "state": kind.state(copy),
                "category": kind.category(copy),
                kind.tables.reference: kind.reference(copy),
                "create_time_us": to_us(copy.create_time) if copy.HasField("create_time") else None,
                "content": copy.SerializeToString(),
            },
        )
        for row in search_rows(kind, [occurrence for _, occurrence in kind.occurrences(copy)]):
            identifier: dict[str, Any] = {"record_id": change.record_id, "agency": change.agency, **row}
            transaction.insert(kind.tables.copy_identifiers, identifier)

    def _tell(self, transaction: Transaction, change: Change) -> None:
        events, copy = self._kind.events, change.copy
        if copy is None:
            payload = events.removed(name=change.name)
        else:
            payload = events.received(name=change.name, version=copy.version, grade=copy.received_grade)
        transaction.emit(NewEvent(payload=payload, resource=change.name, trace_parent=change.trace_parent))


def _versions(table: Table) -> Select[tuple[bytes, str, int]]:
    columns = table.c
    return select(columns.id, columns.agency, columns.version).where(columns.id.in_(bindparam("ids", expanding=True)))


def _delete(table: Table, id_column: str) -> Delete:
    return table.delete().where(table.c[id_column] == bindparam("key_id"), table.c.agency == bindparam("key_agency"))


def _read(
    transaction: Transaction, statement: Select[tuple[bytes, str, int]], changes: Sequence[Change]
) -> Mapping[Key, int]:
    ids = list(dict.fromkeys(change.record_id for change in changes))
    found: dict[Key, int] = {}
    for first in range(0, len(ids), _AT_ONCE):
        rows = transaction.execute(statement.params(ids=ids[first : first + _AT_ONCE]))
        found.update({(row.id, row.agency): row.version for row in rows})
    return found


def _run(transaction: Transaction, statement: Delete, keys: Iterable[Key]) -> None:
    rows = [{"key_id": record_id, "key_agency": agency} for record_id, agency in keys]
    if rows:
        transaction.execute(statement, rows)
