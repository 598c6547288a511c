"""Who is in the federation: what of `federation.toml` is believed, and which words say what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from renkei_chassis.courier import generate_user_key
from renkei_chassis.errors import SettingsError
from renkei_chassis.identity import IssuerKind, TrustFile, generate, public_text
from renkei_chassis.settings import undescribed
from renkei_exchange.federation import Agency, Federation, load_federation, peer_issuers
from renkei_exchange.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def described(number: int, **changed: str) -> dict[str, str]:
    return {
        "name": f"agencies/jp-{number}",
        "display_name": "千葉県警察",
        "display_name_en": "Chiba Prefectural Police",
        "contact_desk": "情報分析課",
        "exchange_address": f"127.0.0.1:{15_000 + number}",
        "nats_url": f"nats://127.0.0.1:{16_000 + number}",
        "exchange_public_key": public_text(generate()),
        "nats_public_nkey": generate_user_key().public,
        **changed,
    }


def as_toml(*agencies: dict[str, str]) -> str:
    return "\n".join(
        "[[agencies]]\n" + "\n".join(f'{key} = "{value}"' for key, value in agency.items()) for agency in agencies
    )


def test_a_federation_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "federation.toml"
    path.write_text(as_toml(described(13), described(12)), encoding="utf-8")

    federation = load_federation(path)

    assert federation.names() == ["agencies/jp-12", "agencies/jp-13"]
    assert federation.peers_of("agencies/jp-12").keys() == {"agencies/jp-13"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "chiba"),
        ("name", "agencies/JP-12"),
        ("name", "agencies/jp-12/tips/1"),
        ("display_name", ""),
        ("contact_desk", "x" * 201),
        ("exchange_address", "192.0.2.1:15012"),
        ("exchange_address", "exchange.example:15012"),
        ("exchange_address", "127.0.0.1"),
        ("exchange_address", "127.0.0.1:0"),
        ("exchange_address", "127.0.0.1:65536"),
        ("nats_url", "nats://192.0.2.1:16012"),
        ("nats_url", "tls://127.0.0.1:16012"),
        ("nats_url", "nats://somebody:secret@127.0.0.1:16012"),
        ("nats_url", "nats://127.0.0.1:16012/path"),
        ("nats_url", "nats://127.0.0.1"),
        ("nats_url", "nats://127.0.0.1:99999"),
        ("nats_url", "nats://127.0.0.1:word"),
        ("exchange_public_key", "secret-that-is-no-key"),
        ("exchange_public_key", "A" * 43),
        ("nats_public_nkey", "SUAMRGLPYZUPVNVKF7ZMHJXY2KQ5QTMVQCXMJNGKKJOG7WZPXH7YK6KEMM"),
    ],
)
def test_what_is_wrong_with_an_agency_is_named_and_not_repeated(tmp_path: Path, field: str, value: str) -> None:
    path = tmp_path / "federation.toml"
    path.write_text(as_toml(described(12), described(13, **{field: value})), encoding="utf-8")

    with pytest.raises(SettingsError) as refusal:
        load_federation(path)

    assert f"agencies.1.{field}" in str(refusal.value)
    assert "federation.toml" in str(refusal.value)
    assert not value or value not in str(refusal.value)


@pytest.mark.parametrize("field", ["name", "exchange_address", "nats_url", "exchange_public_key", "nats_public_nkey"])
def test_no_two_agencies_share_a_name_an_address_or_a_key(field: str) -> None:
    """With one key for two agencies each could read the other's lane."""
    first, second = described(12), described(13)
    second[field] = first[field]

    with pytest.raises(ValidationError, match=field):
        Federation(agencies=(Agency(**first), Agency(**second)))


def test_a_key_that_is_missing_and_one_that_is_unknown_are_named(tmp_path: Path) -> None:
    agency = described(12, telephone="110")
    del agency["contact_desk"]
    path = tmp_path / "federation.toml"
    path.write_text(as_toml(agency), encoding="utf-8")

    with pytest.raises(SettingsError) as refusal:
        load_federation(path)

    assert "contact_desk" in str(refusal.value)
    assert "telephone" in str(refusal.value)


def test_a_node_that_is_no_member_is_told_so() -> None:
    federation = Federation(agencies=(Agency(**described(12)),))

    with pytest.raises(SettingsError, match="agencies/jp-13"):
        federation.peers_of("agencies/jp-13")


def test_every_peer_is_believed_as_a_peer_and_we_are_not() -> None:
    federation = Federation(agencies=(Agency(**described(12)), Agency(**described(13))))

    trust = TrustFile().merged(peer_issuers(federation, "agencies/jp-12"))

    found: list[Any] = [(issuer.issuer, issuer.kind) for issuer in trust.issuers]
    assert found == [("agencies/jp-13/services/exchange", IssuerKind.PEER)]


def test_every_setting_says_what_it_is_for() -> None:
    assert undescribed(Settings) == []
    assert undescribed(Agency) == []
