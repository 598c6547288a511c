"""`/metrics` for a whole node: the registries of its services in one page, on a loopback port.

Just enough HTTP for a scraper: one GET a connection, a bounded request head, five seconds. Numbers hold no contents,
but they tell how much is going on; so the port is bound to loopback, and a page of some web site that a browser on this
machine has open cannot read them either (`Host` must be a loopback name).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric

from renkei_chassis.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from renkei_chassis.telemetry.metrics import Metrics

_MAX_HEAD: Final = 8192
_SECONDS: Final = 5.0
_CONNECTIONS: Final = 16


class _Together:
    """All families of all services, each sample with its service's name. Looks like a registry to the writer."""

    def __init__(self, services: Iterable[Metrics]) -> None:
        self._services = tuple(services)

    def collect(self) -> Iterator[Metric]:
        """Join families of the same name: a page that tells a family twice is refused by Prometheus."""
        families: dict[str, Metric] = {}
        for metrics in self._services:
            for family in metrics.registry.collect():
                joined = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type, family.unit)
                )
                for sample in family.samples:
                    labels = {"service": metrics.service, **sample.labels}
                    joined.samples.append(sample._replace(labels=labels))
        yield from families.values()


def page(services: Iterable[Metrics]) -> bytes:
    """Write the numbers of these services in Prometheus' text form."""
    return generate_latest(_Together(services))


class MetricsServer:
    """Serves `/metrics` of the given services until closed."""

    def __init__(self, services: Iterable[Metrics]) -> None:
        """Take the services; a node hands in all it runs."""
        self._services = tuple(services)
        self._server: asyncio.Server | None = None
        self._open = 0

    async def start(self, host: str, port: int) -> int:
        """Listen on a loopback address, raise ValueError for any other; give the port (for port 0: the one taken)."""
        if not is_loopback(host):
            raise ValueError("metrics are served on loopback only")
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening. A scrape under way ends within its five seconds."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(_SECONDS):
                if self._open > _CONNECTIONS:
                    writer.write(_answer("503 Service Unavailable", b"too many connections\n"))
                else:
                    writer.write(self._respond(await reader.readuntil(b"\r\n\r\n")))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that talks no HTTP is not worth a line
        finally:
            self._open -= 1
            writer.close()

    def _respond(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        hosts = [
            value.strip() for name, _, value in (line.partition(":") for line in lines[1:]) if name.lower() == "host"
        ]
        if len(hosts) != 1 or not is_loopback(_without_port(hosts[0])):
            return _answer("421 Misdirected Request", b"not the host you mean\n")
        if path != "/metrics":
            return _answer("404 Not Found", b"only /metrics is here\n")
        if method != "GET":
            return _answer("405 Method Not Allowed", b"only GET is served\n", "Allow: GET\r\n")
        return _answer("200 OK", page(self._services), content_type=CONTENT_TYPE_LATEST)


def _without_port(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _answer(status: str, body: bytes, extra: str = "", *, content_type: str = "text/plain; charset=utf-8") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"X-Content-Type-Options: nosniff\r\n{extra}Connection: close\r\n\r\n"
    )
    return head.encode() + body
