"""A cable that can be pulled: a TCP proxy on loopback that passes, refuses, swallows or delays.

One stands before each directed pair of agencies, for NATS and for gRPC. It needs no rights on the
machine and behaves like the packet filters it stands for: `CUT` refuses new connections and resets
those that are open, `BLACKHOLE` keeps both sides believing and brings nothing through, `DELAY` lets
each chunk of up to 64 KiB wait (so it also narrows the line). `ONE_WAY` brings what the near side says to the
far one, and no answer back.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from enum import StrEnum
from typing import Final

_CHUNK: Final = 64 * 1024
_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 128
# Close with a reset instead of a farewell, as a pulled cable's far end would after its retries.
_RESET: Final = struct.pack("ii", 1, 0)


class Mode(StrEnum):
    """What the proxy does with what it gets."""

    PASS = "pass"  # noqa: S105 (no password)
    CUT = "cut"
    BLACKHOLE = "blackhole"
    ONE_WAY = "one-way"
    DELAY = "delay"


class Proxy:
    """Listens on `port` and connects to `target`, both on loopback. Use it on one event loop."""

    def __init__(self, *, port: int, target: int) -> None:
        """Nothing listens yet; `start` does."""
        self.port = port
        self.target = target
        self.mode = Mode.PASS
        self.connections = 0
        """How many were accepted since the start."""
        self._delay_seconds = 0.0
        self._listener: socket.socket | None = None
        self._arrived: set[socket.socket] = set()
        """Accepted, and not yet in the hands of a task."""
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answering = asyncio.Event()
        self._answering.set()

    async def start(self) -> None:
        """Begin to listen."""
        if self._listener is None:
            listener = socket.create_server((_HOST, self.port), backlog=_BACKLOG)
            listener.settimeout(0)
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)
            self._listener = listener

    async def set_mode(self, mode: Mode, *, delay_seconds: float = 0.0) -> None:
        """Change what happens from now on, to open connections too. What a black hole swallowed comes when it ends."""
        self.mode = mode
        self._delay_seconds = delay_seconds if mode is Mode.DELAY else 0.0
        for event, closes in ((self._flowing, {Mode.BLACKHOLE}), (self._answering, {Mode.BLACKHOLE, Mode.ONE_WAY})):
            if mode in closes:
                event.clear()
            else:
                event.set()
        if mode is Mode.CUT:
            self._stop_listening()
            self._reset_all()
        else:
            await self.start()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._stop_listening()
        self._reset_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sock in self._arrived:
            sock.close()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    def _reset_all(self) -> None:
        for writer in tuple(self._open):
            _reset(writer)

    def _accept(self, listener: socket.socket) -> None:
        # Not asyncio's own server: a connection that it has just taken when it is closed is forgotten, and left open.
        try:
            sock, _ = listener.accept()
        except OSError:  # it went away again
            return
        sock.settimeout(0)
        self.connections += 1
        self._arrived.add(sock)
        task = asyncio.create_task(self._join(sock))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, sock: socket.socket) -> None:
        self._arrived.discard(sock)
        reader, writer = await asyncio.open_connection(sock=sock)
        self._open.add(writer)
        far: asyncio.StreamWriter | None = None
        farewell = False
        try:
            await self._flowing.wait()
            far_reader, far = await asyncio.open_connection(_HOST, self.target)
            self._open.add(far)
            if self.mode is not Mode.CUT:
                await self._both_ways(reader, writer, far_reader, far)
                farewell = True  # what is on its way still arrives
        except* OSError:
            pass  # the far side is down or either side went away: the other one sees its connection reset
        finally:
            for each in (writer, far):
                if each is not None:
                    self._open.discard(each)
                    if farewell:
                        each.close()
                    else:
                        _reset(each)

    async def _both_ways(
        self,
        near_reader: asyncio.StreamReader,
        near: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.TaskGroup() as group:  # an error in one direction ends both
            group.create_task(self._pump(near_reader, far, self._flowing))
            group.create_task(self._pump(far_reader, near, self._answering))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, open_way: asyncio.Event) -> None:
        while True:
            chunk = await reader.read(_CHUNK)
            await open_way.wait()
            if self._delay_seconds:
                await asyncio.sleep(self._delay_seconds)
            if not chunk:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket | None = writer.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
