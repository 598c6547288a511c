"""Read CSV and tab-separated text row by row, in bounded memory and without a guess at what a cell means."""

import csv
from collections.abc import Iterator
from typing import Final, TextIO

from renkei_files.limits import Limits
from renkei_files.lines import bounded_lines
from renkei_files.problems import FileError, Reason
from renkei_files.rows import Row

DELIMITERS: Final = (",", "\t", ";")


def read_delimited(file: TextIO, *, delimiter: str, limits: Limits) -> Iterator[Row]:
    """Give every row that is not empty. A row is named by its first line, which an editor finds."""
    lines = bounded_lines(file, limits.line_characters)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    count, first = 0, 1
    try:
        for cells in reader:
            if cells:
                count += 1
                if len(cells) > limits.columns:
                    raise FileError(Reason.TOO_MANY_COLUMNS, row=first)
                if count > limits.rows:
                    raise FileError(Reason.TOO_MANY_ROWS, row=first)
                yield Row(first, cells)
            first = reader.line_num + 1
    except csv.Error:
        # Also what is longer than the module allows a cell: nearly always a quotation mark that is never closed.
        raise FileError(Reason.UNCLOSED_QUOTE, row=first) from None
