"""Serve the pages: HTTP/2 over TLS, on loopback, for as long as the service runs.

The connections are hypercorn's; the listening socket is ours, since only so can it be said how long a browser that
never says goodbye may hold up the end (half a minute by default, for every node with an open tab).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.utils import wrap_app

from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

_MAX_STREAMS: Final = 100
_ENOUGH_REQUESTS: Final = 1_000_000_000  # the default hangs up after 1,000, in the middle of live feeds
_HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 0.5
_LOG: Final = logging.getLogger("renkei.desk")


async def serve(app: ASGIApp, *, port: int, certificate: Path, key: Path, before_end: Callable[[], None]) -> None:
    """Serve until cancelled; nothing is open then. `before_end` ends what else would go on for ever."""
    config = Config()
    config.certfile, config.keyfile = str(certificate), str(key)
    config.alpn_protocols = ["h2", "http/1.1"]
    config.h2_max_concurrent_streams = _MAX_STREAMS
    config.keep_alive_max_requests = _ENOUGH_REQUESTS
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    wrapped = wrap_app(cast("Any", app), config.wsgi_max_body_size, "asgi")
    context = WorkerContext(None)
    loop = asyncio.get_running_loop()
    connections: set[asyncio.Task[None]] = set()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio makes one for each connection)
        connections.add(task)
        try:
            await TCPServer(wrapped, loop, config, context, {}, reader, writer)
        except Exception as error:  # noqa: BLE001 (the outermost of a connection)
            log_event(_LOG, "a connection failed", level=logging.WARNING, error=error)
        finally:
            writer.transport.abort()
            connections.discard(task)

    server = await asyncio.start_server(
        connection,
        "127.0.0.1",
        port,
        ssl=await asyncio.to_thread(config.create_ssl_context),
        ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        ssl_shutdown_timeout=_GOODBYE_SECONDS,
    )
    try:
        await server.serve_forever()
    finally:
        server.close()
        before_end()
        await context.terminated.set()
        if connections:
            await asyncio.wait(connections, timeout=2 * _GOODBYE_SECONDS)
        for task in connections:
            task.cancel()
        if connections:
            await asyncio.wait(connections, timeout=2 * _GOODBYE_SECONDS)
