"""A log and somebody who follows it, each with a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chassis.follower.following import Following
from tests.chassis.keeper import Keeper, keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def source(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    async with keeping(tmp_path / "source.db") as at_work:
        yield at_work


@pytest.fixture
async def reader(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    async with keeping(tmp_path / "reader.db") as at_work:
        yield at_work


@pytest.fixture
def following(source: Keeper, reader: Keeper) -> Following:
    return Following(source=source, reader=reader)
