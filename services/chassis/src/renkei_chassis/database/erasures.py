"""Know that something was erased, so that whatever holds a copy of it drops that: after a crash too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from renkei_chassis.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction

_KEY: Final = "erased"
_YES: Final = b"\x01"
_FOUND: Final = select(tables.facts.c.key).where(tables.facts.c.key == _KEY)


def note_erasure(transaction: Transaction) -> None:
    """Have what this request erases wiped from the files, and from messages that still wait at the nats-server."""
    transaction.scrub()
    transaction.erases = True
    if transaction.first(_FOUND) is None:
        transaction.execute(tables.facts.insert().values(key=_KEY, value=_YES))


def was_erased(connection: Connection) -> bool:
    """Tell whether anything was ever erased: a crash may have come before messages were wiped."""
    return connection.execute(_FOUND).first() is not None
