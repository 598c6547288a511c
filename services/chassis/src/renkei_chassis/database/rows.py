"""Put many rows into a table by one prepared statement."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Dialect, Table

    Convert = Callable[[Any], Any] | None


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
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _column(name: str, convert: Convert, rows: Sequence[Mapping[str, Any]]) -> Iterable[Any]:
    values = map(itemgetter(name), rows)
    return list(values if convert is None else map(convert, values))


@lru_cache(maxsize=1024)
def _prepared(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, Sequence[tuple[str, Convert]]]:
    """Write the statement, and say which value stands where in it and how the driver wants it."""
    compiled = table.insert().compile(dialect=dialect, column_keys=list(names))
    places = compiled.positiontup or ()
    if set(places) != set(names):
        raise TypeError(f"{table.name} cannot be filled by position: a column is unknown or has a default")
    converts = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in places]
    return str(compiled), list(zip(places, converts, strict=True))
