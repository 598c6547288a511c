"""Read one cell as the profile says, and tell what was done to it."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from renkei_files.dates import NotADateError, read_day, read_moment
from renkei_files.problems import Mark, Reason
from renkei_files.profile import ColumnRule, Kind

GAIJI: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SERIAL: Final = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
# What is left of a mobile or IP number, of a fixed one, and of a free one, without its first 0.
_EATEN: Final = re.compile(r"(?:[5789]0[0-9]{8}|[1-9][0-9]{8})")


class CellError(ValueError):
    """A cell that cannot be read as its column says; the reason alone, never the cell."""

    def __init__(self, reason: Reason) -> None:
        """Take the reason."""
        super().__init__(reason)
        self.reason = reason


def read_cell(rule: ColumnRule, text: str) -> tuple[str, tuple[Mark, ...]]:
    """Return the value of a cell and the marks on it. An empty cell is "", of every kind."""
    marks: list[Mark] = []
    if not (text.isascii() and text.isprintable()):
        if CONTROL.search(text):
            raise CellError(Reason.CONTROL_CHARACTER)
        if GAIJI.search(text):
            marks.append(Mark.GAIJI)
        if BIDI.search(text):
            marks.append(Mark.BIDI)
    if not text.strip():
        return "", tuple(marks)
    if len(text) > rule.max_length:
        raise CellError(Reason.TOO_LONG)
    return _READERS[rule.kind](text, rule, marks), tuple(marks)


def _text(text: str, _rule: ColumnRule, _marks: list[Mark]) -> str:
    return text


def _digits(text: str, rule: ColumnRule, marks: list[Mark]) -> str:
    width = rule.width
    text = text.strip()
    digits = unicodedata.normalize("NFKC", text)
    if not (digits.isascii() and digits.isdecimal()):
        raise CellError(Reason.NOT_DIGITS)
    if digits != text:
        marks.append(Mark.WIDTH_FOLDED)
    if width is None or len(digits) == width:
        return digits
    if len(digits) > width:
        raise CellError(Reason.TOO_MANY_DIGITS)
    marks.append(Mark.ZEROS_RESTORED)
    return digits.zfill(width)


def _phone(text: str, _rule: ColumnRule, marks: list[Mark]) -> str:
    digits = unicodedata.normalize("NFKC", text.strip())
    if not _EATEN.fullmatch(digits):
        return text
    marks.append(Mark.ZEROS_RESTORED)
    return f"0{digits}"


def _day(text: str, _rule: ColumnRule, marks: list[Mark]) -> str:
    try:
        # A sheet may show a day that was stored with midnight.
        found = read_day(text.strip().removesuffix(" 00:00:00").removesuffix(" 0:00"))
    except NotADateError:
        raise CellError(Reason.SERIAL_NUMBER if _SERIAL.fullmatch(text) else Reason.NOT_A_DAY) from None
    if found.overrun:
        marks.append(Mark.ERA_OVERRUN)
    return found.day.isoformat()


def _moment(text: str, _rule: ColumnRule, marks: list[Mark]) -> str:
    try:
        found, overrun = read_moment(text)
    except NotADateError:
        raise CellError(Reason.SERIAL_NUMBER if _SERIAL.fullmatch(text) else Reason.NOT_A_MOMENT) from None
    if overrun:
        marks.append(Mark.ERA_OVERRUN)
    return found.isoformat()


def _choice(text: str, rule: ColumnRule, _marks: list[Mark]) -> str:
    choices = rule.choices
    if (value := choices.get(text)) is not None:
        return value
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    for word, value in choices.items():
        if "".join(unicodedata.normalize("NFKC", word).split()) == folded:
            return value
    raise CellError(Reason.NOT_A_CHOICE)


_READERS: Final[dict[Kind, Callable[[str, ColumnRule, list[Mark]], str]]] = {
    Kind.TEXT: _text,
    Kind.DIGITS: _digits,
    Kind.PHONE: _phone,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.CHOICE: _choice,
}
