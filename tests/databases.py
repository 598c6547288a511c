"""Run a test on either kind of database: what asks for a file gets one, or a database of a PostgreSQL server.

A test or fixture that opens a store asks for the fixture `kind`, and takes its places from `place` and `places`.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from renkei_chassis.database.postgresql.url import PostgresUrl

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
KINDS: Final = (SQLITE, POSTGRESQL)
# Everything of the store, the log, the follower and the writer, and one set of tests of each whole service; single
# tests of other modules are marked `on_both`.
_ON_BOTH: Final = (
    "chassis/database",
    "chassis/follower",
    "chassis/log",
    "chassis/test_service.py",
    "arrests/test_chains.py",
    "arrests/test_clock_board.py",
    "arrests/test_clock_warnings.py",
    "arrests/test_custody_facts.py",
    "arrests/test_exhibits.py",
    "arrests/test_money.py",
    "arrests/test_part_search.py",
    "arrests/test_purge_reviews.py",
    "arrests/test_recording.py",
    "arrests/test_sealed.py",
    "exchange/test_inbound.py",
    "exchange/test_store.py",
    "exchange/test_two_exchanges.py",
    "leads/test_bad_events.py",
    "leads/test_follow_up.py",
    "leads/test_killed.py",
    "leads/test_service.py",
    "leads/test_sharing.py",
    "node/demo",
    "node/doctor",
    "node/files/test_importing.py",
    "node/files/test_resuming.py",
    "personas/test_crashes.py",
    "personas/test_later_records.py",
    "personas/test_life.py",
    "personas/test_reading.py",
    "tips/test_opinions.py",
    "tips/test_pages.py",
    "tips/test_part_search.py",
    "tips/test_purging.py",
    "tips/test_recording.py",
    "tips/test_text_search.py",
)
_TESTS: Final = Path(__file__).parent
_RESET: Final = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"


@dataclass(slots=True, kw_only=True)
class _Server:
    """The one server of a test session, and the databases that no test uses now."""

    server: PostgresServer
    free: list[str] = field(default_factory=list)
    made: int = 0

    def take(self) -> str:
        if self.free:
            return self.free.pop()
        self.made += 1
        name = f"test{self.made}"
        self.server.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def give_back(self, name: str) -> None:
        self.server.run(_RESET, database=name)
        self.free.append(name)


@dataclass(slots=True, kw_only=True)
class _Test:
    """The databases of one test, by the file that it would have."""

    kind: str
    names: dict[Path, str] = field(default_factory=dict)


_server: _Server | None = None
_test: _Test | None = None


def add_options(parser: pytest.Parser) -> None:
    """Let the tests of stores run on more kinds of database than usual, or on one only."""
    parser.addoption(
        "--database",
        choices=["usual", "both", *KINDS],
        default="usual",
        help="the databases that tests run on; usual: SQLite, and where it matters most PostgreSQL too",
    )


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for."""
    wanted = config.getoption("--database")
    out = [item for item in items if not _is_wanted(item, wanted)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]


def _is_wanted(item: pytest.Item, wanted: str) -> bool:
    kind = _kind_of(item) if hasattr(item, "callspec") else None
    if kind is None or wanted == "both":
        return True
    if wanted == "usual":
        asks = item.get_closest_marker("on_both") is not None
        return kind == SQLITE or asks or any(item.path.is_relative_to(_TESTS / part) for part in _ON_BOTH)
    return kind == wanted


