"""Search by a part: whatever part of an identifier somebody remembers is found in its normal form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_normalform import IdentifierType, NotAnIdentifier, Reason, normalize, search_fragment, search_key
from tests.normalform import spellings

PHONE = IdentifierType.PHONE
ACCOUNT = IdentifierType.BANK_ACCOUNT
HANDLE = IdentifierType.HANDLE
PLATE = IdentifierType.VEHICLE_PLATE


@pytest.mark.parametrize(
    ("query", "fragment"),
    [
        ("090-1234", "901234"),
        ("０９０－１２３４", "901234"),
        ("〇九〇ー一二三四", "901234"),
        ("O9O-l234", "901234"),
        ("○9○-1234", "901234"),
        ("+81 90-1234", "81901234"),
        ("+81 (0)90-1234", "81901234"),
        ("0081-90-1234", "81901234"),
        ("010-81-090-1234", "901234"),
        ("010-1-202-555", "1202555"),
        ("184-090-1234", "901234"),
        ("5678", "5678"),
        ("03", "3"),
        ("0", "0"),
        ("0999-001", "999001"),
        ("0999-001-普通", "9990011"),
        ("@Renkei_Demo", "renkeidemo"),
        ("https://x.com/renkei_demo_01?s=20", "xrenkeidemo01"),
        ("テレグラム @renkei", "telegramrenkei"),
        ("品川 300", "品川300"),
        ("あ・・12", "あ12"),
        ("あ 0012", "あ12"),
        ("ア12-34", "あ1234"),
        ("袖ケ浦", "袖け浦"),
    ],
)
def test_a_query_folds_as_the_readme_says(query: str, fragment: str) -> None:
    assert search_fragment(query) == fragment


@pytest.mark.parametrize(
    ("kind", "text", "queries"),
    [
        (
            PHONE,
            "090-1234-5678",
            ["090-1234", "1234-5678", "90", "0901", "+8190", "+81 (0)90", "0081-90", "0081-090", "4567"],
        ),
        (PHONE, "03-1234-5678", ["03-1234", "031234", "３－１２３４", "5678"]),
        (
            ACCOUNT,
            "0999-001-普通-0000001",
            ["0999", "0999-001", "001-普通", "999-001", "0000001", "普通 0000001", "0999001"],
        ),
        (
            HANDLE,
            "X @renkei_demo_01",
            ["renkei", "demo_01", "@renkei_demo", "x:renkei", "x.com/renkei", "RENKEI", "ｄｅｍｏ"],
        ),
        (HANDLE, "@renkei_demo_01", ["@renkei_demo_01", "demo"]),
        (PLATE, "八王子 300 あ ・・12", ["八王子", "八王子300", "300あ", "あ・・12", "あ 0012", "三〇〇", "ア"]),
        (PLATE, "袖ヶ浦 30A さ 12-34", ["袖ケ浦", "袖ヶ浦 30", "30a", "12-34", "さ1234"]),
    ],
)
def test_a_part_of_an_identifier_is_found_in_it(kind: IdentifierType, text: str, queries: list[str]) -> None:
    key = search_key(normalize(kind, text).value)

    missed = [query for query in queries if search_fragment(query) not in key]

    assert missed == []


def test_a_part_of_another_number_is_not_found() -> None:
    key = search_key(normalize(PHONE, "090-1234-5678").value)

    assert search_fragment("090-1235") not in key
    assert search_fragment("080") not in key


@given(spellings.phones(), st.data())
def test_every_slice_of_a_domestic_number_is_found(case: tuple[str, str], data: st.DataObject) -> None:
    value, _ = case
    domestic = "0" + value.removeprefix("+81")
    start = data.draw(st.integers(0, len(domestic) - 1))
    end = data.draw(st.integers(start + 1, len(domestic)))
    query = data.draw(spellings.spelled(domestic[start:end]).filter(lambda text: not text.isalpha()))

    assert _in_digits(query) in search_key(value)


@given(spellings.accounts(), st.data())
def test_every_slice_of_an_account_is_found(case: tuple[str, str], data: st.DataObject) -> None:
    value, _ = case
    start = data.draw(st.integers(0, len(value) - 1))
    end = data.draw(st.integers(start + 1, len(value)))
    part = value[start:end]

    if part != "-":
        assert search_fragment(part) in search_key(value)


@given(st.text(st.characters(), max_size=300))
def test_any_query_gives_a_fragment_or_a_refusal(text: str) -> None:
    try:
        fragment = search_fragment(text)
    except NotAnIdentifier as refused:
        assert refused.reason in {Reason.EMPTY, Reason.TOO_LONG, Reason.CONTROL_CHARACTER, Reason.BROKEN_TEXT}  # noqa: PT017
        assert refused.identifier_type is None  # noqa: PT017
    else:
        assert fragment


@pytest.mark.parametrize("query", ["", " ", "---", "@", "\u200b", "\x00", "\ud800", "0" * 257])
def test_a_query_that_holds_nothing_is_refused(query: str) -> None:
    with pytest.raises(NotAnIdentifier):
        search_fragment(query)


def _in_digits(query: str) -> str:
    """Skip spellings with more look-alike letters than digits: those are words, and read as words."""
    fragment = search_fragment(query)
    return fragment if fragment.isdecimal() else ""
