"""Files for the tests: tables in every format, and what is wrong with files in the world."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING, Any, Final

from openpyxl import Workbook

from renkei_files import Limits, MappedRow, map_rows, open_table, read_profile, without_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openpyxl.worksheet.worksheet import Worksheet

    from renkei_files import Profile

PROFILE: Final = read_profile(
    """
version = 1
name = "演習県警 逮捕一覧"

[[columns]]
field = "external_reference"
headers = ["整理番号", "管理番号"]
required = true
key = true

[[columns]]
field = "person.display_name"
headers = ["氏名", "被疑者氏名"]

[[columns]]
field = "restraint_time"
headers = ["逮捕日時"]
kind = "moment"
required = true

[[columns]]
field = "person.birth_date"
headers = ["生年月日"]
kind = "day"

[[columns]]
field = "account"
headers = ["口座番号"]
kind = "digits"
width = 7

[[columns]]
field = "phone"
headers = ["電話番号"]
kind = "phone"

[[columns]]
field = "kind"
headers = ["逮捕種別"]
kind = "choice"
choices = { "通常逮捕" = "WARRANT", "緊急逮捕" = "URGENT" }
"""
)
HEADER: Final = ["整理番号", "氏名", "逮捕日時", "生年月日", "口座番号", "電話番号", "逮捕種別"]
ROW: Final = ["演-1", "髙﨑 一郎", "令和6年10月3日 14時05分", "S50.1.2", "0000001", "090-1234-5678", "通常逮捕"]
VALUES: Final = {
    "external_reference": "演-1",
    "person.display_name": "髙﨑 一郎",
    "restraint_time": "2024-10-03T14:05:00+09:00",
    "person.birth_date": "1975-01-02",
    "account": "0000001",
    "phone": "090-1234-5678",
    "kind": "WARRANT",
}


def csv_of(*rows: list[str], encoding: str = "cp932", delimiter: str = ",", end: str = "\r\n") -> bytes:
    """Write rows as they are; a cell that needs quotation marks brings its own."""
    return "".join(delimiter.join(row) + end for row in rows).encode(encoding)


def workbook_of(rows: Iterable[Iterable[object]], change: Callable[[Worksheet], None] | None = None) -> bytes:
    """Write a workbook with another program than the one that reads it."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    if change:
        change(sheet)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def repacked(workbook: bytes, parts: dict[str, bytes]) -> bytes:
    """Replace parts of a workbook, and add those that it has not."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {**dict.fromkeys(old.namelist()), **parts}:
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return written.getvalue()


def ods_of(rows: Iterable[Iterable[str]], *, cell_extra: str = "") -> bytes:
    """Write the smallest ods that holds texts."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"{cell_extra}><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0" office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="一覧">{cells}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        f'xmlns:manifest="{names}:manifest:1.0" manifest:version="1.2"/>'
    )
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return written.getvalue()


def xls_of(rows: Iterable[Iterable[str | float]]) -> bytes:
    """Write the smallest xls that holds texts and numbers: a sheet in records, in a file system of its own."""
    version = struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 1997, 0, 6)
    table = [list(row) for row in rows]
    width = max(len(row) for row in table)
    sheet = _record(0x0809, version) + _record(0x0200, struct.pack("<IIHHH", 0, len(table), 0, width, 0))
    for number, row in enumerate(table):
        for place, cell in enumerate(row):
            at = struct.pack("<HHH", number, place, 0)
            if isinstance(cell, str):
                sheet += _record(0x0204, at + struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le"))
            else:
                sheet += _record(0x0203, at + struct.pack("<d", cell))
    sheet += _record(0x000A, b"")
    start = _record(0x0809, version[:2] + b"\x05\x00" + version[4:]) + _record(0x0042, struct.pack("<H", 1200))
    name = "一覧"
    length = len(start) + 4 + 8 + 2 * len(name) + 4
    bound = struct.pack("<IBBBB", length, 0, 0, len(name), 1) + name.encode("utf-16-le")
    stream = start + _record(0x0085, bound) + _record(0x000A, b"") + sheet
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    count, end, free = len(stream) // 512, 0xFFFFFFFE, 0xFFFFFFFF
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    chain = [0xFFFFFFFD, end, *range(3, count + 2), end]
    table_of_sectors = struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
    folder = _entry("Root Entry", 5, 1, end, 0) + _entry("Workbook", 2, free, 2, len(stream))
    return head + table_of_sectors + folder.ljust(512, b"\0") + stream


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    written = name.encode("utf-16-le") + b"\0\0"
    front = written.ljust(64, b"\0") + struct.pack("<HBBIII", len(written), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
    return front + bytes(36) + struct.pack("<IQ", start, size)


def read(content: bytes, profile: Profile = PROFILE, limits: Limits | None = None) -> list[MappedRow]:
    """Read a file to its end."""
    with open_table(io.BytesIO(content), profile, limits) as table:
        return list(without_twins(map_rows(table.rows, profile), profile))


def reasons(rows: Iterable[MappedRow]) -> list[tuple[int, str, str]]:
    """Say what was wrong, by row and column."""
    return [(each.row, each.column, each.reason.value) for row in rows for each in row.problems]


def marks(row: MappedRow) -> list[tuple[str, str]]:
    """Say what was marked in a row."""
    return [(column, mark.value) for column, mark in row.marks]


def column(**rules: Any) -> Profile:  # noqa: ANN401 (fields of a rule)
    """Make a profile of one column."""
    return type(PROFILE).model_validate(
        {"version": 1, "name": "一列", "columns": [{"field": "it", "headers": ["列"], **rules}]}
    )
