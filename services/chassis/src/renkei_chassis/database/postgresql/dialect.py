"""Teach SQLAlchemy our PostgreSQL: the same tables as in SQLite, so that the same rows give the same answers.

Texts are compared byte by byte and have no longest length, whole numbers have 64 bits, and a text may hold U+0000,
which PostgreSQL itself refuses. What SQLite takes, PostgreSQL takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, types
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.dialects.postgresql import asyncpg as stock
from sqlalchemy.dialects.postgresql.base import PGExecutionContext, PGTypeCompiler

from renkei_chassis.database.postgresql import driver as our_driver

if TYPE_CHECKING:
    from collections.abc import Callable

NAME: Final = "postgresql+renkei"
# A noncharacter stands for U+0000 in the database: no text is meant to hold it, whatever else it holds.
_NUL: Final = "\0"
_STAND_IN: Final = "\ufdd0"


class _Text(types.String):
    render_bind_cast = True

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        def stored(value: Any) -> Any:
            return value.replace(_NUL, _STAND_IN) if value is not None and _NUL in value else value

        return stored

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        def read(value: Any) -> Any:
            return value.replace(_STAND_IN, _NUL) if value is not None and _STAND_IN in value else value

        return read


class _Bytes(BYTEA):
    render_bind_cast = True

    def bind_processor(self, dialect: Any) -> None:
        return None

    def result_processor(self, dialect: Any, coltype: object) -> None:
        return None


class _TypeCompiler(PGTypeCompiler):
    """Writes the types of columns, and of values where they are bound."""

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        # In a table the collation stands with the column; a bound value takes over that of what it is compared with.
        return 'TEXT COLLATE "C"' if isinstance(kw.get("type_expression"), Column) else "TEXT"

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:
        return self.visit_VARCHAR(type_, **kw)

    def visit_SMALLINT(self, type_: Any, **kw: Any) -> str:
        return "BIGINT"

    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:
        return "BIGINT"


class _Context(PGExecutionContext):
    """How a statement is run: by our cursors, which keep no state that a failure would make stale."""

    def create_server_side_cursor(self) -> Any:
        connection: Any = self._dbapi_connection
        return connection.cursor(server_side=True)


class Dialect(stock.PGDialect_asyncpg):
    """SQLAlchemy's dialect for asyncpg, over our driver, which waits where it is called."""

    driver = "renkei"
    is_async = False
    supports_statement_cache = True
    execution_ctx_cls = _Context  # type: ignore[assignment]  # ours needs nothing of asyncpg's
    type_compiler_cls = _TypeCompiler  # type: ignore[mutable-override]  # it has it assigned once, here
    colspecs = stock.PGDialect_asyncpg.colspecs | {types.String: _Text, types.LargeBinary: _Bytes}

    @classmethod
    def import_dbapi(cls) -> Any:
        """Give our driver."""
        return our_driver

    def retrieve_dbapi_version(self, dbapi: object) -> Any:
        """Give asyncpg's version."""
        return our_driver.VERSION

    def on_connect(self) -> Any:
        """Nothing: no column holds JSON."""
        return None

    def get_driver_connection(self, connection: Any) -> Any:
        """Give our own connection."""
        return connection

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """Not needed: a connection is made either way."""
        raise NotImplementedError

    def is_disconnect(self, e: Exception, connection: Any, cursor: object) -> bool:
        """Tell whether the session is gone."""
        return bool(getattr(e, "lost", False)) or (connection is not None and connection.closed)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Tell whether the server answers."""
        return bool(dbapi_connection.first("SELECT 1") == 1)


registry.register("postgresql.renkei", __name__, "Dialect")
