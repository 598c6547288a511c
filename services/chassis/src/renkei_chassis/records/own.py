"""Rows of own records: the current version, what it was before, and who marked it as deleted."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select

from renkei_chassis.database.prepared import Prepared
from renkei_chassis.records.texts.pending import note_changed, note_new
from renkei_chassis.records.times import set_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlalchemy import Connection, Row, Table

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.kind import Record, RecordKind
    from renkei_chassis.records.tables import Tables


def add(transaction: Transaction, kind: RecordKind, record_id: UUID, record: Record, create_time_us: int) -> bytes:
    """Store the first version; returns its bytes, serialised once for the table and the event."""
    content: bytes = record.SerializeToString()
    transaction.insert(
        kind.tables.records,
        {
            "id": record_id.bytes,
            "create_time_us": create_time_us,
            "delete_time_us": None,
            "purge_time_us": None,
            **_values(kind, record, content),
        },
    )
    note_new(transaction, kind.tables.texts, record_id.bytes)
    return content


def add_identifiers(transaction: Transaction, tables: Tables, record_id: UUID, rows: Iterable[dict[str, Any]]) -> None:
    """Store what a search looks into."""
    for row in rows:
        row["record_id"] = record_id.bytes
        transaction.insert(tables.identifiers, row)


def replace(
    transaction: Transaction, kind: RecordKind, before: Row[Any], record: Record, rows: Iterable[dict[str, Any]]
) -> bytes:
    """Store the next version in place of `before`, which is kept; returns the new version's bytes."""
    tables = kind.tables
    content: bytes = record.SerializeToString()
    transaction.insert(tables.versions, {"record_id": before.id, "version": before.version, "content": before.content})
    transaction.execute(
        tables.records.update()
        .where(tables.records.c.id == before.id)
        .values(**_values(kind, record, content), delete_time_us=None, purge_time_us=None)
    )
    transaction.execute(tables.identifiers.delete().where(tables.identifiers.c.record_id == before.id))
    for row in rows:
        row["record_id"] = before.id
        transaction.insert(tables.identifiers, row)
    note_changed(transaction, tables.texts, before.id)
    return content


def mark_deleted(
    transaction: Transaction, tables: Tables, row: Row[Any], *, purge_time_us: int, recorder: str, reason: str
) -> None:
    """Mark as deleted, and keep who did so and why."""
    times = {"delete_time_us": transaction.now_us, "purge_time_us": purge_time_us}
    transaction.insert(
        tables.deletions,
        {"record_id": row.id, "version": row.version, "recorder": recorder, "reason": reason, **times},
    )
    transaction.execute(tables.records.update().where(tables.records.c.id == row.id).values(**times))


def find(connection: Connection | Transaction, tables: Tables, record_id: UUID) -> Row[Any] | None:
    """Read a record's row as it is now."""
    return _by_id(tables.records).first(connection, id=record_id.bytes)


@cache
def _by_id(records: Table) -> Prepared:
    return Prepared(select(records).where(records.c.id == bindparam("id")))


def find_version(connection: Connection | Transaction, tables: Tables, record_id: UUID, version: int) -> bytes | None:
    """Read the bytes of one version, whether it is the current one or not."""
    row = find(connection, tables, record_id)
    if row is not None and row.version == version:
        return bytes(row.content)
    columns = tables.versions.c
    found = connection.execute(
        select(columns.content).where(and_(columns.record_id == record_id.bytes, columns.version == version))
    ).first()
    return None if found is None else bytes(found.content)


def find_deletion(
    connection: Connection | Transaction, tables: Tables, record_id: UUID, version: int
) -> Row[Any] | None:
    """Read who marked a version as deleted, and when."""
    columns = tables.deletions.c
    return connection.execute(
        select(tables.deletions).where(and_(columns.record_id == record_id.bytes, columns.version == version))
    ).first()


def read(kind: RecordKind, row: Row[Any]) -> Record:
    """Build the record of a row, with its mark where it has one."""
    record: Record = kind.message.FromString(row.content)
    mark(record, row)
    return record


def mark(record: Record, row: Row[Any]) -> None:
    """Set the times of deletion that stand in a row of records or of deletions."""
    if row.delete_time_us is not None:
        set_us(record.delete_time, row.delete_time_us)
        set_us(record.purge_time, row.purge_time_us)


def remove(transaction: Transaction, tables: Tables, record_id: bytes) -> None:
    """Delete everything of a record: every version, what searches look into, who deleted it why, what is beside it."""
    for table in (tables.identifiers, tables.versions, tables.deletions, *tables.beside):
        transaction.execute(table.delete().where(table.c.record_id == record_id))
    transaction.execute(tables.records.delete().where(tables.records.c.id == record_id))
    note_changed(transaction, tables.texts, record_id)


def _values(kind: RecordKind, record: Record, content: bytes) -> dict[str, Any]:
    return {
        "version": record.version,
        "state": kind.state(record),
        "category": kind.category(record),
        kind.tables.reference: kind.reference(record),
        "content": content,
    }
