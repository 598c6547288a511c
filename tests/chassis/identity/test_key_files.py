"""A key file is whole, its owner's alone, and refused when it is not; so is the trust file."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import (
    Issuer,
    IssuerKind,
    TrustFile,
    generate,
    load_private,
    load_trust,
    public_text,
    save_private,
    save_trust,
)
from renkei_chassis.identity.keys import public_from_text
from tests.chassis.identity.tokens import AGENCY, PEER, Agency

if TYPE_CHECKING:
    from pathlib import Path


def _place(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o601, 0o610, 0o666, 0o660])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tips.key"
    save_private(path, generate())
    path.chmod(mode)

    with pytest.raises(SettingsError, match="0600"):
        load_private(path)


def test_a_symbolic_link_is_no_key_file(tmp_path: Path) -> None:
    save_private(tmp_path / "real.key", generate())
    (tmp_path / "tips.key").symlink_to(tmp_path / "real.key")

    with pytest.raises(SettingsError, match="cannot open"):
        load_private(tmp_path / "tips.key")


def test_a_pipe_is_no_key_file_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tips.key", 0o600)

    with pytest.raises(SettingsError, match="regular"):
        load_private(tmp_path / "tips.key")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"tips\.key: cannot open"):
        load_private(tmp_path / "tips.key")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tips.key"
    save_private(path, generate())
    os.chown(path, 12345, 12345)

    with pytest.raises(SettingsError, match="another user"):
        load_private(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a key", id="text"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", id="broken"),
        pytest.param(b"a" * 5000, id="too long"),
        pytest.param(
            generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            id="another algorithm",
        ),
        pytest.param(
            generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
            id="with a passphrase",
        ),
    ],
)
def test_a_file_that_holds_no_key_of_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError, match=r"tips\.key"):
        load_private(_place(tmp_path / "tips.key", content))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """A lost key cannot be brought back."""
    path, first = tmp_path / "tips.key", generate()
    save_private(path, first)

    with pytest.raises(FileExistsError):
        save_private(path, generate())

    assert public_text(load_private(path)) == public_text(first)
    assert [one.name for one in tmp_path.iterdir()] == ["tips.key"]


def test_a_saved_key_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_private(tmp_path / "tips.key", generate())
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "tips.key").stat().st_mode) == 0o600


def test_a_saved_key_loads_back(tmp_path: Path) -> None:
    key = generate()
    save_private(tmp_path / "tips.key", key)

    assert load_private(tmp_path / "tips.key").private_bytes_raw() == key.private_bytes_raw()


def test_a_public_key_has_one_spelling() -> None:
    text = public_text(generate())

    assert public_text(public_from_text(text)) == text
    assert len(text) == 43
    for wrong in (
        text + "=",
        text[:-1],
        text + "A",
        " " + text,
        text + "\n",
        "あ" * 43,
        "",
        text.replace(text[0], "+", 1),
    ):
        with pytest.raises(ValueError, match="base64url"):
            public_from_text(wrong)


@pytest.mark.parametrize("text", ["A" * 43, "AQ" + "A" * 41])
def test_a_key_under_which_anybody_can_sign_is_refused(text: str) -> None:
    """All zeros is what a form holds before somebody fills it in."""
    with pytest.raises(ValueError, match="anybody"):
        public_from_text(text)


def _issuer(**changes: object) -> dict[str, object]:
    return {"issuer": AGENCY, "kind": "NODE", "public_key": public_text(generate()), **changes}


@pytest.mark.parametrize(
    ("issuers", "complaint"),
    [
        ([_issuer(), _issuer()], "an issuer stands twice"),
        (
            [_issuer(public_key=(same := public_text(generate()))), _issuer(issuer=PEER, kind="PEER", public_key=same)],
            "a key stands twice",
        ),
        ([_issuer(public_key="A" * 43)], r"issuers\.0\.public_key"),
        ([_issuer(public_key="")], r"issuers\.0\.public_key"),
        ([_issuer(kind="ROOT")], r"issuers\.0\.kind"),
        ([_issuer(kind="SERVICE")], "has no name"),
        ([_issuer(issuer=PEER)], "has no name"),
        ([_issuer(issuer="agencies/jp-12\n")], "has no name"),
        ([_issuer(more=1)], r"issuers\.0\.more"),
        ([{"issuer": AGENCY}], r"issuers\.0\.kind"),
        (7, "issuers"),
    ],
)
def test_a_trust_file_that_is_wrong_is_refused_by_place(tmp_path: Path, issuers: object, complaint: str) -> None:
    path = _place(tmp_path / "trust.json", json.dumps({"issuers": issuers}).encode(), 0o644)

    with pytest.raises(SettingsError, match=complaint) as refused:
        load_trust(path)

    assert str(refused.value).startswith(str(path))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"more": 1}', b"\xff", b" " * ((1 << 20) + 1)])
def test_a_trust_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingsError, match=r"trust\.json"):
        load_trust(_place(tmp_path / "trust.json", content, 0o644))


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_trust_file_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    save_trust(tmp_path / "trust.json", Agency().trust())
    (tmp_path / "trust.json").chmod(mode)

    with pytest.raises(SettingsError, match="only its owner"):
        load_trust(tmp_path / "trust.json")


def test_a_trust_file_behind_a_link_is_refused(tmp_path: Path) -> None:
    save_trust(tmp_path / "real.json", Agency().trust())
    (tmp_path / "trust.json").symlink_to(tmp_path / "real.json")

    with pytest.raises(SettingsError, match="cannot open"):
        load_trust(tmp_path / "trust.json")


def test_a_trust_file_is_replaced_whole(tmp_path: Path) -> None:
    path, trust = tmp_path / "trust.json", Agency().trust()
    save_trust(path, TrustFile())

    save_trust(path, trust)

    assert load_trust(path) == trust
    assert [one.name for one in tmp_path.iterdir()] == ["trust.json"]


def test_peers_are_merged_but_replace_nobody() -> None:
    home = Agency()
    trust = TrustFile(issuers=home.trust().issuers[:2])
    peer = Issuer(issuer=PEER, kind=IssuerKind.PEER, public_key=public_text(home.peer))

    assert trust.merged([peer]) == home.trust()
    with pytest.raises(SettingsError, match="twice"):
        trust.merged([peer, peer])
