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
EVERYWHERE: Final = -1
"""Every bit."""
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


def look_up(bucket: bytes, tokens: Sequence[int]) -> dict[int, list[bytes]]:
    """Read in which blocks (`block_of`) a pair stands by any of its tokens, and its postings in each."""
    known, ends, first = _head(bucket)
    found: dict[int, list[bytes]] = {}
    for token in tokens:
        place = bisect_left(known, of_block(token, 0))
        while place < len(known) and known[place] >> BLOCK_BITS == token:
            begin = ends[place - 1] if place else 0
            found.setdefault(block_of(known[place]), []).append(bucket[first + begin : first + ends[place]])
            place += 1
    return found


def meet(places: Places, postings: Sequence[bytes]) -> Places:
    """Give the numbers of records that are in one of the postings and in `places`."""
    found: Places = set()
    for posting in postings:
        some: Places
        if len(posting) == _BITMAP:
            some = _in_bits(places, int.from_bytes(posting, "little"))
        elif places == EVERYWHERE:
            some = set(_numbers("H", posting))
        elif isinstance(places, int):
            some = {place for place in _numbers("H", posting) if places >> place & 1}
        else:
            some = places.intersection(_numbers("H", posting))
        found = _either(found, some) if found else some
    return found


def most(postings: Sequence[bytes]) -> int:
    """Say how many records there are at most."""
    return sum(
        int.from_bytes(posting, "little").bit_count() if len(posting) == _BITMAP else len(posting) // 2
        for posting in postings
    )


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


def _in_bits(places: Places, bits: int) -> Places:
    return places & bits if isinstance(places, int) else {place for place in places if bits >> place & 1}


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
