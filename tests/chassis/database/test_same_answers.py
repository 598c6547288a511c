"""The same rows give the same answers on SQLite and on PostgreSQL, wherever the two differ by themselves."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from renkei_chassis.database.engine import Database
from renkei_chassis.database.rows import insert_rows
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.texts import holds
from tests.chassis.keeper import OWNER
from tests.databases import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Select

METADATA: Final = MetaData()
THINGS: Final = Table(
    "thing",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("word", String(5)),
    Column("small", SmallInteger),
    Column("number", Integer),
    Column("large", BigInteger),
    Column("bytes", LargeBinary(4)),
    Column("yes", Boolean),
)
# In the order of their bytes in UTF-8, which is that of their code points.
WORDS: Final = ("", "\0", "\0a", " ", "!", "A", "B", "_", "a", "ab", "b", "é", "ん", "ア", "亜", "髙", "ｱ", "😀")


@pytest.fixture
def database(tmp_path: Path, kind: str) -> Iterator[Database]:
    schema = Schema(component="things", metadata=METADATA)
    with closing(Database.open(place(tmp_path / "things.db"), owner=OWNER, schema=schema)) as opened:
        yield opened


def put(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    with database.writing.begin() as connection:
        connection.execute(insert(THINGS), rows)


def ask(database: Database, statement: Select[Any]) -> list[Any]:
    return database.recall(lambda connection: list(connection.execute(statement).scalars()))


def test_texts_stand_in_the_order_of_their_bytes(database: Database) -> None:
    """Pages go on behind the last name: an order of the server's language would leave records out."""
    put(database, [{"word": word} for word in reversed(WORDS)])

    found = ask(database, select(THINGS.c.word).order_by(THINGS.c.word))
    behind = ask(database, select(THINGS.c.word).where(THINGS.c.word > "a").order_by(THINGS.c.word))

    assert [word for word in found if "\0" not in word] == [word for word in WORDS if "\0" not in word]
    assert [word for word in behind if "\0" not in word] == list(WORDS[9:])


def test_a_text_may_hold_a_nul(database: Database) -> None:
    """What another agency sends is stored as it came; PostgreSQL alone would refuse it, and the lane would stand."""
    put(database, [{"word": "a\0b"}, {"word": "ab"}])
    with database.writing.begin() as connection:
        insert_rows(connection, THINGS, [{"id": 9, "word": "\0"}])

    assert ask(database, select(THINGS.c.word).where(THINGS.c.word == "a\0b")) == ["a\0b"]
    assert ask(database, select(THINGS.c.id).where(THINGS.c.word.in_(["\0", "x"]))) == [9]
    assert ask(database, select(THINGS.c.word).where(holds(THINGS.c.word, "\0b"))) == ["a\0b"]


def test_equal_is_what_is_the_same_letter_for_letter(database: Database) -> None:
    put(database, [{"word": word} for word in ("か\u3099", "が", "A", "a", "a ")])

    for word in ("が", "A", "a", "a "):
        assert ask(database, select(THINGS.c.word).where(THINGS.c.word == word)) == [word]


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        ("an", ["banana"]),
        ("AN", ["BANANA"]),
        ("%", ["10%"]),
        ("_", ["a_b"]),
        ("\\", ["a\\b"]),
        ("/", ["a/b"]),
        ("花", ["桜の花見"]),
        ("xyz", []),
    ],
)
def test_a_piece_of_text_is_found_as_it_is_written(database: Database, piece: str, found: list[str]) -> None:
    """LIKE would fold the letters of one database, and take % and _ for anything."""
    put(database, [{"word": word} for word in ("banana", "BANANA", "10%", "a_b", "a\\b", "a/b", "桜の花見", "")])

    assert ask(database, select(THINGS.c.word).where(holds(THINGS.c.word, piece))) == found


def test_values_are_as_wide_as_the_program_makes_them(database: Database) -> None:
    """An enum's value of a newer program, a long name of another agency: a declared width refuses none of them."""
    row = {
        "word": "longer than five",
        "small": 2**40,
        "number": -(2**62),
        "large": 2**63 - 1,
        "bytes": b"more than four",
    }
    put(database, [{**row, "yes": True}])

    found = database.recall(lambda connection: connection.execute(select(THINGS)).one())

    assert found._asdict() == {"id": 1, "yes": True, **row}
    assert type(found.yes) is bool
    assert type(found.bytes) is bytes


def test_bytes_stand_in_the_order_of_their_values(database: Database) -> None:
    values = [b"", b"\0", b"\0\xff", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\0"]
    put(database, [{"bytes": value} for value in reversed(values)])

    assert ask(database, select(THINGS.c.bytes).order_by(THINGS.c.bytes)) == values
    assert (
        ask(database, select(THINGS.c.bytes).where(THINGS.c.bytes < b"\x80").order_by(THINGS.c.bytes.desc()))
        == (values[4::-1])
    )


def test_nothing_is_not_the_empty_text(database: Database) -> None:
    put(database, [{"word": None, "bytes": None, "number": None}, {"word": "", "bytes": b"", "number": 0}])

    assert ask(database, select(THINGS.c.id).where(THINGS.c.word.is_(None))) == [1]
    assert ask(database, select(THINGS.c.id).where(THINGS.c.word == "")) == [2]
    assert ask(database, select(THINGS.c.bytes).order_by(THINGS.c.id)) == [None, b""]


def test_it_is_told_how_many_rows_an_update_changed(database: Database) -> None:
    put(database, [{"number": 1}, {"number": 1}, {"number": 2}])

    with database.writing.begin() as connection:
        counts = [
            connection.execute(update(THINGS).where(THINGS.c.number == number).values(word="x")).rowcount
            for number in (1, 2, 3)
        ]

    assert counts == [2, 1, 0]


def test_a_row_that_is_there_twice_is_refused_and_named_by_no_value(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.writing.begin() as connection:
        insert_rows(connection, THINGS, [{"id": 1, "word": "MARKER"}, {"id": 1, "word": "MARKER"}])

    assert "MARKER" not in str(caught.value.orig)


async def test_a_long_result_can_be_left_in_the_middle(database: Database) -> None:
    """One row at a time, with other questions on the same connection between: so a slice is cut by its size."""
    await asyncio.to_thread(put, database, [{"number": number} for number in range(300)])

    def some(connection: Connection) -> list[int]:
        seen = []
        streaming = select(THINGS.c.number).order_by(THINGS.c.id).execution_options(stream_results=True)
        with connection.execute(streaming) as rows:
            for row in rows:
                again = connection.execute(select(THINGS.c.number).where(THINGS.c.number == row.number)).scalar_one()
                seen.append(again)
                if len(seen) == 100:
                    break
        return seen

    for _ in range(3):
        assert await database.read(some) == list(range(100))
    assert len(await database.read(lambda connection: connection.execute(select(THINGS)).all())) == 300
