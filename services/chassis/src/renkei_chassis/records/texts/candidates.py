"""Find the records in which a query may stand, newest first, from the index and from what it does not know yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, or_, select

from renkei_chassis.database import rows
from renkei_chassis.records.texts.blocks import MEMBER_BYTES, PIECE, PIECES, member_key
from renkei_chassis.records.texts.postings import block_of, count, in_order, look_up, meet
from renkei_chassis.records.texts.shelves import row_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row, Select, Table

    from renkei_chassis.records.texts.postings import Places
    from renkei_chassis.records.texts.tables import TextTables
    from renkei_chassis.records.texts.tokens import Pair

    Key = tuple[bytes, str]
    _Shelf = tuple[int, int]  # the first block whose pairs are stored together, and how many

MOST_READ: Final = 1000
"""So many records are compared with a query at most before an answer is given, whatever was found."""
# Common pairs are found in the first block; rare ones in few of all, and each question costs.
_SAMPLE: Final = 2
_ENOUGH: Final = 64
_MORE_BLOCKS: Final = 16
_FEWEST_PAIRS: Final = 3
_NOBODY: Final = bytes(16)


class Candidates:
    """The records that may hold what is looked for: all that do, and some others."""

    def __init__(self, connection: Connection, texts: TextTables) -> None:
        """Read through one connection, which shows one state; what was read is kept for a second pass."""
        self._connection = connection
        self._texts = texts
        self._buckets: dict[int, bytes] = {}
        self._found: dict[tuple[int, tuple[int, ...]], dict[int, Places]] = {}
        self._seen: dict[Key | None, tuple[list[Key], Key | None, Sequence[Row[Any]]]] = {}

    def newest_first(self, pairs: Sequence[Pair], *, before: Key | None) -> Iterator[tuple[list[Key], Key | None]]:
        """Yield (keys in descending order, the key down to which all are told now; None: there are no more)."""
        ready, floor, blocks = self._begin(before)
        wanted, step = self._rarest(pairs, blocks[:_SAMPLE])
        opened = 0
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
        """Read what is pending, and which blocks there are; the same for a second pass that begins as the first did."""
        if before not in self._seen:
            ready, floor = self._pending(before)
            self._seen[before] = ready, floor, self._blocks(before)
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
        asked: Select[Any] = select(columns.number, columns.highest, columns.agencies, columns.together).order_by(
            columns.highest.desc()
        )
        if before is not None:
            asked = asked.where(columns.lowest <= before[0])
        return self._connection.execute(asked).all()

    def _rarest(self, wanted: Sequence[Pair], sample: Sequence[Row[Any]]) -> tuple[Sequence[Pair], int]:
        """Put the pairs first that few records have; and say how many blocks may hold enough for a page.

        One pair of each term comes before the others: those of one term go together.
        """
        self._fetch(sample, wanted)
        counts = {
            pair: sum(count(self._where(_shelf(block), pair).get(block_of(block.number), 0)) for block in sample)
            for pair in wanted
        }
        turns: dict[int, int] = {}
        order: list[tuple[int, int, Pair]] = []
        for pair in sorted(wanted, key=lambda pair: (counts[pair], pair.numbers)):
            turn = turns[pair.term] = turns.get(pair.term, 0) + 1
            order.append((turn, counts[pair], pair))
        fewest = max(min(counts.values()), 1)
        return [pair for _, _, pair in sorted(order, key=lambda each: each[:2])], -(-_ENOUGH * _SAMPLE // fewest)

    def _open(self, blocks: Sequence[Row[Any]], wanted: Sequence[Pair]) -> list[Key]:
        """Give the records of some blocks that have every pair."""
        self._fetch(blocks, wanted[:_FEWEST_PAIRS])
        having: dict[_Shelf, dict[int, Places]] = {}
        for block in blocks:
            having.setdefault(_shelf(block), {})[block_of(block.number)] = -1  # every bit
        for place, pair in enumerate(wanted):
            # A record that is compared in vain costs as much as some more pairs.
            if place >= _FEWEST_PAIRS:
                left = [places for shelf in having.values() for places in shelf.values()]
                if sum(map(count, left)) <= len(left):
                    break
                self._fetch([block for block in blocks if _shelf(block) in having], [pair])
            met = {shelf: _met(here, self._where(shelf, pair)) for shelf, here in having.items()}
            having = {shelf: here for shelf, here in met.items() if here}
        found = [
            (block, in_order(having[_shelf(block)].get(block_of(block.number), 0)))
            for block in blocks
            if _shelf(block) in having
        ]
        pieces = {block.number * PIECES + place // PIECE for block, places in found for place in places}
        members = dict(self._rows(self._texts.members, sorted(pieces)))
        keys: list[Key] = []
        for block, places in found:
            some = [(members.get(block.number * PIECES + place // PIECE, b""), place) for place in places]
            keys += _keys(some, block.agencies.split("\n"))
        return keys

    def _where(self, shelf: _Shelf, pair: Pair) -> dict[int, Places]:
        """Say where in the blocks of a shelf a pair stands; its row was fetched."""
        row = row_of(*shelf, pair.numbers[0])
        found = self._found.get((row, pair.numbers))
        if found is None:
            bucket = self._buckets[row]
            found = self._found[row, pair.numbers] = look_up(bucket, pair.numbers) if bucket else {}
        return found

    def _fetch(self, blocks: Sequence[Row[Any]], pairs: Sequence[Pair]) -> None:
        """Read the rows of pairs that were not read yet."""
        shelves = {_shelf(block) for block in blocks}
        rows = {row_of(*shelf, pair.numbers[0]) for pair in pairs for shelf in shelves}
        missing = sorted(rows - self._buckets.keys())
        self._buckets.update(dict.fromkeys(missing, b""))
        self._buckets.update(self._rows(self._texts.postings, missing))

    def _rows(self, table: Table, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        return rows.find_rows(self._connection, table, table.c.number, numbers)


def _shelf(block: Row[Any]) -> _Shelf:
    return block.number - block.number % block.together, block.together


def _met(here: Mapping[int, Places], there: Mapping[int, Places]) -> dict[int, Places]:
    met = {block: meet(places, there[block]) for block, places in here.items() if block in there}
    return {block: places for block, places in met.items() if places}


def _keys(places: Sequence[tuple[bytes, int]], agencies: Sequence[str]) -> list[Key]:
    """Read whose records they are; what somebody took out since its bit was read is left out."""
    found = [
        piece[begin : begin + MEMBER_BYTES] for piece, place in places for begin in (place % PIECE * MEMBER_BYTES,)
    ]
    if len(agencies) == 1:  # all are own ones, as it is where thousands are asked for
        return [(member[:16], agencies[0]) for member in found if member and member[:16] != _NOBODY]
    return [member_key(member, agencies) for member in found if member and member[:16] != _NOBODY]
