"""Put many rows into a table by one prepared statement."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import LargeBinary, bindparam, select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Column, Connection, Dialect, Table

    Convert = Callable[[Any], Any] | None

SQLITE: Final = "pysqlite"
_PLACES: Final = (1, 8, 32, 128, 512)
_DIALECT: Final = SQLiteDialect_pysqlite()  # only names of errors are asked of it


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns; ValueError where they do not.

    SQLAlchemy's own `executemany` looks up and converts each value of each row anew, which costs more
    than the database's work. What is the same for all rows is done once here, and kept. A row is
    complete: no `default` of Python fills it up.
    """
    names = tuple(rows[0])
    if any(len(row) != len(names) for row in rows):
        raise ValueError(f"the rows for {table.name} do not name the same columns")
    statement, places = _prepared(table, names, connection.dialect)
    try:
        columns = [_column(name, convert, rows) for name, convert in places]
    except KeyError:
        raise ValueError(f"the rows for {table.name} do not name the same columns") from None
    put_in(connection, statement, list(zip(*columns, strict=True)))


def put_in(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement once for each row. Raises what SQLAlchemy raises."""
    if connection.dialect.driver != SQLITE:
        connection.exec_driver_sql(statement, rows)
        return
    # What SQLAlchemy prepares for each execution costs more than SQLite's work for a few rows.
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(statement, rows)
    except sqlite3.Error as error:
        raise told_by_sqlalchemy(error, statement) from error
    finally:
        cursor.close()


def look_up(connection: Connection, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
    """Run a question and give its rows. Raises what SQLAlchemy raises."""
    if connection.dialect.driver != SQLITE:
        return connection.exec_driver_sql(statement, values).all()
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, values)
        return cursor.fetchall()
    except sqlite3.Error as error:
        raise told_by_sqlalchemy(error, statement) from error
    finally:
        cursor.close()


def find_rows(
    connection: Connection, table: Table, key: Column[Any], numbers: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Read the rows of many keys, in any order, of a table of two columns: its number and its content."""
    if connection.dialect.driver != SQLITE:
        if numbers:
            yield from look_up(connection, _of_any(table, key), (list(numbers),))
        return
    for first in range(0, len(numbers), _PLACES[-1]):
        some = numbers[first : first + _PLACES[-1]]
        # Another count would be another statement, to be prepared anew: the last number is repeated.
        places = next(places for places in _PLACES if places >= len(some))
        yield from look_up(connection, _of_some(table, key, places), (*some, *(some[-1],) * (places - len(some))))


@lru_cache(maxsize=64)
def _of_any(table: Table, key: Column[Any]) -> str:
    return f"SELECT {', '.join(table.c.keys())} FROM {table.name} WHERE {key.name} = ANY($1::bigint[])"  # noqa: S608 (names of ours)


@lru_cache(maxsize=64)
def _of_some(table: Table, key: Column[Any], places: int) -> str:
    values = [bindparam(f"value{place}", type_=key.type) for place in range(places)]
    return str(select(table).where(key.in_(values)).compile(dialect=_DIALECT))


def told_by_sqlalchemy(error: sqlite3.Error, statement: str) -> DBAPIError:
    """Give the error of SQLAlchemy for one of SQLite's; without values, which are a record's."""
    return cast("DBAPIError", DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=_DIALECT))


def _column(name: str, convert: Convert, rows: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    values = map(itemgetter(name), rows)
    return list(values if convert is None else map(convert, values))


def driver_form(column: Column[Any], dialect: Dialect) -> Convert:
    """Say how the driver wants the values of a column; None: as they are."""
    if isinstance(column.type, LargeBinary) and dialect.driver == SQLITE:
        return None  # it takes bytes as they are, and SQLAlchemy would wrap each of them
    return column.type.dialect_impl(dialect).bind_processor(dialect)


@lru_cache(maxsize=1024)
def _prepared(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, Sequence[tuple[str, Convert]]]:
    """Write the statement, and say which value stands where in it and how the driver wants it."""
    compiled = table.insert().compile(dialect=dialect, column_keys=list(names))
    places = compiled.positiontup or ()
    if set(places) != set(names):
        raise TypeError(f"{table.name} cannot be filled by position: a column is unknown or has a default")
    converts = [driver_form(table.c[name], dialect) for name in places]
    return str(compiled), list(zip(places, converts, strict=True))
