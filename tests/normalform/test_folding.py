"""What is written otherwise and read alike folds to the same, and where it stands in the text is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_normalform import find_folded, fold_text, written_words

LETTERS = st.text(alphabet="山田髙高﨑崎バﾊﾞ\u3099がか゛ーｰ-０0一1aＡÅ\u030a㈱㌔🍎、 ﷺß々ッツ\u200b", max_size=12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾊﾞｲﾄ", "ばいと"),
        ("バイト", "ハ\u3099イト"),
        ("090-1234-5678", "０９０ー１２３４−５６７８"),
        ("090 1234", "〇九〇（一二三四）"),
        ("髙﨑", "高崎"),
        ("サーバー", "ｻｰﾊﾞ"),
        ("ショウ", "ｼﾖｳ"),
        ("ＳＮＳ", "sns"),
        ("山　田\n太郎", "山田太郎"),
        ("㈱", "株"),
    ],
)
def test_spellings_of_one_thing_fold_alike(one: str, other: str) -> None:
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(
    ("one", "other"), [("かんとう", "がんとう"), ("斎藤", "さいとう"), ("山田", "山本"), ("ハ", "バ")]
)
def test_other_words_stay_others(one: str, other: str) -> None:
    assert fold_text(one) != fold_text(other)


@given(LETTERS, LETTERS)
def test_what_stands_in_a_text_stands_in_its_fold_but_for_a_mark_that_goes_on(before: str, inside: str) -> None:
    assert fold_text(inside) in fold_text(f"{before} {inside} ")
    assert all(word in f"{before}{inside}" for word in written_words(f"{before}{inside}") if "\u200b" not in word)


@given(LETTERS, LETTERS, LETTERS)
def test_what_is_found_folds_to_what_was_looked_for(before: str, inside: str, after: str) -> None:
    text = f"{before} {inside} {after}"
    fragment = fold_text(inside)

    spans = list(find_folded(text, fold_text(text), [fragment]))

    assert bool(spans) == bool(fragment)
    assert all(0 <= begin < end <= len(text) and fragment in fold_text(text[begin:end]) for begin, end in spans)
