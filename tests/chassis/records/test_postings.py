"""Buckets of pairs give back what was put in, however few or many records have a pair."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.records.texts.postings import (
    FULL,
    count,
    in_order,
    is_empty,
    look_up,
    meet,
    pack,
    unpack,
    with_more,
    without,
)

PLACES = st.one_of(
    st.sets(st.integers(0, FULL - 1), max_size=5),
    st.integers(1, FULL).map(lambda step: set(range(0, FULL, step))),
)


@given(st.dictionaries(st.integers(0, 2**43 - 1), st.tuples(PLACES, PLACES, PLACES), max_size=4))
def test_a_bucket_holds_what_was_added_and_not_taken_out(
    wanted: dict[int, tuple[set[int], set[int], set[int]]],
) -> None:
    held: dict[int, bytes] = {}
    left: dict[int, set[int]] = {}
    for number, (first, more, gone) in wanted.items():
        posting = with_more(with_more(b"", sorted(first)), sorted(more - first))
        held[number] = without(posting, gone)
        left[number] = (first | more) - gone
        assert is_empty(held[number]) == (not left[number])

    bucket = pack(held)

    assert unpack(bucket) == held
    found = {number: look_up(bucket, [number]) for number in wanted}
    assert {number: set(in_order(places)) for number, places in found.items()} == left
    assert {number: count(places) for number, places in found.items()} == {each: len(left[each]) for each in left}
    assert not look_up(bucket, [2**43])
    for one in wanted:
        for other in wanted:
            assert set(in_order(meet(found[one], found[other]))) == left[one] & left[other]
            assert set(in_order(look_up(bucket, [one, other]))) == left[one] | left[other]
