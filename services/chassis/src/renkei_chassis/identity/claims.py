"""What a token says, read by rules that trust no type, no time and no role of it."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.clock import from_us
from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity.principal import PEER_ROLE, RESERVED_ROLES, SERVICE_ROLE, Principal, PrincipalKind
from renkei_chassis.identity.tokens import CLAIMS
from renkei_chassis.identity.trust import IssuerKind
from renkei_chassis.resource_names import OFFICER

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_MAX_ROLES: Final = 32
_MAX_NAME: Final = 256
_LAST_SECOND: Final = 253_402_300_799  # the year 9999: what a datetime can hold
_ROLE: Final = re.compile(r"[A-Z][A-Z_]{0,31}")
_TOKEN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_KINDS: Final = {
    IssuerKind.NODE: PrincipalKind.OFFICER,
    IssuerKind.SERVICE: PrincipalKind.SERVICE,
    IssuerKind.PEER: PrincipalKind.PEER,
}
_ONLY_ROLE: Final = {
    IssuerKind.SERVICE: frozenset({SERVICE_ROLE}),
    IssuerKind.PEER: frozenset({PEER_ROLE}),
}


class TokenReason(enum.StrEnum):
    """Why a token is not believed."""

    MISSING = "TOKEN_MISSING"
    MALFORMED = "TOKEN_MALFORMED"
    EXPIRED = "TOKEN_EXPIRED"
    NOT_YET_VALID = "TOKEN_NOT_YET_VALID"
    WRONG_AUDIENCE = "TOKEN_WRONG_AUDIENCE"
    UNTRUSTED_ISSUER = "TOKEN_UNTRUSTED_ISSUER"
    BAD_SIGNATURE = "TOKEN_BAD_SIGNATURE"
    ROLE_NOT_ALLOWED = "TOKEN_ROLE_NOT_ALLOWED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """An issuer as the verifier uses it."""

    issuer: str
    kind: IssuerKind
    agency: str
    key: Ed25519PublicKey
    longest_life: int
    """From `iat` to `exp`, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """What a token says once its signature held. Audience and times are looked at on every use."""

    audience: str
    issued: int
    not_before: int
    expires: int
    principal: Principal


def read(payload: bytes, trusted: Trusted) -> Believed:
    """Read the claims of a token whose signature held, or raise Unauthenticated."""
    claims = _object(payload)
    # A claim we do not know may be one that narrows the token: refuse, never overlook.
    if claims.keys() != CLAIMS:
        raise malformed("the token has a claim too many or too few")
    if claims["iss"] != trusted.issuer:
        raise malformed("the token's key belongs to another issuer", claim="iss")
    if claims["agency"] != trusted.agency:
        raise malformed("the issuer speaks for another agency", claim="agency")
    audience, subject, token_id = (_text(claims, name) for name in ("aud", "sub", "jti"))
    issued, not_before, expires = (_seconds(claims, name) for name in ("iat", "nbf", "exp"))
    if not issued <= not_before <= expires:
        raise malformed("the token's times contradict each other", claim="nbf")
    if expires - issued > trusted.longest_life:
        raise malformed("the token lives longer than its kind may", claim="exp")
    if _TOKEN_ID.fullmatch(token_id) is None:
        raise malformed("the token's id is not one", claim="jti")
    _check_subject(subject, trusted)
    roles = _roles(claims)
    _check_roles(roles, trusted.kind)
    principal = Principal(
        subject=subject,
        agency=trusted.agency,
        roles=roles,
        kind=_KINDS[trusted.kind],
        token_id=token_id,
        expire_time=from_us(expires * 1_000_000),
    )
    return Believed(
        audience=audience,
        issued=issued,
        not_before=not_before,
        expires=expires,
        principal=principal,
    )


def malformed(message: str, *, claim: str = "") -> Unauthenticated:
    """Make the error for a token that breaks a rule of form; `claim` names the one to blame."""
    return Unauthenticated(TokenReason.MALFORMED, message, metadata={"claim": claim} if claim else None)


def _object(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload.decode())
    except (ValueError, RecursionError):
        raise malformed("the token's claims cannot be read") from None
    if not isinstance(claims, dict):
        raise malformed("the token's claims are not an object")
    return claims


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims[name]
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_NAME:
        raise malformed(f"the claim {name} is not a text of sensible length", claim=name)
    return value


def _seconds(claims: dict[str, Any], name: str) -> int:
    value = claims[name]
    # `type`, not isinstance: True is an int for Python, and 1e308 must not reach a datetime.
    if type(value) is not int or not 0 <= value <= _LAST_SECOND:
        raise malformed(f"the claim {name} is not a whole number of seconds", claim=name)
    return value


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    value = claims["roles"]
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_ROLES:
        raise malformed("the claim roles is not a short list", claim="roles")
    if not all(isinstance(role, str) and _ROLE.fullmatch(role) for role in value):
        raise malformed("the claim roles holds something that is no role", claim="roles")
    return frozenset(value)


def _check_subject(subject: str, trusted: Trusted) -> None:
    if trusted.kind is IssuerKind.NODE:
        if not OFFICER.matches(subject) or not subject.startswith(f"{trusted.agency}/"):
            raise malformed("the subject is not an officer of the agency", claim="sub")
    elif subject != trusted.issuer:
        raise malformed("a service speaks for itself only", claim="sub")


def _check_roles(roles: frozenset[str], kind: IssuerKind) -> None:
    only = _ONLY_ROLE.get(kind)
    if roles.isdisjoint(RESERVED_ROLES) if only is None else roles == only:
        return
    raise Unauthenticated(
        TokenReason.ROLE_NOT_ALLOWED,
        "the token claims a role that its issuer cannot give",
        metadata={"claim": "roles"},
    )
