"""The tables of leads: records, where identifiers stand in them, and the leads that were found.

A record that was withdrawn or deleted keeps its name and version and nothing else, so that a late
copy of it is recognised. A record is in at most one live lead; a lead that ended keeps its row, its
state and its first record, and none of its records. An identifier's row counts its records: nobody
reads the thousand places of one that is too common to link.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)

from renkei_chassis.database.columns import add_columns
from renkei_chassis.database.schema import Schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata: Final = MetaData()

_KEY: Final = String(288)  # Identifier.key: a type, a version, and a form of at most 256 characters

records: Final = Table(
    "record",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("visible", Boolean, nullable=False),
    Column("grade", SmallInteger, nullable=False),  # 0: an own record
    Column("contact_desk", String(200), nullable=False),
    Column("caveat", String(500), nullable=False),
)

identifiers: Final = Table(
    "identifier",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("records", Integer, nullable=False),
    sqlite_with_rowid=False,
)

occurrences: Final = Table(
    "occurrence",
    metadata,
    Column("record", String(128), nullable=False),
    Column("number", Integer, nullable=False),
    Column("part", String(36), nullable=False),  # an exhibit of the record; empty: the record itself
    Column("identifier", _KEY, nullable=False),
    Column("provenance", Integer, nullable=False),
    Column("relation", Integer, nullable=False),
    Column("from_us", BigInteger),
    Column("until_us", BigInteger),
    PrimaryKeyConstraint("record", "number"),
    Index("occurrence_by_identifier", "identifier"),
    sqlite_with_rowid=False,
)

leads: Final = Table(
    "lead",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("state", SmallInteger, nullable=False),
    Column("first_record", String(128), nullable=False),
    Column("merged_into", String(36), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # a serialised Lead but for its times and etag
    Index("lead_by_first_record", "first_record", unique=True),
    Index("lead_by_update", "update_us", "id"),
)

lead_records: Final = Table(
    "lead_record",
    metadata,
    Column("record", String(128), primary_key=True),
    Column("lead", String(36), nullable=False),
    Index("lead_record_by_lead", "lead"),
    sqlite_with_rowid=False,
)


def _add_parts(connection: Connection) -> None:
    """Let sites stand in parts of a record; what is there stands in the records themselves."""
    add_columns(connection, occurrences.name, Column("part", String(36), nullable=False, server_default=""))


SCHEMA: Final = Schema(component="leads", metadata=metadata, steps=[_add_parts])
