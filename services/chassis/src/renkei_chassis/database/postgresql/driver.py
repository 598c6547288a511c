"""A plain synchronous driver (PEP 249) over asyncpg: each connection has an event loop of its own, run call by call.

A connection belongs to one thread at a time, and to none that runs a loop: waiting there would block it. asyncpg
because it is licensed as we are and reads and writes rows in binary form; see decision 0018.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg

from renkei_chassis.database.postgresql.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 (PEP 249's name)
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence

__all__ = [
    "VERSION",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]

T = TypeVar("T")

apilevel: Final = "2.0"
threadsafety: Final = 1
paramstyle: Final = "numeric_dollar"
VERSION: Final = tuple(int(part) for part in asyncpg.__version__.split(".")[:2])

_STATEMENTS: Final = 256  # prepared and kept, per connection
_STREAMED: Final = 32  # rows fetched at a time where a result is read row by row
_COUNT: Final = re.compile(r"(?:SELECT|UPDATE|DELETE|INSERT \d+) (\d+)$")
# Sent as they are: there is nothing to prepare in them.
_PLAIN: Final = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
_DEFINING: Final = ("CREATE", "ALTER", "DROP")


def connect(dsn: str, *, autocommit: bool, timeout: float, settings: Mapping[str, str]) -> Connection:
    """Connect. `timeout` bounds each wait for the server; `settings` are the session's. Raises OperationalError."""
    loop = asyncio.new_event_loop()
    try:
        raw = loop.run_until_complete(asyncpg.connect(dsn, timeout=timeout, server_settings=dict(settings)))
    except BaseException as error:
        loop.close()
        if isinstance(error, Exception):
            raise translated(error, lost=True) from None
        raise
    return Connection(raw, loop, autocommit=autocommit, timeout=timeout)


class Connection:
    """One session of the server. A transaction begins with its first statement, or not at all (`autocommit`)."""

    def __init__(
        self,
        raw: Any,  # noqa: ANN401 (asyncpg has no types of its own)
        loop: asyncio.AbstractEventLoop,
        *,
        autocommit: bool,
        timeout: float | None,
    ) -> None:
        """Use `connect`."""
        self._raw = raw
        self._loop = loop
        self._begun = False
        self._streams: set[Cursor] = set()  # results that are read piece by piece now
        self._statements: dict[str, Any] = {}
        self.autocommit = autocommit
        self.timeout = timeout

    @property
    def closed(self) -> bool:
        """Tell whether the session is over, by whomever."""
        return bool(self._loop.is_closed() or self._raw.is_closed())

    @property
    def server_process(self) -> int:
        """The process id of the session at the server."""
        return int(self._raw.get_server_pid())

    def cursor(self, *, server_side: bool = False) -> Cursor:
        """Make a cursor; a server-side one fetches its rows as they are asked for."""
        return StreamCursor(self) if server_side else Cursor(self)

    def begin(self) -> None:
        """Begin a transaction unless there is one."""
        if not self._begun:
            self.run(self._raw.execute("BEGIN", timeout=self.timeout))
            self._begun = True

    def commit(self) -> None:
        """Commit what was begun."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Take back what was begun."""
        self._end("ROLLBACK")

    def close(self) -> None:
        """Say goodbye and close."""
        if not self._loop.is_closed():
            try:
                if not self._raw.is_closed():
                    self._loop.run_until_complete(self._raw.close(timeout=2))
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._raw.terminate()
            self._close_loop()

    def terminate(self) -> None:
        """Close without a word."""
        if not self._loop.is_closed():
            self._raw.terminate()
            self._close_loop()

    def first(self, sql: str, *parameters: object) -> Any:  # noqa: ANN401 (whatever the column holds)
        """Ask for one value, outside of SQLAlchemy and of any transaction."""
        return self.run(self._raw.fetchval(sql, *parameters, timeout=self.timeout))

    def fetch(self, sql: str, parameters: Sequence[object]) -> tuple[Sequence[Any], Sequence[Any], str]:
        """Run one statement; returns the columns, the rows, and the server's last word."""
        if not self.autocommit:
            self.begin()
        if sql.startswith(_PLAIN):
            return (), (), self.run(self._raw.execute(sql, timeout=self.timeout))
        return self.run(self._fetch(sql, parameters))

    def fetch_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for many rows."""
        if not self.autocommit:
            self.begin()
        self.run(self._raw.executemany(sql, rows, timeout=self.timeout))

    def open_stream(self, cursor: Cursor, sql: str, parameters: Sequence[object]) -> tuple[Sequence[Any], Any]:
        """Begin a result that is fetched piece by piece. Several share the transaction that this needs."""
        self.begin()
        self._streams.add(cursor)
        return self.run(self._open_cursor(sql, parameters))

    def close_stream(self, cursor: Cursor) -> None:
        """End such a result; one whose transaction is over is over already."""
        if cursor in self._streams:
            self._streams.remove(cursor)
            if self.autocommit and not self._streams:
                self.rollback()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the server. After a time-out nobody knows what it does: the session is given up."""
        if self._loop.is_closed():
            work.close()
            raise OperationalError("the connection is closed", sqlstate="08003", lost=True)
        try:
            return self._loop.run_until_complete(work)
        except Exception as error:  # noqa: BLE001 (raised again, in our own words)
            if isinstance(error, OSError):  # TimeoutError among them
                self._raw.terminate()
            raise translated(error, lost=self._raw.is_closed()) from None

    async def _fetch(self, sql: str, parameters: Sequence[object]) -> tuple[Sequence[Any], Sequence[Any], str]:
        statement, columns = await self._prepare(sql)
        rows = await statement.fetch(*parameters, timeout=self.timeout)
        if sql.startswith(_DEFINING):
            # What was prepared before may speak of tables that are not so any more.
            self._statements.clear()
            await self._raw.reload_schema_state()
        return columns, rows, statement.get_statusmsg() or ""

    async def _open_cursor(self, sql: str, parameters: Sequence[object]) -> tuple[Sequence[Any], Any]:
        statement, columns = await self._prepare(sql)
        return columns, await statement.cursor(*parameters, timeout=self.timeout)

    async def _prepare(self, sql: str) -> tuple[Any, Sequence[Any]]:
        found: tuple[Any, Sequence[Any]] | None = self._statements.pop(sql, None)
        if found is None:
            statement = await self._raw.prepare(sql, timeout=self.timeout)
            found = statement, statement.get_attributes()
            if len(self._statements) >= _STATEMENTS:
                del self._statements[next(iter(self._statements))]  # the one that was used longest ago
        self._statements[sql] = found
        return found

    def _end(self, word: str) -> None:
        self._streams.clear()
        if not self._begun:
            return
        self._begun = False
        if word == "ROLLBACK" and self.closed:
            return  # the server did it
        self.run(self._raw.execute(word, timeout=self.timeout))

    def _close_loop(self) -> None:
        self._loop.run_until_complete(asyncio.sleep(0))  # lets the transport see its end
        self._loop.close()


