"""The tables of one kind of record: own ones with their versions, and copies apart from them."""

from __future__ import annotations

from dataclasses import dataclass

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

from renkei_chassis.records.texts.tables import TextTables, text_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of one kind of record."""

    records: Table
    """Own records, each as it is now."""
    versions: Table
    """What own records were before."""
    deletions: Table
    """Who marked which version as deleted, when and why. Rows stay when the mark is taken back."""
    identifiers: Table
    """What a search looks into, for own records."""
    copies: Table
    """What other agencies released, each as it is now."""
    copy_identifiers: Table
    withdrawals: Table
    """Which version of a copy was withdrawn last: nothing up to it comes back."""
    texts: TextTables
    """What a search for texts looks into, for own records and copies."""
    reference: str
    """The column by which lists find records: of a tip its case, of an opinion its tip."""
    beside: tuple[Table, ...] = ()
    """Further tables of a kind, with a column `record_id`: their rows go with the record."""
    more_identifiers: tuple[Table, ...] = ()
    """Further tables of a kind that a search looks into, shaped like `identifiers`."""
    more_copy_identifiers: tuple[Table, ...] = ()
    """The same for copies, shaped like `copy_identifiers`."""


def record_tables(
    metadata: MetaData,
    word: str,
    *,
    beside: tuple[Table, ...] = (),
    more_identifiers: tuple[Table, ...] = (),
    more_copy_identifiers: tuple[Table, ...] = (),
    reference: str = "case_reference",
) -> Tables:
    """Make the tables of a kind called `word`: `tip`, `tip_version`, `tip_copy` and so on."""
    by_reference = f"by_{reference.removesuffix('_reference')}"
    return Tables(
        records=Table(
            word,
            metadata,
            Column("id", LargeBinary(16), primary_key=True),
            Column("version", Integer, nullable=False),
            Column("state", SmallInteger, nullable=False),
            Column("category", SmallInteger, nullable=False),
            Column(reference, String(128), nullable=False),
            Column("create_time_us", BigInteger, nullable=False),
            Column("delete_time_us", BigInteger),
            Column("purge_time_us", BigInteger),
            Column("content", LargeBinary, nullable=False),  # the serialised record
            Index(f"{word}_{by_reference}", reference, "id"),
        ),
        versions=Table(
            f"{word}_version",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("version", Integer, nullable=False),
            Column("content", LargeBinary, nullable=False),
            PrimaryKeyConstraint("record_id", "version"),
        ),
        deletions=Table(
            f"{word}_deletion",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("version", Integer, nullable=False),
            Column("delete_time_us", BigInteger, nullable=False),
            Column("purge_time_us", BigInteger, nullable=False),
            Column("recorder", String(128), nullable=False),
            Column("reason", String(500), nullable=False),
            PrimaryKeyConstraint("record_id", "version"),
        ),
        identifiers=Table(
            f"{word}_identifier",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("ordinal", Integer, nullable=False),
            Column("type", SmallInteger, nullable=False),
            Column("search_key", String(256), nullable=False),
            PrimaryKeyConstraint("record_id", "ordinal"),
            sqlite_with_rowid=False,
        ),
        copies=Table(
            f"{word}_copy",
            metadata,
            Column("id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("version", Integer, nullable=False),
            Column("state", SmallInteger, nullable=False),
            Column("category", SmallInteger, nullable=False),
            Column(reference, String(128), nullable=False),
            Column("create_time_us", BigInteger),  # not in an index entry
            Column("content", LargeBinary, nullable=False),
            PrimaryKeyConstraint("id", "agency"),
            Index(f"{word}_copy_{by_reference}", reference, "id"),
        ),
        copy_identifiers=Table(
            f"{word}_copy_identifier",
            metadata,
            Column("record_id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("ordinal", Integer, nullable=False),
            Column("type", SmallInteger, nullable=False),
            Column("search_key", String(256), nullable=False),
            PrimaryKeyConstraint("record_id", "agency", "ordinal"),
            sqlite_with_rowid=False,
        ),
        withdrawals=Table(
            f"{word}_withdrawal",
            metadata,
            Column("id", LargeBinary(16), nullable=False),
            Column("agency", String(32), nullable=False),
            Column("version", Integer, nullable=False),
            PrimaryKeyConstraint("id", "agency"),
        ),
        texts=text_tables(metadata, word),
        reference=reference,
        beside=beside,
        more_identifiers=more_identifiers,
        more_copy_identifiers=more_copy_identifiers,
    )
