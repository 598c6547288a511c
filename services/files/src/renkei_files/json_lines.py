"""Read JSON lines: one object of texts a line. Numbers stay as they are written, since 1e3 and 1000 are two texts."""

import json
from collections.abc import Iterator
from typing import Any, TextIO

from renkei_files.limits import Limits
from renkei_files.lines import bounded_lines
from renkei_files.problems import FileError, Reason
from renkei_files.rows import NamedRow


class _KeyTwiceError(ValueError):
    """Two values under one key: which one was meant is nobody's to guess."""


def read_json_lines(file: TextIO, *, limits: Limits) -> Iterator[NamedRow]:
    """Give every line that is not empty; a line that is no object of texts is given with its problem."""
    count = 0
    for number, line in enumerate(bounded_lines(file, limits.line_characters), 1):
        if not line.strip():
            continue
        count += 1
        if count > limits.rows:
            raise FileError(Reason.TOO_MANY_ROWS, row=number)
        yield _row(number, line)


def _row(number: int, line: str) -> NamedRow:
    try:
        found = json.loads(
            line, parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_without_twins
        )
    except _KeyTwiceError:
        return NamedRow(number, {}, problem=Reason.KEY_TWICE)
    except (ValueError, RecursionError):
        return NamedRow(number, {}, problem=Reason.NOT_AN_OBJECT)
    if not isinstance(found, dict) or not all(value is None or isinstance(value, str) for value in found.values()):
        return NamedRow(number, {}, problem=Reason.NOT_AN_OBJECT)
    return NamedRow(number, {key: value or "" for key, value in found.items()})


def _no_constant(_name: str) -> str:
    raise ValueError("NaN and Infinity are no JSON")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwiceError
    return found
