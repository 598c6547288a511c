"""Read the rows of a table as the profile says: values by field, what was done to them, and why a row was not taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from renkei_files.problems import Mark, Problem, Reason
from renkei_files.profile import Profile
from renkei_files.rows import NamedRow
from renkei_files.values import CellError, read_cell


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRow:
    """One row. It is to be taken only if it has no problems; `values` holds every field of the profile then."""

    number: int
    values: dict[str, str]
    marks: tuple[tuple[str, Mark], ...] = ()
    problems: tuple[Problem, ...] = ()


def map_rows(rows: Iterable[NamedRow], profile: Profile) -> Iterator[MappedRow]:
    """Read every row; none is left out, and none stops the others."""
    for row in rows:
        if row.problem is not None:
            yield MappedRow(
                number=row.number, values={}, problems=(Problem(row=row.number, column="", reason=row.problem),)
            )
        else:
            yield _mapped(row, profile)


def _mapped(row: NamedRow, profile: Profile) -> MappedRow:
    values: dict[str, str] = {}
    marks: list[tuple[str, Mark]] = []
    problems: list[Problem] = []
    for rule in profile.columns:
        field = rule.field
        if field in row.broken:
            problems.append(Problem(row=row.number, column=rule.headers[0], reason=row.broken[field]))
            continue
        try:
            value, found = read_cell(rule, row.cells.get(field, ""))
        except CellError as error:
            problems.append(Problem(row=row.number, column=rule.headers[0], reason=error.reason))
            continue
        if not value and rule.required:
            problems.append(Problem(row=row.number, column=rule.headers[0], reason=Reason.MISSING))
            continue
        values[field] = value
        marks.extend((rule.headers[0], mark) for mark in found)
        if field in row.marks:
            marks.append((rule.headers[0], row.marks[field]))
    return MappedRow(number=row.number, values=values, marks=tuple(marks), problems=tuple(problems))
