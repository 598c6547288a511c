"""Hold a database of a PostgreSQL server: one writer, known by a lock and a mark, and what became of a lost COMMIT.

The writer's own session holds an advisory lock, so whoever commits holds it; and every commit group moves a mark
forward, within a range that belongs to this opening of the database alone. A session that is lost is replaced by one
that has the lock again and finds the mark in that range, no further back than it was left: then nobody else has
written and nothing is missing, and the mark says whether the last group is in.
"""

from __future__ import annotations

import logging
import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from renkei_chassis.database import tables
from renkei_chassis.database.place import DatabaseInUseError, DatabaseUnreachableError, Shared, TakenOverError
from renkei_chassis.database.postgresql import dialect, driver
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

    from renkei_chassis.database.place import Owner
    from renkei_chassis.database.postgresql.url import PostgresUrl

WAIT_SECONDS: Final = 20.0
"""How long one answer of the server may take. A session that takes longer is given up."""
_LOCK_SECONDS: Final = 3.0  # a process that was killed leaves its session behind for a moment
_POLL_SECONDS: Final = 0.05
_AGAIN_SECONDS: Final = 0.2
_MARK: Final = "writer"
_HALF: Final = 8  # bytes: which opening of the database, and how far it has come
# A number of our own, and which of the database's schemas is meant.
_LOCK: Final = "SELECT pg_catalog.pg_try_advisory_lock(1919249003, pg_catalog.hashtext(current_schema()))"
_END_SESSION: Final = (
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND backend_start = $2"
)
_SESSION: Final = "SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
# So that the server notices within seconds that we are gone, and so that a commit is on its disk when it says so.
_SETTINGS: Final = {
    "client_min_messages": "error",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "lock_timeout": "10s",
}
_TABLES: Final = (
    "SELECT pg_catalog.string_agg(pg_catalog.quote_ident(tablename), ', ') "
    "FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
)
_VACUUM_SECONDS: Final = 600.0
_LOG: Final = logging.getLogger("renkei.database")


