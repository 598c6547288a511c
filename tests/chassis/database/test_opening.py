"""A database is opened by its owner alone, in one process, with the tables that the program knows, or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from renkei_chassis.database import tables
from renkei_chassis.database.engine import Database, DatabaseInUseError, Owner, WrongOwnerError
from renkei_chassis.database.schema import Schema, SchemaError
from renkei_chassis.follower import state
from tests.chassis.keeper import OWNER, SCHEMA
from tests.databases import SQLITE, binary, bytes_type, edit, on, place

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

METADATA: Final = MetaData()
WORDS: Final = Table("word", METADATA, Column("word", String(20), primary_key=True), Column("length", Integer))
FIRST: Final = MetaData()
FIRST_WORDS: Final = Table("word", FIRST, Column("word", String(20), primary_key=True))
OLD_FOLLOWER: Final = """
DROP TABLE renkei_mark;
DROP TABLE renkei_cursor;
DROP TABLE renkei_applied;
CREATE TABLE renkei_cursor (source VARCHAR(96) NOT NULL, epoch VARCHAR(36) NOT NULL,
    sequence BIGINT NOT NULL, apply_time_us BIGINT NOT NULL, PRIMARY KEY (source));
CREATE TABLE renkei_applied (source VARCHAR(96) NOT NULL, origin_agency VARCHAR(32) NOT NULL,
    event_id BLOB NOT NULL, PRIMARY KEY (source, origin_agency, event_id));
