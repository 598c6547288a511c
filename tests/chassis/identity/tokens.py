"""Tokens as the tests want them: right ones from real keys, and wrong ones that no minter would make."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import to_us
from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, Verifier, generate, public_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOW = datetime(2024, 8, 1, 9, 0, tzinfo=UTC)
SECOND = to_us(NOW) // 1_000_000
AGENCY = "agencies/jp-12"
SERVICE = "agencies/jp-12/services/tips"
PEER = "agencies/jp-09/services/exchange"
OFFICER = "agencies/jp-12/officers/sato"


@dataclass(kw_only=True)
class Agency:
    """One node's keys: its issuer's, one service's, and those of a peer's exchange that it trusts."""

    node: Ed25519PrivateKey = field(default_factory=generate)
    service: Ed25519PrivateKey = field(default_factory=generate)
    peer: Ed25519PrivateKey = field(default_factory=generate)

    def trust(self) -> TrustFile:
        return TrustFile(
            issuers=(
                Issuer(issuer=AGENCY, kind=IssuerKind.NODE, public_key=public_text(self.node)),
                Issuer(issuer=SERVICE, kind=IssuerKind.SERVICE, public_key=public_text(self.service)),
                Issuer(issuer=PEER, kind=IssuerKind.PEER, public_key=public_text(self.peer)),
            )
        )

    def verifier(self, *, leeway_seconds: int = 5, remembered: int = 4096) -> Verifier:
        return Verifier(audience=AGENCY, trust=self.trust(), leeway_seconds=leeway_seconds, remembered=remembered)

    def officer(self, header: Mapping[str, object] | None = None, /, **claims: object) -> str:
        given = {"iss": AGENCY, "sub": OFFICER, "agency": AGENCY, "roles": ["ANALYST"], **claims}
        return token(self.node, {"kid": AGENCY, **(header or {})}, given)

    def of_service(self, **claims: object) -> str:
        given = {"iss": SERVICE, "sub": SERVICE, "agency": AGENCY, "roles": ["SERVICE"], **claims}
        return token(self.service, {"kid": SERVICE}, given)

    def of_peer(self, **claims: object) -> str:
        given = {"iss": PEER, "sub": PEER, "agency": "agencies/jp-09", "roles": ["PEER"], **claims}
        return token(self.peer, {"kid": PEER}, given)


def token(key: Ed25519PrivateKey, header: Mapping[str, object], claims: Mapping[str, object] | bytes) -> str:
    """Sign anything. A claim or header that is `None` is left out."""
    if not isinstance(claims, bytes):
        usual = {"aud": AGENCY, "iat": SECOND, "nbf": SECOND, "exp": SECOND + 300, "jti": "a1"}
        claims = json.dumps({name: value for name, value in {**usual, **claims}.items() if value is not None}).encode()
    head = {"alg": "EdDSA", "typ": "renkei+jwt", **header}
    head = {name: value for name, value in head.items() if value is not None}
    signed = f"{encoded(json.dumps(head).encode())}.{encoded(claims)}"
    return f"{signed}.{encoded(key.sign(signed.encode()))}"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


HOME = Agency()
VERIFIER = HOME.verifier()


def refused_for(text: str | None, verifier: Verifier = VERIFIER, *, after_seconds: float = 0) -> tuple[str, str]:
    """Give reason and blamed claim of the refusal, which must be Unauthenticated and nothing else."""
    with pytest.raises(Unauthenticated) as refused:
        verifier.verify(text, NOW + timedelta(seconds=after_seconds))
    return refused.value.reason, refused.value.metadata.get("claim", "")
