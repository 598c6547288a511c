"""The tables of tips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table

from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables
from renkei_chassis.records.texts.pending import index_anew

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata: Final = MetaData()

MERGES: Final = Table(
    "tip_merge",
    metadata,
    Column("record_id", LargeBinary(16), primary_key=True),
    Column("into_id", LargeBinary(16), nullable=False),
    Index("tip_merge_by_target", "into_id"),
)
"""Which own tip is part of which, of those that are not deleted: the tips say so too, and this finds them."""
SOURCES: Final = Table(
    "tip_source",
    metadata,
    Column("record_id", LargeBinary(16), primary_key=True),
    Column("recorder", String(128), nullable=False),
    Column("update_time_us", BigInteger, nullable=False),
    Column("identity", LargeBinary, nullable=False),  # the serialised SourceIdentity
)
"""Who the source of a tip is: read by one method alone, which leaves a row in `tip_source_opening`."""
OPENINGS: Final = Table(
    "tip_source_opening",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("tip_id", LargeBinary(16), nullable=False),
    Column("caller", String(128), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("reason", String(500), nullable=False),
    Index("tip_source_opening_by_tip", "tip_id", "id"),
)
"""Who opened a source. A row stays when its tip is purged, without the reason, which may tell of the person."""

TABLES: Final = record_tables(metadata, "tip", beside=(MERGES, SOURCES))
OPINIONS: Final = record_tables(metadata, "opinion", reference="tip")


def _add_life_and_sources(connection: Connection) -> None:
    for table in (MERGES, SOURCES, OPENINGS):
        table.create(connection)


def _index_texts(connection: Connection) -> None:
    """Let the index come to every record that is there."""
    index_anew(connection, "tip", TABLES.texts)


def _add_opinions(connection: Connection) -> None:
    """Make what never was there."""
    metadata.create_all(connection, [table for table in metadata.tables.values() if table.name.startswith("opinion")])


def _index_identifiers(connection: Connection) -> None:
    """Let the index, which holds identifiers from now on, come to every record anew."""
    index_anew(connection, "tip", TABLES.texts)
    index_anew(connection, "opinion", OPINIONS.texts)


SCHEMA: Final = Schema(
    component="tips",
    metadata=metadata,
    steps=[_add_life_and_sources, _index_texts, _add_opinions, _index_identifiers],
)
