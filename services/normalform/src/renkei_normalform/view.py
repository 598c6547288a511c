"""See a free text as it is meant, with the way back: folded for searching, each sign knowing where it stood."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from renkei_normalform.text import is_invisible

_VOICED: Final = frozenset("ﾞﾟ\u3099\u309a")
_REMEMBERED: Final = 8192


@dataclass(frozen=True, slots=True)
class View:
    """The folded text, and for each of its characters where it begins and ends in the original."""

    text: str
    starts: range | list[int]
    ends: range | list[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of the view stands in the original."""
        return self.starts[start], self.ends[end - 1]


def view_of(text: str) -> View:
    """Fold a text of any length and content: NFKC sign by sign, decimal digits as ASCII, invisible signs gone."""
    if text.isascii():
        return View(text, range(len(text)), range(1, len(text) + 1))
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at, length = 0, len(text)
    while at < length:
        end = at + 2 if at + 1 < length and text[at + 1] in _VOICED else at + 1
        seen = _folded(text[at:end])
        folded.append(seen)
        starts.extend([at] * len(seen))
        ends.extend([end] * len(seen))
        at = end
    return View("".join(folded), starts, ends)


@lru_cache(_REMEMBERED)
def _folded(signs: str) -> str:
    seen = "".join(sign for sign in signs if not is_invisible(sign))
    seen = unicodedata.normalize("NFKC", seen)
    return "".join(sign if sign.isascii() else str(unicodedata.decimal(sign, sign)) for sign in seen)
