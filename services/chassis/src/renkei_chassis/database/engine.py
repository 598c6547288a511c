"""Open a service's database: one owner, one process, one writer, many readers."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import create_engine, event, select
from sqlalchemy.pool import QueuePool, StaticPool

from renkei_chassis.database import tables
from renkei_chassis.database.schema import CHASSIS, Schema, SchemaError, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

READERS: Final = 2  # threads for what may take long: searches, lists, log reads
# FULL syncs each commit: NORMAL lost acknowledged rows in a power cut. secure_delete overwrites what is erased.
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA busy_timeout=5000",
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

    def __init__(self, *, writing: Engine, reading: Engine, lock: int, facts: dict[str, bytes]) -> None:
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
            writing = _engine(path, writer=True)
            with writing.begin() as connection:
                migrate(connection, [CHASSIS, schema])
                facts = _facts(connection, owner)
        except BaseException:
            os.close(lock)
            raise
        return cls(writing=writing, reading=_engine(path, writer=False), lock=lock, facts=facts)

    def look(self, question: Callable[[Connection], T]) -> T:
        """Read a few rows by key, here and now. Only for reads whose size is bounded and small."""
        if self._looking is None:
            self._looking = self._reading.connect()
        return question(self._looking)

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Read anything on a reader's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with self._reading.connect() as connection:
            return question(connection)

    def close(self) -> None:
        """Close every connection and let the next process in."""
        self._threads.shutdown(wait=True)
        if self._looking is not None:
            self._looking.close()
        self._reading.dispose()
        self.writing.dispose()
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


def _engine(path: Path, *, writer: bool) -> Engine:
    """Make an engine whose transactions begin when we say so, and whose writer takes the lock at once."""
    options: dict[str, Any] = {"poolclass": StaticPool} if writer else {"poolclass": QueuePool, "pool_size": READERS + 1}
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, **options)
    if not writer:
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own class)
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
