"""Read a bank account as the Zengin system names it: bank(4)-branch(3)-kind-number(7), such as 0999-001-1-0000001."""

import re
from typing import Final, NamedTuple

from renkei_normalform.bank_names import with_codes
from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES, DIGITS, DOTS

_LONGEST: Final = 7
_BANK, _BRANCH, _KIND, _NUMBER = range(4)
_LABELS: Final = {
    **dict.fromkeys(("金融機関コード", "金融機関番号", "金融機関", "銀行コード", "銀行番号", "銀行"), _BANK),
    **dict.fromkeys(("支店コード", "支店番号", "支店", "店舗番号", "店番号", "店舗", "店番"), _BRANCH),
    **dict.fromkeys(("預金種目", "預金種別", "口座種別", "口座種目", "種目", "種別", "科目", "預金"), _KIND),
    **dict.fromkeys(("口座番号", "番号", "口座"), _NUMBER),
}
# Transfer files are in half-width kana without small letters, hence チヨチク.
KINDS: Final = {
    **dict.fromkeys(("普通", "普", "フツウ", "フツー", "ふつう"), "1"),
    **dict.fromkeys(("当座", "当", "トウザ", "とうざ"), "2"),
    **dict.fromkeys(("貯蓄", "貯", "チョチク", "チヨチク", "ちょちく"), "4"),
}


def _any_of(words: dict[str, int] | dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_TOKEN: Final = re.compile(
    rf"(?P<digits>[0-9]+)|(?P<label>{_any_of(_LABELS)})|(?P<kind>{_any_of(KINDS)})"
    rf"|[{re.escape(DASHES + DOTS)}\s/,、:;=_()\[\]「」【】|]|(?P<strange>.)",
    re.DOTALL,
)


class _Parts(NamedTuple):
    numbers: list[str]
    kinds: list[str]
    numbers_before_kind: int


# 記号 and 番号 of the post office: 10180-12345671 is branch 018, account 1234567. The fifth digit is a zero always.
_POST_OFFICE: Final = "9900"
_SAVINGS: Final = re.compile(r"1([0-9]{2})[0-9]0(?:-[0-9])?[-の]{1,2}([0-9]{1,7})1")
_TRANSFER: Final = re.compile(r"0([0-9]{2})[0-9]0(?:-[0-9])?[-の]{1,2}([0-9]{2,7})")
_HOLDER: Final = re.compile(r"[ ,、/]*(?:口座)?(?:名義人?|受取人)[ :=].*", re.DOTALL)
_NO_NAME_BEGINS: Final = "0123456789記口"
_POST_OFFICE_WORDS: Final = re.compile(
    r"ゆうちょ(?:銀行)?|郵便局|郵便貯金|郵貯|総合口座|通常貯金|振替口座|振替|記号番号|記号|番号|[:;=()\[\]/,、]"
)


_HYPHENS: Final = str.maketrans(dict.fromkeys(DASHES, "-"))
_AROUND_HYPHENS: Final = re.compile(r" *- *| +")


def read(text: str) -> str:
    """Return the account with all its zeros; every part is needed, since the same number exists as 普通 and as 当座.

    Bank and branch are written as codes in full, or by their names. The number alone may be shorter than seven digits
    and is filled with zeros on the left, as banks do themselves; it must stand apart from the other digits for that.
    """
    if post_office := _of_post_office(text):
        return post_office
    text = _HOLDER.sub("", text)
    try:
        parts = _split(text.translate(DIGITS))
    except NotAnIdentifier as refused:
        if refused.reason is not Reason.UNEXPECTED_CHARACTER or text[0] in _NO_NAME_BEGINS:
            raise
        parts = _split(with_codes(text).translate(DIGITS))
    if len(parts.kinds) > 1:
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    if parts.kinds:
        bank, branch, number = _with_kind_in_words(parts)
        kind = parts.kinds[0]
    else:
        bank, branch, kind, number = _with_kind_as_digit(parts.numbers)
        if kind not in KINDS.values():
            raise NotAnIdentifier(Reason.KIND_UNKNOWN)
    if not int(bank) or not int(number):
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return f"{bank}-{branch}-{kind}-{number.zfill(_LONGEST)}"


def _of_post_office(text: str) -> str:
    """Read 記号 and 番号, which the post office prints in place of branch and number; "" for any other text."""
    digits = _POST_OFFICE_WORDS.sub(" ", text).translate(DIGITS).translate(_HYPHENS).strip()
    digits = _AROUND_HYPHENS.sub("-", digits)
    if savings := _SAVINGS.fullmatch(digits):
        branch, kind, number = f"{savings[1]}8", "1", savings[2]
    elif transfer := _TRANSFER.fullmatch(digits):
        branch, kind, number = f"{transfer[1]}9", "2", transfer[2]
    else:
        return ""
    if not int(number):
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return f"{_POST_OFFICE}-{branch}-{kind}-{number.zfill(_LONGEST)}"


def _split(text: str) -> _Parts:
    numbers: list[str] = []
    kinds: list[str] = []
    labels: list[int] = []
    numbers_before_kind = 0
    for token in _TOKEN.finditer(text):
        if token["strange"]:
            raise NotAnIdentifier(Reason.UNEXPECTED_CHARACTER)
        if token["digits"]:
            numbers.append(token["digits"])
        elif token["kind"]:
            kinds.append(KINDS[token["kind"]])
            numbers_before_kind = len(numbers)
        elif token["label"] and _LABELS[token["label"]] != _KIND:
            labels.append(_LABELS[token["label"]])
    if labels != sorted(labels):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return _Parts(numbers, kinds, numbers_before_kind)


def _with_kind_in_words(parts: _Parts) -> tuple[str, str, str]:
    match [len(digits) for digits in parts.numbers]:
        case [4, 3, length] if length <= _LONGEST and parts.numbers_before_kind != 1:
            bank, branch, number = parts.numbers
        case [7, length] if length <= _LONGEST:
            bank, branch, number = parts.numbers[0][:4], parts.numbers[0][4:], parts.numbers[1]
        case _:
            raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return bank, branch, number


def _with_kind_as_digit(numbers: list[str]) -> tuple[str, str, str, str]:
    match [len(digits) for digits in numbers]:
        case [4, 3, 1, length] if length <= _LONGEST:
            bank, branch, kind, number = numbers
        case [7, 1, length] if length <= _LONGEST:
            bank, branch, kind, number = numbers[0][:4], numbers[0][4:], numbers[1], numbers[2]
        case [15]:
            run = numbers[0]
            bank, branch, kind, number = run[:4], run[4:7], run[7], run[8:]
        case [4, 3, length] | [7, length] if length <= _LONGEST:
            raise NotAnIdentifier(Reason.KIND_MISSING)
        case [14]:
            raise NotAnIdentifier(Reason.KIND_MISSING)
        case _:
            raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return bank, branch, kind, number
