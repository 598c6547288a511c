"""Write coordinates as a geohash of seven letters: a cell of about 150 by 125 metres in Japan."""

from typing import Final

_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"
LETTERS: Final = 7
_BITS: Final = 5


def geohash(latitude: float, longitude: float) -> str:
    """Return the cell that holds the point. Two points on either side of a border are in two cells."""
    spans = ([-180.0, 180.0], [-90.0, 90.0])
    value = 0
    for bit in range(LETTERS * _BITS):
        span, point = spans[bit % 2], (longitude, latitude)[bit % 2]
        middle = (span[0] + span[1]) / 2
        upper = point >= middle
        span[not upper] = middle
        value = value << 1 | upper
    return "".join(_ALPHABET[value >> shift & 31] for shift in range((LETTERS - 1) * _BITS, -1, -_BITS))
