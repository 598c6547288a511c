"""Open a file as a table: what it is, is told by its content and never by its name."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from renkei_files.delimited import read_delimited
from renkei_files.encodings import detect
from renkei_files.header import Header, find_header
from renkei_files.json_lines import read_json_lines
from renkei_files.limits import Limits
from renkei_files.problems import FileError, Mark, Reason
from renkei_files.profile import Profile
from renkei_files.rows import NamedRow, Row
from renkei_files.sheets import check_ods, read_sheet
from renkei_files.workbook import open_archive
from renkei_files.xlsx import read_xlsx

_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_FRONT: Final = 1 << 16


class Format(StrEnum):
    """What a file is."""

    CSV = "CSV"
    XLSX = "XLSX"
    XLS = "XLS"
    ODS = "ODS"
    JSON_LINES = "JSON_LINES"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An open file: what it is, and its rows, each cell under its field. The rows can be read once."""

    format: Format
    encoding: str
    """"" for a workbook."""
    header: Header | None
    """None for JSON lines, where every line names its cells."""
    rows: Iterator[NamedRow]


@contextmanager
def open_table(file: BinaryIO, profile: Profile, limits: Limits | None = None) -> Iterator[Table]:
    """Open a file that can seek. Rows are read as they are asked for, so a file of any length needs little memory.

    Raises FileError at once, or in the middle of the rows where the file breaks there: what came before is good.
    """
    limits = limits or Limits()
    file.seek(0)
    front = file.read(_FRONT)
    if not front:
        raise FileError(Reason.EMPTY_FILE)
    if front.startswith(_ZIP):
        with open_archive(file, limits) as archive:
            if "xl/workbook.xml" in archive.names:
                rows = read_xlsx(archive, sheet=profile.sheet, limits=limits)
                yield _under_header(Format.XLSX, "", rows, profile)
                return
            if "content.xml" not in archive.names:
                raise FileError(Reason.NOT_A_TABLE)
            check_ods(archive)
        yield _under_header(Format.ODS, "", read_sheet(file, sheet=profile.sheet, limits=limits), profile)
        return
    if front.startswith(_OLD_OFFICE):
        if _holds(file, _ENCRYPTED):
            raise FileError(Reason.ENCRYPTED)
        yield _under_header(Format.XLS, "", read_sheet(file, sheet=profile.sheet, limits=limits), profile)
        return
    encoding = detect(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    try:
        if front.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            lines = _with_known_keys(read_json_lines(text, limits=limits), profile)
            yield Table(format=Format.JSON_LINES, encoding=encoding, header=None, rows=lines)
        else:
            rows = read_delimited(text, delimiter=profile.delimiter, limits=limits)
            yield _under_header(Format.CSV, encoding, rows, profile)
    finally:
        text.detach()


def _holds(file: BinaryIO, wanted: bytes) -> bool:
    file.seek(0)
    last = b""
    while block := file.read(_FRONT):
        if wanted in last + block:
            return True
        last = block[-len(wanted) :]
    return False


def _under_header(kind: Format, encoding: str, rows: Iterator[Row], profile: Profile) -> Table:
    header, behind = find_header(rows, profile)
    if header.others and profile.other_columns == "refuse":
        places = ", ".join(str(column + 1) for column in header.others)
        raise FileError(Reason.UNKNOWN_KEY, row=header.row, detail=f"columns {places}")
    # A row of CSV that is too long or too short was cut in a wrong place; a sheet drops the empty cells at its end.
    named = _named(behind, header, exact=kind is Format.CSV)
    return Table(format=kind, encoding=encoding, header=header, rows=named)


def _named(rows: Iterator[Row], header: Header, *, exact: bool) -> Iterator[NamedRow]:
    places = header.places
    for row in rows:
        cells = row.cells
        shifted = len(cells) != header.width if exact else any(cells[header.width :])
        if shifted and any(cell.strip() for cell in cells):
            yield NamedRow(row.number, {}, problem=Reason.CELL_COUNT)
            continue
        if not any(cell.strip() for cell in cells) and not row.broken:
            continue
        marks: dict[str, Mark] = {}
        broken: dict[str, Reason] = {}
        if row.marks or row.broken:
            marks = {places[place]: mark for place, mark in row.marks.items() if place in places}
            broken = {places[place]: reason for place, reason in row.broken.items() if place in places}
        count = len(cells)
        named = {field: cells[place] if place < count else "" for place, field in places.items()}
        yield NamedRow(row.number, named, marks, broken)


def _with_known_keys(rows: Iterator[NamedRow], profile: Profile) -> Iterator[NamedRow]:
    """Let a key be a field or a header of the profile."""
    fields = {column.field: column.field for column in profile.columns}
    fields |= {header: column.field for column in profile.columns for header in column.headers}
    for row in rows:
        known = {fields[key]: value for key, value in row.cells.items() if key in fields}
        if row.problem is None and len(known) < len(row.cells):
            # Two keys of one field, or a key of none.
            twice = sum(key in fields for key in row.cells) > len(known)
            if twice or profile.other_columns == "refuse":
                row.problem = Reason.KEY_TWICE if twice else Reason.UNKNOWN_KEY
        row.cells = known
        yield row
