"""A database from before there was a text index gets one, and nothing in it is left out."""

from __future__ import annotations

from sqlalchemy import MetaData, create_engine, select

from renkei_chassis.records.tables import record_tables
from renkei_chassis.records.texts.pending import index_anew

_ROW = {"version": 1, "state": 1, "category": 1, "case_reference": "", "create_time_us": 1, "content": b""}


def test_a_step_notes_every_record_and_every_copy_that_is_there() -> None:
    metadata = MetaData()
    tables = record_tables(metadata, "tip")
    new = {tables.texts.pending, tables.texts.blocks, tables.texts.members, tables.texts.postings}
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[table for table in metadata.sorted_tables if table not in new])
        connection.execute(tables.records.insert(), [{"id": bytes([each]) * 16, **_ROW} for each in (1, 2)])
        connection.execute(tables.copies.insert(), [{"id": bytes([1]) * 16, "agency": "agencies/jp-13", **_ROW}])

        index_anew(connection, "tip", tables.texts)

        rows = connection.execute(select(tables.texts.pending.c.id, tables.texts.pending.c.agency)).all()
    engine.dispose()
    assert sorted((row.id[0], row.agency) for row in rows) == [(1, ""), (1, "agencies/jp-13"), (2, "")]
