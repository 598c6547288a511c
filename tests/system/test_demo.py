from __future__ import annotations

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.timeout(180)
LAST = re.compile(r"demo: (\d+) leads, (\d+) records, 7 agencies, (\d+) lost, (\d+) leaked, \d+ s")


def run(*command: str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=170, check=False)
    return done.returncode, done.stdout.splitlines() or [done.stderr]


def test_the_demo_proves_its_claims_and_says_so_in_its_last_line() -> None:
    status, lines = run("-m", "tests.system.demo_run")

    found = LAST.fullmatch(lines[-1])
    assert found is not None, lines[-5:]
    leads, records, lost, leaked = map(int, found.groups())
    assert (status, lost, leaked) == (0, 0, 0), lines[-30:]
    assert records == 213  # those of the exports and thirteen of the story
    assert leads >= 5
    assert [line.split()[0] for line in lines[-4:-1]] == ["ready", "first", "largest"]


def test_the_demo_finds_a_planted_loss_and_a_planted_leak_and_exits_with_1() -> None:
    status, lines = run("-m", "tests.system.demo_run", "tamper")

    found = LAST.fullmatch(lines[-1])
    assert found is not None, lines[-5:]
    assert status == 1
    assert found.groups()[2:] == ("1", "1"), lines[-8:]
    assert any(line.startswith("wrong: lost: jp-13 holds agencies/") for line in lines)
    assert any("logs/stray.txt of jp-01" in line for line in lines)
