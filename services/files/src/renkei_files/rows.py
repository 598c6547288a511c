"""What every reader gives: rows of texts, as they stand in the file, title rows included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from renkei_files.problems import Mark, Reason

_NO_MARKS: Final[Mapping[int, Mark]] = MappingProxyType({})
_NO_BROKEN: Final[Mapping[int, Reason]] = MappingProxyType({})


def _no_marks() -> Mapping[int, Mark]:
    return _NO_MARKS


def _no_broken() -> Mapping[int, Reason]:
    return _NO_BROKEN


@dataclass(slots=True)
class Row:
    """One row: its number in the file (of its first line; from 1) and its cells, never interpreted.

    `marks` and `broken` say by the cell's place what the reader alone can know: that a formula or a merged cell stands
    there, or that a spreadsheet lost the value.
    """

    number: int
    cells: list[str]
    marks: Mapping[int, Mark] = field(default_factory=_no_marks)
    broken: Mapping[int, Reason] = field(default_factory=_no_broken)


@dataclass(slots=True)
class NamedRow:
    """One row whose cells are known by their header. `problem` says that the row as a whole cannot be taken."""

    number: int
    cells: dict[str, str]
    marks: Mapping[str, Mark] = field(default_factory=dict)
    broken: Mapping[str, Reason] = field(default_factory=dict)
    problem: Reason | None = None
    detail: str = ""
