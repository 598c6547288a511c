"""Read what names a device, a SIM card or a subscriber: IMEI, ICCID, IMSI, in digits."""

import re
from typing import Final

from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.text import DASHES, DIGITS, DOTS

_SEPARATORS: Final = str.maketrans(dict.fromkeys(DASHES + DOTS + " /:;#()[]_", ""))
_FOLD: Final = {**_SEPARATORS, **DIGITS}
_LABEL: Final = re.compile(
    r"(?:imei ?sv|imei ?[12]?(?=[^0-9]|[0-9]{14})|iccid|imsi"
    r"|端末識別番号|製造番号|sim(?:カード)?(?:番号|id)|加入者識別番号)[ :;#=]*",
    re.IGNORECASE,
)
_IMEI: Final = re.compile(r"[0-9]{15}")
_IMEI_WITH_SOFTWARE: Final = re.compile(r"[0-9]{16}")
# Telecom industry 89, then country and issuer; some cards print the filler F of the chip.
_ICCID: Final = re.compile(r"(89[0-9]{17,18})[Ff]?")
# The first digit of a mobile country code is 2 to 7, or 9 for networks of no country.
_IMSI: Final = re.compile(r"[2-79][0-9]{13,14}")


def read_imei(text: str) -> str:
    """Return the IMEI in its 15 digits, the last of them checked.

    An IMEISV (16 digits) names the same device and has the version of its software where the check digit was, so
    that digit is computed. 14 digits are refused: nothing in them shows a misread one.
    """
    digits = _digits(text)
    if _IMEI_WITH_SOFTWARE.fullmatch(digits):
        digits = digits[:14] + luhn_digit(digits[:14])
    if not _IMEI.fullmatch(digits):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return _checked(digits)


def read_iccid(text: str) -> str:
    """Return the number of a SIM card in its 19 or 20 digits, the last of them checked."""
    found = _ICCID.fullmatch(_digits(text))
    if not found:
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return _checked(found[1])


def read_imsi(text: str) -> str:
    """Return the subscriber's number in its 14 or 15 digits; it has no check digit."""
    digits = _digits(text)
    if not _IMSI.fullmatch(digits):
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    if not digits[3:].strip("0"):
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return digits


def luhn_digit(digits: str) -> str:
    """Compute the digit that ISO/IEC 7812 puts behind these."""
    doubled = sum(sum(divmod(int(digit) * 2, 10)) for digit in digits[-1::-2])
    return str(-(doubled + sum(map(int, digits[-2::-2]))) % 10)


def _digits(text: str) -> str:
    label = _LABEL.match(text)
    return (text[label.end() :] if label else text).translate(_FOLD)


def _checked(digits: str) -> str:
    if not digits.strip("0") or len(set(digits[:14])) == 1:
        raise NotAnIdentifier(Reason.ALL_ZERO)
    if luhn_digit(digits[:-1]) != digits[-1]:
        raise NotAnIdentifier(Reason.WRONG_CHECK_DIGIT)
    return digits
