"""Start what is measured, and what loads it, as processes of their own, and stop them."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import os
import signal
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from tests.bench.generator import Job, Load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0
_TOLD_BYTES: Final = 4000


@asynccontextmanager
async def process(
    module: str, *arguments: str, port: int, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m module arguments` until the block ends; it serves on `port` when the block begins.

    Raises RuntimeError with what it wrote where it does not come up, or ends badly on SIGTERM.
    """
    with tempfile.TemporaryFile() as said:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=said,
        )  # fmt: skip
        try:
            await _serving(child, port)
            yield child
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(_STOP_SECONDS):
                status = await child.wait()
            _refuse(module, status)
        except BaseException:
            sys.stderr.write(_last(said))
            raise
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()


def _refuse(module: str, status: int) -> None:
    if status not in {0, -signal.SIGTERM}:
        raise RuntimeError(f"{module} ended with {status}")


def _last(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _TOLD_BYTES))
    return said.read().decode(errors="replace")


async def _serving(child: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while child.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
    raise RuntimeError("the process ended before it served")


async def drive(
    port: int,
    path: str,
    messages: Sequence[bytes],
    *,
    callers: int,
    token: str = "",
    seconds: float = 1.5,
    warm_seconds: float = 0.3,
) -> Load:
    """Load one server from another process. Raises RuntimeError where a call failed: there is no figure then."""
    job = Job(
        port=port,
        path=path,
        headers={"authorization": f"Bearer {token}"} if token else {},
        messages=[base64.b64encode(message).decode() for message in messages],
        callers=callers,
        connections=-(-callers // 64),
        seconds=seconds,
        warm_seconds=warm_seconds,
    )
    told = await python("tests.bench.generator", json.dumps(dataclasses.asdict(job)))
    load = Load(**json.loads(told))
    if load.failures or not load.calls:
        raise RuntimeError(f"{load.failures} of {load.calls} calls failed: {load.failure}")
    return load


async def python(module: str, said: str) -> bytes:
    """Run `python -m module` with something on its standard input, and give what it writes. Raises RuntimeError."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        told, _ = await child.communicate(said.encode())
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if child.returncode != 0:
        raise RuntimeError(f"{module} failed with {child.returncode}")
    return told
