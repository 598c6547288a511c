"""Buckets of pairs give back what was put in, however few or many records have a pair, and of however many blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.records.texts.postings import (
    EVERYWHERE,
    FULL,
    count,
    in_order,
    is_empty,
    look_up,
    meet,
    most,
    of_block,
    pack,
    take_out,
    unpack,
    with_more,
    without,
)

PLACES = st.one_of(
    st.sets(st.integers(0, FULL - 1), max_size=5),
    st.integers(1, FULL).map(lambda step: set(range(0, FULL, step))),
)
TOKENS = st.integers(0, 2**46 - 1)


@given(st.dictionaries(TOKENS, st.tuples(PLACES, PLACES, PLACES), max_size=4), st.integers(0, 99))
def test_a_bucket_holds_what_was_added_and_not_taken_out(
    wanted: dict[int, tuple[set[int], set[int], set[int]]], block: int
) -> None:
    held: dict[int, bytes] = {}
    left: dict[int, set[int]] = {}
    for number, (first, more, gone) in wanted.items():
        posting = with_more(with_more(b"", sorted(first)), sorted(more - first))
        held[of_block(number, block)] = without(posting, gone)
        left[number] = (first | more) - gone
        assert is_empty(held[of_block(number, block)]) == (not left[number])

    bucket = pack(held)

    assert unpack(bucket) == held
    postings = {number: look_up(bucket, [number])[block % 16] for number in wanted}
    found = {number: meet(EVERYWHERE, posting) for number, posting in postings.items()}
    assert {number: set(in_order(places)) for number, places in found.items()} == left
    assert {number: count(places) for number, places in found.items()} == {each: len(left[each]) for each in left}
    assert {number: most(posting) for number, posting in postings.items()} == {each: len(left[each]) for each in left}
    assert look_up(bucket, [2**46]) == {}
    for one in wanted:
        for other in wanted:
            either = look_up(bucket, [one, other])[block % 16]
            assert set(in_order(meet(found[one], postings[other]))) == left[one] & left[other]
            assert set(in_order(meet(EVERYWHERE, either))) == left[one] | left[other]


@given(
    st.dictionaries(st.tuples(st.integers(0, 3), st.integers(32, 47)), PLACES.filter(bool), max_size=8),
    st.dictionaries(st.integers(0, 15), PLACES, max_size=3),
)
def test_what_is_taken_out_of_blocks_stays_in_no_pair_of_theirs(
    held: dict[tuple[int, int], set[int]], gone: dict[int, set[int]]
) -> None:
    bucket = pack({of_block(token, block): with_more(b"", sorted(places)) for (token, block), places in held.items()})

    after = take_out(bucket, gone)

    left = {(token, block): places - gone.get(block % 16, set()) for (token, block), places in held.items()}
    expected = {key: places for key, places in left.items() if places}
    found = {
        (token, block + 32): set(in_order(meet(EVERYWHERE, posting)))
        for token in range(4)
        for block, posting in (look_up(after, [token]) if after else {}).items()
    }
    assert found == expected
    assert (after == b"") == (not expected and bool(held))
    assert (after is bucket) == (left == held)
