"""A database of before: tips that are there live on, and get what is new."""

from __future__ import annotations

from sqlalchemy import create_engine, func, inspect, select, update

from renkei_chassis.database.schema import migrate
from renkei_chassis.database.tables import schema_versions
from renkei_tips.store import MERGES, OPENINGS, OPINIONS, SCHEMA, SOURCES, TABLES, metadata


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


def test_an_index_of_texts_alone_is_made_anew_for_identifiers() -> None:
    """What it held is not read as what it holds now; every record waits to be indexed, and is found meanwhile."""
    row = {"version": 1, "state": 1, "category": 1, "create_time_us": 1, "content": b""}
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, [SCHEMA])
        connection.execute(TABLES.records.insert(), {"id": bytes(16), "case_reference": "", **row})
        connection.execute(OPINIONS.records.insert(), {"id": bytes(16), "tip": "", **row})
        for tables in (TABLES, OPINIONS):
            connection.execute(tables.texts.postings.insert(), {"number": 1, "content": b"of before"})
        connection.execute(update(schema_versions).values(version=4))

        migrate(connection, [SCHEMA])

        for tables in (TABLES, OPINIONS):
            waiting = connection.execute(select(tables.texts.pending.c.id, tables.texts.pending.c.agency)).all()
            assert [(bytes(each.id), each.agency) for each in waiting] == [(bytes(16), "")]
            assert not connection.execute(select(func.count()).select_from(tables.texts.postings)).scalar_one()
