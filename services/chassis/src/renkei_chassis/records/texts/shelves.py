"""Where the pairs of blocks are stored: those of a young block in rows of its own, those of sixteen full ones together.

The rows of sixteen blocks are as many as theirs were, and each holds the pairs of one bucket of a sixteenth the size.
So a pair that few records have is looked for in one row, and not in sixteen; and a row stays as long as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from renkei_chassis.records.texts.postings import BLOCK_BITS, block_of, pack, take_out, unpack
from renkei_chassis.records.texts.tokens import spread

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.records.texts.tables import TextTables

TOGETHER: Final = 1 << BLOCK_BITS
"""So many blocks are stored together."""
BUCKETS: Final = 512
"""So many rows a block has."""
# What is read at once, of the rows of a shelf: some hundred kilobytes.
_ROWS_AT_ONCE: Final = 512
_BUCKETS_AT_ONCE: Final = _ROWS_AT_ONCE // TOGETHER


def rows_of(number: int, together: int) -> range:
    """Say which rows hold the pairs of a block that is stored with so many, itself counted."""
    first = (number - number % together) * BUCKETS
    return range(first, first + together * BUCKETS)


def row_of(number: int, together: int, token: int) -> int:
    """Say which of them holds a pair."""
    return (number - number % together) * BUCKETS + spread(token) % (BUCKETS * together)


def due(connection: Connection, texts: TextTables, full: int) -> Sequence[int]:
    """Name sixteen full blocks that are to be stored together; none where there are not so many."""
    columns = texts.blocks.c
    asked = select(columns.number).where(columns.together == 1, columns.size >= full).order_by(columns.number)
    shelves: dict[int, list[int]] = {}
    for number in connection.execute(asked).scalars():
        shelves.setdefault(number // TOGETHER, []).append(number)
    return next((numbers for numbers in shelves.values() if len(numbers) == TOGETHER), ())


def merge(connection: Connection, texts: TextTables, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Make the rows of blocks that are stored together from now on."""
    columns = texts.postings.c
    made: list[tuple[int, bytes]] = []
    for bucket in range(0, BUCKETS, _BUCKETS_AT_ONCE):
        rows: dict[int, dict[int, bytes]] = {}
        for number in numbers:
            first = number * BUCKETS + bucket
            some = columns.number.between(first, first + _BUCKETS_AT_ONCE - 1)
            for content in connection.execute(select(columns.content).where(some)).scalars():
                for token, posting in unpack(content).items():
                    row = row_of(number, TOGETHER, token >> BLOCK_BITS)
                    rows.setdefault(row, {})[token] = posting
        made += [(row, pack(tokens)) for row, tokens in rows.items()]
    return made


def without(
    connection: Connection, texts: TextTables, rows: range, gone: Mapping[int, Collection[int]]
) -> Iterator[tuple[int, bytes]]:
    """Give the rows that change where records are taken out of blocks, by their numbers; b"" for one that is empty."""
    table, places = texts.postings, {block_of(number): each for number, each in gone.items()}
    for first in range(rows.start, rows.stop, _ROWS_AT_ONCE):
        some = table.c.number.between(first, min(first + _ROWS_AT_ONCE, rows.stop) - 1)
        for row in connection.execute(select(table).where(some)):
            left = take_out(row.content, places)
            if left is not row.content:
                yield row.number, left


def store(
    transaction: Transaction, texts: TextTables, numbers: Sequence[int], rows: Sequence[tuple[int, bytes]]
) -> None:
    """Store the rows of blocks together, in place of those that each had."""
    place, columns = rows_of(numbers[0], TOGETHER), texts.postings.c
    transaction.execute(texts.postings.delete().where(columns.number.between(place[0], place[-1])))
    for row, content in rows:
        transaction.insert(texts.postings, {"number": row, "content": content})
    mine = texts.blocks.c.number.between(numbers[0], numbers[-1])
    transaction.execute(texts.blocks.update().where(mine).values(together=TOGETHER))
