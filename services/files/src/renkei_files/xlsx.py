"""Read a sheet of an xlsx workbook row by row, each cell as the text that stands for it.

A cell is what the file stores and not what a program would make of it: digits stay digits, a day is written out, a
formula gives its stored result and a mark, a merged cell gives its value to every place that it covers, and a number
of more than 15 digits is broken, for spreadsheets have rounded it.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from renkei_files.limits import Limits
from renkei_files.merges import Merges, read_merges
from renkei_files.problems import FileError, Mark, Reason
from renkei_files.rows import Row
from renkei_files.workbook import Archive, sheet_parts

_SMALL: Final = 32 << 20
_PLACE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DIGITS_KEPT: Final = 15
# The built-in formats of days and times, those of Japan among them.
_BUILT_IN: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_FORMAT: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DAY_OR_TIME: Final = re.compile(r"[ymdhsge]", re.IGNORECASE)
_GENERAL: Final = re.compile(r"general", re.IGNORECASE)
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet knows no zone)
_EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
# The first spreadsheet thought that 1900 had a 29 February.
_LEAP_BUG: Final = 60
_LAST_SERIAL: Final = 2958466


def read_xlsx(archive: Archive, *, sheet: str, limits: Limits) -> Iterator[Row]:
    """Give every row of a sheet that is not empty; "" is the first visible one."""
    parts = sheet_parts(archive)
    part = parts.get(sheet, "") if sheet else next(iter(parts.values()), "")
    if not part:
        raise FileError(Reason.SHEET_MISSING)
    styles = _day_styles(archive)
    reader = _Sheet(shared=_shared_texts(archive, limits), days=styles, since_1904=_since_1904(archive), limits=limits)
    merges = Merges(read_merges(archive, part))
    handlers = {
        "StartElementHandler": reader.start,
        "EndElementHandler": reader.end,
        "CharacterDataHandler": reader.text,
    }
    count = 0
    for _ in archive.parsed(part, handlers):
        while reader.rows:
            row = merges.filled(reader.rows.popleft())
            if any(row.cells) or row.broken:
                count += 1
                if count > limits.rows:
                    raise FileError(Reason.TOO_MANY_ROWS, row=row.number)
                yield row


@dataclass(slots=True, kw_only=True)
class _Sheet:
    """What expat tells of a sheet, until a row is complete."""

    shared: list[str]
    days: frozenset[int]
    since_1904: bool
    limits: Limits
    rows: deque[Row] = field(default_factory=deque)
    _number: int = 0
    _column: int = -1
    _cells: list[str] = field(default_factory=list)
    _marks: dict[int, Mark] = field(default_factory=dict)
    _broken: dict[int, Reason] = field(default_factory=dict)
    _kind: str = ""
    _style: int = 0
    _taking: bool = False
    _phonetic: int = 0
    _parts: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "c":
                self._begin_cell(attributes)
            case "v" | "t" if not self._phonetic:
                self._taking = True
            case "f":
                self._marks[self._column] = Mark.FORMULA
            case "rPh":
                self._phonetic += 1
            case "row":
                self._number = int(attributes.get("r") or self._number + 1)
                self._column, self._cells, self._marks, self._broken = -1, [], {}, {}
            case _:
                pass

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)

    def end(self, tag: str) -> None:
        match tag.rpartition(":")[2]:
            case "v" | "t":
                self._taking = False
            case "rPh":
                self._phonetic -= 1
            case "c":
                self._end_cell()
            case "row":
                self.rows.append(Row(self._number, self._cells, self._marks, self._broken))
            case _:
                pass

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        place = _PLACE.fullmatch(attributes.get("r", ""))
        self._column = column_number(place[1]) if place else self._column + 1
        if self._column >= self.limits.columns:
            raise FileError(Reason.TOO_MANY_COLUMNS, row=self._number)
        self._kind, self._style, self._parts = attributes.get("t", "n"), int(attributes.get("s") or 0), []

    def _end_cell(self) -> None:
        stored = "".join(self._parts)
        if not stored:
            self._marks.pop(self._column, None)
            return
        while len(self._cells) <= self._column:
            self._cells.append("")
        self._cells[self._column] = self._value(stored)

    def _value(self, stored: str) -> str:
        match self._kind:
            case "s":
                place = int(stored)
                if not 0 <= place < len(self.shared):
                    raise FileError(Reason.NOT_A_TABLE, row=self._number)
                return self.shared[place]
            case "inlineStr" | "str":
                return unescaped(stored)
            case "b":
                return "TRUE" if stored == "1" else "FALSE"
            case "e":
                self._broken[self._column] = Reason.ERROR_CELL
                return ""
            case "d":
                return stored.replace("T", " ")
            case _:
                return self._number_in(stored)

    def _number_in(self, stored: str) -> str:
        try:
            number = Decimal(stored)
        except InvalidOperation:
            raise FileError(Reason.NOT_A_TABLE, row=self._number) from None
        if self._style in self.days and 0 <= number < _LAST_SERIAL:
            return day_text(float(number), since_1904=self.since_1904)
        if abs(number) >= 10**_DIGITS_KEPT:
            self._broken[self._column] = Reason.ROUNDED_NUMBER
            return ""
        return plain_number(number)


def column_number(letters: str) -> int:
    """Return the place of a column, from 0: A, B, … Z, AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def plain_number(number: Decimal) -> str:
    """Write a number without an exponent and without zeros behind the point that nobody typed."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def day_text(serial: float, *, since_1904: bool) -> str:
    """Write a day, a day with a time, or a time alone, as the count of days that a sheet stores."""
    seconds = round(serial * 86400)
    if seconds < 86400 and not since_1904:  # noqa: PLR2004 (seconds of a day)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    epoch = _EPOCH_1904 if since_1904 else _EPOCH + timedelta(days=serial < _LEAP_BUG)
    moment = epoch + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%d" if not seconds % 86400 else "%Y-%m-%d %H:%M:%S")


def unescaped(text: str) -> str:
    """Undo how sheets write signs that XML cannot hold: _x000D_ is a carriage return."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


