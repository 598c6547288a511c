"""Tell a database that cannot store now from a statement that it will never take."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError

from renkei_chassis.database.place import DatabaseInUseError, TakenOverError

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
# Classes of SQLSTATE where the server, its disk, the account or the way to it is at fault: connection, read-only,
# rollback for a conflict, resources (a full disk), locks, an administrator's hand, the system, the server itself.
_THEIRS: Final = ("08", "25006", "28", "3D", "3F", "40", "42501", "53", "55", "57", "58", "XX")


def is_storage_failure(error: BaseException) -> bool:
    """Tell whether the database itself is at fault (full, locked, gone, unreadable), and not what was asked of it."""
    if isinstance(error, DatabaseInUseError | TakenOverError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state.startswith(_THEIRS)
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, OperationalError)
    return code & _PRIMARY not in _OURS


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection to a server is gone, so that a new one may help."""
    return isinstance(error, DBAPIError) and bool(getattr(error.orig, "lost", False))
