"""Blocks of a text index as values: read, with records added and taken out, and as rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from renkei_chassis.records.texts.postings import (
    FULL,
    is_empty,
    of_block,
    pack,
    unpack,
    with_more,
    without,
)
from renkei_chassis.records.texts.shelves import row_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection, Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.texts.tables import TextTables

    Key = tuple[bytes, str]

PIECE: Final = 64
"""So many members are in one row."""
PIECES: Final = FULL // PIECE
MEMBER_BYTES: Final = 18
_AGENCY: Final = slice(16, MEMBER_BYTES)
BLANK: Final = bytes(MEMBER_BYTES)
"""Where no record is any more."""


@dataclass(slots=True, kw_only=True)
class Block:
    """A block that is being changed."""

    number: int
    members: list[bytes]
    """16 bytes of the record's id and two of its agency's number; zeros where a record was taken out."""
    agencies: list[str]
    postings: dict[int, dict[int, bytes]]
    """By row."""
    _more: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: Key, tokens: Iterable[int]) -> None:
        """Add an entry: what a record holds, or a part of that."""
        record_id, agency = key
        if agency not in self.agencies:
            self.agencies.append(agency)
        place = len(self.members)
        self.members.append(record_id + self.agencies.index(agency).to_bytes(2, "little"))
        for number in tokens:
            self._more[number].append(place)

    def fill(self, size: int) -> None:
        """Take no more: what comes next needs more places than are left of `size`."""
        self.members += [BLANK] * (size - len(self.members))

    def remove(self, keys: Collection[Key]) -> None:
        """Take records out, so that nothing tells that they were there."""
        gone = {place for place, key in enumerate(self.keys()) if key in keys}
        for place in gone:
            self.members[place] = BLANK
        for row, tokens in self.postings.items():
            left = {each: without(posting, gone) for each, posting in tokens.items()}
            self.postings[row] = {each: posting for each, posting in left.items() if not is_empty(posting)}

    def keys(self) -> list[Key]:
        """Give the record of each number; one that was taken out has an id of zeros."""
        return [member_key(member, self.agencies) for member in self.members]

    def close(self) -> None:
        """Put what was added where it belongs."""
        for token, places in self._more.items():
            number = of_block(token, self.number)
            tokens = self.postings.setdefault(row_of(self.number, 1, token), {})
            tokens[number] = with_more(tokens.get(number, b""), places)
        self._more.clear()

    def write(self, transaction: Transaction, texts: TextTables) -> None:
        """Store it in place of what was there."""
        blocks, members, postings = texts.blocks, texts.members, texts.postings
        transaction.execute(blocks.delete().where(blocks.c.number == self.number))
        pieces = range(self.number * PIECES, (self.number + 1) * PIECES)
        for table, rows in ((members, pieces), (postings, rows_of(self.number, 1))):
            transaction.execute(table.delete().where(table.c.number.between(rows[0], rows[-1])))
        lowest, highest = span(self.members)
        row = {"number": self.number, "size": len(self.members), "agencies": "\n".join(self.agencies), "together": 1}
        transaction.insert(blocks, {**row, "lowest": lowest, "highest": highest})
        for piece, first in zip(pieces, range(0, len(self.members), PIECE), strict=False):
            content = b"".join(self.members[first : first + PIECE])
            transaction.insert(members, {"number": piece, "content": content})
        for number, tokens in self.postings.items():
            if tokens:
                transaction.insert(postings, {"number": number, "content": pack(tokens)})


def span(members: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Give the lowest and the highest id of records; zeros where there is none."""
    ids = [member[:16] for member in members if member != BLANK]
    return min(ids, default=BLANK[:16]), max(ids, default=BLANK[:16])


def member_key(member: bytes, agencies: Sequence[str]) -> Key:
    """Read whose record it is."""
    return member[:16], agencies[int.from_bytes(member[_AGENCY], "little")]


def new_block(number: int) -> Block:
    """Begin a block."""
    return Block(number=number, members=[], agencies=[""], postings={})


def read_block(connection: Connection, texts: TextTables, row: Row[Any]) -> Block:
    """Read the whole of a block whose pairs are stored alone."""
    rows, table = rows_of(row.number, 1), texts.postings
    found = connection.execute(select(table).where(table.c.number.between(rows[0], rows[-1])))
    return Block(
        number=row.number,
        members=read_members(connection, texts, row.number),
        agencies=row.agencies.split("\n"),
        postings={each.number: unpack(bytes(each.content)) for each in found},
    )


def read_members(connection: Connection, texts: TextTables, number: int) -> list[bytes]:
    """Read the members of a block."""
    first = number * PIECES
    table = texts.members
    rows = connection.execute(
        select(table).where(table.c.number.between(first, first + PIECES - 1)).order_by(table.c.number)
    )
    content = b"".join([row.content for row in rows])
    return [content[begin : begin + MEMBER_BYTES] for begin in range(0, len(content), MEMBER_BYTES)]
