"""A node under attack: what its memory and its answers to a neighbour do, and what leaks into its refusals."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from tests.attacks.http2 import Raw
from tests.system.federation import Federation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.attacks.http2 import Answer
    from tests.system.federation import Member

MARKER: Final = f"RKATT{uuid.uuid4().hex}"
"""Stands in whatever an attacker sends, and in no answer."""
# Words that only an inside has: of exceptions, of files, of the parts that the server is made of.
_INSIDES: Final = (
    *("Traceback", ".py", "renkei_", "sqlite", "Error(", "/tmp", "/home", "/root"),  # noqa: S108
    tempfile.gettempdir(),
)
_CALLS_BEFORE: Final = 50
_CALLS_AFTER: Final = 50
_MEGABYTE: Final = 1024 * 1024
# What anybody waits for now and then on a busy machine.
_USUAL_SECONDS: Final = 4.0


@dataclass(slots=True, kw_only=True)
class Measured:
    """What an attack did to others."""

    before: list[float] = field(default_factory=list)
    during: list[float] = field(default_factory=list)
    megabytes_before: float = 0.0
    megabytes_most: float = 0.0

    def __str__(self) -> str:
        figures = [f"p99 {p99(self.before) * 1000:.0f} -> {p99(self.during) * 1000:.0f} ms"]
        figures.append(f"{self.megabytes_before:.0f} -> {self.megabytes_most:.0f} MB")
        return ", ".join([*figures, f"{len(self.during)} calls beside it"])


def p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[-1]


class Besieged:
    """A node, and a neighbour who keeps calling it."""

    def __init__(
        self, member: Member, token: str, neighbour: asyncio.subprocess.Process, server: psutil.Process
    ) -> None:
        self.member = member
        self.token = token
        self.address = member.ports.address("tips")
        self.answers: list[Answer] = []
        self._neighbour = neighbour
        self._server = server
        self._took: list[float] = []
        self._more = asyncio.Event()

    def connection(self, *, token: str | None = None) -> Raw:
        """Give a raw connection, whose answers are looked through at the end."""
        raw = Raw(self.address, self.token if token is None else token)
        raw.on_answer = self.answers.append
        return raw

    async def listen(self) -> None:
        """Read what the neighbour tells."""
        assert self._neighbour.stdout is not None
        async for line in self._neighbour.stdout:
            self._took.append(float(line))
            self._more.set()
        self._took.append(-1.0)
        self._more.set()

    async def calls(self, count: int) -> list[float]:
        """Wait for so many more calls of the neighbour."""
        first = len(self._took)
        while len(self._took) < first + count:
            self._more.clear()
            await self._more.wait()
            assert self._took[-1] >= 0, "a call of the neighbour failed"
        return self._took[first:]

    @asynccontextmanager
    async def measured(self, *, megabytes: float) -> AsyncIterator[Measured]:
        """Measure what is done inside, and check that it stays bounded for others."""
        found = Measured()
        found.before = await self.calls(_CALLS_BEFORE)
        found.megabytes_before = found.megabytes_most = await self._megabytes()
        watching = asyncio.create_task(self._watch_memory(found))
        first = len(self._took)
        try:
            yield found
            await self.calls(_CALLS_AFTER)
        finally:
            watching.cancel()
        found.during = self._took[first:]
        print(found)  # noqa: T201 (shown with -s, and where a bound is passed)
        assert found.megabytes_most - found.megabytes_before < megabytes, str(found)
        assert p99(found.during) < _USUAL_SECONDS + 20 * p99(found.before), str(found)

    async def _watch_memory(self, found: Measured) -> None:
        while True:
            found.megabytes_most = max(found.megabytes_most, await self._megabytes())
            await asyncio.sleep(0.01)

    async def _megabytes(self) -> float:
        return await asyncio.to_thread(lambda: self._server.memory_info().rss / _MEGABYTE)

    def assert_nothing_leaked(self) -> None:
        """Look through everything that was answered to attackers."""
        for answer in self.answers:
            if answer.status in {0, None}:
                continue  # their own records may be read to them
            told = answer.everything()
            for word in (MARKER, self.token, *_INSIDES):
                assert word not in told, told


@asynccontextmanager
async def besieged(path: Path) -> AsyncIterator[Besieged]:
    federation = await asyncio.to_thread(Federation, path, ("jp-12",))
    await asyncio.to_thread(federation.set_up, courier=False)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(federation.stop)
        await federation.start()
        member = federation["jp-12"]
        assert member.process is not None
        server = await asyncio.to_thread(psutil.Process, member.process.pid)
        neighbour = await _settle(member)
        node = Besieged(member, await asyncio.to_thread(member.token, "OFFICER"), neighbour, server)
        listening = asyncio.create_task(node.listen())
        stack.push_async_callback(_move_out, neighbour, listening)
        await node.calls(50)  # warm
        yield node
        node.assert_nothing_leaked()
        assert neighbour.returncode is None, "the neighbour's calls ended"


async def _settle(member: Member) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("neighbour.py")),
        member.ports.address("tips"),
        member.name,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "RENKEI_TOKEN": await asyncio.to_thread(member.token, "NPA_DESK")},
    )


async def _move_out(neighbour: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    if neighbour.returncode is None:
        neighbour.terminate()
    await neighbour.wait()
    await listening
