"""Write the report of a file, row by row: what came of it, what was done to its cells, and why it was not taken.

No cell stands in it.
"""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TextIO

from renkei_files.mapping import MappedRow
from renkei_files.problems import FileError, words

REPORT_ENCODING: Final = "utf-8-sig"
_HEADER: Final = ("行", "列", "区分", "コード", "説明", "記録")
_KEYS: Final = ("row", "column", "outcome", "code", "words", "name")


class ReportForm(StrEnum):
    """How a report is written: for people with a spreadsheet, or for programs."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class Outcome(StrEnum):
    """What a line of the report tells."""

    READY = "READY"
    """The row can be taken; nothing was sent."""
    RECORDED = "RECORDED"
    """The row is a record now; the line names it."""
    REFUSED = "REFUSED"
    MARKED = "MARKED"
    """Something was done to a cell of a row."""
    STOPPED = "STOPPED"
    """Nothing behind this place was taken."""


_WORDS: Final = {
    Outcome.READY: "取込可",
    Outcome.RECORDED: "取込済",
    Outcome.REFUSED: "取込不可",
    Outcome.MARKED: "注意",
    Outcome.STOPPED: "中断",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why somebody else than the file's reader refused a row, in words without its content."""

    column: str
    code: str
    words: str


_NOTHING: Final = Refusal(column="", code="", words="")


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
    """A report as a CSV that Japanese Excel opens, or as JSON lines, written while the file is read.

    At any moment it tells of every row so far.
    """

    def __init__(self, file: TextIO, form: ReportForm = ReportForm.CSV, *, summary: Summary | None = None) -> None:
        """Take a text file that was opened by `REPORT_ENCODING` (JSON lines: UTF-8) and `newline=""`.

        With the summary so far it goes on with a report that was begun before.
        """
        self._file = file
        self._form = form
        self._writer = csv.writer(file)
        if summary is None and form is ReportForm.CSV:
            self._writer.writerow(_HEADER)
        self.summary = summary or Summary()

    def note(
        self,
        row: MappedRow,
        outcome: Outcome = Outcome.READY,
        *,
        name: str = "",
        refusals: Sequence[Refusal] = (),
    ) -> None:
        """Write down what came of a row, and count it. `outcome` is what it is where nothing was wrong with it."""
        summary = self.summary
        summary.rows += 1
        found = [Refusal(column=each.column, code=each.reason.value, words=words(each.reason)) for each in row.problems]
        found += refusals
        if found:
            summary.refused += 1
        else:
            summary.taken += 1
            self._write(row.number, outcome, name=name)
        for each in found:
            summary.problems[each.code] += 1
            self._write(row.number, Outcome.REFUSED, each)
        for column, mark in row.marks:
            summary.marks[mark.value] += 1
            self._write(row.number, Outcome.MARKED, Refusal(column=column, code=mark.value, words=words(mark)))

    def stop(self, error: FileError) -> None:
        """Write down why the file could not be read any further: nothing is half imported without being said."""
        self.stop_for(error.reason.value, str(error), row=error.row)

    def stop_for(self, code: str, said: str, *, row: int = 0) -> None:
        """Write down any other reason for which nothing further was taken."""
        self.summary.stopped = code
        self._write(row, Outcome.STOPPED, Refusal(column="", code=code, words=said))

    def _write(self, row: int, outcome: Outcome, told: Refusal = _NOTHING, *, name: str = "") -> None:
        if self._form is ReportForm.CSV:
            self._writer.writerow((row or "", told.column, _WORDS[outcome], told.code, told.words, name))
            return
        values = (row, told.column, outcome.value, told.code, told.words, name)
        line = {key: value for key, value in zip(_KEYS, values, strict=True) if value}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
