"""A kill at any place of any transition leaves the old state or the new one, clocks and tasks included."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pytest

from renkei_personas.domain.table import ROWS
from tests import databases
from tests.personas.stories import STORIES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]  # the machine may be busy
ROOT: Final = Path(__file__).parents[2]
# A kill takes nothing back of what the system was given, so memory will do; a disk that others use would take minutes.
MEMORY: Final = Path("/dev/shm")  # noqa: S108 (the folder below it is made for us alone)


def told(*asked: str) -> Any:  # noqa: ANN401
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        command = [sys.executable, "-m", "tests.personas.crashing", *asked, f"{directory}/work"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@databases.on(databases.POSTGRESQL)
def test_a_kill_leaves_the_old_state_or_the_new_one_at_a_server_too(kind: str) -> None:
    """A clock, a record of others that sets something going, a call; each place of a commit is among them."""
    report = told("--server", "clocks", "later record")

    assert kind == databases.POSTGRESQL
    assert {place.rpartition(".")[2] for place in report["passed"]} >= {"decided", "noted", "stored", "committed"}
    assert report["faults"] == []


@pytest.mark.parametrize("story", STORIES)
def test_a_kill_leaves_the_old_state_or_the_new_one_and_the_step_can_be_repeated(story: str) -> None:
    report = told(story)

    assert len(report["passed"]) >= 3
    assert report["faults"] == []


def test_every_transition_was_killed_before_in_and_after_its_commit() -> None:
    """Of what this test relies on: a row that no story reaches would be proven by nothing."""
    passed = set(told("--look", *STORIES)["passed"])

    missing = [
        f"{action}.{point}"
        for action in ROWS
        for point in ("decided", "committed")
        if f"personas.{action}.{point}" not in passed
    ]
    assert missing == []
    beside = {"ACKNOWLEDGE_REPORT", "REPORT_RECEIVED", "OUTCOME_RECEIVED", "LEGAL_BASIS", "LEGAL_BASIS_REVOKED"}
    assert {f"personas.{change}.{point}" for change in beside for point in ("stored", "committed")} <= passed
    assert {"personas.CREATE.stored", "personas.CLOCK.stored"} <= passed
