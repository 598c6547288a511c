"""Names: variants and kana agree, look-alikes and readings do not, an exact match ranks above a folded one."""

import json
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_normalform import NameMatch, folded_name, match_names
from renkei_normalform.variants import FOLD

_GOLD: Final = json.loads(Path(__file__).with_name("gold_variants.json").read_text(encoding="utf-8"))
_SAME: Final = [tuple(pair.split(" ")) for pair in _GOLD["same"]]
_DIFFERENT: Final = [tuple(pair.split(" ")) for pair in _GOLD["different"]]
_ENOUGH: Final = 0.99


def test_the_gold_list_is_large_enough_to_say_something() -> None:
    assert len(_SAME) >= 350
    assert len(_DIFFERENT) >= 200
    assert len({frozenset(pair) for pair in _SAME}) == len(_SAME)
    assert all(one != other for one, other in _SAME + _DIFFERENT)


def test_at_least_99_of_100_variants_on_the_gold_list_agree() -> None:
    missed = [pair for pair in _SAME if match_names(*pair) is NameMatch.NONE]

    assert len(_SAME) - len(missed) >= _ENOUGH * len(_SAME), missed


def test_no_two_names_that_differ_agree() -> None:
    """A false merge accuses somebody: here there is no room for a hundredth."""
    merged = [pair for pair in _DIFFERENT if match_names(*pair) is not NameMatch.NONE]

    assert merged == []


def test_a_match_is_the_same_from_either_side() -> None:
    turned = [pair for pair in _SAME + _DIFFERENT if match_names(*pair) is not match_names(*reversed(pair))]

    assert turned == []


def test_no_variant_leads_on_to_another() -> None:
    """A fold done twice is a fold done once, or two spellings of one name could end apart."""
    leading_on = [chr(code) for code, character in FOLD.items() if ord(character) in FOLD]

    assert leading_on == []
    assert len(FOLD) > 500


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ("髙橋", "髙橋", NameMatch.EXACT),
        ("髙橋 一郎", "髙橋　一郎", NameMatch.EXACT),
        ("ｻｲﾄｳ", "サイトウ", NameMatch.EXACT),
        ("髙\u200b橋", "髙橋", NameMatch.EXACT),
        ("髙橋", "高橋", NameMatch.FOLDED),
        ("さいとう", "サイトウ", NameMatch.FOLDED),
        ("シヨウジ", "ショウジ", NameMatch.FOLDED),
        ("Alex", "ALEX", NameMatch.FOLDED),
        ("高橋", "たかはし", NameMatch.NONE),
        ("", "", NameMatch.NONE),
        ("\ue000", "\ue000", NameMatch.NONE),
    ],
)
def test_how_two_names_agree(one: str, other: str, match: NameMatch) -> None:
    assert match_names(one, other) is match


def test_an_exact_match_ranks_above_a_folded_one() -> None:
    candidates = ["斉藤", "高橋", "髙橋"]

    ranked = sorted(candidates, key=lambda name: match_names("髙橋", name), reverse=True)

    assert ranked == ["髙橋", "高橋", "斉藤"]


@given(st.text(st.characters(), max_size=60))
def test_a_folded_name_folds_to_itself(text: str) -> None:
    folded = folded_name(text)

    assert folded_name(folded) == folded


@given(st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_any_two_texts_have_an_answer(one: str, other: str) -> None:
    assert match_names(one, other) in NameMatch
