"""The tables of a text index: what it does not know yet, its blocks of records, and which pair stands in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
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

# In SQLite only INTEGER is the number by which a row is stored, and so found without an index beside it.
_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTables:
    """The tables of the text index of one kind of record. Own records have the agency ""."""

    pending: Table
    """Records that the index has to be brought in line with."""
    blocks: Table
    """So many records each, in the order in which they were indexed."""
    members: Table
    """Which record has which number in a block, in pieces."""
    postings: Table
    """In which records of blocks a pair of characters stands, many pairs to a row."""


def text_tables(metadata: MetaData, word: str) -> TextTables:
    """Make the tables of a kind called `word`."""
    return TextTables(
        pending=Table(
            f"{word}_text_pending",
            metadata,
            Column("id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("again", SmallInteger, nullable=False),  # 1: the index may hold what the record was before
            Column("mark", BigInteger, nullable=False),  # another one with each change
            PrimaryKeyConstraint("id", "agency"),
            Index(f"{word}_text_pending_again", "again"),
            sqlite_with_rowid=False,
        ),
        blocks=Table(
            f"{word}_text_block",
            metadata,
            Column("number", Integer, primary_key=True, autoincrement=False),
            Column("size", Integer, nullable=False),
            Column("lowest", LargeBinary(16), nullable=False),
            Column("highest", LargeBinary(16), nullable=False),
            Column("agencies", String(4096), nullable=False),
            Column("together", SmallInteger, nullable=False),  # with so many, itself counted, its pairs are stored
        ),
        members=_numbered(metadata, f"{word}_text_member"),
        postings=_numbered(metadata, f"{word}_text_posting"),
    )


def _numbered(metadata: MetaData, name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("number", _NUMBER, primary_key=True, autoincrement=False),
        Column("content", LargeBinary, nullable=False),
    )
