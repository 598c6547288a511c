"""The program on the page about the Python client runs as it is printed, over two deaths of its node."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.system.federation import Federation, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.system.federation import Member

ROOT = Path(__file__).parents[2]
PROGRAM = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python-client.md").read_text(), re.DOTALL))
pytestmark = pytest.mark.timeout(120)


async def die_and_return(member: Member) -> None:
    await asyncio.to_thread(member.kill)
    await asyncio.to_thread(member.start)
    await member.ready()


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield line.decode().strip()


@pytest.mark.slow
async def test_the_pages_program_runs_and_what_it_promises_holds(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path, ("jp-12",))
    await asyncio.to_thread(federation.set_up, courier=False)
    await federation.start()
    member = federation["jp-12"]
    token = await asyncio.to_thread(member.token, "OFFICER", "SUPERVISOR")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        PROGRAM,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "RENKEI_AGENCY": member.name,
            "RENKEI_TOKEN": token,
            "TIPS_ADDRESS": member.ports.address("tips"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said = await _play(federation, process)
        assert await process.wait() == 0, said
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await federation.stop()

    assert "listed 1 cut off []" in said
    assert [line for line in said if line.startswith("refused")] == [
        "refused DENIED",
        "refused FIELD_INVALID ['tip.text']",
        "refused ETAG_MISMATCH",
    ]
    assert "loaded 1999 refused 1" in said
    recorded = [tip.name for tip in federation.acknowledged]
    assert [line.split()[2] for line in said if line.startswith("watched")] == recorded


async def _play(federation: Federation, process: asyncio.subprocess.Process) -> list[str]:
    """Kill the node while the program loads, and again while it watches."""
    member = federation["jp-12"]
    said: list[str] = []

    async def loading() -> bool:
        return len(await asyncio.to_thread(member.rows, "tips", "SELECT 1 FROM tip LIMIT 200")) == 200

    watches, watching = 0, False
    async for line in lines(process):
        said.append(line)
        if line == "refused ETAG_MISMATCH":
            await until(loading)
            await die_and_return(member)
        elif line == "watching 2":
            watching = False
        elif line == "watching 0" and not watching:  # it comes again with each new connection
            watches, watching = watches + 1, True
            await federation.record("jp-12", number=watches)
            await die_and_return(member)
            await federation.record("jp-12", number=10 + watches)
    return said
