"""A database of before: tips that are there live on, and get what is new."""

from __future__ import annotations

from sqlalchemy import create_engine, inspect, select, update

from renkei_chassis.database.schema import migrate
from renkei_chassis.database.tables import schema_versions
from renkei_tips.store import MERGES, OPENINGS, SCHEMA, SOURCES, TABLES, metadata


def test_a_database_of_before_gets_the_tables_that_are_new() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, [SCHEMA])
        texts = TABLES.texts
        opinions = [table for table in metadata.tables.values() if table.name.startswith("opinion")]
        new = (MERGES, SOURCES, OPENINGS, texts.pending, texts.blocks, texts.members, texts.postings, *opinions)
        for table in new:
            table.drop(connection)
        connection.execute(update(schema_versions).values(version=1))

        migrate(connection, [SCHEMA])

        assert {table.name for table in new} <= set(inspect(connection).get_table_names())
        assert connection.execute(select(schema_versions.c.version)).scalar_one() == SCHEMA.version
