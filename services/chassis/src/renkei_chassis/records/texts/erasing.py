"""Take records out of blocks that are full, so that nothing in the index tells what they held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, select

from renkei_chassis.records.texts import shelves
from renkei_chassis.records.texts.blocks import BLANK, PIECE, PIECES, member_key, read_members, span
from renkei_chassis.records.texts.shelves import rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row, Table

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.texts.tables import TextTables

    Key = tuple[bytes, str]
    Rows = Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What takes the place of rows that told of records."""

    spans: Sequence[Mapping[str, Any]]
    """From which record to which the blocks go now."""
    members: Rows
    postings: Rows

    def write(self, transaction: Transaction, texts: TextTables) -> None:
        """Store it."""
        columns = texts.blocks.c
        for values in self.spans:
            transaction.execute(texts.blocks.update().where(columns.number == values["number"]).values(**values))
        _replace(transaction, texts.members, self.members)
        _replace(transaction, texts.postings, self.postings)


def holding(
    connection: Connection, texts: TextTables, keys: Collection[Key], *, but: int
) -> Mapping[Key, Sequence[Row[Any]]]:
    """Find the blocks that hold records, except for one block."""
    columns = texts.blocks.c
    lowest, highest = min(key[0] for key in keys), max(key[0] for key in keys)
    spanning = and_(columns.highest >= lowest, columns.lowest <= highest, columns.number != but)
    found: dict[Key, dict[int, Row[Any]]] = {}
    for row in connection.execute(select(texts.blocks).where(spanning)).all():
        if any(row.lowest <= key[0] <= row.highest for key in keys):
            agencies = row.agencies.split("\n")
            for member in read_members(connection, texts, row.number):
                key = member_key(member, agencies)
                if key in keys:
                    found.setdefault(key, {})[row.number] = row
    return {key: list(rows.values()) for key, rows in found.items()}


def erasures(
    connection: Connection, texts: TextTables, blocks: Iterable[Row[Any]], keys: Collection[Key]
) -> Iterator[Erasure]:
    """Work out what blocks are without records; those that are stored together at once."""
    together: dict[range, list[Row[Any]]] = {}
    for row in blocks:
        together.setdefault(rows_of(row.number, row.together), []).append(row)
    for rows, those in together.items():
        spans: list[Mapping[str, Any]] = []
        pieces: dict[int, bytes] = {}
        gone: dict[int, set[int]] = {}
        for row in those:
            agencies = row.agencies.split("\n")
            members = read_members(connection, texts, row.number)
            gone[row.number] = {place for place, member in enumerate(members) if member_key(member, agencies) in keys}
            for place in gone[row.number]:
                members[place] = BLANK
            lowest, highest = span(members)
            spans.append({"number": row.number, "lowest": lowest, "highest": highest})
            for piece in {place // PIECE for place in gone[row.number]}:
                pieces[row.number * PIECES + piece] = b"".join(members[piece * PIECE : (piece + 1) * PIECE])
        postings = list(shelves.without(connection, texts, rows, gone))
        yield Erasure(spans=spans, members=list(pieces.items()), postings=postings)


def _replace(transaction: Transaction, table: Table, rows: Rows) -> None:
    if rows:
        number = table.c.number
        transaction.execute(table.delete().where(number == bindparam("row")), [{"row": row} for row, _ in rows])
        for row, content in rows:
            if content:
                transaction.insert(table, {"number": row, "content": content})
