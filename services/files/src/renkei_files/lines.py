"""Cut a text file into lines of bounded length: a file without a line end must not fill the memory."""

from collections.abc import Iterator
from typing import Final, TextIO

from renkei_files.problems import FileError, Reason

_BLOCK: Final = 1 << 16


def bounded_lines(file: TextIO, longest: int) -> Iterator[str]:
    """Give each line with its line end (LF, CRLF or CR). Raises LINE_TOO_LONG, with the number of the line.

    The file must be opened with `newline=""`, so that line ends inside quoted cells stay what they were.
    """
    rest, number = "", 1
    while block := file.read(_BLOCK):
        text = rest + block
        # A CR at the end of a block may be half of a CRLF.
        held = text.endswith("\r")
        lines = _split(text[:-1] if held else text)
        rest = lines.pop() + ("\r" if held else "")
        for line in lines:
            if len(line) > longest:
                raise FileError(Reason.LINE_TOO_LONG, row=number)
            yield line
            number += 1
        if len(rest) > longest:
            raise FileError(Reason.LINE_TOO_LONG, row=number)
    if rest:
        yield rest


def _split(text: str) -> list[str]:
    """Split behind LF, CRLF and CR only; `str.splitlines` would split at signs that stand inside cells too."""
    lines: list[str] = []
    for part in text.split("\n"):
        pieces = part.split("\r")
        # The last piece ended in LF; a CR before it belongs to the same line end.
        if len(pieces) > 1 and not pieces[-1]:
            pieces.pop()
            pieces[-1] += "\r"
        lines.extend(f"{piece}\r" for piece in pieces[:-1])
        lines.append(f"{pieces[-1]}\n")
    lines[-1] = lines[-1][:-1]
    return lines
