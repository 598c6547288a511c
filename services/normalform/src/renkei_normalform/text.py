"""Admit foreign text and fold what looks alike: the part that every type shares."""

import unicodedata
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason

# The longest real spelling (a labelled account, a link with tracking parameters) has some 200 characters.
MAX_CHARACTERS: Final = 256

# Cells of spreadsheets and pasted lines end in these; inside the text they are control characters like any other.
_AROUND: Final = " \t\r\n\u3000"

# Drawn as nothing, or drawn over the character before (the frame of a keycap emoji), yet not of category Cf.
_INVISIBLE: Final = frozenset(
    (
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x20E3, 0x2800, 0x3164, 0xFFA0),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    )
)
_REFUSED: Final = {
    "Cc": Reason.CONTROL_CHARACTER,
    "Cs": Reason.BROKEN_TEXT,
    "Co": Reason.BROKEN_TEXT,
    "Cn": Reason.BROKEN_TEXT,
}

# Every sign people draw between the groups of a number, among them the kana length mark and the box-drawing line.
DASHES: Final = "-‐‑‒–—―⸺⸻−﹘﹣－ー⁃─━˗➖"
DOTS: Final = ".・·•･∙⋅‧●．。｡"

_KANJI_DIGITS: Final = dict(zip("〇零○◯⭕一二三四五六七八九壱壹弐貳参參", "00000123456789112233", strict=True))
_ROUND: Final = "OoОоΟο"
_UPRIGHT: Final = "IilІіӀӏΙιı"

KANJI_DIGITS: Final = str.maketrans(_KANJI_DIGITS)
LOOK_ALIKES: Final = frozenset(_ROUND + _UPRIGHT)
DIGITS: Final = str.maketrans(_KANJI_DIGITS | dict.fromkeys(_ROUND, "0") | dict.fromkeys(_UPRIGHT, "1"))
# The small ヶ of place names is written large, small and as hiragana.
HIRAGANA: Final = str.maketrans(
    {chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F6)} | {"ヶ": "け", "ゖ": "け"}
)


def admit(text: str) -> str:
    """Return the text in NFKC without invisible characters and outer blanks, or refuse it.

    Format characters (zero-width, bidi) are dropped: they hide in copied numbers and change nothing that a reader sees.
    Decimal digits of every script become ASCII digits.
    """
    if len(text) > MAX_CHARACTERS:
        raise NotAnIdentifier(Reason.TOO_LONG)
    text = text.strip(_AROUND)
    if text.isascii():
        if not text.isprintable():
            raise NotAnIdentifier(Reason.CONTROL_CHARACTER)
    else:
        text = unicodedata.normalize("NFKC", "".join(map(_admit_character, text)))
        text = "".join(map(_ascii_digit, text)).strip(_AROUND)
    if not text:
        raise NotAnIdentifier(Reason.EMPTY)
    return text


def _admit_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in _REFUSED:
        raise NotAnIdentifier(_REFUSED[category])
    return "" if category == "Cf" or ord(character) in _INVISIBLE else character


def is_invisible(character: str) -> bool:
    """Say whether a character is drawn as nothing, so that it hides in a text and changes nothing that is read."""
    return ord(character) in _INVISIBLE or unicodedata.category(character) == "Cf"


def _ascii_digit(character: str) -> str:
    return character if character.isascii() else str(unicodedata.decimal(character, character))
