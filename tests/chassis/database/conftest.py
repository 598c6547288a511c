"""One keeper of plans for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chassis.keeper import Keeper, keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=["here", pytest.param("process", marks=pytest.mark.slow)])
async def either_keeper(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Keeper]:
    """The same keeper, with its writer here or in a process of its own."""
    async with keeping(tmp_path / "keeper.db", process=request.param == "process") as at_work:
        assert (at_work.writer.process_id != 0) == (request.param == "process")
        yield at_work


@pytest.fixture
async def keeper(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    async with keeping(tmp_path / "keeper.db") as at_work:
        yield at_work
