from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
LAST = re.compile(r"demo: (\d+) leads, (\d+) records, 7 agencies, (\d+) lost, (\d+) leaked, \d+ s")


def run(*command: str) -> tuple[int, list[str], dict[str, Any]]:
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=170, check=False)
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith('{"leads"')]
    return done.returncode, done.stdout.splitlines() or [done.stderr], told[0] if told else {}


def test_the_demo_proves_its_claims_and_says_so_in_its_last_line() -> None:
    status, lines, told = run("-m", "tests.system.demo_run")

    found = LAST.fullmatch(lines[-1])
    assert found is not None, lines[-5:]
    leads, records, lost, leaked = map(int, found.groups())
    assert (status, lost, leaked) == (0, 0, 0), lines[-30:]
    assert [told[word] for word in ("leads", "records", "agencies", "lost", "leaked")] == [leads, records, 7, 0, 0]
    assert told["faults"] == []
    assert records == 215  # those of the exports and fifteen of the story
    assert leads >= 5
    assert any("statistics: ROBBERY, INSTRUCTED_NO_CONTACT_HARM_PREVENTED: 1" in line for line in lines)
    assert any("warned at 50 % after" in line and "acknowledged by" in line for line in lines)
    assert any("no byte of the legend is anywhere but in the personas service" in line for line in lines)
    assert [line.split()[0] for line in lines[-4:-1]] == ["ready", "first", "largest"]


def test_the_demo_finds_a_planted_loss_and_a_planted_leak_and_exits_with_1() -> None:
    status, lines, told = run("-m", "tests.system.demo_run", "tamper")

    found = LAST.fullmatch(lines[-1])
    assert found is not None, lines[-5:]
    assert status == 1
    assert found.groups()[2:] == ("1", "1"), lines[-8:]
    assert (told["lost"], told["leaked"]) == (1, 1)
    assert any(line.startswith("wrong: lost: jp-13 holds agencies/") for line in lines)
    assert any("logs/stray.txt of jp-01" in line for line in lines)


def processes_of(directory: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(directory) in argument for argument in process.info["cmdline"] or ()) and process.pid != os.getpid()
    ]


def test_the_demo_leaves_no_process_where_somebody_ends_it(tmp_path: Path) -> None:
    """Seven nodes and seven nats-servers that somebody must look for are worse than no demo."""
    command = [sys.executable, "-m", "tests.system.demo_run", "stay", str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        seen = []
        for line in demo.stdout:
            seen.append(line)
            if "press Enter" in line:
                break
        else:
            pytest.fail("".join(seen[-20:]))
        assert len(processes_of(tmp_path)) >= 14
        assert any(line.strip().startswith("https://127.0.0.1:") for line in seen), "the desk's address"

        demo.send_signal(signal.SIGTERM)
        rest = demo.stdout.read()

    assert demo.returncode == 143, rest
    assert "Traceback" not in rest
    assert processes_of(tmp_path) == []
