"""Prepared statements answer as SQLAlchemy would, on either database."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, bindparam, select, update
from sqlalchemy.exc import DBAPIError, StatementError

from renkei_chassis.database.engine import Database
from renkei_chassis.database.prepared import Prepared, PreparedForMany
from renkei_chassis.database.rows import insert_rows
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import Transaction
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
    Column("id", Integer, primary_key=True),
    Column("word", String(9)),
    Column("raw", LargeBinary),
    Column("large", BigInteger),
)
NEWEST: Final = Prepared(
    select(THINGS).where(THINGS.c.word == bindparam("word"), THINGS.c.large > 5).order_by(THINGS.c.id.desc()).limit(2)
)
RENAME: Final = Prepared(update(THINGS).where(THINGS.c.word == bindparam("old")).values(word=bindparam("new")))
AMONG: Final = PreparedForMany(
    lambda ids: select(THINGS.c.id).where(THINGS.c.id.in_(ids), THINGS.c.large < bindparam("below")).order_by("id")
)


@pytest.fixture
def connection(tmp_path: Path, kind: str) -> Iterator[Connection]:
    schema = Schema(component="things", metadata=METADATA)
    with (
        closing(Database.open(place(tmp_path / "things.db"), owner=OWNER, schema=schema)) as opened,
        opened.writing.begin() as connection,
    ):
        rows = [
            {"id": number, "word": "ab"[number % 2], "raw": bytes([number]), "large": number} for number in range(12)
        ]
        insert_rows(connection, THINGS, rows)
        yield connection


def test_rows_have_names_and_the_values_of_the_statement_itself_are_kept(connection: Connection) -> None:
    assert [(row.id, row.word, bytes(row.raw), row.large) for row in NEWEST.ask(connection, word="b")] == [
        (11, "b", b"\x0b", 11),
        (9, "b", b"\x09", 9),
    ]
    first = NEWEST.first(connection, word="a")
    assert first is not None
    assert first.id == 10
    assert NEWEST.first(connection, word="no such") is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9])
def test_any_number_of_values_is_asked_for(connection: Connection, count: int) -> None:
    found = AMONG.ask(connection, [*range(count)], below=7)

    assert [row.id for row in found] == [*range(min(count, 7))]


def test_it_is_told_how_many_rows_were_changed(connection: Connection) -> None:
    transaction = Transaction(connection, now_us=1)

    assert [transaction.change(RENAME, old=old, new="c") for old in ("a", "a", "b")] == [6, 0, 6]
    assert len(transaction.ask(NEWEST, word="c")) == 2


def test_a_transaction_shows_what_was_handed_over(connection: Connection) -> None:
    transaction = Transaction(connection, now_us=1)
    transaction.insert(THINGS, {"id": 50, "word": "b", "raw": b"", "large": 50})

    assert [row.id for row in transaction.ask(NEWEST, word="b")] == [50, 11]


def test_a_value_that_is_missing_is_no_null(connection: Connection) -> None:
    with pytest.raises((KeyError, StatementError)):
        NEWEST.ask(connection)


def test_what_the_database_refuses_fails_the_request_and_names_no_value(connection: Connection) -> None:
    transaction = Transaction(connection, now_us=1)
    taken = Prepared(update(THINGS).where(THINGS.c.word == bindparam("old")).values(id=bindparam("new")))

    with pytest.raises(DBAPIError) as caught:
        transaction.change(taken, old="a", new=1)

    assert transaction.failure is caught.value
    assert not transaction.undo_request()


def test_text_of_a_refusal_holds_no_value(connection: Connection) -> None:
    missing = Prepared(select(Table("nowhere", MetaData(), Column("word", String))).where(bindparam("word") == "x"))

    with pytest.raises(DBAPIError) as caught:
        missing.ask(connection, word="MARKER")

    assert "MARKER" not in str(caught.value.orig)
