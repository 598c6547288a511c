"""Look for a piece of text inside another one, byte by byte, whatever the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler


class holds(FunctionElement[bool]):  # noqa: N801 (it is used as a function)
    """Tell whether a column holds a text: `holds(column, text)`.

    LIKE is no such question: SQLite folds A-Z in it and PostgreSQL does not, and each has signs of its own.
    """

    type = Boolean()  # type: ignore[mutable-override]  # SQLAlchemy's own way to say it
    inherit_cache = True  # type: ignore[mutable-override]  # the same


@compiles(holds, "sqlite")
def _in_sqlite(element: holds, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(holds, "postgresql")
def _in_postgresql(element: holds, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"
