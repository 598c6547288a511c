"""Read a wallet as chain:address. A check sum must fit; where there is none the chain must be written."""

import re
from collections.abc import Callable
from typing import Final

from renkei_normalform.check_sums import RIPPLE_ALPHABET, base58, base58_blocks, base58_checked, segwit
from renkei_normalform.keccak import keccak_256
from renkei_normalform.refusal import NotAnIdentifier, Reason

_WORDS: Final = {
    "btc": ("btc", "bitcoin", "ビットコイン"),
    "ltc": ("ltc", "litecoin", "ライトコイン"),
    "doge": ("doge", "dogecoin", "ドージコイン"),
    # One key holds the same address on every chain that runs Ethereum's machine.
    "evm": (
        "evm",
        "eth",
        "ethereum",
        "イーサリアム",
        "イーサ",
        "erc20",
        "bep20",
        "bsc",
        "polygon",
        "matic",
        "arbitrum",
        "base",
    ),
    "tron": ("tron", "trx", "trc20", "usdt(trc20)", "usdt", "トロン"),
    "xrp": ("xrp", "ripple", "リップル"),
    "xmr": ("xmr", "monero", "モネロ"),
    "sol": ("sol", "solana", "ソラナ"),
}
_CHAINS: Final = {word: chain for chain, words in _WORDS.items() for word in words}
_ANY: Final = "|".join(re.escape(word) for word in sorted(_CHAINS, key=len, reverse=True))
_LABEL: Final = re.compile(rf"({_ANY})(?:[ _]?(?:アドレス|address|ウォレット|wallet))?(?: ?[:=] ?| )", re.IGNORECASE)
_NOISE: Final = re.compile(r"[?@].*", re.DOTALL)

_HEX: Final = re.compile(r"0[xX]([0-9a-fA-F]{40})")
_BASE58: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{25,106}")
_VERSIONS: Final = {0x00: "btc", 0x05: "btc", 0x30: "ltc", 0x32: "ltc", 0x1E: "doge", 0x16: "doge", 0x41: "tron"}
_HASH_BYTES: Final = 20
_PROGRAMS: Final = {0: (20, 32), 1: (32,)}
_SEGWIT: Final = {"bc": "btc", "ltc": "ltc"}
_MONERO: Final = {18: 69, 19: 77, 42: 69}
_KEY_BYTES: Final = 32


def read(text: str) -> str:
    """Return chain:address. Letters that look alike are not folded: the check sum says which one it is."""
    label = _LABEL.match(text)
    chain = _CHAINS[label[1].lower()] if label else ""
    address = _NOISE.sub("", text[label.end() :] if label else text).strip()
    for reader in _READERS:
        if found := reader(address):
            # USDT is held on several chains, and its label stands before addresses of each.
            if chain and found[0] != chain and not (label and label[1].lower().startswith("usdt")):
                raise NotAnIdentifier(Reason.WRONG_SHAPE)
            return ":".join(found)
    if chain == "sol":
        return f"sol:{_solana(address)}"
    if _BASE58.fullmatch(address) and len(base58(address) or b"") == _KEY_BYTES:
        raise NotAnIdentifier(Reason.CHAIN_UNKNOWN)
    raise NotAnIdentifier(Reason.WRONG_CHECK_DIGIT if _looks_like_one(address) else Reason.WRONG_SHAPE)


def _looks_like_one(address: str) -> bool:
    lowered = address.lower()
    return bool(_BASE58.fullmatch(address) or _HEX.fullmatch(address) or lowered.startswith(("bc1", "ltc1")))


def _evm(address: str) -> tuple[str, str] | None:
    """Read an address of Ethereum's kind. In one case it has no check sum, in mixed case its case is one (EIP-55)."""
    found = _HEX.fullmatch(address)
    if not found:
        return None
    digits, lowered = found[1], found[1].lower()
    if not lowered.strip("0"):
        raise NotAnIdentifier(Reason.ALL_ZERO)
    if digits not in (lowered, digits.upper()):
        digest = keccak_256(lowered.encode()).hex()
        right = (d.upper() if int(check, 16) >= 8 else d for d, check in zip(lowered, digest, strict=False))  # noqa: PLR2004
        if digits != "".join(right):
            return None
    return "evm", f"0x{lowered}"


def _segwit(address: str) -> tuple[str, str] | None:
    front = address[:4].lower().partition("1")[0]
    if front not in _SEGWIT or address not in (address.lower(), address.upper()):
        return None
    program = segwit(address.lower(), front)
    if not program or program[1] not in _PROGRAMS.get(program[0], ()):
        return None
    return _SEGWIT[front], address.lower()


def _base58_check(address: str) -> tuple[str, str] | None:
    if not _BASE58.fullmatch(address):
        return None
    content = base58_checked(address)
    if content is None or len(content) != 1 + _HASH_BYTES or content[0] not in _VERSIONS:
        return None
    return _VERSIONS[content[0]], address


def _ripple(address: str) -> tuple[str, str] | None:
    if not address.startswith("r") or not _BASE58.fullmatch(address):
        return None
    content = base58_checked(address, RIPPLE_ALPHABET)
    return ("xrp", address) if content is not None and len(content) == 1 + _HASH_BYTES and not content[0] else None


def _monero(address: str) -> tuple[str, str] | None:
    if not address.startswith(("4", "8")) or not _BASE58.fullmatch(address):
        return None
    decoded = base58_blocks(address)
    if decoded is None or _MONERO.get(decoded[0]) != len(decoded):
        return None
    return ("xmr", address) if keccak_256(decoded[:-4])[:4] == decoded[-4:] else None


def _solana(address: str) -> str:
    if len(base58(address) or b"") != _KEY_BYTES:
        raise NotAnIdentifier(Reason.WRONG_SHAPE)
    return address


_READERS: Final[tuple[Callable[[str], tuple[str, str] | None], ...]] = (_evm, _segwit, _base58_check, _ripple, _monero)
