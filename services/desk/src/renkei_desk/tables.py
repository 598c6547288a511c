"""The tables of the desk: who is signed in, and the notes that one shift leaves to the next."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from renkei_chassis.database.schema import Schema

metadata: Final = MetaData()

sessions: Final = Table(
    "session",
    metadata,
    Column("id", LargeBinary(32), primary_key=True),  # a hash of what the browser holds
    Column("officer", String(128), nullable=False),
    Column("roles", String(200), nullable=False),
    Column("begin_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
)

notes: Final = Table(
    "note",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("form", String(36), nullable=False),  # of the form it came from: a second try writes nothing
    Column("officer", String(128), nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Index("note_by_form", "form", unique=True),
)

SCHEMA: Final = Schema(component="desk", metadata=metadata)
