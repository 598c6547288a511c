"""Read an address to its town and block: 13104-西新宿-2-8, the code of the municipality first (JIS X 0402).

The block (番, 街区符号) is where it ends: house numbers, buildings and rooms are left out, since half of all records
have none. A lot number (番地) stands for the block where there are no blocks.
"""

import re
from typing import Final, NamedTuple

from renkei_normalform import towns
from renkei_normalform.numerals import fold_place
from renkei_normalform.refusal import NotAnIdentifier, Reason

_NORMAL: Final = re.compile(
    r"([0-9]{5})-([^-@]+)(?:@([0-9]{7}))?(?:-[1-9][0-9]{0,2}地割)?(?:-字[^-0-9]{1,10})?(?:-[1-9][0-9]{0,5})?"
    r"-[甲乙丙丁戊イロハニホヘト]?[1-9][0-9]{0,5}"
)
_LOT: Final = re.compile(r"[0-9]{1,6}番地?")
_LEADING: Final = re.compile(
    r"(?:(?:現?住所|所在地?|居住地|住居|本籍地?|(?:集合)?場所)[ :;=]*)?"
    r"(?:〒? ?([0-9]{3})[-‐−–—ー]? ?([0-9]{4})|〒)?[ ,、]*(?:日本国?[ ,、]*)?"
)
# 寺町通御池上ル, 河原町通四条東入: the last turn stands right before the town.
_TURN: Final = re.compile(r"(?:上[るルガ]|下[るル]|東入|西入|南入|北入)[るル]?|通(?=[^0-9]{1,12}[0-9])")
_STREETS: Final = 40
_TURNS: Final = 3
_PLOT: Final = re.compile(r"-?第?([1-9][0-9]{0,2})地割")
_LETTER: Final = re.compile(r"[-字]?([甲乙丙丁戊イロハニホヘト])部?(?=-?[0-9])")
_HAMLET: Final = re.compile(r"(?:小?字)([^0-9-]{1,10})(?=[0-9])")
_UNIT: Final = re.compile(r"-?([0-9]{1,6})(丁目?|番地?|号地?|街区)?(?:ノ(?=[0-9]))?")
_MOST_UNITS: Final = 4


class Found(NamedTuple):
    """An address in normal form, and where in the folded text it ends."""

    value: str
    end: int


class _Numbers(NamedTuple):
    between: tuple[str, ...]
    block: str
    end: int


def read(text: str) -> str:
    """Return the address; what follows the block (house, building, room) is not looked at."""
    if normal := _NORMAL.fullmatch(text):
        return _read_normal(normal)
    leading = _LEADING.match(text)
    start = leading.end() if leading else 0
    post = f"{leading[1]}{leading[2]}" if leading and leading[1] else ""
    folded, _ = fold_place(text[start:])
    return find(folded, 0, post).value


def find(folded: str, start: int, post: str = "") -> Found:
    """Read the address whose municipality stands at `start` of a folded text, and tell where in it the address ends."""
    place = towns.municipality(folded, start)
    if not place:
        raise NotAnIdentifier(Reason.MUNICIPALITY_UNKNOWN)
    code, town, at = _town(*place, folded, post)
    numbers = _numbers(folded, at, town)
    return Found(_written(code, town, numbers), numbers.end)


def _town(codes: tuple[str, ...], at: int, folded: str, post: str) -> tuple[str, towns.Town, int]:
    """Find the town. A name of several municipalities means the one that has the town, if only one has it."""
    found = [(code, *those) for code in codes if (those := _towns_of(code, folded, at, post))]
    if not found:
        # Some municipalities count lots without a town: 龍ケ崎市3710番地.
        if len(codes) == 1 and _LOT.match(folded, at):
            return codes[0], towns.Town(name=towns.NAMELESS, chome=False, post="", streets=""), at
        raise NotAnIdentifier(Reason.TOWN_UNKNOWN)
    if len(found) > 1 or len(found[0][1]) != 1:
        raise NotAnIdentifier(Reason.TWO_PLACES)
    code, (town,), end = found[0]
    return code, town, end


def _towns_of(code: str, folded: str, at: int, post: str) -> tuple[tuple[towns.Town, ...], int] | None:
    streets = ""
    found = None
    if towns.is_kyoto(code) and (turns := [*_TURN.finditer(folded, at, at + _STREETS)]):
        for turn in turns[: -_TURNS - 1 : -1]:
            if found := towns.town(code, folded, turn.end()):
                streets = folded[at : turn.end()]
                break
    if not found:
        found = towns.town(code, folded, at)
    if not found:
        return None
    those, end = found
    if len(those) > 1:
        those = tuple(town for town in those if town.post == post) or _by_streets(those, streets)
    return those, end


def _by_streets(those: tuple[towns.Town, ...], streets: str) -> tuple[towns.Town, ...]:
    """Choose by the crossing: 寺町通御池上ル stands in the table as 寺町通御池上る."""
    wanted = _crossing(streets)
    return tuple(town for town in those if wanted in {_crossing(fold_place(s)[0]) for s in town.streets.split("、")})


def _crossing(streets: str) -> str:
    return re.sub("[るル]", "", streets).replace("通", "")


def _numbers(folded: str, at: int, town: towns.Town) -> _Numbers:
    plot = hamlet = letter = ""
    if found := _PLOT.match(folded, at):
        plot, at = f"{found[1]}地割", found.end()
    if found := _HAMLET.match(folded, at):
        hamlet, at = f"字{found[1]}", found.end()
    if found := _LETTER.match(folded, at):
        letter, at = found[1], found.end()
    units: list[tuple[str, str, int]] = []
    while len(units) < _MOST_UNITS and (unit := _UNIT.match(folded, at)):
        if units and folded[at] != "-" and not units[-1][1] and folded[at - 1] != "ノ":
            break
        units.append((unit[1], unit[2] or "", unit.end()))
        at = unit.end()
    chome = ""
    if len(units) > 1 and (units[0][1].startswith("丁") or (town.chome and not units[0][1])):
        chome = units.pop(0)[0]
    if not units or units[0][1].startswith("丁") or (town.chome and not chome and not units[0][1]):
        raise NotAnIdentifier(Reason.BLOCK_MISSING)
    block = units[0][0].lstrip("0")
    if not block or chome == "0":
        raise NotAnIdentifier(Reason.BLOCK_MISSING)
    return _Numbers((plot, hamlet, chome), letter + block, units[-1][2])


def _written(code: str, town: towns.Town, numbers: _Numbers) -> str:
    return "-".join((code, town.key, *filter(None, numbers.between), numbers.block))


def _read_normal(normal: re.Match[str]) -> str:
    code, name, post = normal.groups()
    if not towns.is_municipality(code):
        raise NotAnIdentifier(Reason.MUNICIPALITY_UNKNOWN)
    if name == towns.NAMELESS:
        return normal[0]
    folded, _ = fold_place(name)
    found = towns.town(code, folded)
    if not found or found[1] != len(folded):
        raise NotAnIdentifier(Reason.TOWN_UNKNOWN)
    those = [town for town in found[0] if town.post == (post or "")]
    if len(those) != 1:
        raise NotAnIdentifier(Reason.TWO_PLACES)
    return normal[0].replace(f"-{name}", f"-{those[0].name}", 1)
