"""Several questions see one state of the database, and the connection is as it was afterwards."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, select

from renkei_chassis.database.engine import Database
from renkei_chassis.database.rows import find_rows
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.snapshot import one_state
from tests.chassis.keeper import OWNER
from tests.databases import place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

METADATA: Final = MetaData()
THINGS: Final = Table(
    "thing",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)


@pytest.fixture
def database(tmp_path: Path, kind: str) -> Iterator[Database]:
    schema = Schema(component="things", metadata=METADATA)
    with closing(Database.open(place(tmp_path / "things.db"), owner=OWNER, schema=schema)) as opened:
        yield opened


def add(database: Database, *numbers: int) -> None:
    with database.writing.begin() as connection:
        connection.execute(THINGS.insert(), [{"number": number, "content": bytes([number])} for number in numbers])


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(select(THINGS.c.number).order_by(THINGS.c.number)).scalars())


def test_what_is_committed_meanwhile_is_seen_afterwards(database: Database) -> None:
    add(database, 1)

    with database.place.reading.connect() as connection:
        with one_state(connection):
            before = numbers(connection)
            add(database, 2)
            meanwhile = numbers(connection)
        after = numbers(connection)

    assert (before, meanwhile, after) == ([1], [1], [1, 2])


def test_nobody_gets_an_old_state_after_a_failure(database: Database) -> None:
    add(database, 1)

    def fail(connection: Connection) -> None:
        with one_state(connection):
            raise LookupError(numbers(connection))

    with database.place.reading.connect() as connection, pytest.raises(LookupError):
        fail(connection)

    add(database, 2)
    for _ in range(10):
        with database.place.reading.connect() as connection:
            assert numbers(connection) == [1, 2]


def test_rows_are_found_by_many_numbers(database: Database) -> None:
    """However many are asked for, and whether they are there."""
    add(database, *range(0, 200, 2))

    with database.place.reading.connect() as connection:
        for asked in ([], [2], [1], range(9), range(1000)):
            found = dict(find_rows(connection, THINGS, THINGS.c.number, list(asked)))
            assert found == {number: bytes([number]) for number in asked if number < 200 and number % 2 == 0}
