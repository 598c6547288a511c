"""The tables of leads: records, where identifiers stand in them, leads, and what people do about them.

A record that was withdrawn or deleted keeps its name and version and nothing else, so that a late
copy of it is recognised. A record is in at most one live lead; a lead that ended keeps its row, its
state and its first record, and none of its records. An identifier's row counts its records: nobody
reads the thousand places of one that is too common to link.

All of that can be found anew from the logs of the others. What people do about leads cannot: its two tables know a lead
by its id alone, and nothing that is found ever deletes from them.
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
    # All that an order by urgency needs of a lead. Led by the state it would lure the others away from theirs.
    Index("lead_by_creation", "create_us", "state", "update_us", "id"),
)

lead_records: Final = Table(
    "lead_record",
    metadata,
    Column("record", String(128), primary_key=True),
    Column("lead", String(36), nullable=False),
    Index("lead_record_by_lead", "lead"),
    sqlite_with_rowid=False,
)

follow_ups: Final = Table(
    "follow_up",
    metadata,
    Column("lead", String(36), primary_key=True),
    Column("standing", SmallInteger, nullable=False),
    Column("holder", String(128), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("snooze_end_us", BigInteger),
    Column("has_grown", Boolean, nullable=False),
    Column("seen_records", LargeBinary, nullable=False),  # hashes of names, one after the other
    Column("seen_state", SmallInteger, nullable=False),
    Column("seen_evidence", Integer, nullable=False),
    Column("act_us", BigInteger, nullable=False),
    Column("update_us", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),  # counts the steps but SEEN
    Column("steps", Integer, nullable=False),
    Column("seen_count", Integer, nullable=False),
    Index("follow_up_by_holder", "holder"),
    Index("follow_up_by_snooze_end", "snooze_end_us"),
)

lead_steps: Final = Table(
    "lead_step",
    metadata,
    Column("lead", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Column("holder", String(128), nullable=False),
    Column("unit", String(100), nullable=False),
    Column("snooze_end_us", BigInteger),
    Column("other", String(36), nullable=False),
    PrimaryKeyConstraint("lead", "number"),
    sqlite_with_rowid=False,
)


def _add_follow_ups(connection: Connection) -> None:
    """Make the tables: every lead is new to people."""
    follow_ups.create(connection)
    lead_steps.create(connection)


def _add_parts(connection: Connection) -> None:
    """Let sites stand in parts of a record; what is there stands in the records themselves."""
    add_columns(connection, occurrences.name, Column("part", String(36), nullable=False, server_default=""))


def _order_by_urgency(connection: Connection) -> None:
    """Let leads be ordered without being read."""
    connection.exec_driver_sql("CREATE INDEX lead_by_creation ON lead (create_us, state, update_us, id)")


SCHEMA: Final = Schema(component="leads", metadata=metadata, steps=[_add_follow_ups, _add_parts, _order_by_urgency])
