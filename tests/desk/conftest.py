"""A desk for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from tests.desk.house import run_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.desk.house import House


@pytest.fixture(scope="session")
def ports() -> Iterator[PortClaims]:
    claims = PortClaims()
    yield claims
    claims.close()


@pytest.fixture
async def house(tmp_path: Path, ports: PortClaims) -> AsyncIterator[House]:
    async with run_house(tmp_path, ports) as running:
        yield running
