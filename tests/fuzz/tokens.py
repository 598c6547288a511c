"""The target for tokens: whatever is believed was minted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from renkei_chassis.errors import Unauthenticated
from renkei_chassis.identity import bearer
from tests.chassis.identity.tokens import NOW, SECOND, Agency, encoded, token

if TYPE_CHECKING:
    from collections.abc import Iterator


def _key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


_AGENCY: Final = Agency(node=_key(1), service=_key(2), peer=_key(3))
_VERIFIER: Final = _AGENCY.verifier(remembered=0)
_GOOD: Final = (_AGENCY.officer(), _AGENCY.of_service(), _AGENCY.of_peer())
_BELIEVED: Final = {_VERIFIER.verify(text, NOW) for text in _GOOD}


def believe(data: bytes) -> None:
    """Read an authorization header, sign the claims of those that only want a signature, and believe or refuse."""
    text = data.decode("latin-1")
    for given in (text, f"Bearer {text}", data):
        try:
            principal = _VERIFIER.verify(bearer(given), NOW)
        except Unauthenticated:
            continue
        assert principal in _BELIEVED
    signed = token(_key(1), {"kid": "agencies/jp-12"}, data)  # as an issuer who writes what it likes
    with suppress(Unauthenticated):
        assert _VERIFIER.verify(signed, NOW).agency == "agencies/jp-12"


def seeds() -> Iterator[bytes]:
    yield from (text.encode() for text in _GOOD)
    yield b"Bearer " + _GOOD[0].encode()
    yield (
        b'{"iss":"agencies/jp-12","sub":"agencies/jp-12/officers/sato","agency":"agencies/jp-12","roles":["ANALYST"],'
        b'"aud":"agencies/jp-12","iat":%d,"nbf":%d,"exp":%d,"jti":"a1"}' % (SECOND, SECOND, SECOND + 300)
    )
    yield b'{"iss":1e308,"exp":-1,"roles":[],"aud":["x"]}'
    head = encoded(b'{"alg":"none","typ":"renkei+jwt","kid":"agencies/jp-12"}')
    yield f"{head}..".encode()
