"""A floor: a durable create without guards. The same rows in the same tables, by plain SQL, in plain commit groups.

No authentication, permission, validation, normal form, answer of its own or line of log; it gives back what came.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from renkei_chassis.database.engine import Database, Owner
from renkei_tips.store import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE: Final = "bench.Create"
PATH: Final = f"/{SERVICE}/Create"
_STATEMENTS: Final = (
    "INSERT INTO tip (id, version, state, category, case_reference, create_time_us, content) VALUES (?,1,1,2,'x',?,?)",
    "INSERT INTO tip_identifier (record_id, ordinal, type, search_key) VALUES (?,0,3,'renkei_demo_01')",
    "INSERT INTO renkei_request (request_id, hash, resource, version, time_us) VALUES (?,?,?,1,?)",
    """INSERT INTO renkei_event (sequence, event_id, origin_agency, time_us, type, resource, digest, erased, envelope)
    VALUES (?,?,'',?,'renkei.tips.v1.TipRecorded',?,?,0,x'')""",
    "INSERT INTO renkei_payload (sequence, salt, data) VALUES (?,?,?)",
)
_PACK: Final = "INSERT INTO renkei_pack (number, first_sequence, last_sequence) VALUES (?,?,?)"


class Creates:
    """Takes all that wait, puts their rows in and commits."""

    def __init__(self, path: Path) -> None:
        """Make the tables that the service has, and open them with the same settings."""
        database = Database.open(path, owner=Owner(agency="agencies/jp-12", service="tips"), schema=SCHEMA)
        database.close()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=4000", "cache_size=-16384"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._sequence = self._pack = 0

    async def create(self, request: bytes, _context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Answer after the commit."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        self._wake.set()
        await future
        return request

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
        self._thread.shutdown()

    async def work(self) -> None:
        """Commit group after group, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            await asyncio.sleep(0)
            self._wake.clear()
            group, self._waiting = self._waiting, []
            await loop.run_in_executor(self._thread, self.commit, [request for request, _ in group])
            for _, future in group:
                if not future.done():
                    future.set_result(None)

    def commit(self, requests: Sequence[bytes]) -> None:
        """Put the rows of all in, an executemany a table, and commit."""
        now = time.time_ns() // 1000
        first = self._sequence + 1
        self._sequence += len(requests)
        self._pack += 1
        ids = [os.urandom(16) for _ in requests]
        names = [f"agencies/jp-12/tips/{each.hex()}" for each in ids]
        numbers = range(first, self._sequence + 1)
        rows: list[list[tuple[object, ...]]] = [
            [(key, now, request) for key, request in zip(ids, requests, strict=True)],
            [(key,) for key in ids],
            [(key, key + key, name, now) for key, name in zip(ids, names, strict=True)],
            [(number, key, now, name, key + key) for number, key, name in zip(numbers, ids, names, strict=True)],
            [(number, key, request) for number, key, request in zip(numbers, ids, requests, strict=True)],
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, each in zip(_STATEMENTS, rows, strict=True):
            self._connection.executemany(statement, each)
        self._connection.execute(_PACK, (self._pack, first, self._sequence))
        self._connection.execute("COMMIT")


async def main(port: int, path: Path) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    creates = Creates(path)
    work = asyncio.create_task(creates.work())
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Create": grpc.unary_unary_rpc_method_handler(creates.create)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await stop.wait()
    await server.stop(1)
    work.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
