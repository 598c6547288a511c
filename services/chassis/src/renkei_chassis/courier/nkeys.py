"""Make, keep and use the Ed25519 keys by which NATS knows a client (`nkeys`).

Only user keys, and only what Renkei needs. A seed is a secret: `repr` never shows it, and the file
that holds it must be readable by its owner alone.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from renkei_chassis.files import write_new

if TYPE_CHECKING:
    from pathlib import Path

_SEED: Final = 18 << 3  # these two make the texts begin with "SU" and "U"
_USER: Final = 20 << 3
_RAW_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class InvalidKeyError(ValueError):
    """A text or a file is not a user key that we may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKey:
    """A user's key pair. `public` is what a server's configuration names."""

    public: str
    seed: str = field(repr=False)
    private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, nonce: str) -> bytes:
        """Sign a server's nonce, in the form that the protocol wants."""
        return base64.urlsafe_b64encode(self.private.sign(nonce.encode())).rstrip(b"=")


def generate_user_key(entropy: bytes | None = None) -> UserKey:
    """Make a key from 32 bytes of `entropy`, by default fresh ones."""
    raw = secrets.token_bytes(_RAW_BYTES) if entropy is None else entropy
    if len(raw) != _RAW_BYTES:
        message = f"a key is made from {_RAW_BYTES} bytes, not {len(raw)}"
        raise InvalidKeyError(message)
    head = bytes([_SEED | _USER >> 5, (_USER & 31) << 3])
    return _user_key(seed=_encode(head + raw), raw=raw)


def user_key_from_seed(seed: str) -> UserKey:
    """Rebuild a key from its seed. Raises InvalidKeyError, which never repeats the seed."""
    content = _decode(seed.strip(), "seed")
    head = (content[0] & 248, (content[0] & 7) << 5 | content[1] >> 3)
    if len(content) != _RAW_BYTES + 2 or head != (_SEED, _USER):
        message = "this is not the seed of a user key"
        raise InvalidKeyError(message)
    return _user_key(seed=seed.strip(), raw=content[2:])


def is_user_public_key(text: str) -> bool:
    """Tell whether `text` is a well-formed public user key: right kind, length and check sum."""
    try:
        content = _decode(text, "public key")
    except InvalidKeyError:
        return False
    return len(content) == _RAW_BYTES + 1 and content[0] == _USER and _encode(content) == text


def save_user_key(key: UserKey, path: Path) -> None:
    """Write a new key file for its owner alone. Raises FileExistsError: keys are not replaced."""
    write_new(path, f"{key.seed}\n".encode("ascii"), mode=0o600)


def load_user_key(path: Path) -> UserKey:
    """Read a key file. Raises InvalidKeyError when others may read it or it holds no user key."""
    with path.open(encoding="ascii", errors="replace") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            message = f"{path} can be read by others than its owner: chmod 600"
            raise InvalidKeyError(message)
        text = file.read(256)
    try:
        return user_key_from_seed(text)
    except InvalidKeyError:
        message = f"{path} holds no user key"
        raise InvalidKeyError(message) from None


def _user_key(*, seed: str, raw: bytes) -> UserKey:
    private = Ed25519PrivateKey.from_private_bytes(raw)
    public = _encode(bytes([_USER]) + private.public_key().public_bytes_raw())
    return UserKey(public=public, seed=seed, private=private)


def _encode(content: bytes) -> str:
    checked = content + binascii.crc_hqx(content, 0).to_bytes(2, "little")
    return base64.b32encode(checked).rstrip(b"=").decode()


def _decode(text: str, kind: str) -> bytes:
    message = f"this is not a {kind}"
    try:
        checked = base64.b32decode(text + "=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise InvalidKeyError(message) from None
    content, checksum = checked[:-2], checked[-2:]
    if len(content) <= _RAW_BYTES or binascii.crc_hqx(content, 0).to_bytes(2, "little") != checksum:
        raise InvalidKeyError(message)
    return content