INSERT INTO renkei_cursor VALUES ('a log', 'an epoch', 7, 1);
INSERT INTO renkei_applied VALUES ('a log', '', X'01');
UPDATE renkei_schema SET version = 1 WHERE component = 'chassis';
"""
HOLDER: Final = """
import sys
from pathlib import Path
from tests.chassis.keeper import OWNER, SCHEMA
from renkei_chassis.database.engine import Database
from renkei_chassis.database.postgresql.url import PostgresUrl
where = PostgresUrl.parse(sys.argv[1]) if "://" in sys.argv[1] else Path(sys.argv[1])
database = Database.open(where, owner=OWNER, schema=SCHEMA)
print("open", flush=True)
sys.stdin.read()
"""


def add_length(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE word ADD COLUMN length INTEGER"))
    connection.execute(text("UPDATE word SET length = length(word)"))


def fail(connection: Connection) -> None:
    connection.execute(text("DROP TABLE word"))
    raise OSError


def words(database: Database) -> list[tuple[str, int]]:
    return database.recall(lambda connection: [(row.word, row.length) for row in connection.execute(select(WORDS))])


def opened(path: Path, *, owner: Owner = OWNER, schema: Schema) -> Database:
    return Database.open(place(path), owner=owner, schema=schema)


def reopen(path: Path, *, owner: Owner = OWNER, schema: Schema = SCHEMA) -> None:
    opened(path, owner=owner, schema=schema).close()


def pragmas(connection: Connection) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "query_only")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


pytestmark = pytest.mark.usefixtures("kind")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keeper.db"


@on(SQLITE)
def test_nothing_committed_is_lost_in_a_power_cut_and_nothing_deleted_stays_readable(path: Path) -> None:
    """By the settings of every connection: synchronous FULL is 2."""
    with closing(opened(path, schema=SCHEMA)) as database:
        with database.writing.connect() as connection:
            writer = pragmas(connection)
        reader = database.recall(pragmas)

    assert writer == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "query_only": 0}
    assert reader == {**writer, "query_only": 1}


@on(SQLITE)
def test_nobody_but_their_owner_can_read_the_files(path: Path) -> None:
    with closing(opened(path, schema=SCHEMA)):
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert modes == dict.fromkeys(["keeper.db", "keeper.db-wal", "keeper.db-shm", "keeper.db.lock"], 0o600)


def test_a_reader_cannot_write(path: Path) -> None:
    with (
        closing(opened(path, schema=SCHEMA)) as database,
        pytest.raises(Exception, match=r"readonly|STORAGE_UNAVAILABLE"),
    ):
        database.recall(lambda connection: connection.execute(tables.facts.delete()))


def test_epoch_and_secret_stay_over_restarts(path: Path) -> None:
    with closing(opened(path, schema=SCHEMA)) as database:
        before = database.epoch, database.secret

    with closing(opened(path, schema=SCHEMA)) as database:
        assert (database.epoch, database.secret) == before


async def test_a_database_that_another_process_has_open_is_refused(path: Path) -> None:
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, getattr(place(path), "dsn", path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"open\n"

    with pytest.raises(DatabaseInUseError, match="in use by another process"):
        await asyncio.to_thread(reopen, path)

    holder.kill()  # however it ends, the next one is let in
    await holder.wait()
    await asyncio.to_thread(reopen, path)


@pytest.mark.parametrize(
    "stranger", [Owner(agency="agencies/jp-13", service="keeper"), Owner(agency="agencies/jp-12", service="tips")]
)
def test_a_database_of_another_agency_or_service_is_refused_and_left_as_it_is(path: Path, stranger: Owner) -> None:
    reopen(path)
    other = Schema(component="other", metadata=METADATA)

    with pytest.raises(WrongOwnerError, match=r"belongs to agencies/jp-12 \(keeper\).*data_directory"):
        reopen(path, owner=stranger, schema=other)

    with pytest.raises(Exception, match="word"):
        edit(path, "SELECT * FROM word")


@on(SQLITE)
def test_a_foreign_sqlite_file_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes(), path.stat().st_mode

    with pytest.raises(SchemaError, match="none of Renkei's"):
        reopen(path)

    assert (path.read_bytes(), path.stat().st_mode) == before


@on(SQLITE)
def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 500)

    with pytest.raises(SchemaError, match="cannot be read as a database"):
        reopen(path)


def test_a_refused_start_leaves_the_database_free(path: Path) -> None:
    reopen(path)
    with pytest.raises(WrongOwnerError):
        reopen(path, owner=Owner(agency="agencies/jp-13", service="keeper"))

    reopen(path)


def test_an_older_database_runs_the_steps_it_lacks_once(path: Path) -> None:
    old = Schema(component="keeper", metadata=FIRST)
    with closing(opened(path, schema=old)) as database, database.writing.begin() as connection:
        connection.execute(insert(FIRST_WORDS), {"word": "four"})
    newer = Schema(component="keeper", metadata=METADATA, steps=[add_length])

    reopen(path, schema=newer)

    with closing(opened(path, schema=newer)) as database:
        assert words(database) == [("four", 4)]


def test_a_database_from_before_followers_could_forget_is_brought_up_and_keeps_what_they_knew(path: Path) -> None:
    """As the first version of the chassis made it."""
    reopen(path)
    edit(path, OLD_FOLLOWER.replace("BLOB", bytes_type()).replace("X'01'", binary("1")))

    database = opened(path, schema=SCHEMA)
    cursor = database.recall(lambda connection: state.read_cursor(connection, "a log"))
    places = database.recall(lambda connection: connection.execute(select(tables.applied.c.sequence)).scalars().all())
    database.close()

    assert (cursor.epoch, cursor.sequence, cursor.chain, cursor.doubt) == ("an epoch", 7, b"", b"")
    assert places == [0]


def test_a_new_database_runs_no_steps(path: Path) -> None:
    with closing(opened(path, schema=Schema(component="k", metadata=METADATA, steps=[fail]))) as new:
        assert words(new) == []


def test_a_step_that_fails_leaves_the_database_at_the_version_before_all_of_them(path: Path) -> None:
    old = Schema(component="keeper", metadata=FIRST)
    reopen(path, schema=old)

    with pytest.raises(OSError):  # noqa: PT011 (it has no words)
        reopen(path, schema=Schema(component="keeper", metadata=METADATA, steps=[add_length, fail]))

    reopen(path, schema=old)


def test_a_database_of_a_newer_program_is_refused(path: Path) -> None:
    reopen(path, schema=Schema(component="keeper", metadata=METADATA, steps=[fail, fail]))

    with pytest.raises(SchemaError, match="of version 3, this program knows 1: start the newer program"):
        reopen(path, schema=Schema(component="keeper", metadata=FIRST))


@pytest.mark.parametrize("damage", ["DROP TABLE keeper_plan", "DELETE FROM renkei_schema WHERE component = 'keeper'"])
def test_a_half_applied_schema_is_refused(path: Path, damage: str) -> None:
    reopen(path)
    edit(path, damage)

    with pytest.raises(SchemaError, match="half-applied migration; restore it from a backup"):
        reopen(path)


@on(SQLITE)
def test_a_question_that_fails_leaves_no_old_state_behind(path: Path) -> None:
    """An exception that somebody keeps would keep a half-read result, and no checkpoint could pass it."""
    with closing(opened(path, schema=Schema(component="keeper", metadata=METADATA))) as database:
        with database.writing.begin() as connection:
            connection.execute(insert(WORDS), [{"word": f"word {number}", "length": 1} for number in range(500)])

        def fail_half_way(connection: Connection) -> None:
            for _ in connection.execute(select(WORDS)):
                raise LookupError

        for ask in (database.recall, database._ask):
            with pytest.raises(LookupError) as kept:
                ask(fail_half_way)
            with database.writing.begin() as connection:
                connection.execute(WORDS.update().values(length=2))

            assert database.place.scrub()
            assert len(words(database)) == 500
            assert kept.value.__traceback__ is not None
