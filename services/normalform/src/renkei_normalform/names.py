"""Compare names as people and accounts bear them: exactly, or with variant characters and kana folded.

Readings are never inferred: a name in kanji and one in kana agree in nothing.
"""

import re
from enum import IntEnum
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import admit
from renkei_normalform.variants import FOLD

# NFKC makes some signs longer, one of them eighteen letters, and a form must fit where its original fits.
_LONGEST: Final = 128
_BLANKS: Final = re.compile(r"[\s\u3000]+")
_SMALL: Final = dict(
    zip("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワアイウエオツヤユヨワカケ", strict=True)
)
_KATAKANA: Final = {code: chr(code + 0x60) for code in range(0x3041, 0x3097)}
_SEPARATORS: Final = dict.fromkeys(map(ord, "・･=＝-‐."))
_FOLD: Final = FOLD | _KATAKANA | {ord(small): large for small, large in _SMALL.items()} | _SEPARATORS
_AGAIN: Final = re.compile(r"([^\W\d_])々")
_KANJI: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff々〆]")


class NameMatch(IntEnum):
    """Say how two names agree; a higher one ranks above a lower one."""

    NONE = 0
    FOLDED = 1
    EXACT = 2


def read(text: str) -> str:
    """Return a display name in NFKC without blanks; the case stays, for it is part of how an account shows itself."""
    name = exact_name(text)
    if len(name) > _LONGEST:
        raise NotAnIdentifier(Reason.TOO_LONG)
    if not any(character.isalnum() for character in name):
        raise NotAnIdentifier(Reason.EMPTY)
    return name


def exact_name(text: str) -> str:
    """Return what an exact match compares: NFKC without blanks. The text must be admitted already."""
    return _BLANKS.sub("", text)


def folded_name(text: str) -> str:
    """Return what a folded match compares: variant characters as one, hiragana as katakana, small kana as large.

    佐佐木 and 佐々木 fold alike, さいとう and ｻｲﾄｳ do, 斎藤 and さいとう do not: a reading is nobody's to guess.
    """
    folded = exact_name(text).translate(_FOLD).casefold()
    return _AGAIN.sub(r"\1\1", folded) if "々" in folded else folded


def match_names(one: str, other: str) -> NameMatch:
    """Say how two names agree. Total: a text that is no name agrees with nothing."""
    try:
        first, second = exact_name(admit(one)), exact_name(admit(other))
    except NotAnIdentifier:
        return NameMatch.NONE
    if first == second:
        return NameMatch.EXACT
    folded = folded_name(first)
    return NameMatch.FOLDED if folded and folded == folded_name(second) else NameMatch.NONE


def has_kanji(text: str) -> bool:
    """Say whether a name is in kanji; one in kana alone is a reading, and never compared with one in kanji."""
    return bool(_KANJI.search(text))
