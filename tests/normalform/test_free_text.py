"""Identifiers in free text: found where they stand, in any spelling, and nothing found where there is none."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei_normalform import FoundIdentifier, IdentifierType, find_identifiers, normalize
from tests.normalform import spellings

_T: Final = IdentifierType
_STATEMENT: Final = """（演習データ）供述調書の写し
被疑者は「ルフィ」を名乗る者からテレグラム：@Renkei_Demo_01 を通じて指示を受けた。
連絡先は〇九〇ー一二三四ー五六七八、事務所は０３－１２３４－５６７８ 内線5。別に 090-1234-5678 080-1234-5678。
招待は hxxps://t[.]me/+AbCdEfGh12345 と https://signal.group/#CjQKIabcdef-_123。X は https://x.com/renkei_demo?s=20 。
口座はみずほ銀行新宿支店 普通 1234567、0999-001-普通-0000001、ゆうちょ 記号10180 番号12345671。
車は品川 300 あ 12-34。集合場所は東京都新宿区西新宿二丁目８番１号の前、
次は千葉市中央区市場町1-1。35.6895, 139.6917付近。
IMEI: 490154203237518、SIMは8981 1000 0000 0000 002、IMSI 440101234567890。
財布は 1BoatSLRHtKNngkdXEeobR76b53LETtpyT と 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed。
@renkei_demo_02 に注意。Telegram ID: 123456789。t.me/+819012345679 も同じ者。
"""
_FOUND: Final = [
    (_T.HANDLE, "テレグラム：@Renkei_Demo_01", "telegram:renkei_demo_01"),
    (_T.PHONE, "〇九〇ー一二三四ー五六七八", "+819012345678"),
    (_T.PHONE, "090-1234-5678", "+819012345678"),
    (_T.PHONE, "080-1234-5678", "+818012345678"),
    (_T.INVITE_LINK, "hxxps://t[.]me/+AbCdEfGh12345", "telegram:+AbCdEfGh12345"),
    (_T.INVITE_LINK, "https://signal.group/#CjQKIabcdef-_123", "signal:group/CjQKIabcdef-_123"),
    (_T.HANDLE, "https://x.com/renkei_demo?s=20", "x:renkei_demo"),
    (_T.BANK_ACCOUNT, "みずほ銀行新宿支店 普通 1234567", "0001-240-1-1234567"),
    (_T.BANK_ACCOUNT, "0999-001-普通-0000001", "0999-001-1-0000001"),
    (_T.BANK_ACCOUNT, "ゆうちょ 記号10180 番号12345671", "9900-018-1-1234567"),
    (_T.VEHICLE_PLATE, "品川 300 あ 12-34", "品川-300-あ-1234"),
    (_T.PLACE, "東京都新宿区西新宿二丁目８番１号", "13104-西新宿-2-8"),
    (_T.PLACE, "千葉市中央区市場町1-1", "12101-市場町-1"),
    (_T.PLACE, "35.6895, 139.6917", "geohash:xn774c0"),
    (_T.IMEI, "IMEI: 490154203237518", "490154203237518"),
    (_T.ICCID, "8981 1000 0000 0000 002", "8981100000000000002"),
    (_T.IMSI, "IMSI 440101234567890", "440101234567890"),
    (_T.CRYPTO_WALLET, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "btc:1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
    (
        _T.CRYPTO_WALLET,
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "evm:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    ),
    (_T.HANDLE, "@renkei_demo_02", "unknown:renkei_demo_02"),
    (_T.PLATFORM_ACCOUNT_ID, "Telegram ID: 123456789", "telegram:123456789"),
    (_T.PHONE, "+819012345679", "+819012345679"),
]
# The longest runs of what the searches look for; each makes another one of them work hard.
_HOSTILE: Final = [
    "0-", "@", "１", "a.", "新宿区", "新宿区西新宿2-", "品川300あ", "みずほ銀行 普通1", "記号10180", "t.me/", "hxxp://",
    "1" * 30 + " ", "IMEI ", "東京都新宿区", "bc1q", "35.689,", "ﾊﾞ", "\u200b0", "〇九〇", "O", "京都市中京区上る通1",
    "北緯", "telegram:", "(at)", "1あ", "89", "\ud800", "e\u0301",
]  # fmt: skip


def _shown(found: list[FoundIdentifier]) -> list[tuple[IdentifierType, str, str]]:
    return [(one.form.type, one.original, one.form.value) for one in found]


def test_every_identifier_of_a_statement_is_found_in_its_order() -> None:
    assert _shown(find_identifiers(_STATEMENT)) == _FOUND


def test_each_found_identifier_stands_where_it_says() -> None:
    found = find_identifiers(_STATEMENT)

    assert [_STATEMENT[one.start : one.end] for one in found] == [one.original for one in found]


@pytest.mark.parametrize("kind", [*dict.fromkeys(kind for kind, _, _ in _FOUND)])
def test_only_the_types_that_were_asked_for_are_looked_for(kind: IdentifierType) -> None:
    found = _shown(find_identifiers(_STATEMENT, [kind]))

    # A wider search may take what a narrower one would have taken for its own, so there can be more, never less.
    assert {row for row in _FOUND if row[0] is kind} <= set(found)
    assert {row[0] for row in found} == {kind}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("電話は０９０（１２３４）５６７８です", ["+819012345678"]),
        ("O9O-l234-5678まで", ["+819012345678"]),
        ("0\u200b90-1234\u200b-5678", ["+819012345678"]),
        ("+81 90-1234-5678", ["+819012345678"]),
        ("wa.me/819012345678", ["+819012345678"]),
        ("03-1234-5678/090-1234-5678", ["+81312345678", "+819012345678"]),
        ("連絡はシグナル：renkei.01へ", ["signal:renkei.01"]),
        ("インスタ @renkei.demo をフォロー", ["instagram:renkei.demo"]),
        ("(at)renkei_demo (X)", ["x:renkei_demo"]),
        ("X(旧Twitter)：@renkei_demo", ["x:renkei_demo"]),
        ("t . me/renkei", []),
        ("https://t.me/renkei_demo、https://x.com/renkei_demo", ["telegram:renkei_demo", "x:renkei_demo"]),
        ("renkei_demo.t.me", ["telegram:renkei_demo"]),
        ("三菱UFJ銀行新宿支店（普）1234567に振込", ["0005-341-1-1234567"]),
        ("習志野５８０さ・・12の車", ["習志野-580-さ-12"]),
        ("札幌市中央区北1条西2丁目1番地で待つ", ["01101-北一条西-2-1"]),
        ("京都市中京区御幸町通御池上る亀屋町370", ["26104-亀屋町@6040941-370"]),
        ("新宿区\n西新宿2-8-1", []),
        ("ソラナ So11111111111111111111111111111111111111112", ["sol:So11111111111111111111111111111111111111112"]),
    ],
)
def test_what_is_found_in_a_line(text: str, expected: list[str]) -> None:
    assert [one.form.value for one in find_identifiers(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-10-03 10:00 に会議、金額1,234,567円、事件番号2024-123456号",
        "メールは foo@example.co.jp と foo(at)example.com",
        "110番、119番、#9110",
        "電話 03-1234-5678 内線12",
        "商品番号 490154203237518",
        "ハッシュ 1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
        "令和6年10月3日午前10時15分、東京都新宿区内",
        "https://example.com/renkei_demo",
        "x: y, z",
        "型番 AB-1234-5678-9",
        "普通1000円",
        "",
        "\n\n",
    ],
)
def test_nothing_is_found_where_nothing_stands(text: str) -> None:
    assert _shown(find_identifiers(text)) == []


def _is_marked(case: tuple[str, str]) -> bool:
    """Leave out a name behind a platform with nothing but a blank between: in prose that is two words."""
    return not case[1].startswith("ツイッター ")


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(spellings.phones(), spellings.plates(), spellings.handles()).filter(_is_marked),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["、", "。\n", "」と「", "\n"]),
)
def test_what_reads_alone_is_found_among_others(cases: list[tuple[str, str]], between: str) -> None:
    text = "「" + between.join(spelled for _, spelled in cases) + "」"

    found = [one.form.value for one in find_identifiers(text)]

    assert found == [value for value, _ in cases]


_ANY = st.text(st.characters(), max_size=200) | st.text(
    st.sampled_from(
        "0123456789０一〇Ol+-－ー・.（）()@:/ 　品川東京都新宿区西2丁目普通当座"
        "銀行支店xtme.com_aAtel#\u200b\x00\ud800\n"
    ),
    max_size=120,
)


@given(_ANY)
def test_any_text_has_an_answer_that_agrees_with_itself(text: str) -> None:
    end = 0
    for one in find_identifiers(text):
        assert end <= one.start < one.end <= len(text)
        assert one.original == text[one.start : one.end]
        assert normalize(one.form.type, one.original) == one.form
        end = one.end


@pytest.mark.parametrize("unit", _HOSTILE)
def test_a_hundred_thousand_hostile_characters_are_searched_in_time(unit: str) -> None:
    """A pattern that backtracks, or looks again from every place, would not end; the test's time limit is the judge."""
    text = (unit * 100_000)[:100_000]

    found = find_identifiers(text)

    assert all(text[one.start : one.end] == one.original for one in found)
