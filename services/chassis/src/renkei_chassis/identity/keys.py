"""Ed25519 key files: made once, readable by their owner alone, refused when they are not."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from renkei_chassis.errors import SettingsError
from renkei_chassis.files import write_new

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE_MODE: Final = 0o600
_MAX_KEY_FILE: Final = 4096
_PUBLIC_LENGTH: Final = 32
# The points of small order that Ed25519 encodes canonically: under such a "key" signatures can be
# made by anybody, and OpenSSL does not refuse it. All zeros, the usual placeholder, is one.
_WEAK: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)


def generate() -> Ed25519PrivateKey:
    """Make a new key."""
    return Ed25519PrivateKey.generate()


def save_private(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a key file (PKCS#8 PEM, 0600) that is whole or not there at all.

    Raise FileExistsError rather than replace one: a lost key cannot be brought back.
    """
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_new(path, pem, mode=_PRIVATE_MODE)


def load_private(path: Path) -> Ed25519PrivateKey:
    """Read a key file, or raise SettingsError.

    Refused are a symbolic link, a file of another user, and one that group or others may touch.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise SettingsError(f"{path}: cannot open the key file ({error.strerror})") from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 (pathlib opens no descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SettingsError(f"{path}: not a regular file")
        if status.st_uid != os.geteuid():
            raise SettingsError(f"{path}: the key file belongs to another user")
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise SettingsError(f"{path}: the key file must have mode 0600")
        pem = file.read(_MAX_KEY_FILE + 1)
    if len(pem) > _MAX_KEY_FILE:
        raise SettingsError(f"{path}: too long for a key file")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # Not `from error`: what a parser says about a private key is nobody's business.
        raise SettingsError(f"{path}: not a private key ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path}: not an Ed25519 key")
    return key


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Write the public key as base64url without padding, 43 characters."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()


def public_from_text(text: str) -> Ed25519PublicKey:
    """Read a public key back; raise ValueError unless it is the one spelling of a usable key."""
    try:
        raw = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if len(raw) != _PUBLIC_LENGTH or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("not an Ed25519 public key in base64url without padding")
    if raw in _WEAK:
        raise ValueError("a key under which anybody can sign")
    return Ed25519PublicKey.from_public_bytes(raw)
