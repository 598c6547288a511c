"""The commands that README and operations page show work as they are printed there, against running nodes."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.federation import Federation

ROOT = Path(__file__).parents[2]
RENKEI = Path(sys.executable).with_name("renkei")
pytestmark = pytest.mark.timeout(120)


def shell_blocks(page: str, word: str) -> list[str]:
    """Give the blocks of shell commands of a page that hold a word."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [block for block in blocks if word in block]


README = shell_blocks("README.md", "renkei tail")
OPERATIONS = shell_blocks("docs/operations.md", "renkei ")


def run(script: str, folder: Path) -> str:
    script = re.sub(r"(?m)(?:\.venv/bin/renkei|^renkei)(?= )", str(RENKEI), script)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RENKEI_")}
    done = subprocess.run(
        ["/bin/bash", "-ec", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


async def test_the_readmes_tour_of_a_kept_demo_works(tmp_path: Path) -> None:
    (tour,) = README
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-12", "jp-13"))
    await asyncio.to_thread(federation.set_up)
    await federation.start()
    try:
        for number in range(5):  # so many changes does the tour wait for
            await federation.record("jp-13", "jp-12", number=number)

        said = await asyncio.to_thread(run, tour, tmp_path)
    finally:
        await federation.stop()

    assert said.count("TipRecorded") == 5
    assert "agencies/jp-12" in said
    assert "演習データ" in said


async def test_the_operations_pages_commands_work(tmp_path: Path) -> None:
    init, up, status, doctor, retry = OPERATIONS
    federation = await asyncio.to_thread(Federation, tmp_path, ("jp-12",))
    await asyncio.to_thread(federation.set_up)
    await federation.start()  # as `up` does
    try:
        assert up == "renkei up ./jp-12\n"
        shown = await asyncio.to_thread(run, status, tmp_path)
        looked_over = await asyncio.to_thread(run, doctor, tmp_path)
        retried = await asyncio.to_thread(run, retry, tmp_path)
    finally:
        await federation.stop()
    await asyncio.to_thread((tmp_path / "new").mkdir)
    made = await asyncio.to_thread(run, init, tmp_path / "new")

    assert '"agency": "agencies/jp-12"' in shown
    assert looked_over.splitlines()[-1].startswith("0 failed")
    assert "nothing is set aside" in retried
    assert "exchange_public_key" in made
