"""Keep a database in a file: SQLite with a write-ahead log, each commit synced, one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from renkei_chassis.database import tables
from renkei_chassis.database.place import DatabaseInUseError, Shared
from renkei_chassis.database.rows import told_by_sqlalchemy
from renkei_chassis.database.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_BUSY_MILLISECONDS: Final = 5000
_BEGIN: Final = "BEGIN IMMEDIATE"
_SCRUB_MILLISECONDS: Final = 100  # a reader holds an old state for the length of one question
# FULL syncs each commit: NORMAL lost acknowledged rows in a power cut. secure_delete overwrites what is erased.
PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
)


class SqlitePlace:
    """A file. The lock beside it is dropped by the kernel, however the process ends."""

    readers = 2
    looks_in_place = True

    def __init__(self, path: Path, *, beside: bool = False) -> None:
        """Take the file, which is made where there is none. Raises DatabaseInUseError or SchemaError.

        `beside` opens what another process of the same service holds.
        """
        self.shared = Shared(where=path)
        self._lock: int | None = None
        if not beside:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path)
            try:
                _refuse_foreign(path)
            except BaseException:
                os.close(self._lock)
                raise
        self.writing = _engine(path, writer=True)
        self.reading = _engine(path, writer=False, connections=self.readers + 1)

    @property
    def handles(self) -> tuple[int, ...]:
        """Give the lock's descriptor."""
        return () if self._lock is None else (self._lock,)

    def claim(self, connection: Connection) -> None:
        """Nothing: nobody takes a file over whose lock we hold."""

    def stamp(self, connection: Connection) -> None:
        """Nothing, as above."""

    def committed(self) -> None:
        """Nothing, as above."""

    def is_committed(self, *, give_up: Callable[[], bool]) -> bool | None:
        """No: what SQLite could not commit is not there."""
        del give_up
        return False

    def scrub(self) -> bool:
        """Wipe what was deleted from the write-ahead log too; False where a reader is in the way."""
        connection = self.writing.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={_SCRUB_MILLISECONDS}")
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
            cursor.close()
        finally:
            connection.close()
        return not busy

    def close(self) -> None:
        """Close every connection and let the next process in."""
        self.reading.dispose()
        self.writing.dispose()
        if self._lock is not None:
            os.close(self._lock)


def _lock(path: Path) -> int:
    """Hold `<path>.lock` for as long as the process lives; the kernel drops it however that ends."""
    handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise DatabaseInUseError(f"{path} is in use by another process: stop that one first") from error
    return handle


def _refuse_foreign(path: Path) -> None:
    """Refuse what is no database of ours before anything in it is changed."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return
    with closing(sqlite3.connect(path)) as connection:
        try:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError as error:
            raise SchemaError(f"{path} cannot be read as a database: restore it from a backup") from error
    if names and tables.schema_versions.name not in names:
        raise SchemaError(f"{path} holds tables, but none of Renkei's: name another file in `data_directory`")


def _engine(path: Path, *, writer: bool, connections: int = 1) -> Engine:
    """Make an engine whose transactions begin when we say so, and whose writer takes the lock at once."""
    options: dict[str, Any] = {"poolclass": StaticPool} if writer else {"poolclass": QueuePool}
    if not writer:
        options["pool_size"] = connections
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own class)
        # The driver begins nothing of itself: a reader's statement is a transaction of its own, however long
        # the connection lives, and so holds no old state of the database.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        if not writer:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()
        if writer:
            with suppress(OSError):
                path.chmod(0o600)

    if writer:

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            try:
                connection.connection.cursor().execute(_BEGIN)  # SQLAlchemy's own way costs as much as some inserts
            except sqlite3.Error as error:
                raise told_by_sqlalchemy(error, _BEGIN) from error

    return engine
