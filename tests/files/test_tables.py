"""Tables: the header under what stands above it, the columns by the profile, and nothing inferred."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl.styles import Alignment

from renkei_files import FileError, Format, Profile, ProfileError, open_table, read_profile
from tests.files.making import (
    HEADER,
    PROFILE,
    ROW,
    VALUES,
    column,
    csv_of,
    marks,
    ods_of,
    read,
    reasons,
    workbook_of,
    xls_of,
)

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_JSON = (
    '{"整理番号": "演-1", "氏名": "髙﨑 一郎", "restraint_time": "令和6年10月3日 14時05分", "生年月日": "S50.1.2", '
    '"口座番号": "0000001", "phone": "090-1234-5678", "逮捕種別": "通常逮捕"}\n'
)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (csv_of(HEADER, ROW), Format.CSV),
        (workbook_of([HEADER, ROW]), Format.XLSX),
        (ods_of([HEADER, ROW]), Format.ODS),
        (xls_of([HEADER, ROW]), Format.XLS),
        (_JSON.encode(), Format.JSON_LINES),
        (_JSON.encode("utf-8-sig"), Format.JSON_LINES),
    ],
)
def test_one_row_reads_alike_in_every_format(content: bytes, kind: Format) -> None:
    with open_table(io.BytesIO(content), PROFILE) as table:
        assert table.format is kind

    (row,) = read(content)
    assert (row.values, row.problems) == (VALUES, ())


def test_a_header_under_title_rows_is_found() -> None:
    title = ["(演習データ) 逮捕一覧"]
    rows = read(csv_of(title, [""], ["作成日", "令和6年10月4日"], HEADER, ROW))

    assert [row.values for row in rows] == [VALUES]
    assert rows[0].number == 5


def test_a_header_under_a_merged_title_is_found() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:G1")
        sheet["A1"].alignment = Alignment(horizontal="center")

    (row,) = read(workbook_of([["(演習データ) 一覧"], HEADER, ROW], merge))

    assert (row.number, row.values) == (3, VALUES)
    assert row.marks == ()


_TWO_LEVELS = read_profile(
    """
