"""Hostile files: a clear report, bounded memory, and nothing half read without being said."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from renkei_files import REPORT_ENCODING, FileError, Limits, Report, map_rows, open_table, without_twins
from tests.files.making import (
    HEADER,
    PROFILE,
    ROW,
    column,
    csv_of,
    marks,
    ods_of,
    read,
    reasons,
    repacked,
    workbook_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_GIGABYTE: Final = 1 << 30
_MEGABYTE: Final = 1 << 20


class Endless(io.RawIOBase):
    """A file that holds nothing and gives out what it is told to, of any length."""

    def __init__(self, front: bytes, unit: bytes, length: int) -> None:
        self._front, self._block, self._length, self._at = front, unit * (_MEGABYTE // len(unit)), length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset if whence == 0 else self._length + offset if whence == 2 else self._at + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        want = min(len(buffer), self._length - self._at)
        if self._at < len(self._front):
            part = self._front[self._at : self._at + want]
        else:
            start = (self._at - len(self._front)) % len(self._block)
            part = self._block[start : start + want]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def _peak_of(work: Callable[[], object]) -> int:
    """Measure the most memory that Python holds while something is done."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_of_a_gigabyte_is_refused_in_little_memory() -> None:
    file = io.BufferedReader(Endless("列\r\n".encode(), b"a", _GIGABYTE))

    def work() -> None:
        with pytest.raises(FileError) as refused, open_table(file, column()) as table:
            list(table.rows)
        assert (refused.value.reason, refused.value.row) == ("LINE_TOO_LONG", 2)

    assert _peak_of(work) < 24 * _MEGABYTE


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_file() -> None:
    content = csv_of(["列"], ['"a'], *[["b"]] * 200_000)

    def work() -> None:
        with pytest.raises(FileError) as refused:
            read(content, column())
        assert (refused.value.reason, refused.value.row) == ("UNCLOSED_QUOTE", 2)

    assert _peak_of(work) < 16 * _MEGABYTE


def test_what_came_before_the_place_where_a_file_breaks_is_good_and_the_break_is_reported() -> None:
    content = csv_of(["列"], ["1"], ["2"], ['"x"y'], ["3"])
    written = io.StringIO()
    report = Report(written)

    with open_table(io.BytesIO(content), column()) as table:
        try:
            for row in map_rows(table.rows, column()):
                report.note(row)
        except FileError as error:
            report.stop(error)

    assert (report.summary.taken, report.summary.stopped) == (2, "UNCLOSED_QUOTE")
    assert written.getvalue().splitlines()[-1].startswith("4,,中断,UNCLOSED_QUOTE,")


def test_many_rows_are_read_to_the_last_one() -> None:
    """`make bench` reads a million, and says how fast and in what memory."""
    profile = column(key=True)
    file = io.BufferedReader(Endless("列\n".encode(), b"".join(b"%07d\n" % number for number in range(8192)), 400_004))
    rows = twins = 0

    with open_table(file, profile) as table:
        for row in without_twins(map_rows(table.rows, profile), profile):
            rows += 1
            twins += bool(row.problems)

    assert (rows, twins) == (50_000, 50_000 - 8192)


def test_forty_times_the_rows_take_no_more_memory() -> None:
    def peak(rows: int) -> int:
        unit = (",".join(ROW) + "\n").encode()
        front = (",".join(HEADER) + "\n").encode()
        file = io.BufferedReader(Endless(front, unit, len(front) + rows * len(unit)))

        def work() -> None:
            with open_table(file, PROFILE) as table:
                assert sum(1 for _ in without_twins(map_rows(table.rows, PROFILE), PROFILE)) > 0

        return _peak_of(work)

    peak(10)
    assert peak(8_000) < peak(200) + 2 * _MEGABYTE