class Cursor:
    """What SQLAlchemy runs a statement by."""

    def __init__(self, connection: Connection) -> None:
        """Use `Connection.cursor`."""
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: Sequence[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.arraysize = 1

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Run a statement and take all its rows."""
        columns, rows, word = self._connection.fetch(sql, parameters or ())
        self._describe(columns)
        self._rows = deque(rows)
        count = _COUNT.match(word)
        self.rowcount = int(count[1]) if count else -1

    def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement for many rows; how many were touched is not told."""
        self.description = None
        self.rowcount = -1
        self._connection.fetch_many(sql, rows)

    def fetchone(self) -> Any:  # noqa: ANN401 (a row of the driver)
        """Give the next row."""
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give some rows."""
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()

    def setinputsizes(self, *sizes: object) -> None:
        """PEP 249 wants it; asyncpg asks the server."""

    def _describe(self, columns: Sequence[Any]) -> None:
        self.description = [(each.name, each.type.oid, None, None, None, None, None) for each in columns] or None


class StreamCursor(Cursor):
    """Reads a long result row by row, so that whoever stops early never held the rest of it."""

    _portal: Any = None

    def execute(self, sql: str, parameters: Sequence[object] | None = None) -> None:
        """Begin the result."""
        columns, self._portal = self._connection.open_stream(self, sql, parameters or ())
        self._describe(columns)

    def fetchone(self) -> Any:  # noqa: ANN401 (a row of the driver)
        """Give the next row."""
        if not self._rows and self._portal is not None:
            rows = self._connection.run(self._portal.fetch(_STREAMED, timeout=self._connection.timeout))
            if len(rows) < _STREAMED:
                self._portal = None
            self._rows.extend(rows)
        return super().fetchone()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give some rows."""
        return [row for _, row in zip(range(size or self.arraysize), self._all(), strict=False)]

    def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        return list(self._all())

    def close(self) -> None:
        """Let go of the result."""
        super().close()
        self._portal = None
        self._connection.close_stream(self)

    def _all(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row
