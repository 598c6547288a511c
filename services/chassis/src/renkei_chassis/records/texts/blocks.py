"""Blocks of a text index as values: read, with records added and taken out, and as rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from renkei_chassis.records.texts.postings import (
    BUCKETS,
    FULL,
    bucket_of,
    is_empty,
    pack,
    unpack,
    with_more,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.texts.tables import TextTables

    Key = tuple[bytes, str]

PIECE: Final = 64
"""So many members are in one row."""
PIECES: Final = FULL // PIECE
MEMBER_BYTES: Final = 18
_AGENCY: Final = slice(16, MEMBER_BYTES)
_BLANK: Final = bytes(MEMBER_BYTES)


@dataclass(slots=True, kw_only=True)
class Block:
    """A block that is being changed."""

    number: int
    members: list[bytes]
    """16 bytes of the record's id and two of its agency's number; zeros where a record was taken out."""
    agencies: list[str]
    postings: list[dict[int, bytes]]
    """By bucket."""
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
        self.members += [_BLANK] * (size - len(self.members))

    def remove(self, keys: Collection[Key]) -> None:
        """Take records out, so that nothing tells that they were there."""
        gone = {place for place, key in enumerate(self.keys()) if key in keys}
        for place in gone:
            self.members[place] = _BLANK
        for number, tokens in enumerate(self.postings):
            left = {each: without(posting, gone) for each, posting in tokens.items()}
            self.postings[number] = {each: posting for each, posting in left.items() if not is_empty(posting)}

    def keys(self) -> list[Key]:
        """Give the record of each number; one that was taken out has an id of zeros."""
        return [member_key(member, self.agencies) for member in self.members]

    def close(self) -> None:
        """Put what was added where it belongs."""
        for number, places in self._more.items():
            tokens = self.postings[bucket_of(number)]
            tokens[number] = with_more(tokens.get(number, b""), places)
        self._more.clear()

    def write(self, transaction: Transaction, texts: TextTables) -> None:
        """Store it in place of what was there."""
        blocks, members, postings = texts.blocks, texts.members, texts.postings
        transaction.execute(blocks.delete().where(blocks.c.number == self.number))
        for table, each in ((members, PIECES), (postings, BUCKETS)):
            first = self.number * each
            transaction.execute(table.delete().where(table.c.number.between(first, first + each - 1)))
        ids = [member[:16] for member in self.members if member != _BLANK]
        row = {"number": self.number, "size": len(self.members), "agencies": "\n".join(self.agencies)}
        transaction.insert(
            blocks, {**row, "lowest": min(ids, default=_BLANK[:16]), "highest": max(ids, default=_BLANK[:16])}
        )
        for piece in range(0, len(self.members), PIECE):
            content = b"".join(self.members[piece : piece + PIECE])
            transaction.insert(members, {"number": self.number * PIECES + piece // PIECE, "content": content})
        for bucket, tokens in enumerate(self.postings):
            if tokens:
                transaction.insert(postings, {"number": self.number * BUCKETS + bucket, "content": pack(tokens)})


def member_key(member: bytes, agencies: Sequence[str]) -> Key:
    """Read whose record it is."""
    return member[:16], agencies[int.from_bytes(member[_AGENCY], "little")]


def new_block(number: int) -> Block:
    """Begin a block."""
    return Block(number=number, members=[], agencies=[""], postings=[{} for _ in range(BUCKETS)])


def read_block(connection: Connection, texts: TextTables, row: Row[Any]) -> Block:
    """Read a whole block."""
    first = row.number * BUCKETS
    table = texts.postings
    found = connection.execute(select(table).where(table.c.number.between(first, first + BUCKETS - 1)))
    contents: Mapping[int, bytes] = {each.number - first: bytes(each.content) for each in found}
    return Block(
        number=row.number,
        members=read_members(connection, texts, row.number),
        agencies=row.agencies.split("\n"),
        postings=[unpack(contents[bucket]) if bucket in contents else {} for bucket in range(BUCKETS)],
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
