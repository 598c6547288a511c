"""One keeper of plans for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chassis.keeper import Keeper, keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def keeper(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    async with keeping(tmp_path / "keeper.db") as at_work:
        yield at_work
