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

from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables

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

TABLES: Final = record_tables(metadata, "arrest", beside=(CLOCKS,))


def _add_clocks(connection: Connection) -> None:
    """Make the table; the service sets the clocks of what is there at its start."""
    CLOCKS.create(connection)


SCHEMA: Final = Schema(component="arrests", metadata=metadata, steps=[_add_clocks])
