"""Ask a running desk for a one-time link, over the TLS that its own certificate vouches for."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_node.officer_token import make_token
from renkei_node.officers import check_roles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_node.layout import NodeDirectory

_TOKEN_SECONDS: Final = 15 * 60
_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05


class DeskAwayError(Exception):
    """No desk answers, or it gives no link; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLink:
    """Where an officer goes in, and the certificate that their browser will show."""

    url: str
    fingerprint: str


def make_link(directory: NodeDirectory, agency: str, port: int, *, officer: str, roles: Sequence[str]) -> DeskLink:
    """Make it. Blocks for a desk that is only starting; raises DeskAwayError where none answers.

    Raises NotAllowed for a role that the officer has not.
    """
    check_roles(directory.officers, officer, roles)
    token = make_token(directory, agency, officer, roles, seconds=_TOKEN_SECONDS)
    certificate = directory.data / "desk-certificate.pem"
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return _ask(ssl.create_default_context(cafile=certificate), port, token)
        except OSError:
            if time.monotonic() > end:
                raise DeskAwayError("the desk does not answer: is the node running?") from None
        time.sleep(_POLL_SECONDS)


def _ask(context: ssl.SSLContext, port: int, token: str) -> DeskLink:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=_WAIT_SECONDS)
    try:
        connection.request("POST", "/links", headers={"authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        content = answer.read()
        presented = connection.sock.getpeercert(binary_form=True) or b""
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise DeskAwayError(f"the desk answered with status {answer.status}")
    return DeskLink(url=f"https://127.0.0.1:{port}{json.loads(content)['path']}", fingerprint=_fingerprint(presented))


def _fingerprint(certificate: bytes) -> str:
    return hashlib.sha256(certificate).digest().hex(":")