@dataclass(slots=True)
class _Shared:
    """What expat tells of the texts that cells share; furigana stand between them and belong to none."""

    texts: list[str] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _taking: bool = False
    _phonetic: int = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "si":
                self._parts.clear()
            case "rPh":
                self._phonetic += 1
            case "t":
                self._taking = not self._phonetic
            case _:
                pass

    def end(self, tag: str) -> None:
        match tag.rpartition(":")[2]:
            case "si":
                self.texts.append(unescaped("".join(self._parts)))
            case "rPh":
                self._phonetic -= 1
            case "t":
                self._taking = False
            case _:
                pass

    def text(self, data: str) -> None:
        if self._taking:
            self._parts.append(data)


def _shared_texts(archive: Archive, limits: Limits) -> list[str]:
    shared = _Shared()
    if "xl/sharedStrings.xml" in archive.names:
        handlers = {
            "StartElementHandler": shared.start,
            "EndElementHandler": shared.end,
            "CharacterDataHandler": shared.text,
        }
        archive.parse("xl/sharedStrings.xml", handlers, at_most=limits.shared_text_bytes)
    return shared.texts


def _day_styles(archive: Archive) -> frozenset[int]:
    """Name the styles of cells that show a day or a time."""
    formats: dict[int, str] = {}
    styles: list[int] = []
    inside = {"cellXfs": False}

    def start(tag: str, attributes: dict[str, str]) -> None:
        match tag.rpartition(":")[2]:
            case "numFmt":
                formats[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
            case "cellXfs":
                inside["cellXfs"] = True
            case "xf" if inside["cellXfs"]:
                styles.append(int(attributes.get("numFmtId", "0")))
            case _:
                pass

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] == "cellXfs":
            inside["cellXfs"] = False

    if "xl/styles.xml" in archive.names:
        archive.parse("xl/styles.xml", {"StartElementHandler": start, "EndElementHandler": end}, at_most=_SMALL)
    return frozenset(
        place
        for place, number in enumerate(styles)
        if (_is_day(formats[number]) if number in formats else number in _BUILT_IN)
    )


def _is_day(code: str) -> bool:
    return bool(_DAY_OR_TIME.search(_GENERAL.sub("", _NOT_FORMAT.sub("", code.partition(";")[0]))))


def _since_1904(archive: Archive) -> bool:
    found = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            found.append(tag)

    archive.parse("xl/workbook.xml", {"StartElementHandler": start}, at_most=_SMALL)
    return bool(found)
