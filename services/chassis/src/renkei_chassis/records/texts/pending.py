"""Note that a record came, changed or went, in the same transaction: the text index follows."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import LargeBinary, String, and_, bindparam, column, literal, select, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.texts.tables import TextTables

    Key = tuple[bytes, str]

OWN: Final = ""
_BITS: Final = 62
# A statement names so many ids at most; databases take some thousands.
_AT_ONCE: Final = 500


def note_new(transaction: Transaction, texts: TextTables, record_id: bytes) -> None:
    """Note an own record that was never there before. On the hot path: it reads nothing."""
    transaction.insert(texts.pending, _row((record_id, OWN), again=0))


def note_changed(transaction: Transaction, texts: TextTables, record_id: bytes) -> None:
    """Note an own record that is another now, or gone."""
    columns = texts.pending.c
    transaction.execute(texts.pending.delete().where(and_(columns.id == record_id, columns.agency == OWN)))
    transaction.insert(texts.pending, _row((record_id, OWN), again=1))


def note_copies(transaction: Transaction, texts: TextTables, keys: Sequence[Key], known: set[Key]) -> None:
    """Note copies that came, or changed or went: those that are `known`, or pending already."""
    columns = texts.pending.c
    asked = select(columns.id, columns.agency).where(columns.id.in_(bindparam("ids", expanding=True)))
    waiting: set[Key] = set()
    for first in range(0, len(keys), _AT_ONCE):
        ids = [record_id for record_id, _ in keys[first : first + _AT_ONCE]]
        rows = transaction.execute(asked.params(ids=ids))
        waiting |= {(bytes(row.id), row.agency) for row in rows}
    again = [{"key_id": key[0], "key_agency": key[1]} for key in keys if key in waiting]
    if again:
        mine = and_(columns.id == bindparam("key_id"), columns.agency == bindparam("key_agency"))
        transaction.execute(texts.pending.delete().where(mine), again)
    for key in keys:
        transaction.insert(texts.pending, _row(key, again=int(key in known or key in waiting)))


def index_anew(connection: Connection, word: str, texts: TextTables) -> None:
    """Make the tables empty, whatever was in them, and note every record; for a step of a migration."""
    for made in (texts.pending, texts.blocks, texts.members, texts.postings):
        made.drop(connection, checkfirst=True)
        made.create(connection)
    for name, agency in ((word, literal(OWN)), (f"{word}_copy", column("agency", String))):
        columns: list[Any] = [column("id", LargeBinary), agency, literal(0), literal(0)]
        rows = select(*columns).select_from(table(name))
        connection.execute(texts.pending.insert().from_select(["id", "agency", "again", "mark"], rows))


def _row(key: Key, *, again: int) -> dict[str, Any]:
    return {"id": key[0], "agency": key[1], "again": again, "mark": secrets.randbits(_BITS)}
