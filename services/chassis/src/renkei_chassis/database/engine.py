"""Open a service's database: one owner, one process, one writer, many readers."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import create_engine, event, select
from sqlalchemy.pool import QueuePool, StaticPool

from renkei_chassis.database import tables
from renkei_chassis.database.schema import CHASSIS, Schema, SchemaError, migrate
from renkei_chassis.errors import RenkeiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

READERS: Final = 2  # threads for what may take long: searches, lists, log reads
_BUSY_MILLISECONDS: Final = 5000
_SCRUB_MILLISECONDS: Final = 100  # a reader holds an old state for the length of one question
# FULL syncs each commit: NORMAL lost acknowledged rows in a power cut. secure_delete overwrites what is erased.
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-16384",
)


class DatabaseInUseError(Exception):
    """Another process has the database open."""


class WrongOwnerError(Exception):
    """The database belongs to another agency or another service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose database it is: `agencies/jp-12` and `tips`."""

    agency: str
    service: str


class Database:
    """A service's database, open and migrated.

    `look` reads a bounded few rows by key on the caller's thread: cheaper than a hop to another
    one. `read` runs anything longer on a reader's thread. Only the writer writes.
    """

    def __init__(self, *, writing: Engine, reading: Engine, lock: int | None, facts: dict[str, bytes]) -> None:
        """Use `Database.open`."""
        self.writing = writing
        self._reading = reading
        self._lock = lock
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._looking: Connection | None = None
        self.epoch = facts["epoch"].decode()
        self.secret = facts["secret"]

    @classmethod
    def open(cls, path: Path, *, owner: Owner, schema: Schema) -> Database:
        """Open, create or migrate. Raises DatabaseInUseError, WrongOwnerError or SchemaError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        try:
            _refuse_foreign(path)
            writing = _engine(path, writer=True)
            try:
                with writing.begin() as connection:
                    migrate(connection, [CHASSIS])
                    facts = _facts(connection, owner)
                    migrate(connection, [schema])
            except BaseException:
                writing.dispose()
                raise
        except BaseException:
            os.close(lock)
            raise
        return cls(writing=writing, reading=_engine(path, writer=False), lock=lock, facts=facts)

    @classmethod
    def beside(cls, path: Path, *, owner: Owner) -> Database:
        """Open what another process of the same service has open and migrated; who writes is between the two.

        That process hands on `handles`, so that the database stays locked until both are gone.
        """
        writing = _engine(path, writer=True)
        with writing.connect() as connection:
            facts = _facts(connection, owner)
            connection.rollback()
        return cls(writing=writing, reading=_engine(path, writer=False), lock=None, facts=facts)

    @property
    def handles(self) -> tuple[int, ...]:
        """The file descriptors that hold the database locked as long as any process has them open."""
        return () if self._lock is None else (self._lock,)

    def look(self, question: Callable[[Connection], T]) -> T:
        """Read a few rows by key, here and now. Only for reads whose size is bounded and small."""
        if self._looking is None:
            self._looking = self._reading.connect()
        try:
            return question(self._looking)
        except RenkeiError:
            raise
        except BaseException:
            # The exception may keep a half-read result alive, and with it an old state of the whole database.
            self._looking.invalidate()
            self._looking.close()
            self._looking = None
            raise

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Read anything on a reader's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with self._reading.connect() as connection:
            try:
                return question(connection)
            except RenkeiError:
                raise
            except BaseException:
                connection.invalidate()  # as above
                raise

    def scrub(self) -> bool:
        """Wipe what was deleted from the write-ahead log too; False where a reader is in the way. For the writer."""
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
        self._threads.shutdown(wait=True)
        if self._looking is not None:
            self._looking.close()
        self._reading.dispose()
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


def _engine(path: Path, *, writer: bool) -> Engine:
    """Make an engine whose transactions begin when we say so, and whose writer takes the lock at once."""
    options: dict[str, Any] = (
        {"poolclass": StaticPool} if writer else {"poolclass": QueuePool, "pool_size": READERS + 1}
    )
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own class)
        # The driver begins nothing of itself: a reader's statement is a transaction of its own, however long
        # the connection lives, and so holds no old state of the database.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
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
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _facts(connection: Connection, owner: Owner) -> dict[str, bytes]:
    """Read whose database this is, or write it into a new one."""
    found = {row.key: bytes(row.value) for row in connection.execute(select(tables.facts))}
    if not found:
        found = {
            "agency": owner.agency.encode(),
            "service": owner.service.encode(),
            "epoch": str(uuid.uuid4()).encode(),
            "secret": secrets.token_bytes(32),
        }
        connection.execute(tables.facts.insert(), [{"key": key, "value": value} for key, value in found.items()])
    for key, expected in (("agency", owner.agency), ("service", owner.service)):
        if key not in found:
            raise SchemaError(f"the database does not say its {key}: restore it from a backup")
        if found[key] != expected.encode():
            raise WrongOwnerError(
                f"the database belongs to {found['agency'].decode()} ({found['service'].decode()}), "
                f"not to {owner.agency} ({owner.service}): check `data_directory`"
            )
    return found