version = 1
name = "二段"
columns = [
    { field = "kanji", headers = ["氏名漢字"], required = true },
    { field = "kana", headers = ["氏名カナ"] },
    { field = "number", headers = ["番号"], required = true },
]
"""
)


def test_a_header_of_two_rows_is_read_as_upper_and_lower() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:A2")
        sheet.merge_cells("B1:C1")

    content = workbook_of([["番号", "氏名", None], [None, "漢字", "カナ"], ["1", "演習", "エンシュウ"]], merge)

    assert [row.values for row in read(content, _TWO_LEVELS)] == [
        {"number": "1", "kanji": "演習", "kana": "エンシュウ"}
    ]


def test_a_header_of_two_rows_is_read_in_csv_too_where_nothing_is_merged() -> None:
    content = csv_of(["番号", "氏名", ""], ["", "漢字", "カナ"], ["1", "演習", "エンシュウ"])

    assert [row.values["kana"] for row in read(content, _TWO_LEVELS)] == ["エンシュウ"]


def test_width_blanks_and_line_ends_in_a_header_make_no_difference() -> None:
    odd = ["整理　番号", '" 氏\n名"', "逮捕日時", "生年月日", "口座番号", "電話番号", "逮捕種別"]

    assert [row.values for row in read(csv_of(odd, ROW))] == [VALUES]


def test_a_missing_header_is_named_and_nothing_else_of_the_file_is() -> None:
    secret = ["整理番号", "秘密の列"]

    with pytest.raises(FileError) as refused:
        read(csv_of(secret, ["1", "2"]))

    assert refused.value.reason == "HEADER_NOT_FOUND"
    assert "逮捕日時" in str(refused.value)
    assert "秘密" not in str(refused.value)


def test_a_header_that_stands_twice_is_refused() -> None:
    with pytest.raises(FileError) as refused:
        read(csv_of([*HEADER, "管理番号"], [*ROW, "x"]))

    assert refused.value.reason == "HEADER_TWICE"


def test_columns_in_another_order_and_further_ones_make_no_difference() -> None:
    content = csv_of(["備考", *reversed(HEADER)], ["なし", *reversed(ROW)])

    assert [row.values for row in read(content)] == [VALUES]


def test_further_columns_can_be_refused() -> None:
    strict = Profile.model_validate({**PROFILE.model_dump(), "other_columns": "refuse"})

    with pytest.raises(FileError, match="columns 8"):
        read(csv_of([*HEADER, "備考"], [*ROW, "なし"]), strict)


def test_a_row_whose_columns_have_shifted_is_not_taken_and_the_next_one_is() -> None:
    content = csv_of(HEADER, [*ROW, "x"], ROW[:-1], ["演-2", *ROW[1:]])
    rows = read(content)

    assert reasons(rows) == [(2, "", "CELL_COUNT"), (3, "", "CELL_COUNT")]
    assert rows[2].values["external_reference"] == "演-2"


def test_no_type_is_inferred() -> None:
    """An account 0000001 became 1, and a code 1E3 became a thousand, in everything that guesses."""
    texts = ["0000001", "1E3", "1.0", "true", "2024-10-03", "NULL", "0x10", "１", " 1 ", "-0", "1,000"]
    content = csv_of(["列"], *[[f'"{text}"'] for text in texts])

    assert [row.values["it"] for row in read(content, column())] == texts


def test_numbers_of_a_sheet_and_of_json_stay_as_they_are_stored() -> None:
    sheet = workbook_of([["列"], [1], [1.5], [1000000], [True], [9012345678], [-3]])
    lines = b'{"\xe5\x88\x97": 1}\n{"it": 1.50}\n{"it": 1e3}\n{"it": 0}\n'

    assert [row.values["it"] for row in read(sheet, column())] == ["1", "1.5", "1000000", "TRUE", "9012345678", "-3"]
    assert [row.values["it"] for row in read(lines, column())] == ["1", "1.50", "1e3", "0"]


def test_numbers_of_an_old_sheet_stay_whole_and_rounded_ones_are_refused() -> None:
    rows = read(xls_of([["列"], [1.0], [1.5], [9012345678.0], [8.9811e18]]), column())

    assert [row.values.get("it") for row in rows] == ["1", "1.5", "9012345678", None]
    assert reasons(rows) == [(5, "列", "ROUNDED_NUMBER")]


def test_leading_zeros_that_a_spreadsheet_ate_are_restored_and_marked() -> None:
    rows = read(workbook_of([["列"], [1], ["0000002"], [1234567]]), column(kind="digits", width=7))

    assert [row.values["it"] for row in rows] == ["0000001", "0000002", "1234567"]
    assert [marks(row) for row in rows] == [[("列", "ZEROS_RESTORED")], [], []]


@pytest.mark.parametrize(
    ("text", "value", "restored"),
    [
        ("9012345678", "09012345678", True),
        ("312345678", "0312345678", True),
        ("120123456", "0120123456", True),
        ("090-1234-5678", "090-1234-5678", False),
        ("09012345678", "09012345678", False),
        ("+81 90 1234 5678", "+81 90 1234 5678", False),
        ("1234", "1234", False),
        ("2025550123", "2025550123", False),
    ],
)
def test_a_phone_gets_its_zero_back_and_nothing_else(text: str, value: str, *, restored: bool) -> None:
    (row,) = read(csv_of(["列"], [text]), column(kind="phone"))

    assert row.values["it"] == value
    assert bool(row.marks) is restored


def test_full_width_digits_are_folded_and_marked() -> None:
    (row,) = read(csv_of(["列"], ["００１２３４５"]), column(kind="digits", width=7))

    assert row.values["it"] == "0012345"
    assert marks(row) == [("列", "WIDTH_FOLDED")]


@pytest.mark.parametrize(
    ("rules", "cell", "reason"),
    [
        ({"kind": "digits", "width": 7}, "12a", "NOT_DIGITS"),
        ({"kind": "digits", "width": 7}, "12345678", "TOO_MANY_DIGITS"),
        ({"kind": "digits"}, "1-2", "NOT_DIGITS"),
        ({"kind": "day"}, "昨日", "NOT_A_DAY"),
        ({"kind": "day"}, "45568", "SERIAL_NUMBER"),
        ({"kind": "moment"}, "45568.5", "SERIAL_NUMBER"),
        ({"kind": "moment"}, "R6.10.3", "NOT_A_MOMENT"),
        ({"kind": "choice", "choices": {"甲": "A"}}, "乙", "NOT_A_CHOICE"),
        ({"max_length": 3}, "1234", "TOO_LONG"),
        ({}, "a\x00b", "CONTROL_CHARACTER"),
        ({}, "a\x1bb", "CONTROL_CHARACTER"),
    ],
)
def test_a_cell_that_is_not_what_its_column_says_is_named_and_not_repeated(
    rules: dict[str, object], cell: str, reason: str
) -> None:
    rows = read(csv_of(["列"], [cell], encoding="utf-8"), column(**rules))

    assert reasons(rows) == [(2, "列", reason)]
    assert cell not in str(rows[0].problems[0])


def test_a_required_cell_that_is_empty_is_missing() -> None:
    rows = read(csv_of(HEADER, ["", *ROW[1:]]))

    assert reasons(rows) == [(2, "整理番号", "MISSING")]


def test_a_choice_is_found_whatever_its_width() -> None:
    (row,) = read(csv_of(["列"], ["Ａ 型"]), column(kind="choice", choices={"A型": "A"}))

    assert row.values["it"] == "A"


def test_a_day_of_a_sheet_reads_as_one_and_a_time_keeps_its_minute() -> None:
    def era(sheet: Worksheet) -> None:
        sheet["A2"].number_format = '[$-411]ggge"年"m"月"d"日"'
        sheet["A4"].number_format = "@"

    content = workbook_of([["列"], [date(2024, 10, 3)], [datetime(2024, 10, 3)], ["令和6年10月3日"]], era)  # noqa: DTZ001
    moments = workbook_of([["列"], [datetime(2024, 10, 3, 14, 5)], [datetime(2024, 10, 3, 14, 5, 59)]])  # noqa: DTZ001

    assert [row.values["it"] for row in read(content, column(kind="day"))] == ["2024-10-03"] * 3
    read_moments = [row.values["it"] for row in read(moments, column(kind="moment"))]
    assert read_moments == ["2024-10-03T14:05:00+09:00"] * 2


def test_a_number_without_a_date_format_is_no_day() -> None:
    """45568 may be a day or an amount; only the format of the cell says."""
    rows = read(workbook_of([["列"], [45568]]), column(kind="day"))

    assert reasons(rows) == [(2, "列", "SERIAL_NUMBER")]


def test_a_formula_gives_its_stored_result_and_a_mark() -> None:
    """A workbook written without results has none to give: the cell is empty, and the row says so where it matters."""
    content = workbook_of([["列", "値"], ["=1+1", 1], ["2", 2]])
    rows = read(content, column())

    assert [row.values["it"] for row in rows] == ["", "2"]


def test_a_merged_cell_gives_its_value_to_every_row_it_covers_and_says_so() -> None:
    def merge(sheet: Worksheet) -> None:
        sheet.merge_cells("A2:A3")

    rows = read(workbook_of([["列", "値"], ["甲", 1], [None, 2], ["乙", 3]], merge), column())

    assert [row.values["it"] for row in rows] == ["甲", "甲", "乙"]
    assert [marks(row) for row in rows] == [[], [("列", "MERGED")], []]


def test_a_number_that_a_spreadsheet_rounded_is_refused() -> None:
    rows = read(workbook_of([["列"], [8981100000000000002]]), column())

    assert reasons(rows) == [(2, "列", "ROUNDED_NUMBER")]


def test_a_spreadsheets_error_is_refused() -> None:
    rows = read(workbook_of([["列"], ["#REF!"]]), column())

    assert reasons(rows) == [(2, "列", "ERROR_CELL")]


def test_a_row_that_stands_twice_is_taken_once() -> None:
    rows = read(csv_of(HEADER, ROW, ["演-2", *ROW[1:]], ROW))

    assert reasons(rows) == [(4, "", "ROW_TWICE")]


def test_json_lines_that_are_no_objects_of_texts_are_named() -> None:
    lines = [
        '{"it": "1"}',
        "[1]",
        '{"it": {"a": 1}}',
        '{"it": 1, "it": 2}',
        '{"列": "1", "it": "2"}',
        "{",
        '{"it": NaN}',
    ]
    rows = read("\n".join(lines).encode(), column())

    assert reasons(rows) == [
        (2, "", "NOT_AN_OBJECT"),
        (3, "", "NOT_AN_OBJECT"),
        (4, "", "KEY_TWICE"),
        (5, "", "KEY_TWICE"),
        (6, "", "NOT_AN_OBJECT"),
        (7, "", "NOT_AN_OBJECT"),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version"),
        ({"columns": []}, "columns"),
        ({"unknown": 1}, "unknown"),
        ({"columns": [{"field": "a", "headers": ["x"], "width": 3}]}, "only a column of digits has a width"),
        ({"columns": [{"field": "a", "headers": ["x"], "kind": "choice"}]}, "needs its choices"),
        (
            {"columns": [{"field": "a", "headers": ["x"]}, {"field": "a", "headers": ["y"]}]},
            "two columns have one field",
        ),
        (
            {"columns": [{"field": "a", "headers": ["x"]}, {"field": "b", "headers": ["Ｘ"]}]},
            "two columns have one header",
        ),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Profile.model_validate({"version": 1, "name": "x", "columns": [{"field": "a", "headers": ["x"]}], **change})


def test_a_profile_that_is_no_toml_is_refused_in_words() -> None:
    with pytest.raises(ProfileError, match="no TOML"):
        read_profile("version = ")
    with pytest.raises(ProfileError, match="columns"):
        read_profile("version = 1\nname = 'x'")
