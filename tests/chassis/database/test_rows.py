"""Rows that go in by one prepared statement are those that SQLAlchemy would have put in."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    select,
)
from sqlalchemy.exc import IntegrityError

from renkei_chassis.database.rows import insert_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


METADATA: Final = MetaData()
COLUMNS: Final = (
    ("text", String(20)),
    ("count", BigInteger),
    ("sure", Boolean),
    ("raw", LargeBinary),
    ("at", DateTime),
    ("any", JSON),
    ("colour", Enum(Colour)),
)
ALL: Final = Table("all", METADATA, Column("id", Integer, primary_key=True), *(Column(*column) for column in COLUMNS))
SAME: Final = Table("same", METADATA, Column("id", Integer, primary_key=True), *(Column(*column) for column in COLUMNS))
WITH_DEFAULT: Final = Table("with_default", METADATA, Column("id", Integer), Column("n", Integer, default=7))
ROWS: Final = st.fixed_dictionaries(
    {
        "text": st.none() | st.text("aあ𠮷'\"?:%", max_size=5),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "sure": st.none() | st.booleans(),
        "raw": st.none() | st.binary(max_size=5),
        "at": st.none() | st.datetimes(),
        "any": st.dictionaries(st.text(max_size=2), st.integers(0, 5), max_size=2),
        "colour": st.none() | st.sampled_from(Colour),
    }
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


@given(rows=st.lists(ROWS, min_size=1, max_size=5))
def test_values_of_every_type_arrive_as_sqlalchemy_stores_them(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> None:
    insert_rows(connection, ALL, rows)
    connection.execute(SAME.insert(), list(rows))

    ours = connection.exec_driver_sql("SELECT * FROM 'all' ORDER BY id").all()
    assert ours == connection.exec_driver_sql("SELECT * FROM same ORDER BY id").all()
    assert [dict(zip(ALL.c.keys()[1:], row[1:], strict=True)) for row in connection.execute(select(ALL))] == list(rows)
    connection.rollback()


def test_some_of_the_columns_in_any_order_are_enough(connection: Connection) -> None:
    insert_rows(connection, ALL, [{"sure": True, "text": "a"}, {"text": "b", "sure": False}])

    stored = connection.execute(select(ALL).order_by(ALL.c.id)).mappings()
    assert [(row["text"], row["sure"], row["count"]) for row in stored] == [("a", True, None), ("b", False, None)]
    connection.rollback()


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "a"}, {"text": "b", "sure": True}],
        [{"text": "a", "sure": True}, {"text": "b"}],
        [{"text": "a"}, {"sure": True}],
    ],
    ids=["more", "fewer", "others"],
)
def test_rows_that_do_not_name_the_same_columns_are_refused(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> None:
    with pytest.raises(ValueError, match="rows for all do not name the same columns"):
        insert_rows(connection, ALL, rows)


@pytest.mark.parametrize(
    ("table", "row"), [(WITH_DEFAULT, {"id": 1}), (ALL, {"unknown": 1})], ids=["default", "column"]
)
def test_a_row_that_python_would_have_to_complete_is_refused(
    connection: Connection, table: Table, row: Mapping[str, Any]
) -> None:
    with pytest.raises(Exception, match=r"cannot be filled|Unconsumed"):
        insert_rows(connection, table, [row])


def test_what_the_database_refuses_is_told_as_by_sqlalchemy(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        insert_rows(connection, ALL, [{"id": 1}, {"id": 1}])
    connection.rollback()


def test_a_moment_keeps_its_microseconds(connection: Connection) -> None:
    moment = datetime(2024, 8, 1, 9, 0, 0, 123456, tzinfo=UTC).replace(tzinfo=None)

    insert_rows(connection, ALL, [{"at": moment}])

    assert connection.execute(select(ALL.c.at)).scalar_one() == moment
    connection.rollback()
