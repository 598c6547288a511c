"""Find the records in which a query may stand, newest first, from the index and from what it does not know yet."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, or_, select

from renkei_chassis.database import rows
from renkei_chassis.records.texts.blocks import MEMBER_BYTES, PIECE, PIECES, member_key
from renkei_chassis.records.texts.postings import (
    BUCKETS,
    bucket_of,
    count,
    in_order,
    look_up,
    meet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from sqlalchemy import Connection, Dialect, Row, Select, Table

    from renkei_chassis.records.texts.postings import Places
    from renkei_chassis.records.texts.tables import TextTables
    from renkei_chassis.records.texts.tokens import Pair

    Key = tuple[bytes, str]

MOST_READ: Final = 1000
"""So many records are compared with a query at most before an answer is given, whatever was found."""
# Common pairs are found in the first block; rare ones in few of all, and each question costs.
_BLOCKS_AT_FIRST: Final = 1
_MORE_BLOCKS: Final = 8
_FEWEST_PAIRS: Final = 3
# A statement has so many places: another count would be another statement, to be prepared anew.
_PLACES: Final = (1, 8, 32, 128, 512)
_AT_ONCE: Final = _PLACES[-1]
_NOBODY: Final = bytes(16)


class Candidates:
    """The records that may hold what is looked for: all that do, and some others."""

    def __init__(self, connection: Connection, texts: TextTables) -> None:
        """Read through one connection; what was read is kept for a second pass."""
        self._connection = connection
        self._texts = texts
        self._buckets: dict[int, bytes] = {}
        self._seen: dict[Key | None, tuple[list[Key], Key | None, Sequence[Row[Any]]]] = {}

    def newest_first(self, pairs: Sequence[Pair], *, before: Key | None) -> Iterator[tuple[list[Key], Key | None]]:
        """Yield (keys in descending order, the key down to which all are told now; None: there are no more)."""
        ready, floor, blocks = self._begin(before)
        wanted = self._rarest(pairs, blocks[:2])
        opened, step = 0, _BLOCKS_AT_FIRST
        while True:
            end = (blocks[opened].highest, "\uffff") if opened < len(blocks) else None
            least = max((each for each in (end, floor) if each is not None), default=None)
            told = sorted({key for key in ready if least is None or key >= least}, reverse=True)
            ready = [] if least is None else [key for key in ready if key < least]
            yield told, least
            if least is None or (least == floor and floor is not None):
                return
            some = blocks[opened : opened + step]
            ready += [key for key in self._open(some, wanted) if before is None or key < before]
            opened, step = opened + len(some), step * _MORE_BLOCKS

    def _begin(self, before: Key | None) -> tuple[list[Key], Key | None, Sequence[Row[Any]]]:
        """Read what is pending, and which blocks there are; the same for a second pass that begins as the first did.

        What is pending comes first, and what was read of the blocks before is forgotten: so what is indexed
        meanwhile is met twice, and never missed.
        """
        if before not in self._seen:
            self._buckets.clear()
            ready, floor = self._pending(before)
            self._seen = {before: (ready, floor, self._blocks(before))}
        return self._seen[before]

    def _pending(self, before: Key | None) -> tuple[list[Key], Key | None]:
        """Read what is pending, and down to which key where it is too much."""
        columns = self._texts.pending.c
        asked = select(columns.id, columns.agency).order_by(columns.id.desc(), columns.agency.desc())
        if before is not None:
            asked = asked.where(or_(columns.id < before[0], and_(columns.id == before[0], columns.agency < before[1])))
        found = self._connection.execute(asked.limit(MOST_READ)).all()
        keys = [(bytes(row.id), str(row.agency)) for row in found]
        return keys, keys[-1] if len(keys) == MOST_READ else None

    def _blocks(self, before: Key | None) -> Sequence[Row[Any]]:
        columns = self._texts.blocks.c
        asked: Select[Any] = select(columns.number, columns.highest, columns.agencies).order_by(columns.highest.desc())
        if before is not None:
            asked = asked.where(columns.lowest <= before[0])
        return self._connection.execute(asked).all()

    def _rarest(self, wanted: Sequence[Pair], sample: Sequence[Row[Any]]) -> Sequence[Pair]:
        """Put the pairs first that few records have, one of each term before the others: those of one go together."""
        if len(wanted) == 1:
            return wanted
        self._fetch([row.number * BUCKETS + bucket_of(pair.numbers[0]) for row in sample for pair in wanted])
        counts = {pair: sum(count(self._places(row.number, pair)) for row in sample) for pair in wanted}
        turns: dict[int, int] = {}
        order: list[tuple[int, int, Pair]] = []
        for pair in sorted(wanted, key=lambda pair: (counts[pair], pair.numbers)):
            turn = turns[pair.term] = turns.get(pair.term, 0) + 1
            order.append((turn, counts[pair], pair))
        return [pair for _, _, pair in sorted(order, key=lambda each: each[:2])]

    def _open(self, blocks: Sequence[Row[Any]], wanted: Sequence[Pair]) -> list[Key]:
        """Give the records of some blocks that have every pair."""
        having: dict[int, Places] = {row.number: -1 for row in blocks}  # every bit
        for place, pair in enumerate(wanted):
            # A record that is compared in vain costs as much as some more pairs.
            if place >= _FEWEST_PAIRS and sum(map(count, having.values())) <= len(having):
                break
            self._fetch([number * BUCKETS + bucket_of(pair.numbers[0]) for number in having])
            met = {number: meet(places, self._places(number, pair)) for number, places in having.items()}
            having = {number: places for number, places in met.items() if places}
        places = {number: in_order(found) for number, found in having.items()}
        pieces = {number * PIECES + place // PIECE for number, found in places.items() for place in found}
        members = dict(self._rows(self._texts.members, sorted(pieces)))
        agencies = {row.number: row.agencies.split("\n") for row in blocks}
        keys: list[Key] = []
        for number, found in places.items():
            keys += _keys(
                [(members.get(number * PIECES + each // PIECE, b""), each) for each in found], agencies[number]
            )
        return keys

    def _places(self, number: int, pair: Pair) -> Places:
        bucket = self._buckets.get(number * BUCKETS + bucket_of(pair.numbers[0]), b"")
        return look_up(bucket, pair.numbers) if bucket else 0

    def _fetch(self, numbers: Iterable[int]) -> None:
        missing = sorted({number for number in numbers if number not in self._buckets})
        self._buckets.update(dict.fromkeys(missing, b""))
        self._buckets.update(self._rows(self._texts.postings, missing))

    def _rows(self, table: Table, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for first in range(0, len(numbers), _AT_ONCE):
            some = _filled_up(numbers[first : first + _AT_ONCE])
            asked = _by_number(table, len(some), self._connection.dialect)
            for number, content in rows.look_up(self._connection, asked, tuple(some)):
                yield number, bytes(content)


@lru_cache(maxsize=64)
def _by_number(table: Table, places: int, dialect: Dialect) -> str:
    """Write the question for so many rows; SQLAlchemy would do it each time, which costs more than the answer."""
    numbers = [bindparam(f"number{place}", type_=table.c.number.type) for place in range(places)]
    return str(select(table.c.number, table.c.content).where(table.c.number.in_(numbers)).compile(dialect=dialect))


def _keys(places: Sequence[tuple[bytes, int]], agencies: Sequence[str]) -> list[Key]:
    """Read whose records they are; what somebody took out since its bit was read is left out."""
    found = [
        piece[begin : begin + MEMBER_BYTES] for piece, place in places for begin in (place % PIECE * MEMBER_BYTES,)
    ]
    if len(agencies) == 1:  # all are own ones, as it is where thousands are asked for
        return [(member[:16], agencies[0]) for member in found if member and member[:16] != _NOBODY]
    return [member_key(member, agencies) for member in found if member and member[:16] != _NOBODY]


def _filled_up(numbers: Sequence[int]) -> list[int]:
    """Repeat the last number until there are as many as a statement has places."""
    places = next(places for places in _PLACES if places >= len(numbers))
    return [*numbers, *[numbers[-1]] * (places - len(numbers))]
