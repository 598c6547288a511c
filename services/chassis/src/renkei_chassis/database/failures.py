"""Tell a database that cannot store now from a statement that it will never take."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

# SQLite files some mistakes of ours under OperationalError too: a missing table, a function's argument, too many
# variables. Trying those again later helps nobody, and would fail every other request of the group each time.
_OURS: Final = frozenset(
    [
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    ]
)
_PRIMARY: Final = 0xFF  # an extended code carries its primary one in the lowest byte


def is_storage_failure(error: BaseException) -> bool:
    """Tell whether the database itself is at fault (full, locked, unreadable), and not what was asked of it."""
    if not isinstance(error, DBAPIError):
        return False
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, OperationalError)
    return code & _PRIMARY not in _OURS
