"""Our keys are the keys that NATS means, and a secret one stays secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from renkei_chassis.courier import (
    InvalidKeyError,
    generate_user_key,
    is_user_public_key,
    load_user_key,
    save_user_key,
    user_key_from_seed,
)

if TYPE_CHECKING:
    from pathlib import Path

# From the documentation of nkeys: a pair that other implementations agree on.
_SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
_PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def test_a_seed_gives_the_public_key_that_other_implementations_give() -> None:
    assert user_key_from_seed(_SEED).public == _PUBLIC


def test_a_fresh_key_survives_its_own_seed() -> None:
    key = generate_user_key()

    assert user_key_from_seed(key.seed).public == key.public
    assert is_user_public_key(key.public)


def test_a_signature_verifies_under_the_public_key() -> None:
    key = generate_user_key(bytes(range(32)))
    raw = base64.b32decode(key.public)[1:33]

    signature = base64.urlsafe_b64decode(key.sign("nonce") + b"==")

    Ed25519PublicKey.from_public_bytes(raw).verify(signature, b"nonce")


@pytest.mark.parametrize(
    "text",
    ["", "U", _SEED, _PUBLIC.lower(), _PUBLIC[:-1] + "A", "A" + _PUBLIC[1:], _PUBLIC + " ", 'U" } ] }', _PUBLIC * 2],
)
def test_what_is_no_public_user_key_is_told_apart(text: str) -> None:
    assert not is_user_public_key(text)


@pytest.mark.parametrize("text", ["", _PUBLIC, _SEED[:-1] + "A", "秘密", "SU" * 29])
def test_what_is_no_seed_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        user_key_from_seed(text)

    assert not text or text not in str(caught.value)


def test_a_key_never_shows_its_seed() -> None:
    key = generate_user_key()

    assert key.seed not in repr(key)


def test_a_saved_key_is_its_owners_alone_and_is_never_replaced(tmp_path: Path) -> None:
    key, path = generate_user_key(), tmp_path / "nats.key"

    save_user_key(key, path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert load_user_key(path).public == key.public
    with pytest.raises(FileExistsError):
        save_user_key(generate_user_key(), path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nats.key"
    save_user_key(generate_user_key(), path)
    path.chmod(0o640)

    with pytest.raises(InvalidKeyError, match="chmod 600"):
        load_user_key(path)


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nats.key"
    path.touch(mode=0o600)
    path.write_text(_PUBLIC, encoding="ascii")

    with pytest.raises(InvalidKeyError, match="holds no user key"):
        load_user_key(path)
