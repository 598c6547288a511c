"""Read coordinates, written out or inside the link of a map."""

import re
from typing import Final

from renkei_normalform.geohash import LETTERS, geohash
from renkei_normalform.links import armed
from renkei_normalform.refusal import NotAnIdentifier, Reason

PREFIX: Final = "geohash:"
_NORMAL: Final = re.compile(rf"geohash:([0-9b-hjkmnp-z]{{{LETTERS}}})")
_DECIMAL: Final = re.compile(
    r"(?:(?:geo:|座標|位置|緯度経度)[:= ]*)?\(?(-?[0-9]{1,2}(?:\.[0-9]{1,15})?)°?[ ,、/]{1,3}"
    r"(-?[0-9]{1,3}(?:\.[0-9]{1,15})?)°?\)?(?:[;?].*)?"
)
_IN_LINK: Final = re.compile(
    r"(?:@|[?&](?:q|ll|query|center|destination|daddr|sll)=|/)(-?[0-9]{1,2}\.[0-9]{1,15})(?:,|%2c)\+?(-?[0-9]{1,3}\.[0-9]{1,15})",
    re.IGNORECASE,
)
# The pin; what stands behind the @ is only the middle of the map.
_PIN: Final = re.compile(r"!3d(-?[0-9]{1,2}\.[0-9]{1,15})!4d(-?[0-9]{1,3}\.[0-9]{1,15})")
_SEXAGESIMAL: Final = re.compile(
    r"(?:北緯|n)?([0-9]{1,2})[°度] ?([0-9]{1,2})[′'分] ?([0-9]{1,2}(?:\.[0-9]{1,6})?)[″\"秒]? ?n?[ ,、]{0,3}"
    r"(?:東経|e)?([0-9]{1,3})[°度] ?([0-9]{1,2})[′'分] ?([0-9]{1,2}(?:\.[0-9]{1,6})?)[″\"秒]? ?e?",
    re.IGNORECASE,
)
# A thousandth of a degree is a hundred metres; anything coarser falls into no cell in particular.
_FINE: Final = 3


def read(text: str) -> str | None:
    """Return the cell of the coordinates, or None where the text holds none."""
    if normal := _NORMAL.fullmatch(text):
        return normal[0]
    text = armed(text)
    if found := _DECIMAL.fullmatch(text):
        return _cell(found[1], found[2])
    if "/" in text and (found := _PIN.search(text) or _IN_LINK.search(text)):
        return _cell(found[1], found[2])
    if found := _SEXAGESIMAL.fullmatch(text):
        north, east = (_degrees(*found.groups()[at : at + 3]) for at in (0, 3))
        return _placed(north, east)
    return None


def _cell(latitude: str, longitude: str) -> str:
    if min(len(latitude.partition(".")[2]), len(longitude.partition(".")[2])) < _FINE:
        raise NotAnIdentifier(Reason.TOO_COARSE)
    return _placed(float(latitude), float(longitude))


def _degrees(degrees: str, minutes: str, seconds: str) -> float:
    if max(float(minutes), float(seconds)) >= 60:  # noqa: PLR2004
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return int(degrees) + int(minutes) / 60 + float(seconds) / 3600


def _placed(latitude: float, longitude: float) -> str:
    if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    if not latitude and not longitude:
        raise NotAnIdentifier(Reason.ALL_ZERO)
    return PREFIX + geohash(latitude, longitude)
