"""A real nats-server to break: started, killed, wiped and rolled back at will."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sysconfig
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from renkei_chassis.courier import Connection, Endpoint, Link, UserKey, generate_user_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_BINARY = Path(sysconfig.get_path("scripts")) / "nats-server"
_CONFIGURATION = """
listen: "127.0.0.1:{port}"
server_name: "test"
max_payload: 524288
jetstream {{ store_dir: "{store}", max_memory_store: 16MB, max_file_store: 1GB }}
accounts {{ LOCAL: {{ jetstream: enabled, users: [ {{ nkey: {key} }} ] }} }}
"""


class BreakableServer:
    """One nats-server on a port of its own, and a key that may do everything on it."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self.key = generate_user_key()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def store(self) -> Path:
        return self.directory / "store"

    def endpoint(self, key: UserKey | None = None) -> Endpoint:
        return Endpoint(url=f"nats://127.0.0.1:{self.port}", key=key or self.key, name="test")

    async def start(self) -> None:
        await asyncio.to_thread(self._start)
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def kill(self) -> None:
        """End it as a crash would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Leave its connections open and its mouth shut."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # its last thread takes a moment to stop

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def wipe_store(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self.store, ignore_errors=True)

    async def copy_store(self) -> Path:
        """Keep the store as it is now; it must be stopped."""
        copy = self.directory / "copy"
        await asyncio.to_thread(shutil.copytree, self.store, copy)
        return copy

    async def put_store_back(self, copy: Path) -> None:
        await self.wipe_store()
        await asyncio.to_thread(shutil.copytree, copy, self.store)

    def damage_store(self) -> None:
        """Flip a byte in the middle of a block, and lose the index that would hide it; it must be stopped."""
        (block,) = self.store.rglob("*.blk")
        content = bytearray(block.read_bytes())
        content[len(content) // 2] ^= 0xFF
        block.write_bytes(content)
        for index in self.store.rglob("index.db"):
            index.unlink()

    def _start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        path = self.directory / "nats.conf"
        path.write_text(_CONFIGURATION.format(port=self.port, store=self.store, key=self.key.public), encoding="utf-8")
        with (self.directory / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([_BINARY, "-c", path], stdout=log, stderr=log)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(process.wait, 15)


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something to become true, and fail if it does not."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(connection: Connection) -> AsyncIterator[Connection]:
    """Keep a connection trying for as long as the block lasts."""
    task = asyncio.create_task(connection.run())
    try:
        yield connection
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def linked(server: BreakableServer) -> AsyncIterator[Link]:
    """Give one live link to the server."""
    async with running(Connection(server.endpoint())) as connection, asyncio.timeout(10):
        yield await connection.link()
