"""Named places end a process that a test armed, and do nothing to any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from renkei_chassis.failpoints import VARIABLE, Place, hit

PASSES = """
from renkei_chassis.failpoints import Place, hit
for number in range(5):
    hit(Place.AFTER_COMMIT)
    hit(Place.BEFORE_COMMIT)
    print(number, flush=True)
"""


def passed(armed: str) -> tuple[int, list[str]]:
    environment = {**os.environ, VARIABLE: armed}
    done = subprocess.run(
        [sys.executable, "-c", PASSES], env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize(
    ("armed", "lived"),
    [
        (Place.BEFORE_COMMIT, []),
        (f"{Place.BEFORE_COMMIT}@1", []),
        (f"{Place.BEFORE_COMMIT}@4", ["0", "1", "2"]),
    ],
)
def test_an_armed_place_ends_the_process_when_it_is_passed_so_many_times(armed: str, lived: list[str]) -> None:
    assert passed(armed) == (-signal.SIGKILL, lived)


@pytest.mark.parametrize("armed", ["", Place.AFTER_PUBLISH, "elsewhere"])
def test_a_place_that_is_not_armed_does_nothing(armed: str) -> None:
    assert passed(armed) == (0, ["0", "1", "2", "3", "4"])


def test_nothing_is_armed_in_a_process_without_the_variable() -> None:
    assert VARIABLE not in os.environ

    for place in Place:
        hit(place)
