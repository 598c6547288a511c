"""The steps that bring an older database here. Each holds its tables as they were made then, and never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei.personas.v1.personas_pb2 import Entry, Plan
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    column,
    false,
    select,
)
from sqlalchemy import table as named

from renkei_chassis.database.columns import add_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

APPROVED: Final = 1
SUPERVISED: Final = 2


def remember_past(connection: Connection) -> None:
    """Note who approved and who supervised, out of the entries: the row itself knows the last of each alone."""
    past = Table(
        "persona_past",
        MetaData(),
        Column("persona", LargeBinary(16), nullable=False),
        Column("part", SmallInteger, nullable=False),
        Column("officer", String(128), nullable=False),
        PrimaryKeyConstraint("persona", "part", "officer"),
    )
    past.create(connection)
    found = set(_past(connection))
    rows = [{"persona": persona, "part": part, "officer": officer} for persona, part, officer in sorted(found)]
    if rows:
        connection.execute(past.insert(), rows)


def compare_later(connection: Connection) -> None:
    """Let documents be compared with what comes later, and logs be read again."""
    add_columns(connection, "persona_document", Column("collided", Boolean, nullable=False, server_default=false()))
    readings = Table(
        "reading",
        MetaData(),
        Column("source", String(128), primary_key=True),
        Column("reading", Integer, nullable=False),
        Column("epoch", String(64), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
    )
    readings.create(connection)


def _past(connection: Connection) -> Iterator[tuple[bytes, int, str]]:
    changed = set()
    entries = named("persona_entry", column("persona", LargeBinary), column("content", LargeBinary))
    for row in connection.execute(select(entries)):
        entry = Entry.FromString(row.content)
        if entry.action in {"APPROVE", "APPROVE_EXTENSION"}:
            yield bytes(row.persona), APPROVED, entry.actor
        if entry.action == "APPOINT":
            changed.add(bytes(row.persona))
            yield from ((bytes(row.persona), SUPERVISED, officer) for officer in entry.officers)
    plans = named("persona_plan", column("persona", LargeBinary), column("content", LargeBinary))
    for row in connection.execute(select(plans)):
        if bytes(row.persona) in changed:  # whom the post was taken from is named in a plan that was submitted
            yield bytes(row.persona), SUPERVISED, Plan.FromString(row.content).supervisor