class PostgresPlace:
    """A database of a server."""

    readers = 4
    looks_in_place = False

    handles: tuple[int, ...] = ()

    def __init__(self, url: PostgresUrl, owner: Owner, *, opening: bytes = b"") -> None:
        """Connect and hold it. Raises DatabaseUnreachableError or DatabaseInUseError.

        With the `opening` of another process of the same service that one holds it, and both move the mark.
        """
        self._url = url
        self._name = f"renkei {owner.service}"
        self._session: tuple[int, object] | None = None
        self._holds = not opening
        self._opening = opening or secrets.token_bytes(_HALF)
        # Where the last group that is known to be committed left the mark; empty before the claim.
        self._mark = opening + bytes(_HALF) if opening else b""
        self._next = self._mark
        self._scrubber = ThreadPoolExecutor(1, thread_name_prefix="vacuum")
        self._scrubbing: Future[None] | None = None
        self.writing: Engine = create_engine(
            f"{dialect.NAME}://", creator=self._connect_writer, poolclass=StaticPool, hide_parameters=True
        )
        self.reading: Engine = create_engine(
            f"{dialect.NAME}://",
            creator=self._connect_reader,
            poolclass=QueuePool,
            pool_size=2 * self.readers,
            hide_parameters=True,
        )
        try:
            with self.writing.connect():
                pass
        except DBAPIError as error:
            self.close()
            raise DatabaseUnreachableError(f"{url} cannot be used: {error.orig}; check `database`") from None
        except BaseException:
            self.close()
            raise

    @property
    def shared(self) -> Shared:
        """What another process of the same service needs to open it beside this one."""
        return Shared(where=self._url, opening=self._opening)

    def claim(self, connection: Connection) -> None:
        """Note in the database, at the end of the transaction that opens it, that this process writes now."""
        _session_of(connection).timeout = WAIT_SECONDS
        self._next = self._opening + bytes(_HALF)
        found = connection.execute(tables.facts.update().where(tables.facts.c.key == _MARK).values(value=self._next))
        if not found.rowcount:
            connection.execute(tables.facts.insert(), {"key": _MARK, "value": self._next})
        self._mark = self._next

    def stamp(self, connection: Connection) -> None:
        """Mark a commit group as this process's. Raises TakenOverError where another one has written."""
        self._next = self._opening + time.monotonic_ns().to_bytes(_HALF, "big")
        moved = connection.execute(_MOVE, {"before": self._mark, "after": self._next})
        if moved.rowcount != 1:
            raise self._taken_over()

    def committed(self) -> None:
        """Take note that the group which was stamped last is in."""
        self._mark = self._next

    def is_committed(self, *, give_up: Callable[[], bool]) -> bool | None:
        """Tell whether the group is committed whose COMMIT got no answer. Waits for the server as long as it takes."""
        expected, told = self._next, False
        while True:
            try:
                with self.writing.connect() as connection:
                    self._compare_marks(_session_of(connection))
            except TakenOverError:
                return None
            except (DBAPIError, driver.Error, DatabaseInUseError) as error:
                if not told:
                    log_event(_LOG, "the outcome of a commit is not known yet", level=logging.WARNING, error=error)
                told = True
            else:
                return self._mark == expected
            if give_up():
                return None
            time.sleep(_AGAIN_SECONDS)

    def scrub(self) -> bool:
        """Remove dead rows, beside the writes. Their bytes stay in free space and in the server's log for a while."""
        if self._scrubbing is not None and not self._scrubbing.done():
            return False
        self._scrubbing = self._scrubber.submit(self._vacuum)
        return True

    def _vacuum(self) -> None:
        connection = self._connect_reader(timeout=_VACUUM_SECONDS, read_only="off")
        try:
            names: str = connection.first(_TABLES)
            connection.fetch(f"VACUUM (INDEX_CLEANUP ON, SKIP_LOCKED) {names}", ())
        except driver.Error as error:
            log_event(_LOG, "what was erased could not be vacuumed", level=logging.ERROR, error=error)
        finally:
            connection.close()

    def close(self) -> None:
        """Close every connection and let the next process in."""
        self._scrubber.shutdown(wait=True)
        self.reading.dispose()
        self.writing.dispose()

    def _connect_reader(self, *, timeout: float | None = None, read_only: str = "on") -> driver.Connection:
        name = f"{self._name} reader"
        settings = {**_SETTINGS, "application_name": name, "default_transaction_read_only": read_only}
        return driver.connect(self._url.dsn, autocommit=True, timeout=timeout or WAIT_SECONDS, settings=settings)

    def _connect_writer(self) -> driver.Connection:
        settings = {**_SETTINGS, "application_name": f"{self._name} writer", "synchronous_commit": "on"}
        connection = driver.connect(self._url.dsn, autocommit=False, timeout=WAIT_SECONDS, settings=settings)
        if not self._mark:
            connection.timeout = None  # a migration takes its time
        try:
            if self._holds:
                self._take_lock(connection)
            self._compare_marks(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _take_lock(self, connection: driver.Connection) -> None:
        """Hold the lock for as long as the session lives. A session of our own that is in the way is ended."""
        if self._session is not None:
            connection.first(_END_SESSION, *self._session)
        deadline = time.monotonic() + _LOCK_SECONDS
        while not (held := connection.first(_LOCK)):
            if held is None:
                raise driver.OperationalError(
                    "the account's search_path names no schema that is there", sqlstate="3F000"
                )
            if time.monotonic() > deadline:
                raise DatabaseInUseError(f"{self._url} is in use by another process: stop that one first")
            time.sleep(_POLL_SECONDS)
        self._session = connection.server_process, connection.first(_SESSION)

    def _compare_marks(self, connection: driver.Connection) -> None:
        if not self._mark:
            return
        found = connection.first(f"SELECT value FROM {tables.facts.name} WHERE key = $1", _MARK)  # noqa: S608
        if found == self._next:
            self._mark = self._next
        elif found is None or not self._mark <= found < self._opening + b"\xff" * _HALF:
            raise self._taken_over()

    def _taken_over(self) -> TakenOverError:
        return TakenOverError(f"another process has written to {self._url}: this one must be started again")


def _session_of(connection: Connection) -> driver.Connection:
    session: Any = connection.connection.dbapi_connection
    found: driver.Connection = session
    return found


_MOVE: Final = (
    tables.facts.update()
    .where(tables.facts.c.key == _MARK, tables.facts.c.value.between(bindparam("before"), bindparam("after")))
    .values(value=bindparam("after"))
)
