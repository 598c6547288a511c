"""Make page and resume tokens that only this service can make, and only for the query they were made for.

A token is opaque to its holder: where the next page begins, bound by a MAC to the kind of the token
and to the query. It is not encrypted, so a position holds names, numbers and times, never content.
It stays good as long as the secret does: keep the secret beside the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from renkei_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

Position: TypeAlias = tuple[Any, ...]

INVALID_PAGE_TOKEN: Final = "INVALID_PAGE_TOKEN"  # noqa: S105 (a reason)
INVALID_RESUME_TOKEN: Final = "INVALID_RESUME_TOKEN"  # noqa: S105 (a reason)

# The contract allows 512 characters for a resume token, and never less for a page token.
MAX_TOKEN_CHARACTERS: Final = 512
_MAX_BODY_BYTES: Final = MAX_TOKEN_CHARACTERS // 4 * 3 - 17
_MIN_SECRET_BYTES: Final = 32
_MAC_BYTES: Final = 16
_VERSION: Final = b"\x01"
_TAG: Final = b"renkei-page-token-v1"

# What pages differ in, and a query does not.
_NOT_OF_THE_QUERY: Final = ("page_size", "page_token", "resume_token", "from_start")


class PageTokens:
    """Makes and reads the tokens of one service."""

    def __init__(self, secret: bytes) -> None:
        """Take a secret of at least 32 random bytes, the same over restarts."""
        if len(secret) < _MIN_SECRET_BYTES:
            text = f"a token secret has at least {_MIN_SECRET_BYTES} bytes"
            raise ValueError(text)
        self._secret = secret

    def encode(self, kind: str, query: Message | bytes, position: Sequence[str | int]) -> str:
        """Make the token of a position: a short row of strings and whole numbers.

        `kind` names the method. Of a `query` that is a message, page size and token do not count.
        Raises ValueError if the position is too long for a token.
        """
        body = json.dumps(list(position), ensure_ascii=False, separators=(",", ":")).encode()
        if len(body) > _MAX_BODY_BYTES:
            text = f"the position of a {kind} token has {len(body)} bytes, at most {_MAX_BODY_BYTES} fit"
            raise ValueError(text)
        return urlsafe_b64encode(_VERSION + self._mac(kind, query, body) + body).rstrip(b"=").decode()

    def decode(
        self, kind: str, query: Message | bytes, token: str, *, reason: str = INVALID_PAGE_TOKEN
    ) -> Position | None:
        """Give the position that a token was made of, or None for an empty token.

        Raises InvalidArgument with `reason` (INVALID_PAGE_TOKEN or INVALID_RESUME_TOKEN) for every other
        string that `encode` did not make with this secret for this kind and query.
        """
        if not token:
            return None
        body = self._opened(kind, query, token)
        if body is None:
            raise InvalidArgument(reason, "the token was not made by this server for this query")
        position: list[Any] = json.loads(body)
        return tuple(position)

    def _opened(self, kind: str, query: Message | bytes, token: str) -> bytes | None:
        if len(token) > MAX_TOKEN_CHARACTERS:
            return None
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        # base64 has several spellings of the same bytes; only the one that was given out is good.
        if urlsafe_b64encode(sealed).rstrip(b"=") != token.encode() or not sealed.startswith(_VERSION):
            return None
        mac, body = sealed[1 : 1 + _MAC_BYTES], sealed[1 + _MAC_BYTES :]
        return body if hmac.compare_digest(mac, self._mac(kind, query, body)) else None

    def _mac(self, kind: str, query: Message | bytes, body: bytes) -> bytes:
        mac = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in (_TAG, kind.encode(), _canonical(query), body):
            mac.update(len(part).to_bytes(4, "big") + part)
        return mac.digest()[:_MAC_BYTES]


def _canonical(query: Message | bytes) -> bytes:
    if isinstance(query, bytes):
        return query
    bare = type(query)()
    bare.CopyFrom(query)
    for name in _NOT_OF_THE_QUERY:
        if name in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(name)
    return bare.SerializeToString(deterministic=True)
