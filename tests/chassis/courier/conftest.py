"""Servers that never outlive their test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from tests.chassis.courier.servers import BreakableServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def port() -> Iterator[int]:
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
async def idle_server(tmp_path: Path, port: int) -> AsyncIterator[BreakableServer]:
    """A server that is not started yet."""
    server = BreakableServer(tmp_path / "nats", port)
    yield server
    await server.kill()


@pytest.fixture
async def server(idle_server: BreakableServer) -> BreakableServer:
    await idle_server.start()
    return idle_server
