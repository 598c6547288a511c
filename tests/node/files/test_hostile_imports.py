"""Hostile files: a clear report, bounded memory, and nothing half imported without being said."""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.files.making import repacked, workbook_of
from tests.node.files.node import TIP_HEADER, Node, csv_of, tip_row, write_directory
from tests.node.files.test_importing import all_tips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from tests.tips.calls import Tips

_GIGABYTE: Final = 1 << 30
_PLAIN_MEGABYTES: Final = 200
_ROWS: Final = 10_000


def _computed() -> bytes:
    """A workbook with a formula and the result that a spreadsheet stored for it."""
    place = "xl/worksheets/sheet1.xml"
    made = workbook_of([TIP_HEADER, tip_row(7, 件名="=1+1")])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        sheet = archive.read(place)
    computed = re.sub(rb'<c r="F2"[^>]*><f>([^<]*)</f><v ?/?>(</v>)?', rb'<c r="F2"><f>\1</f><v>2</v>', sheet)
    assert computed != sheet
    return repacked(made, {place: computed})


def _merged(sheet: Worksheet) -> None:
    sheet.append(tip_row(2))
    sheet.append(["演-3", *[""] * 17])
    for column in range(2, 19):
        sheet.merge_cells(start_row=3, end_row=4, start_column=column, end_column=column)


def _bomb() -> bytes:
    """A workbook whose sheet unpacks to a gigabyte of blanks from a megabyte."""

    source, packed = io.BytesIO(workbook_of([TIP_HEADER, tip_row(1)])), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            with new.open(item.filename, "w", force_zip64=True) as part:
                content = old.read(item)
                if item.filename != "xl/worksheets/sheet1.xml":
                    part.write(content)
                    continue
                front, behind = content.split(b"<sheetData>")
                part.write(front)
                for _ in range(_GIGABYTE >> 20):
                    part.write(b" " * (1 << 20))
                part.write(b"<sheetData>" + behind)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda: b"", "EMPTY_FILE"),
        (lambda: csv_of([TIP_HEADER, tip_row(1, 件名="", 内容="演習")], "euc_jp"), "UNKNOWN_ENCODING"),
        (lambda: csv_of([TIP_HEADER, tip_row(1)], "utf-8") + b"\xff", "UNKNOWN_ENCODING"),
        (lambda: csv_of([TIP_HEADER[:5], tip_row(1)[:5]]), "HEADER_NOT_FOUND"),
        (lambda: csv_of([[*TIP_HEADER, "電話番号"], [*tip_row(1), ""]]), "HEADER_TWICE"),
        (lambda: b"PK\x03\x04 no archive", "NOT_A_TABLE"),
        (lambda: b'"' + csv_of([TIP_HEADER, tip_row(1)]), "HEADER_NOT_FOUND"),
    ],
    ids=["empty", "wrong encoding", "broken utf-8", "columns missing", "columns twice", "no archive", "quote"],
)
async def test_a_file_that_cannot_be_read_records_nothing_and_says_why(
    node: Node, tips: Tips, content: Callable[[], bytes], reason: str
) -> None:
    file = await node.write("tips.csv", content())

    told = await node.told("tips", "import", file, status=1)

    assert (told["rows"], told["finished"], told["through_row"]) == (0, False, 0)
    assert told["stopped"] in {reason, "UNCLOSED_QUOTE"}
    assert (await node.report("tips.csv.report.csv"))[-1]["区分"] == "中断"
    assert await all_tips(tips) == []


async def test_shifted_columns_nul_and_bidi_are_told_row_by_row(node: Node, tips: Tips) -> None:
    rows = [
        TIP_HEADER,
        ["", *tip_row(1)],
        tip_row(2)[1:],
        [*tip_row(3)[1:], ""],
        tip_row(4, 内容="a\x00b"),
        tip_row(5, 件名="\u202e逆"),
    ]
    file = await node.write("tips.csv", csv_of(rows, "utf-8"))

    told = await node.told("tips", "import", file, status=1)

    assert told["recorded"] == 1
    assert told["problems"]["CELL_COUNT"] == 2
    assert told["problems"]["CONTROL_CHARACTER"] == 1
    assert told["marks"] == {"BIDI": 1}
    lines = await node.report("tips.csv.report.csv")
    assert {line["行"] for line in lines if line["区分"] == "取込不可"} == {"2", "3", "4", "5"}
    assert [tip.external_reference for tip in await all_tips(tips)] == ["演-5"]


async def test_formulas_and_merged_cells_are_marked(node: Node, tips: Tips) -> None:
    computed = await asyncio.to_thread(_computed)
    merged = await asyncio.to_thread(workbook_of, [TIP_HEADER, tip_row(1)], _merged)
    one, other = await node.write("one.xlsx", computed), await node.write("other.xlsx", merged)

    first = await node.told("tips", "import", one)
    second = await node.told("tips", "import", other)

    assert first["marks"].pop("FORMULA") == 1
    assert second["marks"]["MERGED"] > 1
    found = {tip.external_reference: tip for tip in await all_tips(tips)}
    assert found["演-3"].text == found["演-2"].text
    assert found["演-7"].display_name == "2"


def _measured(directory: Path, file: Path) -> tuple[int, str, float]:
    """Check a file in a process of its own, which may not grow beyond a bound; give status, output and megabytes."""
    # ru_maxrss would tell of the process that started this one, too.
    code = (
        "import re, sys; from renkei_node.cli import main\n"
        "try: main(sys.argv[1:], standalone_mode=False)\n"
        "finally: print('peak', int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "tips", "import", str(directory), str(file), "--check"],
        capture_output=True, text=True, check=False, timeout=55, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    said, _, peak = done.stdout.rpartition("peak ")
    return done.returncode, said, float(peak)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(csv_of([TIP_HEADER, tip_row(1)]))
        file.seek(_GIGABYTE - 1, os.SEEK_CUR)
        file.write(b"\0")


def _many(path: Path) -> None:
    with path.open("wb") as file:
        file.write(csv_of([TIP_HEADER]))
        for start in range(0, _ROWS, 1000):
            file.write(csv_of(tip_row(number) for number in range(start, start + 1000)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_sparse, "LINE_TOO_LONG"),
        (lambda path: path.write_bytes(_bomb()), "ARCHIVE_TOO_LARGE"),
        (_many, f"{_ROWS} rows: {_ROWS} ready, 0 refused"),
    ],
    ids=["a line of a gigabyte", "a bomb in a workbook", "many rows"],
)
@pytest.mark.slow
def test_no_file_fills_the_memory(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    write_directory(tmp_path / "jp-12", {})
    make(tmp_path / "file")

    status, output, peak = _measured(tmp_path / "jp-12", tmp_path / "file")

    assert said in output
    assert status == (0 if "ready, 0" in said else 1)
    assert peak < _PLAIN_MEGABYTES
