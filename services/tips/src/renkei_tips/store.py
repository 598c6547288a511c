"""The tables of tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import MetaData

from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables
from renkei_chassis.records.texts.pending import create_texts

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata: Final = MetaData()

TABLES: Final = record_tables(metadata, "tip")


def _index_texts(connection: Connection) -> None:
    """Let the index come to every record that is there."""
    create_texts(connection, "tip", TABLES.texts)


SCHEMA: Final = Schema(component="tips", metadata=metadata, steps=[_index_texts])