def _kind_of(item: pytest.Item) -> str | None:
    found: object = item.callspec.params.get("kind")  # type: ignore[attr-defined]  # a parametrised test has it
    # Other tests have kinds too, of identifiers, say; they are not to be left out with databases.
    return found if isinstance(found, str) and found in KINDS else None


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kind of database that the test runs on."""
    global _test  # noqa: PLW0603 (one test at a time, and what it opens lies deep)
    _test = _Test(kind=request.param)
    yield request.param
    for name in _test.names.values():
        server().give_back(name)
    _test = None


def outside_a_test(kind: str) -> None:
    """Let a program that is no test, and ends with what it did, take its places from here."""
    global _test  # noqa: PLW0603 (as above)
    _test = _Test(kind=kind)


def on(kind: str) -> pytest.MarkDecorator:
    """Mark a test that speaks of one kind of database alone."""
    return pytest.mark.parametrize("kind", [kind], indirect=True)


def copy(path: Path, to: Path) -> None:
    """Copy a database that nobody has open, as a backup does."""
    assert _test is not None
    if _test.kind == SQLITE:
        shutil.copy(path, to)
        return
    server().made += 1
    _test.names[to] = f"test{server().made}"
    server().server.run(f"CREATE DATABASE {_test.names[to]} TEMPLATE {_test.names[path]}")


def restore(path: Path, backup: Path) -> None:
    """Put a backup in the place of a database."""
    assert _test is not None
    if _test.kind == SQLITE:
        for rest in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            rest.unlink(missing_ok=True)
        shutil.copy(backup, path)
        return
    _test.names[path], _test.names[backup] = _test.names[backup], _test.names[path]


def forget(path: Path) -> None:
    """Empty a database that the test needs no more, and does not have open."""
    if _test is not None and path in _test.names:
        server().give_back(_test.names.pop(path))


def edit(path: Path, sql: str) -> None:
    """Change a database behind the back of the service, which is down."""
    assert _test is not None
    if _test.kind == SQLITE:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(sql)
        return
    server().server.run(sql, database=_test.names[path])


def running() -> PostgresServer:
    """Give the server itself, for a test that stops, kills or asks it."""
    return server().server


def name_of(path: Path) -> str:
    """Name the server's database that stands for a file."""
    assert _test is not None
    return _test.names[path]


def content(path: Path) -> list[bytes]:
    """Give all that a database holds: its files, or every value of every row that the server shows."""
    assert _test is not None
    if _test.kind == SQLITE:
        return [file.read_bytes() for file in path.parent.glob(f"{path.name}*")]
    return rows_of(path)


def rows_of(place_or_directory: Path) -> list[bytes]:
    """Give every value in a server's database, or in all that stand for files under a directory; else nothing."""
    paths = [] if _test is None else [path for path in _test.names if path.is_relative_to(place_or_directory)]
    rows = [row for path in paths for table in tables_of(path).values() for row in table]
    return [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]


def tables_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give every row of every table of a database, by the table's name."""
    assert _test is not None
    if _test.kind == SQLITE:
        with closing(sqlite3.connect(path)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: list(database.execute(f'SELECT * FROM "{name}"')) for name in names}  # noqa: S608 (our own)
    from renkei_chassis.database.postgresql import driver  # noqa: PLC0415 (a pure library has no chassis)

    session = driver.connect(_database(path).dsn, autocommit=True, timeout=20, settings={})
    try:
        _, tables, _ = session.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", ())
        return {
            name: [tuple(row) for row in session.fetch(f'SELECT * FROM "{name}"', ())[1]]  # noqa: S608 (our own)
            for (name,) in tables
        }
    finally:
        session.close()


def bytes_type() -> str:
    """Name the type of bytes in the SQL of the test's database."""
    assert _test is not None
    return "BLOB" if _test.kind == SQLITE else "BYTEA"


def binary(text: str) -> str:
    """Write a plain text as the bytes it has, in the SQL of the test's database."""
    return f"CAST('{text}' AS {bytes_type()})"


def server() -> _Server:
    """Give the session's server, which is started for the first test that wants it."""
    global _server  # noqa: PLW0603 (as above)
    if _server is None:
        started = PostgresServer()
        atexit.register(started.close)
        _server = _Server(server=started)
    return _server


def place(path: Path) -> Path | PostgresUrl:
    """Give the file, or the database that stands for it in this test."""
    return path if _test is None or _test.kind == SQLITE else _database(path)


def places(directory: Path) -> Callable[[str], PostgresUrl] | None:
    """Give what `Surroundings.databases` is for services whose files would lie in a directory."""
    if _test is None or _test.kind == SQLITE:
        return None
    return lambda service: _database(directory / f"{service}.db")


def _database(path: Path) -> PostgresUrl:
    from renkei_chassis.database.postgresql.url import PostgresUrl  # noqa: PLC0415 (a pure library has no chassis)

    assert _test is not None
    if path not in _test.names:
        _test.names[path] = server().take()
    return PostgresUrl.parse(server().server.url(_test.names[path]))
