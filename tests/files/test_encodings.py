"""Encodings: found by what the whole file holds, and never guessed."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_files import FileError
from renkei_files.encodings import detect
from tests.files.making import HEADER, PROFILE, ROW, VALUES, csv_of, read, reasons

_TEXT = "整理番号,氏名\r\n演-1,髙﨑①㈱～\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (_TEXT.encode("cp932"), "cp932"),
        (_TEXT.encode("utf-8"), "utf-8"),
        (_TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (_TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + _TEXT.encode("utf-16-be"), "utf-16"),
        (b"plain,ascii\r\n", "utf-8"),
        ("半角ｶﾅと漢字".encode("cp932"), "cp932"),
    ],
)
def test_the_encoding_is_the_one_that_reads_the_whole_file(content: bytes, encoding: str) -> None:
    assert detect(io.BytesIO(content)) == encoding


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EMPTY_FILE"),
        (_TEXT.encode("cp932") + b"\x81", "UNKNOWN_ENCODING"),
        ("整理番号".encode() + b"\xff\xff" + b"\x81\x0a", "UNKNOWN_ENCODING"),
        (_TEXT.replace("髙﨑①㈱～", "日本").encode("euc_jp"), "UNKNOWN_ENCODING"),
        ("整理番号".encode("iso2022_jp"), "UNKNOWN_ENCODING"),
        ("整理番号".encode("utf-32"), "UNKNOWN_ENCODING"),
        (b"\xef\xbb\xbf\xff", "UNKNOWN_ENCODING"),
        # あい in EUC-JP reads as half-width kana in cp932.
        ("あいうえお".encode("euc_jp"), "AMBIGUOUS_ENCODING"),
        ("ｶﾅ".encode("cp932"), "AMBIGUOUS_ENCODING"),
    ],
)
def test_what_cannot_be_told_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FileError) as refused:
        detect(io.BytesIO(content))

    assert refused.value.reason == reason


def test_the_error_says_where_each_encoding_failed() -> None:
    content = "あ".encode("cp932") * 200_000 + b"\x81\n"

    with pytest.raises(FileError, match=r"UTF-8 fails at byte 0, cp932 at byte 400000"):
        detect(io.BytesIO(content))


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_one_table_reads_alike_in_every_encoding(encoding: str, end: str) -> None:
    (row,) = read(csv_of(HEADER, ROW, encoding=encoding, end=end))

    assert row.values == VALUES
    assert row.problems == ()


def test_a_broken_end_of_a_file_lets_no_row_through() -> None:
    """Half a file that reads well is worse than none: nobody would miss the rest."""
    with pytest.raises(FileError) as refused:
        read(csv_of(HEADER, *[ROW] * 1000) + b"\x81")

    assert refused.value.reason == "UNKNOWN_ENCODING"


def test_gaiji_are_flagged_and_kept() -> None:
    """Both the private use of Unicode and the user's characters of cp932, which are the same."""
    name = "\ue000田"
    (row,) = read(csv_of(HEADER, [ROW[0], name, *ROW[2:]], encoding="cp932"))

    assert row.values["person.display_name"] == name
    assert [(column, mark.value) for column, mark in row.marks] == [("氏名", "GAIJI")]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_in_utf8_is_found_to_be_utf8(text: str) -> None:
    content = text.encode()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or not content:
        return

    assert detect(io.BytesIO(content)) in {"utf-8", "utf-8-sig"}


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(content: bytes) -> None:
    try:
        rows = read(content, PROFILE)
    except FileError:
        return
    assert reasons(rows) is not None
