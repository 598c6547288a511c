"""What our driver raises (PEP 249), made from what asyncpg raises: without a value of any row in its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Mapping

# Classes of SQLSTATE whose message speaks of server, account or disk, and of no row.
_TOLD: Final = ("08", "25006", "28", "3D", "42501", "53", "55", "57", "58", "XX", "F0")


class Error(Exception):
    """What the server or the way to it refuses; `sqlstate` says what, and `lost` that the connection is gone."""

    def __init__(self, text: str, *, sqlstate: str = "", lost: bool = False) -> None:
        """Take what may be told to people: a row's values are not among it."""
        super().__init__(text)
        self.sqlstate = sqlstate
        self.lost = lost


class Warning(Exception):  # noqa: A001, N818 (PEP 249's name)
    """Never raised."""


class InterfaceError(Error):
    """The driver was used wrongly."""


class DatabaseError(Error):
    """The server refused."""


class DataError(DatabaseError):
    """A value fits no column."""


class OperationalError(DatabaseError):
    """The server or the way to it is at fault."""


class IntegrityError(DatabaseError):
    """A row broke a rule of the tables."""


class InternalError(DatabaseError):
    """The server is at fault with itself."""


class ProgrammingError(DatabaseError):
    """The statement is wrong."""


class NotSupportedError(DatabaseError):
    """The server does not know how."""


_BY_CLASS: Final[Mapping[str, type[DatabaseError]]] = {
    "0A": NotSupportedError,
    "22": DataError,
    "23": IntegrityError,
    "42": ProgrammingError,
    "XX": InternalError,
}


def translated(error: Exception, *, lost: bool) -> Exception:
    """Say what happened in our own words: messages of asyncpg and of the server may repeat a row's values.

    What is neither the server's nor the driver's comes back as it is.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _of_server(error, lost=lost)
    if isinstance(error, asyncpg.DataError | ValueError | OverflowError | TypeError):
        return DataError("a value does not fit its column", sqlstate="22000")
    if isinstance(error, OSError):
        text = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
        return OperationalError(text, sqlstate="08006", lost=True)
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        if lost:
            return OperationalError("the connection was lost", sqlstate="08006", lost=True)
        return InterfaceError(type(error).__name__)
    return error


def _of_server(error: Any, *, lost: bool) -> DatabaseError:  # noqa: ANN401 (asyncpg has no types)
    sqlstate: str = error.sqlstate or ""
    text = type(error).__name__
    if sqlstate.startswith(_TOLD):
        text = str(error.args[0]) if error.args else text
    elif place := getattr(error, "constraint_name", None) or getattr(error, "column_name", None):
        text = f"{text} ({place})"
    lost = lost or sqlstate.startswith(("08", "57P"))
    return _BY_CLASS.get(sqlstate[:2], OperationalError)(text, sqlstate=sqlstate, lost=lost)
