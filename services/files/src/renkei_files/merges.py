"""Give the value of a merged cell to every place that the cell covers, and mark it."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from renkei_files.problems import FileError, Mark, Reason
from renkei_files.rows import Row
from renkei_files.workbook import Archive

_MOST: Final = 50_000
# A title is often merged over every column that a sheet can have.
_WIDEST: Final = 256
_RANGE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6}):([A-Z]{1,3})([1-9][0-9]{0,6})")


class Merge(NamedTuple):
    """The places that a merged cell covers, rows from 1 and columns from 0."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


def read_merges(archive: Archive, part: str) -> list[Merge]:
    """Read which cells of a sheet are merged. They stand behind the rows that need them, so the part is read twice."""
    found: list[Merge] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.endswith("mergeCell") and (place := _RANGE.fullmatch(attributes.get("ref", ""))):
            found.append(Merge(int(place[2]), _column(place[1]), int(place[4]), _column(place[3])))
            if len(found) > _MOST:
                raise FileError(Reason.ARCHIVE_TOO_LARGE, detail=f"more than {_MOST} merged cells")

    archive.parse(part, {"StartElementHandler": start})
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


class Merges:
    """The merged cells that the rows given so far have begun and not ended."""

    def __init__(self, merges: Iterable[Merge]) -> None:
        """Take the merged cells of a sheet in any order."""
        self._waiting = sorted(merges, reverse=True)
        self._open: list[tuple[Merge, str]] = []

    def filled(self, row: Row) -> Row:
        """Return the row with the values of the merged cells that reach into it. Rows come in their order."""
        if not self._waiting and not self._open:
            return row
        self._open = [one for one in self._open if one[0].last_row >= row.number]
        while self._waiting and self._waiting[-1].first_row <= row.number:
            merge = self._waiting.pop()
            at_its_row = merge.first_row == row.number and merge.first_column < len(row.cells)
            if merge.last_row >= row.number:
                self._open.append((merge, row.cells[merge.first_column] if at_its_row else ""))
        marks = dict(row.marks)
        for merge, value in self._open:
            if value:
                self._fill(row, marks, merge, value)
        return Row(row.number, row.cells, marks, row.broken)

    @staticmethod
    def _fill(row: Row, marks: dict[int, Mark], merge: Merge, value: str) -> None:
        last = min(merge.last_column, _WIDEST)
        row.cells.extend([""] * (last + 1 - len(row.cells)))
        for column in range(merge.first_column, last + 1):
            if not row.cells[column]:
                row.cells[column] = value
                marks[column] = Mark.MERGED
