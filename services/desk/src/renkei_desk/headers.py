"""What every answer carries, and which requests are not answered: wraps the whole application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 256 * 1024
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000",
}


class Headers:
    """Adds the headers to every answer, and answers no request that was meant for another host."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str]) -> None:
        """Take the names under which this desk may be called; another name is a page elsewhere that reaches in."""
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        body = await _whole(receive)
        if host not in self._hosts:
            await PlainTextResponse("wrong host", status_code=421)(scope, receive, with_headers)
            return
        if body is None:
            await PlainTextResponse("too large", status_code=413)(scope, receive, with_headers)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, with_headers)


async def _whole(receive: Receive) -> bytes | None:
    """Read a request to its end before anything answers it; None for one that is too large.

    The server ends the whole connection, and with it the feeds of all tabs, when a part of a request comes after
    its answer.
    """
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":  # whoever asked is gone
            return bytes(content)
        content += message.get("body", b"")
        if len(content) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(content)
