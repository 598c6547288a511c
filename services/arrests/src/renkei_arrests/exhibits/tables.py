"""The tables of exhibits: own ones with what they were before, and copies apart from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitTables:
    """All of them. `record_id` is everywhere the arrest, with which a row goes."""

    exhibits: Table
    """Own exhibits, each as it is now."""
    versions: Table
    """What own exhibits were before."""
    identifiers: Table
    """What a search looks into, for own exhibits."""
    copies: Table
    copy_identifiers: Table

    @property
    def own(self) -> tuple[Table, ...]:
        """Give the tables of own exhibits."""
        return self.exhibits, self.versions, self.identifiers

    def __iter__(self) -> Iterator[Table]:
        """Give every table."""
        yield from (*self.own, self.copies, self.copy_identifiers)


def exhibit_tables(metadata: MetaData) -> ExhibitTables:
    """Make the tables."""
    return ExhibitTables(
        exhibits=Table(
            "arrest_exhibit",
            metadata,
            Column("id", LargeBinary(16), primary_key=True),
            Column("record_id", LargeBinary(16), nullable=False),
            Column("number", Integer, nullable=False),
            Column("within_id", LargeBinary(16)),
            Column("version", Integer, nullable=False),
            Column("delete_time_us", BigInteger),
            Column("deleter", String(128), nullable=False),
            Column("delete_reason", String(500), nullable=False),
            Column("content", LargeBinary, nullable=False),  # the serialised exhibit
            Index("arrest_exhibit_by_number", "record_id", "number", unique=True),
            Index("arrest_exhibit_by_place", "record_id", "within_id", "number"),
        ),
        versions=Table(
            "arrest_exhibit_version",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("id", LargeBinary(16), nullable=False),
            Column("version", Integer, nullable=False),
            Column("content", LargeBinary, nullable=False),
            PrimaryKeyConstraint("record_id", "id", "version"),
        ),
        identifiers=Table(
            "arrest_exhibit_identifier",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("id", LargeBinary(16), nullable=False),
            Column("ordinal", Integer, nullable=False),
            Column("type", SmallInteger, nullable=False),
            Column("search_key", String(256), nullable=False),
            PrimaryKeyConstraint("record_id", "id", "ordinal"),
            sqlite_with_rowid=False,
        ),
        copies=Table(
            "arrest_exhibit_copy",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("id", LargeBinary(16), nullable=False),
            Column("number", Integer, nullable=False),
            Column("within_id", LargeBinary(16)),
            Column("version", Integer, nullable=False),
            Column("content", LargeBinary, nullable=False),
            PrimaryKeyConstraint("record_id", "agency", "id"),
            Index("arrest_exhibit_copy_by_number", "record_id", "agency", "number"),
        ),
        copy_identifiers=Table(
            "arrest_exhibit_copy_identifier",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("id", LargeBinary(16), nullable=False),
            Column("ordinal", Integer, nullable=False),
            Column("type", SmallInteger, nullable=False),
            Column("search_key", String(256), nullable=False),
            PrimaryKeyConstraint("record_id", "agency", "id", "ordinal"),
            sqlite_with_rowid=False,
        ),
    )
