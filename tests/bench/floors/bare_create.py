"""A floor: a durable create without guards. The same rows in the same tables, by plain SQL, in plain commit groups.

No authentication, permission, validation, normal form, answer of its own or line of log; it gives back what came.
`python -m tests.bench.floors.bare_create PORT FILE`, or a PostgreSQL database in place of the file.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import grpc

from renkei_chassis.database.postgresql.url import PostgresUrl
from tests.bench.floors.bare_rows import Groups, make_tables

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

SERVICE: Final = "bench.Create"
PATH: Final = f"/{SERVICE}/Create"


class Creates:
    """Puts groups into a file."""

    def __init__(self, path: Path) -> None:
        """Make the tables that the service has, and open them with the same settings."""
        make_tables(path)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000", "cache_size=-16384"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._thread = ThreadPoolExecutor(1)
        self._groups = Groups()

    async def put(self, requests: Sequence[bytes]) -> None:
        """Commit on the thread that writes."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.commit, requests)

    def commit(self, requests: Sequence[bytes]) -> None:
        """Put the rows of all in, an executemany a table, and commit."""
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in self._groups.rows(requests):
            self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
        self._thread.shutdown()


class PostgresCreates:
    """Puts groups into a PostgreSQL database."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        """Take a connection to a database with the service's tables."""
        self._connection = connection
        self._groups = Groups()

    async def put(self, requests: Sequence[bytes]) -> None:
        """Put the rows of all in, an executemany a table, and commit."""
        async with self._connection.transaction():
            for statement, rows in self._groups.rows(requests):
                await self._connection.executemany(_numbered(statement), rows)


def _numbered(statement: str) -> str:
    numbers = itertools.count(1)
    return re.sub(r"\?", lambda _found: f"${next(numbers)}", statement)


class Server:
    """Takes all that wait, has them put in, and answers."""

    def __init__(self, put: Callable[[Sequence[bytes]], Awaitable[None]]) -> None:
        """Take what commits a group."""
        self._put = put
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def create(self, request: bytes, _context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Answer after the commit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._wake.set()
        await future
        return request

    async def work(self) -> None:
        """Commit group after group, for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)
            self._wake.clear()
            group, self._waiting = self._waiting, []
            await self._put([request for request, _ in group])
            for _, future in group:
                if not future.done():
                    future.set_result(None)


async def main(port: int, where: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    creates: Creates | PostgresCreates
    if where.startswith("postgresql://"):
        await asyncio.to_thread(make_tables, PostgresUrl.parse(where))
        creates = PostgresCreates(await asyncpg.connect(where))
    else:
        creates = Creates(Path(where))
    serving = Server(creates.put)
    work = asyncio.create_task(serving.work())
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Create": grpc.unary_unary_rpc_method_handler(serving.create)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, work}, return_when=asyncio.FIRST_COMPLETED)
    await server.stop(1)
    if work.done():
        work.result()  # it only ends by failing
    work.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
