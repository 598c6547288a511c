"""The soak: a seed gives the same schedule, a violation tells how to see it again, Ctrl-C ends in good order."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.system.faults import soak
from tests.system.faults.kinds import FAULTS
from tests.system.faults.schedule import STEPS, each, plan

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(120)
COMMAND = [sys.executable, "-m", "tests.system.faults.soak"]


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([*COMMAND, "--minutes", "5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def test_a_seed_gives_the_same_schedule_and_another_seed_another_one() -> None:
    assert plan(1) == plan(1)
    assert plan(1) != plan(2)
    assert len(plan(1)) == STEPS


def test_a_long_soak_comes_by_every_fault() -> None:
    assert {step.kind for seed in range(100) for step in plan(seed)} == set(FAULTS)
    assert sorted(step.kind for step in each(3, tuple(FAULTS))) == sorted(FAULTS)


@pytest.mark.slow
def test_a_round_is_played_again_by_its_seed_and_counted() -> None:
    command = [*COMMAND, "--seed", "7", "--steps", "1", "--only", "kill a nats-server", "--json"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["violations"] == []
    assert (counted["faults"], counted["rounds"]) == ({"kill a nats-server": 1}, 1)
    assert counted["records"] > 0
    assert "round 1 (seed 7): 0 faults so far" in done.stderr


def test_an_interrupted_soak_says_what_it_has_and_leaves_nothing(running: subprocess.Popen[str]) -> None:
    assert running.stderr is not None
    first = running.stderr.readline()

    running.send_signal(signal.SIGINT)
    output, told = running.communicate(timeout=60)

    assert "min left" in first
    assert running.returncode == 0, told
    assert output.splitlines()[-1].startswith("soak: 0 rounds, 0 records")


def test_a_violation_is_told_with_the_command_that_shows_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    tally = soak.Tally(rounds=1)

    soak._tell(tally, 42, argparse.Namespace(only=None, steps=STEPS), ["LOST a record"])
    soak._tell(tally, 43, argparse.Namespace(only=["one-way cut"], steps=3), ["LOST another"])

    assert [violation["again"] for violation in tally.violations] == [
        "make soak SEED=42",
        ".venv/bin/python -m tests.system.faults.soak --seed 43 --only 'one-way cut' --steps 3",
    ]
    assert "LOST a record" in capsys.readouterr().err
    assert soak._table(tally).endswith("2 bad rounds")