def test_more_rows_than_allowed_are_said_with_their_row() -> None:
    with pytest.raises(FileError) as refused:
        read(csv_of(["列"], *[["1"]] * 20), column(), Limits(rows=10))

    assert (refused.value.reason, refused.value.row) == ("TOO_MANY_ROWS", 11)


def test_more_columns_than_allowed_are_refused() -> None:
    for content in (csv_of(["列"] * 600, ["1"] * 600), workbook_of([["列"] + ["x"] * 600])):
        with pytest.raises(FileError) as refused:
            read(content, column())
        assert refused.value.reason == "TOO_MANY_COLUMNS"


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_in_little_memory() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        good = zipfile.ZipFile(io.BytesIO(workbook_of([["列"]])))
        for name in good.namelist():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, good.read(name))
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(b"<worksheet><sheetData>")
            for _ in range(64):
                part.write(b" " * _MEGABYTE)
    assert len(bomb.getvalue()) < _MEGABYTE

    def work() -> None:
        with pytest.raises(FileError) as refused:
            read(bomb.getvalue(), column())
        assert refused.value.reason == "ARCHIVE_TOO_LARGE"

    assert _peak_of(work) < 16 * _MEGABYTE


def test_what_a_workbook_says_of_its_own_size_is_not_believed() -> None:
    """The sizes stand in a list that whoever made the bomb wrote."""
    honest = workbook_of([["列"], *[[f"値{number}"] for number in range(5000)]])

    with pytest.raises(FileError) as refused:
        read(honest, column(), Limits(unpacked_bytes=10_000))

    assert refused.value.reason == "ARCHIVE_TOO_LARGE"


def _sharing(texts: list[str]) -> bytes:
    """Write a workbook whose cells share their texts, as the program of most offices does."""
    cells = "".join(f'<row><c t="s"><v>{place}</v></c></row>' for place in range(len(texts)))
    shared = "".join(f'<si><t>{text}</t><rPh sb="0" eb="1"><t>フリガナ</t></rPh></si>' for text in texts)
    parts = {
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{cells}</sheetData></worksheet>".encode(),
        "xl/sharedStrings.xml": f"<sst>{shared}</sst>".encode(),
    }
    return repacked(workbook_of([["列"]]), parts)


def test_shared_texts_are_read_without_their_furigana() -> None:
    assert [row.values["it"] for row in read(_sharing(["列", "東京", "千葉"]), column())] == ["東京", "千葉"]


def test_a_text_that_no_cell_shares_is_damage() -> None:
    parts = {
        "xl/worksheets/sheet1.xml": b'<worksheet><sheetData><row><c t="s"><v>9</v></c></row></sheetData></worksheet>'
    }

    with pytest.raises(FileError) as refused:
        read(repacked(_sharing(["列"]), parts), column())

    assert refused.value.reason == "NOT_A_TABLE"


def test_shared_texts_beyond_their_limit_are_refused() -> None:
    with pytest.raises(FileError) as refused:
        read(_sharing(["列", "長" * 2000]), column(), Limits(shared_text_bytes=1000))

    assert refused.value.reason == "ARCHIVE_TOO_LARGE"


