"""Write the report of a file, row by row: what was done to cells, and why rows were not taken. No cell stands in it."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, TextIO

from renkei_files.mapping import MappedRow
from renkei_files.problems import FileError, words

_HEADER: Final = ("行", "列", "区分", "コード", "説明")
_NOT_TAKEN: Final = "取込不可"
_MARKED: Final = "注意"
_STOPPED: Final = "中断"


@dataclass(slots=True)
class Summary:
    """The counts of a file so far."""

    rows: int = 0
    taken: int = 0
    refused: int = 0
    stopped: str = ""
    """The reason for which the file could not be read to its end; "" when it was."""
    problems: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)


class Report:
    """A report as a CSV that Japanese Excel opens, written while the file is read: it tells of every row so far."""

    def __init__(self, file: TextIO) -> None:
        """Take a text file that was opened by `REPORT_ENCODING` and `newline=""`."""
        self._writer = csv.writer(file)
        self._writer.writerow(_HEADER)
        self.summary = Summary()

    def note(self, row: MappedRow) -> None:
        """Write down what there is to say of a row, and count it."""
        summary = self.summary
        summary.rows += 1
        if row.problems:
            summary.refused += 1
        else:
            summary.taken += 1
        for problem in row.problems:
            summary.problems[problem.reason.value] += 1
            what = (_NOT_TAKEN, problem.reason.value, words(problem.reason))
            self._writer.writerow((problem.row, problem.column, *what))
        for column, mark in row.marks:
            summary.marks[mark.value] += 1
            self._writer.writerow((row.number, column, _MARKED, mark.value, words(mark)))

    def stop(self, error: FileError) -> None:
        """Write down why the file could not be read any further: nothing is half imported without being said."""
        self.summary.stopped = error.reason.value
        self._writer.writerow((error.row or "", "", _STOPPED, error.reason.value, str(error)))


REPORT_ENCODING: Final = "utf-8-sig"
