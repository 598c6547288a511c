"""Bring a database to the tables that this code knows, or refuse it with words that say what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, LargeBinary, inspect, select

from renkei_chassis.database import tables
from renkei_chassis.database.columns import NO_BYTES, add_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, MetaData


_HALF: Final = "a half-applied migration; restore it from a backup"


class SchemaError(Exception):
    """The database and this code do not fit; the text says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A set of tables and the steps that brought it here.

    A new database gets the tables as they are now. An older one runs the steps it lacks, each in
    one transaction with its number: `steps[0]` leads from version 1 to version 2.
    """

    component: str
    metadata: MetaData
    steps: Sequence[Callable[[Connection], None]] = ()

    @property
    def version(self) -> int:
        """The version that this code knows."""
        return len(self.steps) + 1


def _remember_by_hash(connection: Connection) -> None:
    """Let followers drop ids. What they know already has no place and is kept until its log offers it again."""
    add_columns(
        connection,
        tables.cursors.name,
        Column("chain", LargeBinary(32), nullable=False, server_default=NO_BYTES),
        Column("pruned", BigInteger, nullable=False, server_default="0"),
        Column("newest_pruned", LargeBinary(16), nullable=False, server_default=NO_BYTES),
        Column("doubt", LargeBinary(16), nullable=False, server_default=NO_BYTES),
    )
    add_columns(connection, tables.applied.name, Column("sequence", BigInteger, nullable=False, server_default="0"))
    tables.marks.create(connection)


CHASSIS = Schema(component="chassis", metadata=tables.metadata, steps=[_remember_by_hash])


def migrate(connection: Connection, schemas: Sequence[Schema]) -> None:
    """Create or migrate every set of tables. The caller commits; on an error it rolls back all of it."""
    present = set(inspect(connection).get_table_names())
    if tables.schema_versions.name not in present:
        if present:
            raise SchemaError("the database holds tables, but none of Renkei's: name another file or an empty database")
        tables.schema_versions.create(connection)
    known = {row.component: row.version for row in connection.execute(select(tables.schema_versions))}
    for schema in schemas:
        _bring_up(connection, schema, known.get(schema.component))
    present = set(inspect(connection).get_table_names())
    missing = sorted({table for schema in schemas for table in schema.metadata.tables} - present)
    if missing:
        raise SchemaError(f"the database lacks {', '.join(missing)}: {_HALF}")


def pending(connection: Connection, schemas: Sequence[Schema]) -> int | None:
    """Count the steps that `migrate` would run; None for an empty database. Changes nothing; raises SchemaError."""
    present = set(inspect(connection).get_table_names())
    if not present:
        return None
    if tables.schema_versions.name not in present:
        raise SchemaError("the database holds tables, but none of Renkei's: name another file or an empty database")
    known = {row.component: row.version for row in connection.execute(select(tables.schema_versions))}
    steps = 0
    for schema in schemas:
        found = known.get(schema.component)
        there = set(schema.metadata.tables) & present
        if found is None and there:
            raise SchemaError(f"the database has {', '.join(sorted(there))} of a schema that it does not name: {_HALF}")
        if found is None:
            continue
        _refuse_newer(schema, found)
        steps += schema.version - found
        missing = sorted(set(schema.metadata.tables) - present)
        if missing and found == schema.version:
            raise SchemaError(f"the database lacks {', '.join(missing)}: {_HALF}")
    return steps


def _refuse_newer(schema: Schema, found: int) -> None:
    if found > schema.version:
        raise SchemaError(
            f"the database's {schema.component} tables are of version {found}, this program knows {schema.version}: "
            "start the newer program"
        )


def _bring_up(connection: Connection, schema: Schema, found: int | None) -> None:
    if found is None:
        begun = sorted(set(schema.metadata.tables) & set(inspect(connection).get_table_names()))
        if begun and begun != [tables.schema_versions.name]:
            raise SchemaError(f"the database has {', '.join(begun)} of a schema that it does not name: {_HALF}")
        schema.metadata.create_all(connection)
        connection.execute(tables.schema_versions.insert(), {"component": schema.component, "version": schema.version})
        return
    _refuse_newer(schema, found)
    for number, step in enumerate(schema.steps[found - 1 :], start=found + 1):
        step(connection)
        connection.execute(
            tables.schema_versions.update()
            .where(tables.schema_versions.c.component == schema.component)
            .values(version=number)
        )
