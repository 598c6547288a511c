"""Make an officer's token with the node's issuer key: for `renkei token`, and for what plays officers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import load_private, mint
from renkei_chassis.ids import uuid7
from renkei_chassis.resource_names import OFFICER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_node.layout import NodeDirectory


def make_token(directory: NodeDirectory, agency: str, officer: str, roles: Iterable[str], *, seconds: int) -> str:
    """Sign a token for `agencies/jp-12/officers/{officer}`. Raises SettingsError where the key may not be used."""
    subject = f"{agency}/officers/{officer}"
    OFFICER.parse(subject, field="officer")
    return sign_token(load_private(directory.issuer_key), agency, subject, roles, seconds=seconds)


def sign_token(issuer: Ed25519PrivateKey, agency: str, subject: str, roles: Iterable[str], *, seconds: int) -> str:
    """Sign a token for an officer by full name, with a key that is there already."""
    return mint(
        issuer,
        issuer=agency,
        subject=subject,
        audience=agency,
        roles=roles,
        now_us=WallClock().now_us(),
        life_seconds=seconds,
        token_id=uuid7(),
    )
