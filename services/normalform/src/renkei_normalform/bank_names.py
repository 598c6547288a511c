"""Find a bank and its branch by name, in kanji or in the kana of transfer files, as the Zengin list has them."""

import re
from functools import cache, lru_cache
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DIGITS
from renkei_normalform.variants import FOLD

# Branches of a bank are read when it is first asked for.
_REMEMBERED: Final = 128
_LONGEST: Final = 40
# The list shortens what a bank calls itself.
_SHORTER: Final = (
    ("株式会社", ""),
    ("(株)", ""),
    ("信用金庫", "信金"),
    ("信用組合", "信組"),
    ("労働金庫", "労金"),
    ("農業協同組合", "農協"),
    ("漁業協同組合", "漁協"),
    ("信託銀行", "信託"),
)
_SMALL: Final = dict(zip(map(ord, "ァィゥェォッャュョヮ"), "アイウエオツヤユヨワ", strict=True))
_SIGNS: Final = {ord(sign): "" for sign in "-ー－・ 　.ｰ‐"}
_FOLD: Final = FOLD | _SMALL | _SIGNS
_BETWEEN: Final = re.compile(r"[\s,、/:;()\[\]-]*(?:(?:支店|店舗|店)名[\s:]*)?")
_BEFORE: Final = re.compile(r"(?:金融機関名?|銀行名|振込先)[\s:=]*")
_AFTER_BANK: Final = re.compile(r"(?:銀行|ギンコウ|bank)?(?:\(?([0-9]{4})\)?(?![0-9]))?", re.IGNORECASE)
_AFTER_BRANCH: Final = re.compile(r"(?:支店|シテン|支所|店|出張所|営業部)?")
_REPEATED_CODE: Final = re.compile(r"(?:支店(?:番号|コード)|店番号?)?[\s:]*\(?([0-9]{3})\)?(?![0-9])(?=[^0-9]+[0-9])")
_CODE: Final = re.compile(r"[0-9]{3}(?![0-9])")


def with_codes(text: str) -> str:
    """Return the text with its bank and branch as codes at the front; it must begin with the bank's name."""
    for longer, shorter in _SHORTER:
        text = text.replace(longer, shorter)
    bank, at = _longest(text, _past(_BEFORE, text, 0), _banks(), Reason.BANK_UNKNOWN)
    at = _past(_AFTER_BANK, text, at, bank)
    at = _past(_BETWEEN, text, at)
    code = _CODE.match(text[at : at + 4].translate(DIGITS))
    try:
        branch, end = _longest(text, at, _branches(bank), Reason.BRANCH_UNKNOWN)
    except NotAnIdentifier:
        if not code:
            raise
        branch, end = code[0], at + 3
    end = _past(_AFTER_BRANCH, text, end)
    after = _past(_BETWEEN, text, end)
    return f"{bank} {branch} {text[_past(_REPEATED_CODE, text, after, branch) :]}"


def _past(pattern: re.Pattern[str], text: str, at: int, code: str = "") -> int:
    """Return where a match ends; a code that is written beside the name must be the name's own."""
    found = pattern.match(text, at)
    if not found:
        return at
    if code and found[1] and found[1] != code:
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return found.end()


def _longest(text: str, at: int, names: dict[str, str], otherwise: Reason) -> tuple[str, int]:
    """Find the longest name that stands at a place, however it is spaced: its code, and where it ends."""
    folded, best, end = "", "", at
    for place in range(at, min(len(text), at + _LONGEST)):
        folded += text[place].lower().translate(_FOLD)
        if (code := names.get(folded)) is not None:
            best, end = code, place + 1
    if not best:
        raise NotAnIdentifier(otherwise)
    return best, end


def _keyed(rows: list[tuple[str, str, str]], endings: tuple[str, ...]) -> dict[str, str]:
    """Map the folded names to codes; a name of two is left out.

    A whole name goes before one without its ending, and a name before kana, which read like other names too.
    """
    names: dict[str, str] = {}
    taken = {""}
    for column in (1, 2):
        folded = [(row[0], row[column].translate(_FOLD).lower()) for row in rows]
        shortened = [(code, name.removesuffix(ending)) for code, name in folded for ending in endings]
        for ways in (folded, shortened):
            found: dict[str, set[str]] = {}
            for code, way in ways:
                found.setdefault(way, set()).add(code)
            names |= {way: next(iter(codes)) for way, codes in found.items() if len(codes) == 1 and way not in taken}
            taken |= found.keys()
    return names


@cache
def _banks() -> dict[str, str]:
    import unicodedata  # noqa: PLC0415 (with the table, when first needed)

    from renkei_normalform.tables.banks import BANKS  # noqa: PLC0415 (as above)

    rows = [(code, *unicodedata.normalize("NFKC", text).split("\t")) for code, text in BANKS.items()]
    return _keyed([(code, name, kana) for code, name, kana in rows], ())


@lru_cache(_REMEMBERED)
def _branches(bank: str) -> dict[str, str]:
    import unicodedata  # noqa: PLC0415 (as above)

    from renkei_normalform.tables.banks import BRANCHES  # noqa: PLC0415 (as above)

    rows = [row.split("\t") for row in unicodedata.normalize("NFKC", BRANCHES[bank]).split("\n")]
    return _keyed([(code, name, kana) for code, name, kana in rows], ("支店", "支所", "営業部", "店"))
