"""Read a telephone number as E.164: +819012345678. Japan is home; other countries need their + or 010."""

import re
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES, DIGITS, DOTS

_LABEL: Final = re.compile(r"(?:tel|phone|電話番号|携帯電話|携帯番号|電話|携帯|☎|☏|📞|📱)[:;. ]*", re.IGNORECASE)
_EXTENSION: Final = re.compile(r"内線|ext|[#x,;]", re.IGNORECASE)
# 110, 119, 104, 188 and the # short codes such as #9110.
_SPECIAL: Final = re.compile(r"1[0-9]{2}|#[0-9]{4}")
_SEPARATORS: Final = str.maketrans(dict.fromkeys(DASHES + DOTS + " ()[]{}〔〕【】「」<>〈〉/_'\"", ""))
_FOLD: Final = {**_SEPARATORS, **DIGITS}
_DIALLED: Final = re.compile(r"\+?[0-9]+")

# Japan's international prefix, also behind the codes of carriers, as found in call lists.
_ABROAD: Final = re.compile(r"(?:001|0033|0061)?010(?=[1-9])")
# 184 withholds and 186 shows the caller's number; they stand before the number in address books.
_CALLER_ID: Final = re.compile(r"18[46](?=0)")
_JAPAN: Final = 81
_JAPANESE: Final = re.compile(r"[1-9][0-9]{8,9}")
_JAPAN_WITHOUT_PLUS: Final = re.compile(r"810?[1-9][0-9]{8,9}")


def read(text: str) -> str:
    """Return the number in E.164; `phonenumbers` alone decides whether such a number can exist."""
    label = _LABEL.match(text)
    dialled = (text[label.end() :] if label else text).translate(_FOLD)
    if not _DIALLED.fullmatch(dialled):
        raise NotAnIdentifier(_why_not_dialled(dialled))
    if dialled.startswith("+"):
        return _international(dialled[1:])
    if abroad := _ABROAD.match(dialled):
        return _international(dialled[abroad.end() :])
    if dialled.startswith("0081"):
        return _international(dialled[2:])
    if _SPECIAL.fullmatch(dialled):
        raise NotAnIdentifier(Reason.SPECIAL_NUMBER)
    if _CALLER_ID.match(dialled):
        dialled = dialled[3:]
    if dialled.startswith("0"):
        return _japanese(dialled[1:])
    # Call records of messengers leave out the plus. No Japanese number without its 0 is as long as this.
    if _JAPAN_WITHOUT_PLUS.fullmatch(dialled):
        return _japanese(dialled[2:].removeprefix("0"))
    # 9012345678 is a mobile number whose 0 a spreadsheet ate, or one in Memphis. Whoever knows the column repairs it.
    raise NotAnIdentifier(Reason.NO_PREFIX)


def _why_not_dialled(dialled: str) -> Reason:
    if _SPECIAL.fullmatch(dialled):
        return Reason.SPECIAL_NUMBER
    extension = _EXTENSION.search(dialled)
    if extension and _DIALLED.match(dialled):
        return Reason.HAS_EXTENSION
    return Reason.UNEXPECTED_CHARACTER if dialled else Reason.EMPTY


def _japanese(national: str) -> str:
    """Judge a number by itself, without the parser, which would try other readings and costs four times as much."""
    if not _JAPANESE.fullmatch(national):
        raise NotAnIdentifier(Reason.NOT_A_NUMBER_IN_USE)
    from phonenumbers import PhoneNumber, is_valid_number  # noqa: PLC0415 (60 ms that `renkei --help` must not pay)

    if not is_valid_number(PhoneNumber(country_code=_JAPAN, national_number=int(national))):
        raise NotAnIdentifier(Reason.NOT_A_NUMBER_IN_USE)
    return f"+{_JAPAN}{national}"


def _international(digits: str) -> str:
    if digits.startswith(str(_JAPAN)):
        # +81 (0)90: the 0 is for those who dial inside the country.
        return _japanese(digits[2:].removeprefix("0"))
    import phonenumbers  # noqa: PLC0415 (as above)

    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        raise NotAnIdentifier(Reason.NOT_A_NUMBER_IN_USE) from None
    if not phonenumbers.is_valid_number(number):
        raise NotAnIdentifier(Reason.NOT_A_NUMBER_IN_USE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
