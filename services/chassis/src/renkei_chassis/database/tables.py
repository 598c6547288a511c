"""The tables that every service's database has beside its own."""

from __future__ import annotations

from typing import Final

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

from renkei_chassis.database.columns import NO_BYTES

metadata: Final = MetaData()

# Facts about the database itself: whose it is, the epoch of its log, the secret behind its page tokens.
facts: Final = Table(
    "renkei_fact",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

# How far each set of tables has been migrated.
schema_versions: Final = Table(
    "renkei_schema",
    metadata,
    Column("component", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
)

# The log. It is outbox and write audit in one; a row never changes but for `erased`.
events: Final = Table(
    "renkei_event",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("origin_agency", String(32), nullable=False),  # "" for the service's own events
    Column("time_us", BigInteger, nullable=False),
    Column("type", String(256), nullable=False),
    Column("resource", String(200), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("erased", Boolean, nullable=False),
    # A serialised Event with what is left: audience, origin, grade, may_ignore, trace_parent.
    Column("envelope", LargeBinary, nullable=False),
    Index("renkei_event_by_id", "origin_agency", "event_id", unique=True),
    Index("renkei_event_by_resource", "resource", "sequence"),
)

# What an erasure takes away, apart from what stays.
payloads: Final = Table(
    "renkei_payload",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# Which events travel as one message: written with them, so that a message always has the same number.
packs: Final = Table(
    "renkei_pack",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
)

# What was asked and done, so that a repeat is answered and not done again. No answer is kept: it is rebuilt.
requests: Final = Table(
    "renkei_request",
    metadata,
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("hash", LargeBinary(32), nullable=False),
    Column("resource", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Index("renkei_request_by_time", "time_us"),
)

# How far a log of another service is in effect here. Moves in the transaction of the effect.
cursors: Final = Table(
    "renkei_cursor",
    metadata,
    Column("source", String(96), primary_key=True),
    Column("epoch", String(36), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("apply_time_us", BigInteger, nullable=False),
    # What follower.memory keeps: the hash over all events up to here (empty in a cursor from before there was one),
    # through which sequence ids were dropped, and the youngest of these.
    Column("chain", LargeBinary(32), nullable=False),
    Column("pruned", BigInteger, nullable=False, server_default="0"),
    Column("newest_pruned", LargeBinary(16), nullable=False, server_default=NO_BYTES),
    # Not empty where a restored log may offer events again whose ids were dropped: the youngest of these.
    Column("doubt", LargeBinary(16), nullable=False),
)

# Which of the newer events are in effect, for the day when a log is restored and offers everything again.
applied: Final = Table(
    "renkei_applied",
    metadata,
    Column("source", String(96), nullable=False),
    Column("origin_agency", String(32), nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    # Its place in the log as it is now; 0 where that is not known, and the id is to be kept.
    Column("sequence", BigInteger, nullable=False),
    PrimaryKeyConstraint("source", "origin_agency", "event_id"),
    sqlite_with_rowid=False,
)

# Beginnings of logs that are in effect as a whole: the hash over their first events.
marks: Final = Table(
    "renkei_mark",
    metadata,
    Column("source", String(96), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("chain", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("source", "sequence", "chain"),
    sqlite_with_rowid=False,
)

# Events that could not be applied. The content stays in the log they came from.
set_aside: Final = Table(
    "renkei_set_aside",
    metadata,
    Column("source", String(96), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("origin_agency", String(32), nullable=False),
    Column("type", String(256), nullable=False),
    Column("resource", String(200), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("time_us", BigInteger, nullable=False),
    # By identity: a restored log may give the sequence to another event.
    PrimaryKeyConstraint("source", "origin_agency", "event_id"),
    Index("renkei_set_aside_by_sequence", "source", "sequence"),
    Index("renkei_set_aside_by_resource", "source", "resource"),
)
