"""The check sums of wallets: Base58Check, Monero's Base58, Bech32 and Bech32m, each as its chain published it."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Final

BITCOIN_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_ALPHABET: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_CHECK_BYTES: Final = 4

_BECH32_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_VALUES: Final = {character: value for value, character in enumerate(_BECH32_ALPHABET)}
_BECH32_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT: Final = 1
_BECH32M_CONSTANT: Final = 0x2BC830A3

# How many bytes a block of that many characters holds, in Monero's Base58.
_BLOCK_BYTES: Final = {2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}
_BLOCK: Final = 11


@cache
def _values(alphabet: str) -> dict[str, int]:
    return {character: value for value, character in enumerate(alphabet)}


def base58(text: str, alphabet: str = BITCOIN_ALPHABET) -> bytes | None:
    """Decode, or None where a character is not of the alphabet."""
    values = _values(alphabet)
    number = 0
    for character in text:
        if (value := values.get(character)) is None:
            return None
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58_checked(text: str, alphabet: str = BITCOIN_ALPHABET) -> bytes | None:
    """Decode without the check sum, or None where it does not fit."""
    decoded = base58(text, alphabet)
    if decoded is None or len(decoded) <= _CHECK_BYTES:
        return None
    content, check = decoded[:-_CHECK_BYTES], decoded[-_CHECK_BYTES:]
    return content if hashlib.sha256(hashlib.sha256(content).digest()).digest()[:_CHECK_BYTES] == check else None


def base58_blocks(text: str) -> bytes | None:
    """Decode Monero's Base58, whose blocks of 11 characters stand for 8 bytes each."""
    values, decoded = _values(BITCOIN_ALPHABET), bytearray()
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        size = _BLOCK_BYTES.get(len(block))
        number = 0
        for character in block:
            if (value := values.get(character)) is None:
                return None
            number = number * 58 + value
        if size is None or number >> (size * 8):
            return None
        decoded += number.to_bytes(size, "big")
    return bytes(decoded)


def segwit(text: str, prefix: str) -> tuple[int, int] | None:
    """Give version and length of the program of a native SegWit address in lower case, or None where it is none."""
    front, separator, data = text.rpartition("1")
    if front != prefix or not separator or any(character not in _BECH32_VALUES for character in data):
        return None
    values = [_BECH32_VALUES[character] for character in data]
    constant = _polymod([*(ord(c) >> 5 for c in front), 0, *(ord(c) & 31 for c in front), *values])
    program = values[1:-6]
    length, rest = divmod(len(program) * 5, 8)
    if len(values) < 7 or values[0] > 16 or rest > 4 or (rest and program[-1] & ((1 << rest) - 1)):  # noqa: PLR2004 (BIP 173)
        return None
    wanted = _BECH32M_CONSTANT if values[0] else _BECH32_CONSTANT
    return (values[0], length) if constant == wanted else None


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check
