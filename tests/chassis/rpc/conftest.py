"""What the tests of calls share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from tests.chassis.keeper import Keeper, keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture
def port() -> Iterator[int]:
    """Claim a port for the test's server."""
    with PortClaims() as ports:
        yield ports.claim()


@pytest.fixture
async def keeper(tmp_path: Path, kind: str) -> AsyncIterator[Keeper]:
    """Give somebody to carry out the writes."""
    async with keeping(tmp_path / "keeper.db") as at_work:
        yield at_work
