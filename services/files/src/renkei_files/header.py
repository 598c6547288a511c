"""Find the header of a table under title rows, also one of two rows, and which of its columns are meant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from renkei_files.problems import FileError, Reason
from renkei_files.profile import Profile, fold_header
from renkei_files.rows import Row

_LOOKED_AT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Where the header stands, which place holds which field, how wide it is, and the places nobody asked for."""

    row: int
    places: dict[int, str]
    width: int
    others: tuple[int, ...]


def find_header(rows: Iterable[Row], profile: Profile) -> tuple[Header, Iterator[Row]]:
    """Return the header and the rows behind it.

    The header is the row among the first sixty that names most columns of the profile, and all required ones. A header
    of two rows is read as 上 followed by 下, the upper one reaching right as merged cells do. No content of a file is
    in the error: where no header is found, what stands there may be anything.
    """
    all_rows = iter(rows)
    front: list[Row] = []
    behind: Iterator[Row] = all_rows
    try:
        front.extend(islice(all_rows, _LOOKED_AT))
    except FileError as error:
        # What stands before the place where the file breaks is good, so the break waits for its turn.
        behind = _broken(error)
    fields = {fold_header(header): column.field for column in profile.columns for header in column.headers}
    required = {column.field for column in profile.columns if column.required}
    best: tuple[int, int, dict[int, str]] | None = None
    missing, twice = required, False
    for place, row in enumerate(front):
        for names in _names(front[place - 1] if place else None, row):
            found = {column: fields[name] for column, name in enumerate(names) if name in fields}
            lacking = required - set(found.values())
            doubled = len(set(found.values())) != len(found)
            if not lacking and doubled:
                twice = True
            if len(lacking) < len(missing):
                missing = lacking
            if not lacking and not doubled and (best is None or len(found) > best[0]):
                best = (len(found), place, found)
    if best is None or not best[0]:
        if behind is not all_rows:
            next(behind)
        if twice:
            raise FileError(Reason.HEADER_TWICE)
        named = ", ".join(column.headers[0] for column in profile.columns if column.field in missing)
        raise FileError(Reason.HEADER_NOT_FOUND, detail=f"missing at best: {named}" if named else "")
    _, place, places = best
    width = len(front[place].cells)
    header = Header(
        row=front[place].number,
        places=places,
        width=width,
        others=tuple(column for column in range(width) if column not in places and front[place].cells[column]),
    )
    return header, chain(front[place + 1 :], behind)


def _broken(error: FileError) -> Iterator[Row]:
    yield from ()  # a generator, so that it raises only when it is asked
    raise error


def _names(above: Row | None, row: Row) -> Iterator[list[str]]:
    """Give the names of a row's columns: as they stand, and with what stands above them in front."""
    plain = [fold_header(cell) for cell in row.cells]
    yield plain
    if above is None:
        return
    width = max(len(above.cells), len(row.cells))
    uppers = [fold_header(cell) for cell in above.cells] + [""] * (width - len(above.cells))
    lowers = plain + [""] * (width - len(plain))
    names, reaching = [], ""
    for upper, lower in zip(uppers, lowers, strict=True):
        reaching = upper or (reaching if lower else "")
        # A cell that was merged downwards says in both rows the same.
        names.append(reaching if not lower or lower == reaching else reaching + lower)
    yield names
