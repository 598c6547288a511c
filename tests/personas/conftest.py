"""A personas service of Chiba, and everybody who calls it; its clock stands still until a test moves it."""

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
