"""Fold the spellings of names of places, kanji numerals among them: 北十一条 and 北11条 are one."""

import re
from typing import Final

from renkei_normalform.text import DASHES
from renkei_normalform.variants import FOLD

_DIGITS: Final = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "壱": 1,
    "弐": 2,
    "参": 3,
}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_NUMERAL: Final = re.compile(r"[〇一二三四五六七八九零壱弐十百千]+|[0-9]+")
# A length mark or a dot between numerals is a dash.
_DRAWN_OUT: Final = re.compile(r"(?<=[0-9〇一二三四五六七八九十])[ー・.](?=[0-9〇一二三四五六七八九十])")
_SIGNS: Final = (
    dict.fromkeys("ヶがガけゖヵ", "ケ")
    | dict.fromkeys("のﾉ之乃", "ノ")
    | dict.fromkeys("つッっ", "ツ")
    | dict.fromkeys(DASHES.replace("ー", ""), "-")
)
_FOLD: Final = FOLD | {ord(sign): folded for sign, folded in _SIGNS.items()}


def fold_place(text: str) -> tuple[str, list[int]]:
    """Return the folded text and, for each of its characters, how much of `text` is read when it is."""
    plain = _DRAWN_OUT.sub("-", text.translate(_FOLD))  # one character for one
    folded: list[str] = []
    ends: list[int] = []
    done = 0
    for found in _NUMERAL.finditer(plain):
        number = _number(found[0])
        # 十二12番地 is number 12 of the town 十二, and not 1212.
        if done and found.start() == done:
            number = f"-{number}"
        folded.append(plain[done : found.start()])
        ends.extend(range(done + 1, found.start() + 1))
        folded.append(number)
        ends.extend([found.end()] * len(number))
        done = found.end()
    folded.append(plain[done:])
    ends.extend(range(done + 1, len(plain) + 1))
    blank = "".join(folded)
    if " " in blank or "\u3000" in blank:
        kept = [place for place, character in enumerate(blank) if character not in " \u3000"]
        return "".join(blank[place] for place in kept), [ends[place] for place in kept]
    return blank, ends


def _number(numeral: str) -> str:
    if "0" <= numeral[0] <= "9":
        return numeral.lstrip("0") or "0"
    if not any(character in _UNITS for character in numeral):
        return "".join(str(_DIGITS[character]) for character in numeral).lstrip("0") or "0"
    total, digits = 0, ""
    for character in numeral:
        if character in _UNITS:
            total += int(digits or "1") * _UNITS[character]
            digits = ""
        else:
            digits += str(_DIGITS[character])
    return str(total + int(digits or "0"))
