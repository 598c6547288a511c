"""See one state of a database in several questions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_BEGIN: Final = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ"}


@contextmanager
def one_state(connection: Connection) -> Iterator[None]:
    """Let every question inside see what the first one saw, on a reader's connection, where each is alone otherwise.

    For a bounded time: what is deleted meanwhile stays in the files until the end.
    """
    connection.exec_driver_sql(_BEGIN[connection.dialect.name])
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.invalidate()  # whoever gets the connection next would see this state still
        raise
