"""Read a vehicle plate as 地名-分類番号-かな-一連番号: 品川-300-あ-1234, and ・・12 as 12."""

import re
from typing import Final

from renkei_normalform.plate_places import split_place
from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES, DOTS, HIRAGANA, KANJI_DIGITS

_SIGNS: Final = str.maketrans(dict.fromkeys(DASHES, "-") | dict.fromkeys(DOTS, "·") | {" ": "", "　": ""})
_PLATE: Final = re.compile(r"[-·]*([0-9A-Za-z]{1,3})[-·]*([ぁ-ゖA-Za-z])-*(·*)(?:([0-9]{1,4})|([0-9]{2})-([0-9]{2}))")
# No plate bears O or I, so they are read as the digits they resemble. L is issued, so a small l could be either.
_CLASS_LOOK_ALIKES: Final = str.maketrans("OoIi", "0011")
_CLASS: Final = re.compile(r"[0-9]{1,3}|[0-9][0-9ACFHKLMPXY]{2}")
# お, し, へ and ん are never issued. よ and the letters are for the forces of the United States in Japan.
_KANA: Final = frozenset("あいうえかきくけこさすせそたちつてとなにぬねのはひふほまみむめもやゆよらりるれろわをEHKMTY")
_FULL: Final = 4


def read(text: str) -> str:
    """Return the four parts; a plate of which a part is unknown is a search, not an identifier."""
    # Only behind the name: 八王子, 三重 and 一宮 hold numerals.
    place, rest = split_place(text.translate(_SIGNS))
    if not place:
        raise NotAnIdentifier(Reason.PLACE_UNKNOWN)
    plate = _PLATE.fullmatch(rest.translate(KANJI_DIGITS).translate(HIRAGANA))
    if not plate:
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return f"{place}-{_classification(plate[1])}-{_kana(plate[2])}-{_serial(plate[3], plate[4] or plate[5] + plate[6])}"


def _classification(text: str) -> str:
    classification = text.translate(_CLASS_LOOK_ALIKES)
    if "l" in classification or not _CLASS.fullmatch(classification.upper()):
        raise NotAnIdentifier(Reason.CLASS_UNKNOWN)
    return classification.upper()


def _kana(text: str) -> str:
    if text.upper() not in _KANA:
        raise NotAnIdentifier(Reason.KANA_UNKNOWN)
    return text.upper()


def _serial(dots: str, digits: str) -> str:
    """Drop what fills the four places, for 12 is ・・12 on the plate and 0012 in some registers.

    One dot before four digits is a separator. Any other count that does not add up to four hides a digit.
    """
    if dots and len(dots) + len(digits) != _FULL and (len(dots), len(digits)) != (1, _FULL):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    serial = digits.lstrip("0")
    if not serial:
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return serial
