"""Kill the service at every place of every step of stories: `python -m tests.personas.crashing STORY... DIRECTORY`.

`--look` before them only says which places the stories pass; `--server` has the databases in a PostgreSQL server.

A process of its own, since it forks: each child passes one armed place and dies there as in a power cut. What it left
is opened again: everything is as before the step, or everything as after it, and the step repeated with the same
request id brings it to the same end. Writes one JSON document: what was passed, and every fault.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

from renkei_chassis import failpoints
from renkei_chassis.clock import ManualClock, from_us, to_us
from renkei_chassis.identity import public_text
from renkei_personas.settings import Settings
from tests import databases
from tests.personas.bench import FILE, opened
from tests.personas.people import START
from tests.personas.stories import BASIS_KEY, STORIES, Stage, Step
from tests.running import AGENCY

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS: Final = Settings(legal_basis_keys=(public_text(BASIS_KEY),))
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|(?<=-)[0-9a-f]{16}\b")
_NOT_KILLED: Final = 3
WRITER: Final = "writer"


@dataclass(slots=True)
class _Point:
    """Where a story stands: a closed database, the time, the names that were made."""

    directory: Path
    now_us: int
    names: dict[str, str]
    agency: str = AGENCY


@dataclass(frozen=True, slots=True)
class _Try:
    """A step to be killed in: where it begins, where it ends, and where a copy may lie."""

    before: _Point
    after: _Point
    step: Step
    request_id: str
    directory: Path


@dataclass(slots=True)
class _Report:
    passed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    report = _Report()
    *stories, directory = [one for one in arguments if not one.startswith("--")]
    databases.outside_a_test(databases.POSTGRESQL if "--server" in arguments else databases.SQLITE)
    for story in stories:
        _tell(story, Path(directory) / story, report, kills="--look" not in arguments)
    sys.stdout.write(json.dumps({"passed": report.passed, "faults": report.faults}))
    return 0


def _tell(story: str, directory: Path, report: _Report, *, kills: bool) -> None:
    before, steps = STORIES[story]
    point = _Point(directory / "start", to_us(START), {}, "agencies/jp-npa" if story == "at the NPA" else AGENCY)
    point.directory.mkdir(parents=True)
    _carry_out(point, *before)
    for number, step in enumerate(steps):
        request_id = str(uuid.UUID(int=number + 1, version=4))
        later = _copy(point, directory / f"step{number}")
        seen = _carry_out(later, step, request_id=request_id)
        report.passed += seen
        for place in seen if kills else ():
            report.faults += _kill_at(place, _Try(point, later, step, request_id, directory / "killed"))
        _forget(point)
        point = later


def _kill_at(place: str, tried: _Try) -> Iterator[str]:
    """Kill a copy at one place, look at what is left, and repeat the step; gives what is wrong."""
    killed = _copy(tried.before, tried.directory)
    whole = _facts(tried.after.directory)
    if not _dies(killed, tried.step, tried.request_id, place):
        yield f"{place}: was not passed again"
    if place.endswith(".committed"):
        if _facts(killed.directory) != whole:
            yield f"{place}: the change was committed and is not whole"
    elif _rows(killed.directory) != _rows(tried.before.directory):
        yield f"{place}: something of a change that was never committed is there"
    _carry_out(killed, tried.step, request_id=tried.request_id)
    if _facts(killed.directory) != whole:
        yield f"{place}: repeating the step comes to another end"
    _forget(killed)


def _dies(point: _Point, step: Step, request_id: str, place: str) -> bool:
    child = os.fork()
    if not child:
        failpoints._ARMED = place  # as the environment would have
        _carry_out(point, step, request_id=request_id)
        os._exit(_NOT_KILLED)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _carry_out(point: _Point, *steps: Step, request_id: str = "") -> list[str]:
    """Carry out steps; returns the places that were passed, each once. A step repeated brings its clock with it."""
    passed: dict[str, None] = {}
    real = failpoints.hit

    def hit(name: str) -> None:
        passed.setdefault(name)
        real(name)

    async def run() -> int:
        clock = ManualClock(from_us(point.now_us))
        async with opened(point.directory, clock, SETTINGS, agency=point.agency) as bench:
            for step in steps:
                await step(Stage(bench, clock, point.names, request_id))
        return clock.now_us()

    with mock.patch.object(failpoints, "hit", hit):
        now_us = asyncio.run(run())
    point.now_us = now_us
    return list(passed)


def _copy(point: _Point, directory: Path) -> _Point:
    """Copy a database that nobody has open: its last session ended with all of it in the one file."""
    directory.mkdir()
    databases.copy(point.directory / FILE, directory / FILE)
    return _Point(directory, point.now_us, dict(point.names), point.agency)


def _forget(point: _Point) -> None:
    databases.forget(point.directory / FILE)
    shutil.rmtree(point.directory)


def _rows(directory: Path) -> dict[str, list[str]]:
    """Give every row of every table, as it is; but for which opening of a server's database wrote last."""
    return {
        name: sorted(repr(row) for row in rows if WRITER not in row)
        for name, rows in databases.tables_of(directory / FILE).items()
    }


def _facts(directory: Path) -> dict[str, list[str]]:
    """Give every row with what is drawn by chance masked: ids, and bytes but for their length."""
    return {
        name: sorted(repr([_masked(value) for value in row]) for row in rows)
        for name, rows in databases.tables_of(directory / FILE).items()
    }


def _masked(value: object) -> object:
    if isinstance(value, bytes):
        return len(value)
    return _UUID.sub("*", value) if isinstance(value, str) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
