"""The tables of the desk: who is signed in, why they ask, and the notes that one shift leaves to the next."""

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
    Column("purpose", String(36)),  # for which its questions are asked; NULL: none was said yet
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

purposes: Final = Table(
    "purpose",
    metadata,
    Column("id", String(36), primary_key=True),  # it is sent with every question, and stands in the logs
    Column("officer", String(128), nullable=False),
    Column("case_reference", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("create_us", BigInteger, nullable=False),
    Index("purpose_by_officer", "officer", "create_us"),
)

SCHEMA: Final = Schema(component="desk", metadata=metadata)
