"""Statements that are run for every group: written once, and given to the driver with their values alone."""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Connection, Select, bindparam
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from renkei_chassis.database.rows import SQLITE, told_by_sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import BindParameter, Delete, Row, Update

    from renkei_chassis.database.transaction import Transaction

Value = bytes | int | str

_DIALECT: Final = SQLiteDialect_pysqlite()


class Prepared:
    """A statement whose values are `bindparam`s, over columns of texts, whole numbers and bytes only.

    On SQLite, what SQLAlchemy prepares for each execution costs ten times the database's own work. So it writes the
    statement there once; on PostgreSQL, where the way to the server costs more, it runs it as any other.
    """

    def __init__(self, statement: Select[Any] | Update | Delete) -> None:
        """Take the statement; it is compiled when it is first needed.

        A value of one that changes rows must not be named as a column is: SQLAlchemy would take it for a new content.
        """
        self._statement = statement

    def ask(self, reader: Connection | Transaction, **values: Value) -> Sequence[Row[Any]]:
        """Give all rows of a question. Raises what SQLAlchemy raises."""
        if not isinstance(reader, Connection):
            return reader.ask(self, **values)
        if reader.dialect.driver != SQLITE:
            return reader.execute(self._statement, values).all()
        cursor = self._run(reader, values)
        try:
            return cast("Sequence[Row[Any]]", list(map(self._row, cursor.fetchall())))
        except sqlite3.Error as error:
            raise told_by_sqlalchemy(error, self._written[0]) from error
        finally:
            cursor.close()

    def first(self, reader: Connection | Transaction, **values: Value) -> Row[Any] | None:
        """Give the only row, or the first of them."""
        rows = self.ask(reader, **values)
        return rows[0] if rows else None

    def change(self, connection: Connection, **values: Value) -> int:
        """Change rows, and tell how many. A rule does so through its transaction."""
        if connection.dialect.driver != SQLITE:
            return connection.execute(self._statement, values).rowcount
        if not connection.in_transaction():
            connection.begin()
        cursor = self._run(connection, values)
        changed: int = cursor.rowcount
        cursor.close()
        return changed

    def _run(self, connection: Connection, values: dict[str, Value]) -> Any:  # noqa: ANN401 (the driver's cursor)
        written, names, fixed = self._written
        given = {**fixed, **values}
        cursor = connection.connection.cursor()
        try:
            cursor.execute(written, tuple(given[name] for name in names))
        except sqlite3.Error as error:
            cursor.close()
            raise told_by_sqlalchemy(error, written) from error
        return cursor

    @cached_property
    def _written(self) -> tuple[str, Sequence[str], Mapping[str, Value]]:
        """Give the statement, the name of the value in each place, and the values that it has of itself."""
        compiled = self._statement.compile(dialect=_DIALECT)
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), compiled.positiontup or (), fixed

    @cached_property
    def _row(self) -> Any:  # noqa: ANN401 (a function that makes a named tuple of a row)
        assert isinstance(self._statement, Select)  # noqa: S101 (what changes rows is not asked)
        named = namedtuple("Found", self._statement.selected_columns.keys())  # type: ignore[misc]  # noqa: PYI024 (its fields are a table's)
        return named._make


class PreparedForMany:
    """A question about any number of values, each of which it names.

    They are filled up to a power of two with the first of them, so that few statements do.
    """

    def __init__(self, question: Callable[[Sequence[BindParameter[Any]]], Select[Any]]) -> None:
        """Take a function that writes the question for so many values."""
        self._question = question
        self._prepared: dict[int, Prepared] = {}

    def ask(self, reader: Connection | Transaction, values: Sequence[Value], **others: Value) -> Sequence[Row[Any]]:
        """Give all rows; none where there are no values. Raises what SQLAlchemy raises."""
        if not values:
            return ()
        places = 1 << (len(values) - 1).bit_length()
        prepared = self._prepared.get(places)
        if prepared is None:
            prepared = Prepared(self._question([bindparam(_name(place)) for place in range(places)]))
            self._prepared[places] = prepared
        filled = [*values, *[values[0]] * (places - len(values))]
        return prepared.ask(reader, **{_name(place): value for place, value in enumerate(filled)}, **others)


def _name(place: int) -> str:
    return f"value_{place}"