_LAUGHS: Final = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>"""


def test_entities_of_a_workbook_are_refused() -> None:
    with pytest.raises(FileError, match="entities"):
        read(repacked(workbook_of([["列"], ["x"]]), {"xl/sharedStrings.xml": _LAUGHS}), column())


@pytest.mark.parametrize("extra", [' table:number-columns-repeated="16384"', ""])
def test_an_ods_that_repeats_its_cells_by_the_million_is_refused(extra: str) -> None:
    rows = ods_of([["列"], ["x"]], cell_extra=extra)
    content = zipfile.ZipFile(io.BytesIO(rows)).read("content.xml")
    many = content.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="9000000">')
    repeated = repacked(rows, {"content.xml": many})

    with pytest.raises(FileError) as refused:
        read(repeated, column())

    assert refused.value.reason == "ARCHIVE_TOO_LARGE"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 and nothing more", "NOT_A_TABLE"),
        (workbook_of([["列"]])[:-200], "NOT_A_TABLE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), "NOT_A_TABLE"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le") + bytes(1000),
            "ENCRYPTED",
        ),
        (b"", "EMPTY_FILE"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff\xd8\x81", "UNKNOWN_ENCODING"),
        (repacked(workbook_of([["列"]]), {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}), "NOT_A_TABLE"),
        (repacked(workbook_of([["列"]]), {"xl/workbook.xml": b"<workbook/>"}), "SHEET_MISSING"),
    ],
)
def test_a_damaged_file_is_said_to_be_one(content: bytes, reason: str) -> None:
    with pytest.raises(FileError) as refused:
        read(content, column())

    assert refused.value.reason == reason


def test_a_sheet_of_another_name_is_missing() -> None:
    profile = column()
    named = type(profile).model_validate({**profile.model_dump(), "sheet": "二枚目"})

    for content in (workbook_of([["列"]]), ods_of([["列"]])):
        with pytest.raises(FileError) as refused:
            read(content, named)
        assert refused.value.reason == "SHEET_MISSING"


_SHEET: Final = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row><c t="inlineStr"><is><t>列</t></is></c><c t="inlineStr"><is><t>他</t></is></c></row>'
    '<row r="7"><c r="A7" t="str"><f>CONCAT("あ","い")</f><v>あい</v></c></row>'
    '<row r="8"><c r="A8" t="inlineStr"><is><r><t>東</t></r><r><t>京</t></r>'
    '<rPh sb="0" eb="2"><t>トウキョウ</t></rPh></is></c></row>'
    '<row r="9"><c r="A9" t="inlineStr"><is><t>行_x000D_\n末</t></is></c></row>'
    '<row r="10"><c r="A10"><v>1.2E+3</v></c></row>'
    '<row r="11"><c r="B11" t="b"><v>1</v></c></row>'
    '<row r="12"><c r="A12" t="d"><v>2024-10-03T00:00:00</v></c></row>'
    "</sheetData></worksheet>"
)


def test_what_only_other_programs_write_into_a_sheet_is_read() -> None:
    """Formulas with results, texts in pieces with furigana, escaped signs, exponents, cells without a place."""
    rows = read(repacked(workbook_of([["列"]]), {"xl/worksheets/sheet1.xml": _SHEET.encode()}), column())

    assert [(row.number, row.values["it"]) for row in rows] == [
        (7, "あい"),
        (8, "東京"),
        (9, "行\r\n末"),
        (10, "1200"),
        (11, ""),
        (12, "2024-10-03 00:00:00"),
    ]
    assert marks(rows[0]) == [("列", "FORMULA")]


def test_signs_that_turn_the_order_of_reading_are_marked_and_nul_is_refused() -> None:
    rows = read(csv_of(["列"], ["\u202e逆"], ["a\x00"], ["良"], encoding="utf-8"), column())

    assert marks(rows[0]) == [("列", "BIDI")]
    assert reasons(rows) == [(3, "列", "CONTROL_CHARACTER")]
    assert rows[2].values == {"it": "良"}


def test_a_report_holds_no_cell() -> None:
    secret = ["秘密の番号", "秘密の名", "秘密の日", "秘密の日", "秘密", "秘密", "秘密"]
    written = io.TextIOWrapper(io.BytesIO(), encoding=REPORT_ENCODING, newline="")
    report = Report(written)

    for row in read(csv_of(HEADER, ROW, secret)):
        report.note(row)

    written.flush()
    content = written.buffer.getvalue()
    assert content.startswith(b"\xef\xbb\xbf")
    assert (report.summary.rows, report.summary.taken, report.summary.refused) == (2, 1, 1)
    assert "秘密" not in content.decode(REPORT_ENCODING)
    assert content.decode(REPORT_ENCODING).splitlines()[2].startswith("3,逮捕日時,取込不可,NOT_A_MOMENT,")
