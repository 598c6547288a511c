"""What can be wrong with a file, a row or a cell, in words that never repeat what stands there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Name what is wrong; programs branch on it, `words` turns it into a sentence."""

    # of a file: nothing of it is read any further
    EMPTY_FILE = "EMPTY_FILE"
    UNKNOWN_ENCODING = "UNKNOWN_ENCODING"
    AMBIGUOUS_ENCODING = "AMBIGUOUS_ENCODING"
    NOT_A_TABLE = "NOT_A_TABLE"
    ENCRYPTED = "ENCRYPTED"
    ARCHIVE_TOO_LARGE = "ARCHIVE_TOO_LARGE"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    TOO_MANY_COLUMNS = "TOO_MANY_COLUMNS"
    TOO_MANY_ROWS = "TOO_MANY_ROWS"
    UNCLOSED_QUOTE = "UNCLOSED_QUOTE"
    SHEET_MISSING = "SHEET_MISSING"
    HEADER_NOT_FOUND = "HEADER_NOT_FOUND"
    HEADER_TWICE = "HEADER_TWICE"
    # of a row or a cell: the row is not taken, the next one is
    CELL_COUNT = "CELL_COUNT"
    MISSING = "MISSING"
    TOO_LONG = "TOO_LONG"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    NOT_DIGITS = "NOT_DIGITS"
    TOO_MANY_DIGITS = "TOO_MANY_DIGITS"
    NOT_A_DAY = "NOT_A_DAY"
    NOT_A_MOMENT = "NOT_A_MOMENT"
    SERIAL_NUMBER = "SERIAL_NUMBER"
    NOT_A_CHOICE = "NOT_A_CHOICE"
    ERROR_CELL = "ERROR_CELL"
    ROUNDED_NUMBER = "ROUNDED_NUMBER"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    KEY_TWICE = "KEY_TWICE"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    ROW_TWICE = "ROW_TWICE"


class Mark(StrEnum):
    """Name what was done to a cell, or what a reader of it should know; the row is taken all the same."""

    ZEROS_RESTORED = "ZEROS_RESTORED"
    WIDTH_FOLDED = "WIDTH_FOLDED"
    GAIJI = "GAIJI"
    BIDI = "BIDI"
    FORMULA = "FORMULA"
    MERGED = "MERGED"
    ERA_OVERRUN = "ERA_OVERRUN"


_WORDS: Final = {
    Reason.EMPTY_FILE: "the file is empty",
    Reason.UNKNOWN_ENCODING: "the file is neither UTF-8 nor Shift_JIS (cp932); save it as one of them",
    Reason.AMBIGUOUS_ENCODING: "the file could be Shift_JIS (cp932) or EUC-JP; save it as UTF-8",
    Reason.NOT_A_TABLE: "the file is damaged, or none of CSV, xlsx, xls, ods and JSON lines",
    Reason.ENCRYPTED: "the file is protected by a password; save it without",
    Reason.ARCHIVE_TOO_LARGE: "the workbook unpacks to more than is allowed",
    Reason.LINE_TOO_LONG: "a line is longer than is allowed",
    Reason.TOO_MANY_COLUMNS: "a row has more columns than are allowed",
    Reason.TOO_MANY_ROWS: "there are more rows than are allowed",
    Reason.UNCLOSED_QUOTE: 'a quotation mark is not closed, or stands in the middle of a cell; double it: ""',
    Reason.SHEET_MISSING: "the workbook has no sheet of this name",
    Reason.HEADER_NOT_FOUND: "no row at the top holds the headers that the profile requires",
    Reason.HEADER_TWICE: "two columns have a header that the profile takes for one",
    Reason.CELL_COUNT: "the row has more or fewer cells than the header: its columns may have shifted",
    Reason.MISSING: "a required cell is empty",
    Reason.TOO_LONG: "the cell is longer than the profile allows",
    Reason.CONTROL_CHARACTER: "the cell holds NUL or another control character",
    Reason.NOT_DIGITS: "the cell holds something else than digits",
    Reason.TOO_MANY_DIGITS: "the cell has more digits than the profile says",
    Reason.NOT_A_DAY: "the cell is no day such as 令和6年10月3日, R6.10.3, 5061003 or 2024/10/03",
    Reason.NOT_A_MOMENT: "the cell is no day with a time such as 令和6年10月3日 14時05分 or 2024/10/03 14:05",
    Reason.SERIAL_NUMBER: "the cell holds a spreadsheet's number of a day; give the column a date format",
    Reason.NOT_A_CHOICE: "the cell holds none of the words that the profile knows",
    Reason.ERROR_CELL: "the cell holds a spreadsheet's error, such as #REF!",
    Reason.ROUNDED_NUMBER: "a spreadsheet has rounded the number: its last digits are lost",
    Reason.NOT_AN_OBJECT: "the line is no JSON object of texts",
    Reason.KEY_TWICE: "the line has a key twice",
    Reason.UNKNOWN_KEY: "the line has a key that the profile does not know",
    Reason.ROW_TWICE: "an earlier row has the same key",
}
_MARK_WORDS: Final = {
    Mark.ZEROS_RESTORED: "leading zeros were restored",
    Mark.WIDTH_FOLDED: "full-width digits were made plain",
    Mark.GAIJI: "the cell holds 外字 (private-use characters), which others may see differently",
    Mark.BIDI: "the cell holds signs that turn the order of reading",
    Mark.FORMULA: "the cell holds a formula; its stored result was taken",
    Mark.MERGED: "the value was taken from a merged cell",
    Mark.ERA_OVERRUN: "the day lies behind the end of its era",
}


def words(what: Reason | Mark) -> str:
    """Return one of a fixed set of sentences."""
    return _WORDS[what] if isinstance(what, Reason) else _MARK_WORDS[what]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row was not taken. `column` is a header or a field of the profile, "" where the whole row is meant."""

    row: int
    column: str
    reason: Reason

    def __str__(self) -> str:
        """Return where and why, without what stands there."""
        place = f"row {self.row}, column {self.column}" if self.column else f"row {self.row}"
        return f"{place}: {words(self.reason)} ({self.reason.value})"


class FileError(ValueError):
    """A file that cannot be read, or not any further. The message is of fixed words, places and headers."""

    def __init__(self, reason: Reason, *, row: int = 0, detail: str = "") -> None:
        """Take the reason, the row where it showed (0: the file as a whole) and a detail without content of cells."""
        super().__init__(reason, row, detail)
        self.reason = reason
        self.row = row
        self.detail = detail

    def __str__(self) -> str:
        """Return where, why and the detail."""
        place = f"row {self.row}: " if self.row else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{place}{words(self.reason)} ({self.reason.value}){detail}"
