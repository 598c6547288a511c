"""What SQLite and PostgreSQL write differently in a table: a default of no bytes, a column that is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, LargeBinary, MetaData, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.sql.compiler import SQLCompiler


class _NoBytes(ColumnElement[bytes]):
    type = LargeBinary()  # type: ignore[mutable-override]  # SQLAlchemy's own way to say it
    inherit_cache = True  # type: ignore[mutable-override]  # the same


NO_BYTES: Final = _NoBytes()
"""As `server_default`: the empty value of a column of bytes."""


@compiles(_NoBytes, "sqlite")
def _in_sqlite(element: _NoBytes, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401, ARG001
    return "X''"


@compiles(_NoBytes, "postgresql")
def _in_postgresql(element: _NoBytes, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401, ARG001
    return "''::bytea"


def add_columns(connection: Connection, table: str, *columns: Column[Any]) -> None:
    """Add columns to a table that is there, for a step of a migration. Each has a default, or takes NULL."""
    # Of a table of their own: a step must not change when the table's definition does.
    holder = Table(table, MetaData(), *columns)
    compiler: Any = connection.dialect.ddl_compiler(connection.dialect, None)  # type: ignore[arg-type]  # none is needed
    for column in holder.columns:
        specification = compiler.get_column_specification(column)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {specification}")
