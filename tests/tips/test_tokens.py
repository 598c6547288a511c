"""Pairs and groups of digits: what a text or an identifier has, and what is asked of it."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from renkei_chassis.records.texts.query import Folding, read_query
from renkei_chassis.records.texts.tokens import (
    FOLDED,
    PART,
    WRITTEN,
    groups,
    pairs,
    pairs_of_part,
    pairs_of_terms,
    part_tokens,
    spread,
    text_tokens,
    token,
)
from renkei_normalform import find_folded, fold_text, written_words

FOLDING = Folding(fold=fold_text, words=written_words, find=find_folded)
SIGNS = st.text(alphabet="01234山田ﾊﾞバーａA、 -🍎", min_size=1, max_size=12)


@given(SIGNS, SIGNS, SIGNS)
def test_what_stands_in_a_text_is_looked_up_by_pairs_that_the_text_has(before: str, within: str, after: str) -> None:
    """Else the index would lose what reading finds."""
    text = before + within + after
    assume(any(len(fold_text(term)) > 1 for term in within.split()))
    has = text_tokens([text], FOLDING)
    terms = [term for term in read_query(within, FOLDING) if term.folded in fold_text(text)]

    for exact in (False, True):
        if not exact or all(term.written in text for term in terms):
            assert all(not has.isdisjoint(pair.numbers) for pair in pairs_of_terms(terms, exact=exact))


@given(*[st.text(alphabet="0123aあ🍎", max_size=8)] * 2, st.text(alphabet="0123aあ🍎", min_size=3, max_size=8))
def test_a_part_of_an_identifier_is_looked_up_by_pairs_that_the_identifier_has(
    before: str, after: str, part: str
) -> None:
    wanted = pairs_of_part(part)

    assert wanted
    assert part_tokens([before + part + after]).issuperset(number for pair in wanted for number in pair.numbers)


def test_four_digits_are_one_question() -> None:
    """The last four of a number are what is typed most."""
    assert len(pairs_of_part("5678")) == 1
    assert len(pairs_of_part("901")) == 1
    assert len(pairs_of_part("56789")) == 2
    assert part_tokens(["819012345678"]) & part_tokens(["5678"]) == part_tokens(["5678"])


def test_the_numbers_of_a_pair_stay_together() -> None:
    for pair in pairs("山田高崎バイト🍎0"):
        written, folded, part = token(pair, WRITTEN), token(pair, FOLDED), token(pair, PART)
        assert len({written, folded, part}) == 3
        assert spread(written) == spread(folded)


def test_digits_are_told_by_three_and_four_of_them() -> None:
    assert groups("12a3456") == groups("3456") > groups("345") | groups("456")
    assert groups("12") == groups("山田1") == set()
    assert not groups("1234") & groups("1324")
