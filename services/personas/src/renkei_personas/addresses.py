"""Find addresses in Japanese words, and write each in one way, so that two spellings of one address are equal."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from renkei_normalform import folded_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFECTURES: Final = (
    "北海道|東京都|(?:京都|大阪)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野"
    "|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎"
    "|鹿児島|沖縄)県"
)
_DASHES: Final = "-‐‑‒–—―−ー－"
_NUMBER: Final = rf"\d+(?:(?:丁目|番地?の?|号|[{_DASHES}の])\d*)*"
_LONGEST: Final = 40
# From the prefecture over names of places to the numbers; no further than a comma or blank would end a phrase.
_ADDRESS: Final = re.compile(rf"(?:{_PREFECTURES})[^\s、。,\d]{{1,{_LONGEST}}}?{_NUMBER}")
_END: Final = re.compile(rf"[^\s、。,\d]{{2}}\d+(?:(?:丁目|番地?の?|[{_DASHES}の])\d+)+")
_SEPARATOR: Final = re.compile(rf"丁目|番地?の?|号|[{_DASHES}の](?=\d)")
_KANJI: Final = str.maketrans("〇一二三四五六七八九", "0123456789")
_KANJI_CHOME: Final = re.compile(r"[一二三四五六七八九](?=丁目)")


def addresses_in(text: str) -> Iterator[str]:
    """Give the addresses in a text, each written in one way."""
    for found in _ADDRESS.finditer(_folded(text)):
        yield one_way(found[0])


def ends_in(text: str) -> Iterator[str]:
    """Give the end of each address in a text: the last two signs of the place and its numbers.

    So 市場町1-2-3 is found in 千葉市中央区市場町1丁目2番3号, though neither prefecture nor city is said.
    One number alone is no address.
    """
    for found in _END.finditer(_folded(text)):
        yield one_way(found[0])


def one_way(address: str) -> str:
    """Write an address in one way: 1丁目2番3号, １－２－３ and 一丁目2-3 are equal, and variant characters are one."""
    dashed = _SEPARATOR.sub("-", _folded(address))
    kept = "".join(sign for sign in dashed if sign.isalnum() or sign == "-")
    return "-".join(folded_name(part) for part in kept.split("-") if part)


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _KANJI_CHOME.sub(lambda found: found[0].translate(_KANJI), folded)
