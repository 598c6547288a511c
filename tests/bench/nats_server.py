"""A nats-server with JetStream and no accounts, for figures that compare what runs on it."""

from __future__ import annotations

import asyncio
import sysconfig
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_BINARY: Final = Path(sysconfig.get_path("scripts")) / "nats-server"


@asynccontextmanager
async def nats_server(directory: Path, port: int) -> AsyncIterator[str]:
    """Run one until the block ends; gives its URL."""
    words = ["--addr", "127.0.0.1", "--port", str(port), "--jetstream", "--store_dir", str(directory)]
    child = await asyncio.create_subprocess_exec(
        str(_BINARY), *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: _answers(port))
        yield f"nats://127.0.0.1:{port}"
    finally:
        child.terminate()
        await child.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
