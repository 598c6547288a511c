"""An arrests service of Chiba that may release to Tochigi, Tokyo and Sapporo, and an officer who calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_arrests.settings import Settings
from renkei_arrests.wiring import blueprint
from renkei_chassis.ports import PortClaims
from tests.agency import MEMBERS, Agency, run_agency
from tests.arrests.calls import Arrests
from tests.arrests.custodians import Custodians
from tests.indexing import by_hand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

__all__ = ["by_hand"]


@pytest.fixture(scope="session")
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
async def agency(tmp_path: Path, ports: PortClaims, kind: str) -> AsyncIterator[Agency]:
    settings = Settings(members=MEMBERS, release_without_instrument=True, contact_desk="(演習データ) 内線 1234")
    async with run_agency(blueprint(settings), tmp_path, ports) as running:
        yield running


@pytest.fixture
def arrests(agency: Agency) -> Arrests:
    return Arrests(agency.client())


@pytest.fixture
def custodians(tmp_path: Path, ports: PortClaims, kind: str) -> Custodians:
    return Custodians(tmp_path, ports)
