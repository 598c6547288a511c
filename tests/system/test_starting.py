"""A node that cannot start says why in one line, and harms nothing; one that starts says so to programs too."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.system.federation import Federation, Member

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def federation(tmp_path: Path) -> AsyncIterator[Federation]:
    made = await asyncio.to_thread(Federation, tmp_path, ("jp-12", "jp-13"))
    await asyncio.to_thread(made.set_up, courier=False)
    yield made
    await made.stop()


def up(member: Member) -> subprocess.CompletedProcess[str]:
    """Start a node that is expected not to."""
    command = [sys.executable, "-m", "renkei_node.cli", "up", str(member.directory.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


async def stopped_with_a_tip(federation: Federation, code: str) -> Member:
    member = federation[code]
    await asyncio.to_thread(member.start)
    await member.ready()
    await federation.record(code)
    await member.stop()
    return member


@pytest.mark.parametrize("service", ["tips", "exchange"])
async def test_a_node_does_not_start_with_the_database_of_another_agency(federation: Federation, service: str) -> None:
    chiba, tokyo = await stopped_with_a_tip(federation, "jp-12"), federation["jp-13"]
    await asyncio.to_thread(tokyo.directory.data.mkdir, parents=True, exist_ok=True)
    foreign = tokyo.directory.data / f"{service}.db"
    await asyncio.to_thread(shutil.copy, chiba.directory.data / f"{service}.db", foreign)
    before = await asyncio.to_thread(foreign.read_bytes)

    done = await asyncio.to_thread(up, tokyo)

    assert done.returncode == 1
    assert f"belongs to agencies/jp-12 ({service})" in done.stderr
    assert "Traceback" not in done.stderr
    assert await asyncio.to_thread(foreign.read_bytes) == before
    assert len(await asyncio.to_thread(chiba.rows, "tips", "SELECT id FROM tip")) == 1


async def test_a_second_process_of_one_node_does_not_start_and_the_first_goes_on(federation: Federation) -> None:
    member = federation["jp-12"]
    await asyncio.to_thread(member.start)
    await member.ready()

    done = await asyncio.to_thread(up, member)

    assert done.returncode == 1
    assert "runs already" in done.stderr
    assert "Traceback" not in done.stderr
    await federation.record("jp-12")


async def test_two_nodes_never_work_on_one_database(federation: Federation) -> None:
    """As after a careless copy of a directory, whose databases are links to the running node's."""
    first = federation["jp-12"]
    copy = Member(
        code="jp-12",
        directory=type(first.directory)(federation.path / "copy"),
        ports=first.ports,
        output=federation.path / "copy.output.txt",
    )
    await asyncio.to_thread(shutil.copytree, first.directory.path, copy.directory.path)
    await asyncio.to_thread(first.start)
    await first.ready()
    await asyncio.to_thread(shutil.rmtree, copy.directory.data, ignore_errors=True)
    await asyncio.to_thread(copy.directory.data.symlink_to, first.directory.data)

    done = await asyncio.to_thread(up, copy)

    assert done.returncode == 1
    assert "in use by another process" in done.stderr
    assert "Traceback" not in done.stderr
    await federation.record("jp-12")


async def test_a_node_tells_a_program_what_it_does(federation: Federation) -> None:
    member = federation["jp-12"]
    command = [sys.executable, "-m", "renkei_node.cli", "up", str(member.directory.path), "--json"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        serving = json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()

    lines = [json.loads(line) for line in rest.splitlines()]
    assert serving == {
        "agency": "agencies/jp-12",
        "state": "serving",
        "exchange": member.ports.address("exchange"),
        "metrics": member.ports.address("metrics"),
    }
    assert [line.get("state", "warned") for line in lines] == ["warned", "stopping"]
    assert process.returncode == 0
