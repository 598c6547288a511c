"""The tables of arrest records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
)

from renkei_arrests.exhibits.tables import exhibit_tables
from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables
from renkei_chassis.records.texts.pending import index_anew

if TYPE_CHECKING:
    from sqlalchemy import Connection

metadata: Final = MetaData()

# The clocks that run for own arrests, and those that ran: what was warned of stays known until the record is purged.
CLOCKS: Final = Table(
    "arrest_clock",
    metadata,
    Column("record_id", LargeBinary(16), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("running", SmallInteger, nullable=False),
    Column("level", SmallInteger, nullable=False),  # the last that was warned of
    Column("warn_us", BigInteger),
    Column("acknowledge_us", BigInteger),
    Column("acknowledger", String(128), nullable=False),
    Column("escalate_us", BigInteger),
    Column("desk", String(100), nullable=False),
    Column("look_us", BigInteger),  # when something is to be done about it next
    PrimaryKeyConstraint("record_id", "kind"),
    Index("arrest_clock_by_due", "running", "due_us", "record_id", "kind"),
    Index("arrest_clock_by_look", "look_us"),
)

# Which own arrest follows on which other one, own or received.
CHAINS: Final = Table(
    "arrest_chain",
    metadata,
    Column("record_id", LargeBinary(16), primary_key=True),
    Column("earlier_agency", String(32), nullable=False),
    Column("earlier_id", LargeBinary(16), nullable=False),
    Index("arrest_chain_by_earlier", "earlier_id"),
)

# Purge reviews of own arrests; one of a record, the last.
PURGE_REVIEWS: Final = Table(
    "arrest_purge_review",
    metadata,
    Column("record_id", LargeBinary(16), primary_key=True),
    Column("cause", SmallInteger, nullable=False),
    Column("open_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("decision", SmallInteger, nullable=False),
    Column("decide_us", BigInteger),
    Column("decider", String(128), nullable=False),
    Column("reason", String(500), nullable=False),
    Index("arrest_purge_review_by_due", "decision", "due_us", "record_id"),
)

# What is known of people: read by one method alone, which leaves a row in `arrest_sealed_opening`.
SEALED: Final = Table(
    "arrest_sealed",
    metadata,
    Column("record_id", LargeBinary(16), nullable=False),
    Column("block", SmallInteger, nullable=False),
    Column("recorder", String(128), nullable=False),
    Column("update_time_us", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # the serialised block
    PrimaryKeyConstraint("record_id", "block"),
)

# Who opened a block. A row stays when its arrest is purged, without the reason, which may tell of the person.
OPENINGS: Final = Table(
    "arrest_sealed_opening",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("record_id", LargeBinary(16), nullable=False),
    Column("block", SmallInteger, nullable=False),
    Column("caller", String(128), nullable=False),
    Column("time_us", BigInteger, nullable=False),
    Column("reason", String(500), nullable=False),
    Index("arrest_sealed_opening_by_arrest", "record_id", "id"),
)

EXHIBITS: Final = exhibit_tables(metadata)

TABLES: Final = record_tables(
    metadata,
    "arrest",
    beside=(CLOCKS, CHAINS, PURGE_REVIEWS, SEALED, *EXHIBITS.own),
    more_identifiers=(EXHIBITS.identifiers,),
    more_copy_identifiers=(EXHIBITS.copy_identifiers,),
)


def _add_clocks(connection: Connection) -> None:
    """Make the table; the service sets the clocks of what is there at its start."""
    CLOCKS.create(connection)


def _add_chains_and_purge_reviews(connection: Connection) -> None:
    """Make the tables; nothing that is there has a link or a ground yet."""
    CHAINS.create(connection)
    PURGE_REVIEWS.create(connection)


def _index_texts(connection: Connection) -> None:
    """Let the index come to every record that is there."""
    index_anew(connection, "arrest", TABLES.texts)


def _add_exhibits(connection: Connection) -> None:
    """Make the tables; nothing that is there has exhibits yet."""
    for table in EXHIBITS:
        table.create(connection)


def _add_sealed_blocks(connection: Connection) -> None:
    """Make the tables; a record that is there keeps its person's name until it is corrected."""
    for table in (SEALED, OPENINGS):
        table.create(connection)


def _index_identifiers(connection: Connection) -> None:
    """Let the index, which holds identifiers from now on, come to every record anew."""
    index_anew(connection, "arrest", TABLES.texts)


SCHEMA: Final = Schema(
    component="arrests",
    metadata=metadata,
    steps=[
        _add_clocks,
        _add_chains_and_purge_reviews,
        _index_texts,
        _add_exhibits,
        _add_sealed_blocks,
        _index_identifiers,
    ],
)
