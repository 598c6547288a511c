"""The municipalities of Japan and their towns, found by any spelling of their names."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from renkei_normalform.numerals import fold_place

# Towns of a municipality are read when it is first asked for; a busy node asks for some hundreds.
_REMEMBERED: Final = 512
_LONGEST_MUNICIPALITY: Final = 16
_LONGEST_TOWN: Final = 24
NAMELESS: Final = "町名なし"
_SUBDIVISION: Final = re.compile("大字|小字|字")
# In Hokkaido 北1西2 is 北一条西二丁目.
_AVENUE: Final = re.compile("([東西南北][0-9]{1,2})条([東西南北])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """One town; `post` is empty but where several towns of the ward have the name."""

    name: str
    chome: bool
    post: str
    streets: str

    @property
    def key(self) -> str:
        """Name it as no other town of the municipality is named."""
        return f"{self.name}@{self.post}" if self.post else self.name


def municipality(folded: str, start: int = 0) -> tuple[tuple[str, ...], int] | None:
    """Find the municipality whose name begins at `start`: the codes of all that have the name, and where it ends.

    The longest name wins.
    """
    names = _names()
    for end in range(min(len(folded), start + _LONGEST_MUNICIPALITY), start + 1, -1):
        if codes := names.get(folded[start:end]):
            return codes, end
    return None


def is_name(folded: str) -> bool:
    """Say whether a municipality is called so."""
    return folded in _names()


def is_municipality(code: str) -> bool:
    """Say whether a code of JIS X 0402 is in use."""
    from renkei_normalform.tables.towns import MUNICIPALITIES  # noqa: PLC0415 (a command that shows its help must not pay)

    return code in MUNICIPALITIES


def is_kyoto(code: str) -> bool:
    """Say whether addresses there have streets before the town."""
    return code.startswith("261")


def town(code: str, folded: str, start: int = 0) -> tuple[tuple[Town, ...], int] | None:
    """Find the town whose name begins at `start`: all towns of that name, and where it ends. The longest name wins.

    大字 and 字 may stand anywhere in it: 保原町字舟橋 is 保原町舟橋.
    """
    found = _towns(code)
    best = None
    for end in range(min(len(folded), start + _LONGEST_TOWN), start, -1):
        if (those := found.get(folded[start:end])) is not None and not _cut(folded, end):
            best = those, end
            break
    name, end = "", start
    while end < len(folded) and len(name) < _LONGEST_TOWN:
        if mark := _SUBDIVISION.match(folded, end):
            end = mark.end()
            continue
        name += folded[end]
        end += 1
        if (best is None or end > best[1]) and (those := found.get(name)) is not None and not _cut(folded, end):
            best = those, end
    return best


def _cut(folded: str, end: int) -> bool:
    """Say whether a name that ends here would end in the middle of a number."""
    return end < len(folded) and folded[end].isdecimal() and folded[end - 1].isdecimal()


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Map each way to name a municipality to the codes of those that it names."""
    from renkei_normalform.tables.towns import MUNICIPALITIES  # noqa: PLC0415 (as above)

    names: dict[str, set[str]] = {}
    for code, text in MUNICIPALITIES.items():
        prefecture, name = text.split(" ")
        ways = {name}
        district, _, village = name.partition("郡")
        # 郡 is a letter of 郡山市 and 蒲郡市 too.
        if district and village and name[-1] in "町村":
            ways.add(village)
        city, _, ward = name.partition("市")
        if city and ward.endswith("区"):
            ways.add(ward)
        for way in ways:
            names.setdefault(fold_place(prefecture + way)[0], set()).add(code)
            names.setdefault(fold_place(way)[0], set()).add(code)
    return {way: tuple(sorted(codes)) for way, codes in names.items()}


@lru_cache(_REMEMBERED)
def _towns(code: str) -> dict[str, tuple[Town, ...]]:
    from renkei_normalform.tables.towns import TOWNS  # noqa: PLC0415 (as above)

    rows = [[*row.split("\t"), "", ""][:4] for row in TOWNS.get(code, "").split("\n") if row]
    names = [name for name, *_ in rows]
    found: dict[str, tuple[Town, ...]] = {}
    for name, chome, post, streets in rows:
        made = Town(name=name, chome=chome == "1", post=post if names.count(name) > 1 else "", streets=streets)
        folded = fold_place(name)[0]
        found[folded] = (*found.get(folded, ()), made)
        if avenue := _AVENUE.fullmatch(folded):
            found.setdefault(f"{avenue[1]}{avenue[2]}", (made,))
    return found
