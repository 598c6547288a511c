"""Keccak-256, the hash in the addresses of Ethereum and Monero: SHA-3 with an older padding, so hashlib lacks it."""

from functools import cache
from typing import Final

_LANE: Final = (1 << 64) - 1
_RATE: Final = 136


def keccak_256(message: bytes) -> bytes:
    """Hash up to 135 bytes: an address has at most 65."""
    if len(message) >= _RATE:
        raise ValueError("one block is all that an address needs")
    block = bytearray(message + b"\x01" + bytes(_RATE - len(message) - 1))
    block[-1] |= 0x80
    lanes = [int.from_bytes(block[start : start + 8], "little") for start in range(0, _RATE, 8)] + [0] * 8
    return b"".join(lane.to_bytes(8, "little") for lane in _permuted(lanes)[:4])


def _permuted(lanes: list[int]) -> list[int]:  # noqa: PLR0915 (see below)
    """Do the 24 rounds. Written out, lane by lane: loops over the lanes made it four times slower."""
    (m00, m01, m02, m03, m04, m05, m06, m07, m08, m09, m10, m11, m12, m13, m14) = lanes[:15]
    (m15, m16, m17, m18, m19, m20, m21, m22, m23, m24) = lanes[15:]
    for constant in _round_constants():
        c0 = m00 ^ m05 ^ m10 ^ m15 ^ m20
        c1 = m01 ^ m06 ^ m11 ^ m16 ^ m21
        c2 = m02 ^ m07 ^ m12 ^ m17 ^ m22
        c3 = m03 ^ m08 ^ m13 ^ m18 ^ m23
        c4 = m04 ^ m09 ^ m14 ^ m19 ^ m24
        d0 = c4 ^ ((c1 << 1 | c1 >> 63) & _LANE)
        d1 = c0 ^ ((c2 << 1 | c2 >> 63) & _LANE)
        d2 = c1 ^ ((c3 << 1 | c3 >> 63) & _LANE)
        d3 = c2 ^ ((c4 << 1 | c4 >> 63) & _LANE)
        d4 = c3 ^ ((c0 << 1 | c0 >> 63) & _LANE)
        b00 = m00 ^ d0
        t = m06 ^ d1
        b01 = (t << 44 | t >> 20) & _LANE
        t = m12 ^ d2
        b02 = (t << 43 | t >> 21) & _LANE
        t = m18 ^ d3
        b03 = (t << 21 | t >> 43) & _LANE
        t = m24 ^ d4
        b04 = (t << 14 | t >> 50) & _LANE
        t = m03 ^ d3
        b05 = (t << 28 | t >> 36) & _LANE
        t = m09 ^ d4
        b06 = (t << 20 | t >> 44) & _LANE
        t = m10 ^ d0
        b07 = (t << 3 | t >> 61) & _LANE
        t = m16 ^ d1
        b08 = (t << 45 | t >> 19) & _LANE
        t = m22 ^ d2
        b09 = (t << 61 | t >> 3) & _LANE
        t = m01 ^ d1
        b10 = (t << 1 | t >> 63) & _LANE
        t = m07 ^ d2
        b11 = (t << 6 | t >> 58) & _LANE
        t = m13 ^ d3
        b12 = (t << 25 | t >> 39) & _LANE
        t = m19 ^ d4
        b13 = (t << 8 | t >> 56) & _LANE
        t = m20 ^ d0
        b14 = (t << 18 | t >> 46) & _LANE
        t = m04 ^ d4
        b15 = (t << 27 | t >> 37) & _LANE
        t = m05 ^ d0
        b16 = (t << 36 | t >> 28) & _LANE
        t = m11 ^ d1
        b17 = (t << 10 | t >> 54) & _LANE
        t = m17 ^ d2
        b18 = (t << 15 | t >> 49) & _LANE
        t = m23 ^ d3
        b19 = (t << 56 | t >> 8) & _LANE
        t = m02 ^ d2
        b20 = (t << 62 | t >> 2) & _LANE
        t = m08 ^ d3
        b21 = (t << 55 | t >> 9) & _LANE
        t = m14 ^ d4
        b22 = (t << 39 | t >> 25) & _LANE
        t = m15 ^ d0
        b23 = (t << 41 | t >> 23) & _LANE
        t = m21 ^ d1
        b24 = (t << 2 | t >> 62) & _LANE
        m00 = b00 ^ (~b01 & b02) ^ constant
        m01 = b01 ^ (~b02 & b03)
        m02 = b02 ^ (~b03 & b04)
        m03 = b03 ^ (~b04 & b00)
        m04 = b04 ^ (~b00 & b01)
        m05 = b05 ^ (~b06 & b07)
        m06 = b06 ^ (~b07 & b08)
        m07 = b07 ^ (~b08 & b09)
        m08 = b08 ^ (~b09 & b05)
        m09 = b09 ^ (~b05 & b06)
        m10 = b10 ^ (~b11 & b12)
        m11 = b11 ^ (~b12 & b13)
        m12 = b12 ^ (~b13 & b14)
        m13 = b13 ^ (~b14 & b10)
        m14 = b14 ^ (~b10 & b11)
        m15 = b15 ^ (~b16 & b17)
        m16 = b16 ^ (~b17 & b18)
        m17 = b17 ^ (~b18 & b19)
        m18 = b18 ^ (~b19 & b15)
        m19 = b19 ^ (~b15 & b16)
        m20 = b20 ^ (~b21 & b22)
        m21 = b21 ^ (~b22 & b23)
        m22 = b22 ^ (~b23 & b24)
        m23 = b23 ^ (~b24 & b20)
        m24 = b24 ^ (~b20 & b21)
    return [m00, m01, m02, m03]


@cache
def _round_constants() -> tuple[int, ...]:
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)
