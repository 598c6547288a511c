"""Fold free text for search: what is written otherwise and read alike becomes the same.

The fold of a text is the fold of its characters one after the other, a character with its voicing marks being one. So
what stands in a text stands in its fold too, and what is signs alone folds to nothing.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from renkei_normalform.text import DASHES, DOTS, HIRAGANA, KANJI_DIGITS
from renkei_normalform.variants import fold_variants

# Half-width kana carry their marks apart, as does text that was taken apart by some systems.
_MARKS: Final = "\u0300-\u036f\u3099\u309a\uff9e\uff9f"
_MARK: Final = re.compile(f"[{_MARKS}]")
_MARKS_AFTER: Final = re.compile(f"[{_MARKS}]*")
_MARKED: Final = re.compile(f"[^{_MARKS}][{_MARKS}]+")
# Signs that are part of a word as it is written.
_IN_WORDS: Final = re.compile(f"[ーｰ{_MARKS}]")
_BLANK: Final = ord(" ")
_LARGE: Final = str.maketrans("ぁぃぅぇぉっゃゅょゎ", "あいうえおつやゆよわ")
# Blanks, signs of punctuation, marks and what is drawn as nothing: between the digits of a number stands anything.
_DROPPED: Final = frozenset({"P", "Z", "C", "M"})
_DROPPED_SIGNS: Final = frozenset({"Sk", "Sm"})
# The rest of Unicode is folded each time anew, so that no text can fill the memory.
_REMEMBERED: Final = 32_768


def _fold_character(character: str) -> str:
    # A sign can fold to another that folds again: a variant of a digit in kanji.
    text = unicodedata.normalize("NFKC", character).casefold()
    text = fold_variants(text).translate(KANJI_DIGITS).translate(HIRAGANA).translate(_LARGE)
    return "".join(str(unicodedata.decimal(one, one)) for one in text if not _is_dropped(one))


def _is_dropped(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in _DROPPED or category in _DROPPED_SIGNS or character in DASHES or character in DOTS


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


class _Kept(dict[int, int]):
    def __missing__(self, code: int) -> int:
        kept = code if _FOLDS[code] or _IN_WORDS.match(chr(code)) else _BLANK
        if len(self) < _REMEMBERED:
            self[code] = kept
        return kept


_FOLDS: Final = _Folds()
_KEPT: Final = _Kept()


def fold_text(text: str) -> str:
    """Return what a search compares: one width, one case, hiragana, plain digits, one of each variant, no signs.

    A length mark is a sign: サーバー and サーバ fold alike, and ０９０ー１２３４ as 0901234.
    """
    if _MARK.search(text):
        text = _MARKED.sub(lambda unit: unicodedata.normalize("NFKC", unit[0]), text)
    return text.translate(_FOLDS)


def written_words(text: str) -> list[str]:
    """Return the stretches between signs, as they are written. What has no sign in it stands in one of them."""
    return text.translate(_KEPT).split()


def find_folded(text: str, folded: str, fragments: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Find what was folded already in a text with its fold: where it begins and ends, in the characters of the text."""
    reach: list[int] = []
    for fragment in fragments:
        begin = folded.find(fragment) if fragment else -1
        while begin >= 0:
            reach = reach or _reach(text)
            first, last = bisect_right(reach, begin), bisect_left(reach, begin + len(fragment))
            after = _MARKS_AFTER.match(text, last + 1)
            yield first, after.end() if after else last + 1
            begin = folded.find(fragment, begin + 1)


def _reach(text: str) -> list[int]:
    """Say for each character how long the fold is up to its end; a mark counts with what it stands on."""
    lengths = list(map(len, map(_FOLDS.__getitem__, map(ord, text))))
    if _MARK.search(text):
        for unit in _MARKED.finditer(text):
            begin, end = unit.span()
            lengths[begin:end] = [len(fold_text(unit[0])), *[0] * (end - begin - 1)]
    return list(accumulate(lengths))
