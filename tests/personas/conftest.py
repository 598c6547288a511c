"""A personas service of Chiba, and everybody who calls it; its clock stands still until a test moves it.

On PostgreSQL runs what a database can change: what is done at once and what races, what a kill leaves, clocks over
restarts, what is looked up by hashes, pages and counts, calls repeated, and the whole way of an investigation. Those
modules stand in `tests/databases.py`, single tests are marked `on_both`. The rest asks what the rules, the words of a
refusal and the forms of a text make of a call, and reads and writes by the same few functions: it runs on SQLite, and
on both when that is asked for (`make test DATABASE=both`). A process of its own and telemetry bring no store of theirs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import ManualClock
from renkei_personas.settings import Settings
from renkei_personas.wiring import blueprint
from tests.personas.people import START, People
from tests.running import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def untraced() -> Iterator[None]:
    """Run pure rules hundreds of thousands of times without measuring coverage, which a test of its own does."""
    tracing = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracing)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def settings() -> Settings:
    return Settings(clock_seconds=0.02)


@pytest.fixture
async def people(tmp_path: Path, kind: str, clock: ManualClock, settings: Settings) -> AsyncIterator[People]:
    async with running(blueprint(settings), tmp_path, clock=clock) as started:
        yield People(started, clock)
