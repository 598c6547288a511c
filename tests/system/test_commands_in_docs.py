"""The commands that README, CONTRIBUTING and operations page show work as they are printed there.

Nothing is left out silently: a command that no test runs fails the last test of this module. The commands of
make are the subject of `tests/make/test_targets.py`, the calls with buf curl that of `test_buf_curl.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from renkei_chassis.ports import PortClaims
from renkei_node.demo.synthetic import write_exports
from renkei_node.layout import DESK, SERVICES
from tests.node.files.node import ARREST_HEADER, TIP_HEADER, arrest_row, csv_of, tip_row
from tests.system.federation import Federation
from tests.system.tour import ROOT, Shell, look_like_a_clone, readme_blocks, shell_blocks

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
PAGES: Final = ("README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/files.md", "SECURITY.md")
READY_SECONDS: Final = 30.0
# What is run elsewhere: by test_demo.py (with fewer records, by the function behind the command), by
# test_buf_curl.py, and, as far as a test can, by tests/make/test_targets.py.
ELSEWHERE: Final = {
    "make demo ONCE=1",
    "make demo WATCH=1",
    "make demo",
    ".venv/bin/renkei demo --dir demo",
    "renkei explain",
    "make",
    "make venv",
    "make format",
    "make lint",
    "make test-fast",
    "make test",
    "make coverage",
    "make bench",
    "make fuzz MINUTES=",
    "make soak MINUTES=",
    "make faults",
    "make baseline",
    "make screenshots",
    "buf curl",
}


@pytest.mark.slow
async def test_the_readmes_tour_of_a_kept_demo_works(tmp_path: Path) -> None:
    federation = await asyncio.to_thread(Federation, tmp_path / "demo", ("jp-12", "jp-13"))
    await asyncio.to_thread(partial(federation.set_up, desk=True))
    await federation.start()
    try:
        for number in range(5):  # so many changes does the tour wait for
            await federation.record("jp-13", "jp-12", number=number)

        await asyncio.to_thread(write_exports, tmp_path / "demo", records=70)
        said = await asyncio.to_thread(_tour, tmp_path)
    finally:
        await federation.stop()

    assert said.count("TipRecorded") == 5
    assert "agencies/jp-12" in said
    assert "nothing was sent" in said
    assert "5 records in demo/tips.csv" in said
    assert "演習データ" in said
    assert "https://127.0.0.1:" in said


def _tour(folder: Path) -> str:
    look_like_a_clone(folder)
    _, tour = readme_blocks("Five minutes")
    with Shell(folder) as shell:
        return shell.run(tour)


@pytest.mark.slow
def test_the_operations_pages_commands_run_a_node_from_nothing(tmp_path: Path) -> None:
    init, up, desk, status, doctor, files, retry = shell_blocks("docs/operations.md")
    look_like_a_clone(tmp_path)
    (tmp_path / "tips.csv").write_bytes(csv_of([TIP_HEADER, tip_row(1), tip_row(2)]))
    (tmp_path / "arrests.csv").write_bytes(csv_of([ARREST_HEADER, arrest_row(1)]))
    with PortClaims() as claims, Shell(tmp_path) as shell:
        shell.run("PATH=$PWD/.venv/bin:$PATH")
        entry = shell.run(init)
        _finish(tmp_path / "jp-12", entry, claims)
        shell.run(up.strip() + " &")
        _wait_until_ready(tmp_path / "jp-12")
        link = shell.run(desk)
        shown = shell.run(status)
        looked_over = shell.run(doctor)
        imported = shell.run(files)
        retried = shell.run(retry)

    (said,) = json.loads(shown.splitlines()[-1])
    assert said["agency"] == "agencies/jp-12"
    assert looked_over.splitlines()[-1].startswith("0 failed")
    assert [service["name"] for service in said["services"]] == [*SERVICES, DESK]
    assert "https://127.0.0.1:" in link
    assert "2 rows: 2 ready" in imported
    assert "2 rows: 2 recorded" in imported
    assert "1 row: 1 recorded" in imported
    assert "2 records in tips-of-jp-12.csv" in imported
    assert "1 record in arrests-of-jp-12.parquet" in imported
    assert "nothing is set aside" in retried
    assert not (tmp_path / "jp-12" / "run" / "ready.json").exists(), "the node has stopped in good order"


def _finish(directory: Path, entry: str, claims: PortClaims) -> None:
    """Do what the page says of federation.toml; and take ports that no other test has."""
    entry += 'display_name = "千葉県警察"\ndisplay_name_en = "Chiba"\ncontact_desk = "演習"\n'
    federation = entry[entry.index("[[agencies]]") :]
    settings = (directory / "node.toml").read_text()
    for number in range(21_000, 21_000 + len(SERVICES) + 4):
        port = str(claims.claim())
        assert str(number) in settings
        settings = settings.replace(str(number), port)
        federation = federation.replace(str(number), port)
    (directory / "node.toml").write_text(settings)
    (directory / "federation.toml").write_text(federation)


def _wait_until_ready(directory: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (directory / "run" / "ready.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_command_of_the_pages_is_run_by_nobody() -> None:
    """Blocks are run by the tests above and by test_buf_curl.py; a single command in the text stands in the list."""
    ours = [*readme_blocks("Five minutes"), *shell_blocks("docs/operations.md")]
    run = {*ELSEWHERE, *(line for block in ours for line in block.split("\n"))}
    blocks = {page: shell_blocks(page) for page in PAGES}
    told = {
        command
        for page in PAGES
        for command in re.findall(r"`((?:\.venv/bin/)?(?:renkei|make|buf|pytest|pip)(?: [^`]*)?)`", _text(page))
    }

    # A command's bare name is a word about it: `renkei status` is run with a directory.
    assert {
        command
        for command in told
        if not any(command in line or (line.endswith("=") and command.startswith(line)) for line in run)
    } == set()
    assert {page: len(found) for page, found in blocks.items()} == {
        "README.md": len(readme_blocks("Five minutes")) + len(readme_blocks("Ask it yourself")),
        "CONTRIBUTING.md": 0,
        "docs/operations.md": 7,
        "docs/files.md": 0,
        "SECURITY.md": 0,
    }
    assert readme_blocks("Five minutes")[0] == "make demo ONCE=1\n"


def _text(page: str) -> str:
    """Give a page without its blocks."""
    return re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.DOTALL)
