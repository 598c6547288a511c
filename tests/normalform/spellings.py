"""Invented identifiers and the many ways people write them, for hypothesis.

The numbers are drawn at random or are the placeholders everybody uses (090-1234-5678). Bank codes 0990 to 0999 belong
to no bank.
"""

import hashlib
from typing import Final

from hypothesis import strategies as st

_INVISIBLE: Final = ("", "", "", "", "\u200b", "\u200d", "\ufeff", "\u2060", "\u202e", "\u00ad")
_DIGIT_SPELLINGS: Final = {
    "0": "00０〇零Oo○٠𝟎⓪",
    "1": "11１一壱lI①𝟏",
    **{str(n): f"{n}{n}{chr(0xFF10 + n)}{'〇一二三四五六七八九'[n]}{chr(0x245F + n)}" for n in range(2, 10)},
}
GAPS: Final = st.sampled_from(["", "-", " ", "－", "ー", "―", "−", "\u3000", "・", ".", " - "])
FIELD_GAPS: Final = st.sampled_from(["-", " ", "－", "ー", "―", "\u3000", "・", "/", " - "])


def digits(minimum: int, maximum: int, width: int) -> st.SearchStrategy[str]:
    """Draw a number in `width` digits."""
    return st.integers(minimum, maximum).map(lambda number: f"{number:0{width}}")


@st.composite
def spelled(draw: st.DrawFn, number: str) -> str:
    """Write each digit in a way of its own, with invisible characters between."""
    return "".join(
        draw(st.sampled_from(_DIGIT_SPELLINGS[digit])) + draw(st.sampled_from(_INVISIBLE)) for digit in number
    )


@st.composite
def phones(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a Japanese mobile or IP number in E.164 and one spelling of it."""
    front = draw(st.sampled_from(["50", "70", "80", "90"]))
    middle, end = draw(digits(1000, 9999, 4)), draw(digits(0, 9999, 4))
    prefix = draw(
        st.sampled_from(["0", "0", "0", "+81", "+81 (0)", "＋８１", "0081", "010-81-", "1840", "TEL:0", "電話 ０"])
    )
    groups = [draw(spelled(group)) for group in (front, middle, end)]
    return f"+81{front}{middle}{end}", prefix + groups[0] + draw(GAPS) + groups[1] + draw(GAPS) + groups[2]


@st.composite
def accounts(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an account at an invented bank and one spelling of it."""
    bank, branch = draw(digits(990, 999, 4)), draw(digits(0, 999, 3))
    number = draw(digits(1, 9999999, 7))
    kind = draw(st.sampled_from("124"))
    word = draw(
        st.sampled_from({"1": ["1", "普通", "ﾌﾂｳ", "普"], "2": ["2", "当座", "ﾄｳｻﾞ"], "4": ["4", "貯蓄", "ﾁﾖﾁｸ"]}[kind])
    )
    written = number.lstrip("0") if draw(st.booleans()) else number
    parts = [draw(spelled(bank)), draw(spelled(branch)), word, draw(spelled(written))]
    text = parts[0] + "".join(draw(FIELD_GAPS) + part for part in parts[1:])
    return f"{bank}-{branch}-{kind}-{number}", text


@st.composite
def imeis(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a device, its check digit computed the slow way, and one spelling of it."""
    digits = draw(st.text("0123456789", min_size=12, max_size=12).map(lambda number: f"35{number}"))
    total = sum(int(digit) if place % 2 == 0 else sum(divmod(int(digit) * 2, 10)) for place, digit in enumerate(digits))
    value = digits + str(-total % 10)
    groups = (value[:2], value[2:8], value[8:14], value[14:])
    label = draw(st.sampled_from(["", "IMEI: ", "IMEI1:", "端末識別番号 "]))
    return value, label + draw(st.sampled_from(["", "-", " ", "/", "－"])).join(draw(spelled(part)) for part in groups)


@st.composite
def wallets(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an address of Bitcoin, its check sum made here, without its chain."""
    content = b"\0" + draw(st.binary(min_size=20, max_size=20).filter(lambda key: key[0] > 0))
    whole = content + hashlib.sha256(hashlib.sha256(content).digest()).digest()[:4]
    number, text = int.from_bytes(whole, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + text
    return f"btc:1{text}", f"1{text}"


@st.composite
def plates(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a plate and one spelling of it."""
    place = draw(st.sampled_from(["品川", "八王子", "なにわ", "尾張小牧", "富士山", "十勝", "三重", "柏"]))
    classification = draw(st.sampled_from(["3", "33", "300", "580", "30A", "3CX"]))
    kana = draw(st.sampled_from("あさたなはまやらわを"))
    katakana = chr(ord(kana) + 0x60)
    serial = draw(st.integers(1, 9999))
    padded = f"{serial:04}"
    shown = draw(
        st.sampled_from(
            [f"{serial}", padded, f"{padded[:2]}-{padded[2:]}", f"{serial:・>4}", f"{padded[:2]} {padded[2:]}"]
        )
    )
    gap = draw(st.sampled_from(["", " ", "-", "\u3000", "－"]))
    text = gap.join([place, classification, draw(st.sampled_from([kana, katakana])), shown])
    return f"{place}-{classification}-{kana}-{serial}", text


@st.composite
def handles(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an account of X or Telegram and one spelling of it."""
    name = draw(st.from_regex(r"zz[a-z0-9]{3,8}(_[a-z0-9]{1,3})?", fullmatch=True))
    shown = draw(st.sampled_from([name, name.upper(), name.title(), "".join(chr(ord(c) + 0xFEE0) for c in name)]))
    platform, forms = draw(
        st.sampled_from(
            [
                (
                    "x",
                    [
                        "X:{}",
                        "x @{}",
                        "Twitter: @{}",
                        "ツイッター {}",
                        "https://x.com/{}",
                        "twitter.com/{}/status/1",
                        "@{} (X)",
                    ],
                ),
                ("telegram", ["telegram:{}", "TG @{}", "ﾃﾚｸﾞﾗﾑ：{}", "https://t.me/{}", "t.me/s/{}", "@{}（Telegram）"]),
            ]
        )
    )
    return f"{platform}:{name}", draw(st.sampled_from(forms)).format(shown)
