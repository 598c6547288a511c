"""Whether a token is believed: length, header, issuer, signature, claims, use. Every refusal has a reason.

A refusal never repeats anything of the token. Where a claim is to blame, `metadata["claim"]` names it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidSignatureError, PyJWTError

from renkei_chassis.clock import EPOCH
from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity.claims import Believed, TokenReason, Trusted, malformed, read
from renkei_chassis.identity.keys import public_from_text
from renkei_chassis.identity.tokens import ALGORITHM, TYPE_HEADER, Lives
from renkei_chassis.identity.trust import IssuerKind

if TYPE_CHECKING:
    from datetime import datetime

    from renkei_chassis.identity.principal import Principal
    from renkei_chassis.identity.trust import Issuer, TrustFile

MAX_TOKEN_LENGTH: Final = 4096
_HEADERS: Final = frozenset({"alg", "typ", "kid"})
_JWS: Final = PyJWS(algorithms=[ALGORITHM])


class Verifier:
    """Believes tokens made for one agency by the issuers that it trusts.

    Each distinct token has its signature verified. The answer for identical bytes is kept (by their SHA-256, at
    most `remembered` of them, 0 for none) because a service sends the same token for minutes and the signature is
    nearly all of the cost; audience and times are checked on every call all the same. Not for several threads.
    """

    def __init__(
        self,
        *,
        audience: str,
        trust: TrustFile,
        lives: Lives | None = None,
        leeway_seconds: int = 5,
        remembered: int = 4096,
    ) -> None:
        """Take the agency's own name (`agencies/jp-12`) and whom it trusts."""
        self._audience = audience
        self._lives = lives or Lives()
        self._leeway = leeway_seconds
        self._remembered = remembered
        self._memo: dict[bytes, Believed] = {}
        self._issuers: dict[str, Trusted] = {}
        self.replace_trust(trust)

    def replace_trust(self, trust: TrustFile) -> None:
        """Trust these issuers and no others from now on; forget every token believed so far.

        Raise ValueError when an issuer vouches for the wrong agency: NODE and SERVICE must be of this one, PEER of
        another. (Else a peer would be let in as ourselves.)
        """
        issuers: dict[str, Trusted] = {}
        for issuer in trust.issuers:
            self._refuse_wrong_agency(issuer)
            issuers[issuer.issuer] = Trusted(
                issuer=issuer.issuer,
                kind=issuer.kind,
                agency=issuer.agency,
                key=public_from_text(issuer.public_key),
                longest_life=self._lives.of(issuer.kind),
            )
        self._issuers = issuers
        self._memo = {}

    def verify(self, token: str | None, now: datetime) -> Principal:
        """Tell whom the token speaks for, or raise Unauthenticated with a TokenReason."""
        if not token:
            raise Unauthenticated(TokenReason.MISSING, "the call brought no token")
        # The length comes first: nothing else may be paid for before it.
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise malformed("the token is too long or not ASCII")
        digest = hashlib.sha256(token.encode()).digest()
        believed = self._memo.get(digest)
        if believed is not None:
            self._check_use(believed, now)
            return believed.principal
        believed = self._believe(token)
        self._check_use(believed, now)
        if self._remembered > 0:
            while len(self._memo) >= self._remembered:
                del self._memo[next(iter(self._memo))]  # the oldest: a dict keeps the order of insertion
            self._memo[digest] = believed
        return believed.principal

    def _believe(self, token: str) -> Believed:
        """Verify the signature and read the claims; the use is checked apart."""
        try:
            header = _JWS.get_unverified_header(token)
        except (PyJWTError, ValueError, RecursionError):
            raise malformed("the token cannot be read") from None
        if header.keys() != _HEADERS:  # no `crit`, no `b64`, no key that the token brings itself
            raise malformed("the token's header has a field too many or too few")
        if header["alg"] != ALGORITHM or header["typ"] != TYPE_HEADER:
            raise malformed("the token is of another type or signed in another way")
        issuer = header["kid"]
        trusted = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise Unauthenticated(TokenReason.UNTRUSTED_ISSUER, "nobody we trust issued the token")
        try:
            payload = _JWS.decode_complete(token, trusted.key, algorithms=[ALGORITHM])["payload"]
        except InvalidSignatureError:
            raise Unauthenticated(TokenReason.BAD_SIGNATURE, "the token's signature is wrong") from None
        except (PyJWTError, ValueError, RecursionError):
            raise malformed("the token cannot be read") from None
        return read(payload, trusted)

    def _check_use(self, believed: Believed, now: datetime) -> None:
        seconds = (now - EPOCH).total_seconds()
        if believed.audience != self._audience:
            raise Unauthenticated(TokenReason.WRONG_AUDIENCE, "the token is for another agency")
        if seconds >= believed.expires + self._leeway:
            raise Unauthenticated(TokenReason.EXPIRED, "the token has expired: bring a new one")
        if seconds < max(believed.issued, believed.not_before) - self._leeway:
            raise Unauthenticated(TokenReason.NOT_YET_VALID, "the token is not valid yet: compare clocks")

    def _refuse_wrong_agency(self, issuer: Issuer) -> None:
        if (issuer.agency == self._audience) == (issuer.kind is IssuerKind.PEER):
            raise ValueError(f"{issuer.issuer} cannot be a {issuer.kind.name} of {self._audience}")


def bearer(authorization: str | bytes | None) -> str:
    """Take the token out of an `authorization` header, or raise TOKEN_MISSING or TOKEN_MALFORMED."""
    if not authorization:
        raise Unauthenticated(TokenReason.MISSING, "the call brought no token")
    scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise malformed("the authorization header is not `Bearer <token>`")
    return token
