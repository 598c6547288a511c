"""A leads service of Chiba between the logs of its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.ports import PortClaims
from renkei_leads.settings import Settings
from renkei_leads.wiring import blueprint
from tests.leads.house import run_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.leads.house import House


@pytest.fixture(scope="session")
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
async def house(tmp_path: Path, ports: PortClaims, kind: str) -> AsyncIterator[House]:
    async with run_house(blueprint(Settings()), tmp_path, ports) as running:
        yield running
