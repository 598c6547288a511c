"""In which records of blocks each pair stands: as numbers, bits and bytes.

All pairs are spread over buckets; a bucket is one row: each pair with each block that has it, in order, where the
numbers of each end, the numbers.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Places: TypeAlias = int | set[int]
"""Numbers of records in a block: many as the bits of one number, few as they are; no bit and no number are none."""
FULL: Final = 4096
"""So many records are in a full block."""
BLOCK_BITS: Final = 4
"""So many bits of a block's number stand with each pair: the blocks of a row differ in them."""
_BITMAP: Final = FULL // 8
# From here on a bit for each record of the block is shorter than two bytes for each that has the pair.
_MANY: Final = _BITMAP // 2


def of_block(token: int, block: int) -> int:
    """Give the number by which a row has a pair of a block."""
    return token << BLOCK_BITS | block_of(block)


def block_of(number: int) -> int:
    """Give what stands of a block's number in that number, or in its own."""
    return number & (1 << BLOCK_BITS) - 1


def pack(tokens: Mapping[int, bytes]) -> bytes:
    """Write a bucket."""
    numbers = sorted(tokens)
    ends, end = [], 0
    for number in numbers:
        end += len(tokens[number])
        ends.append(end)
    head = _bytes("I", [len(numbers)]) + _bytes("Q", numbers) + _bytes("I", ends)
    return head + b"".join([tokens[number] for number in numbers])


def unpack(bucket: bytes) -> dict[int, bytes]:
    """Read a whole bucket."""
    numbers, ends, first = _head(bucket)
    found, begin = {}, 0
    for number, end in zip(numbers, ends, strict=True):
        found[number] = bucket[first + begin : first + end]
        begin = end
    return found


def look_up(bucket: bytes, tokens: Sequence[int]) -> dict[int, Places]:
    """Read in which records of which blocks (`block_of`) a pair stands by one of its tokens."""
    known, ends, first = _head(bucket)
    found: dict[int, Places] = {}
    for token in tokens:
        place = bisect_left(known, of_block(token, 0))
        while place < len(known) and known[place] >> BLOCK_BITS == token:
            block, begin = block_of(known[place]), ends[place - 1] if place else 0
            places = _places(bucket[first + begin : first + ends[place]])
            found[block] = _either(found[block], places) if block in found else places
            place += 1
    return found


def meet(one: Places, other: Places) -> Places:
    """Give the numbers that are in both."""
    if isinstance(one, int):
        return one & other if isinstance(other, int) else meet(other, one)
    if isinstance(other, int):
        return {place for place in one if other >> place & 1}
    return one & other


def count(places: Places) -> int:
    """Say how many numbers there are."""
    return places.bit_count() if isinstance(places, int) else len(places)


def in_order(places: Places) -> list[int]:
    """Give the numbers, the least first."""
    if isinstance(places, int):
        return [place for place, bit in enumerate(bin(places)[:1:-1]) if bit == "1"]
    return sorted(places)


def with_more(posting: bytes, more: Sequence[int]) -> bytes:
    """Add records to those of a pair."""
    if len(posting) < _BITMAP and len(posting) // 2 + len(more) < _MANY:
        return posting + _bytes("H", more)
    bitmap = _as_bitmap(posting)
    for place in more:
        bitmap[place >> 3] |= 1 << (place & 7)
    return bytes(bitmap)


def without(posting: bytes, gone: Collection[int]) -> bytes:
    """Take records out of those of a pair."""
    if len(posting) < _BITMAP:
        places = _numbers("H", posting)
        kept = [place for place in places if place not in gone]
        return posting if len(kept) == len(places) else _bytes("H", kept)
    bitmap = _as_bitmap(posting)
    for place in gone:
        bitmap[place >> 3] &= ~(1 << (place & 7))
    return bytes(bitmap)


def take_out(bucket: bytes, gone: Mapping[int, Collection[int]]) -> bytes:
    """Take records out of a bucket, by what stands of their block's number; b"" where nothing is left of it."""
    numbers, ends, first = _head(bucket)
    changed: dict[int, bytes] = {}
    begin = 0
    for number, end in zip(numbers, ends, strict=True):
        places = gone.get(block_of(number))
        if places:
            posting = bucket[first + begin : first + end]
            left = without(posting, places)
            if left != posting:
                changed[number] = left
        begin = end
    if not changed:
        return bucket
    rest = {number: posting for number, posting in (unpack(bucket) | changed).items() if not is_empty(posting)}
    return pack(rest) if rest else b""


def is_empty(posting: bytes) -> bool:
    """Tell whether no record is left."""
    return not any(posting) if len(posting) == _BITMAP else not posting


def _places(posting: bytes) -> Places:
    return int.from_bytes(posting, "little") if len(posting) == _BITMAP else set(_numbers("H", posting))


def _either(one: Places, other: Places) -> Places:
    """Give the numbers that are in one of both."""
    if isinstance(one, set) and isinstance(other, set):
        return one | other
    return _bits(one) | _bits(other)


def _bits(places: Places) -> int:
    return places if isinstance(places, int) else sum(1 << place for place in places)


def _as_bitmap(posting: bytes) -> bytearray:
    if len(posting) == _BITMAP:
        return bytearray(posting)
    bitmap = bytearray(_BITMAP)
    for place in _numbers("H", posting):
        bitmap[place >> 3] |= 1 << (place & 7)
    return bitmap


def _head(bucket: bytes) -> tuple[Sequence[int], Sequence[int], int]:
    (count,) = _numbers("I", bucket[:4])
    second, first = 4 + 8 * count, 4 + 12 * count
    if sys.byteorder == "big":
        return _numbers("Q", bucket[4:second]), _numbers("I", bucket[second:first]), first
    view = memoryview(bucket)  # a search reads two numbers of many: nothing is copied for them
    return view[4:second].cast("Q"), view[second:first].cast("I"), first


def _bytes(code: str, numbers: Iterable[int]) -> bytes:
    values = array(code, numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _numbers(code: str, content: bytes) -> array[int]:
    values = array(code)
    values.frombytes(content)
    if sys.byteorder == "big":
        values.byteswap()
    return values
