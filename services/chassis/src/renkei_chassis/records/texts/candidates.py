"""Find the records in which a query may stand, newest first, from the index and from what it does not know yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, or_, select

from renkei_chassis.database import rows
from renkei_chassis.records.texts.blocks import MEMBER_BYTES, PIECE, PIECES, member_key
from renkei_chassis.records.texts.postings import EVERYWHERE, FULL, block_of, count, in_order, look_up, meet, most
from renkei_chassis.records.texts.shelves import row_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from sqlalchemy import Connection, Select, Table

    from renkei_chassis.records.texts.postings import Places
    from renkei_chassis.records.texts.tables import TextTables
    from renkei_chassis.records.texts.tokens import Pair

    Key = tuple[bytes, str]

MOST_READ: Final = 1000
"""So many records are compared with a query at most before an answer is given, whatever was found."""
# Common pairs are found in the first block; rare ones in few of all, and each question costs.
_SAMPLE: Final = 2
_ENOUGH: Final = 64
_MORE: Final = 16
_FEWEST_PAIRS: Final = 3
_WORTH_IT: Final = 0.75
_NOBODY: Final = bytes(16)


@dataclass(slots=True, eq=False)
class _Block:
    """A block, and where its pairs are."""

    number: int
    highest: bytes
    agencies: Sequence[str]
    shelf: tuple[int, int]
    """The first block whose pairs are stored together, and how many blocks."""
    place: int
    """What stands of its number with each pair."""


class Candidates:
    """The records that may hold what is looked for: all that do, and some others."""

    def __init__(self, connection: Connection, texts: TextTables) -> None:
        """Read through one connection, which shows one state; what was read is kept for a second pass."""
        self._connection = connection
        self._texts = texts
        self._buckets: dict[int, bytes] = {}
        self._members: dict[int, bytes] = {}
        self._found: dict[tuple[int, tuple[int, ...]], dict[int, list[bytes]]] = {}
        self._seen: dict[Key | None, tuple[list[Key], Key | None, Sequence[_Block]]] = {}

    def newest_first(self, pairs: Sequence[Pair], *, before: Key | None) -> Iterator[tuple[list[Key], Key | None]]:
        """Yield (keys in descending order, the key down to which all are told now; None: there are no more)."""
        ready, floor, blocks = self._begin(before)
        wanted, step = self._rarest(pairs, blocks[:_SAMPLE])
        opened = met = 0
        while True:
            end = (blocks[opened].highest, "\uffff") if opened < len(blocks) else None
            least = max((each for each in (end, floor) if each is not None), default=None)
            told = sorted({key for key in ready if least is None or key >= least}, reverse=True)
            ready = [] if least is None else [key for key in ready if key < least]
            yield told, least
            if least is None or (least == floor and floor is not None):
                return
            some = blocks[opened : opened + step]
            keys = [key for key in self._open(some, wanted) if before is None or key < before]
            ready += keys
            opened, met = opened + len(some), met + len(keys)
            step = opened if met >= _ENOUGH else min(_ENOUGH * opened // max(met, 1) - opened + 1, _MORE * opened)

    def _begin(self, before: Key | None) -> tuple[list[Key], Key | None, Sequence[_Block]]:
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

    def _blocks(self, before: Key | None) -> Sequence[_Block]:
        columns = self._texts.blocks.c
        asked: Select[Any] = select(columns.number, columns.highest, columns.agencies, columns.together).order_by(
            columns.highest.desc()
        )
        if before is not None:
            asked = asked.where(columns.lowest <= before[0])
        return [
            _Block(number, highest, agencies.split("\n"), (number - number % together, together), block_of(number))
            for number, highest, agencies, together in self._connection.execute(asked)
        ]

    def _rarest(self, wanted: Sequence[Pair], sample: Sequence[_Block]) -> tuple[Sequence[Pair], int]:
        """Put the pairs first that few records have; and say how many blocks may hold enough for a page.

        One pair of each term comes before the others: those of one term go together.
        """
        self._fetch({block.shelf for block in sample}, wanted)
        counts = {
            pair: sum(most(self._where(block.shelf, pair).get(block.place, ())) for block in sample) for pair in wanted
        }
        turns: dict[int, int] = {}
        order: list[tuple[int, int, Pair]] = []
        for pair in sorted(wanted, key=lambda pair: (counts[pair], pair.numbers)):
            turn = turns[pair.term] = turns.get(pair.term, 0) + 1
            order.append((turn, counts[pair], pair))
        fewest = max(min(counts.values()), 1)
        return [pair for _, _, pair in sorted(order, key=lambda each: each[:2])], -(-_ENOUGH * _SAMPLE // fewest)

    def _open(self, blocks: Sequence[_Block], wanted: Sequence[Pair]) -> list[Key]:
        """Give the records of some blocks that have every pair."""
        having: dict[_Block, Places] = dict.fromkeys(blocks, EVERYWHERE)
        self._fetch({block.shelf for block in blocks}, wanted[:_FEWEST_PAIRS])
        before = len(blocks) * FULL
        for place, pair in enumerate(wanted):
            if place >= _FEWEST_PAIRS:
                # Another pair costs as much as some records that are compared in vain; those of a word come together.
                left = sum(map(count, having.values()))
                if left <= max(len(having), _ENOUGH) or left > before * _WORTH_IT:
                    break
                before = left
                self._fetch({block.shelf for block in having}, [pair])
            there = {shelf: self._where(shelf, pair) for shelf in {block.shelf for block in having}}
            met = {
                block: meet(places, there[block.shelf][block.place])
                for block, places in having.items()
                if block.place in there[block.shelf]
            }
            having = {block: places for block, places in met.items() if places}
        found = [(block, in_order(places)) for block, places in having.items()]
        members = self._pieces({block.number * PIECES + place // PIECE for block, places in found for place in places})
        keys: list[Key] = []
        for block, places in found:
            some = [(members.get(block.number * PIECES + place // PIECE, b""), place) for place in places]
            keys += _keys(some, block.agencies)
        return keys

    def _pieces(self, pieces: set[int]) -> Mapping[int, bytes]:
        """Read the members of blocks, in pieces that were not read yet."""
        self._members.update(self._rows(self._texts.members, sorted(pieces - self._members.keys())))
        return self._members

    def _where(self, shelf: tuple[int, int], pair: Pair) -> dict[int, list[bytes]]:
        """Say where in the blocks of a shelf a pair stands; its row was fetched."""
        row = row_of(*shelf, pair.numbers[0])
        found = self._found.get((row, pair.numbers))
        if found is None:
            bucket = self._buckets[row]
            found = self._found[row, pair.numbers] = look_up(bucket, pair.numbers) if bucket else {}
        return found

    def _fetch(self, shelves: Collection[tuple[int, int]], pairs: Sequence[Pair]) -> None:
        """Read the rows of pairs that were not read yet."""
        rows = {row_of(*shelf, pair.numbers[0]) for pair in pairs for shelf in shelves}
        missing = sorted(rows - self._buckets.keys())
        self._buckets.update(dict.fromkeys(missing, b""))
        self._buckets.update(self._rows(self._texts.postings, missing))

    def _rows(self, table: Table, numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        return rows.find_rows(self._connection, table, table.c.number, numbers)


def _keys(places: Sequence[tuple[bytes, int]], agencies: Sequence[str]) -> list[Key]:
    """Read whose records they are; what somebody took out since its bit was read is left out."""
    found = [
        piece[begin : begin + MEMBER_BYTES] for piece, place in places for begin in (place % PIECE * MEMBER_BYTES,)
    ]
    if len(agencies) == 1:  # all are own ones, as it is where thousands are asked for
        return [(member[:16], agencies[0]) for member in found if member and member[:16] != _NOBODY]
    return [member_key(member, agencies) for member in found if member and member[:16] != _NOBODY]
