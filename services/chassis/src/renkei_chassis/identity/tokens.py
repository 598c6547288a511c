"""Short signed tokens: what stands in one, and how one is made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jwt.api_jws import PyJWS

from renkei_chassis.identity.trust import IssuerKind
from renkei_chassis.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_chassis.clock import Clock

ALGORITHM: Final = "EdDSA"
TYPE_HEADER: Final = "renkei+jwt"
CLAIMS: Final = frozenset({"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "agency", "roles"})
_JWS: Final = PyJWS(algorithms=[ALGORITHM])
_MAX_KEPT: Final = 256
_SERVICE_LIFE: Final = 5 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """How long a token of each kind of issuer may live, from `iat` to `exp`, in seconds."""

    node: int = 15 * 60
    service: int = _SERVICE_LIFE
    peer: int = _SERVICE_LIFE

    def of(self, kind: IssuerKind) -> int:
        """Tell the longest life for one kind."""
        match kind:
            case IssuerKind.NODE:
                return self.node
            case IssuerKind.SERVICE:
                return self.service
            case IssuerKind.PEER:
                return self.peer


def mint(
    key: Ed25519PrivateKey,
    *,
    issuer: str,
    subject: str,
    audience: str,
    roles: Iterable[str],
    now_us: int,
    life_seconds: int,
    token_id: UUID,
) -> str:
    """Sign a token. All names are resource names; the agency is the issuer's.

    Nothing is checked here: a token that says too much is refused by the verifier.
    """
    issued = now_us // 1_000_000
    claims = {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": issued,
        "nbf": issued,
        "exp": issued + life_seconds,
        "jti": str(token_id),
        "agency": "/".join(issuer.split("/", 2)[:2]),
        "roles": sorted(roles),
    }
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return _JWS.encode(payload, key, algorithm=ALGORITHM, headers={"typ": TYPE_HEADER, "kid": issuer})


class Minter:
    """A service's own tokens: one for each audience, kept until a third of its life is left."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        *,
        issuer: str,
        role: str,
        clock: Clock,
        life_seconds: int = _SERVICE_LIFE,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Take the service's key and name (`agencies/jp-12/services/tips`), and its one role."""
        self._key = key
        self._issuer = issuer
        self._role = role
        self._clock = clock
        self._life_seconds = life_seconds
        self._new_id = new_id
        self._kept: dict[str, tuple[str, int]] = {}

    def token(self, audience: str) -> str:
        """Give a token for the agency that is called, fresh enough to be used at once."""
        now_us = self._clock.now_us()
        kept = self._kept.get(audience)
        if kept is not None:
            age_us = now_us - kept[1]
            # A negative age is a clock that was put back: such a token would be "not yet valid".
            if 0 <= age_us < self._life_seconds * 1_000_000 * 2 // 3:
                return kept[0]
        token = mint(
            self._key,
            issuer=self._issuer,
            subject=self._issuer,
            audience=audience,
            roles=(self._role,),
            now_us=now_us,
            life_seconds=self._life_seconds,
            token_id=self._new_id(),
        )
        if len(self._kept) >= _MAX_KEPT:
            self._kept.clear()
        self._kept[audience] = (token, now_us)
        return token
