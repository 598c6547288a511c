"""A tips service and an arrests service of Chiba, and the directories by which commands find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import renkei_arrests.settings
import renkei_arrests.wiring
import renkei_tips.settings
import renkei_tips.wiring
from renkei_chassis.ports import PortClaims
from tests.agency import MEMBERS
from tests.node.files.node import Node, run_node
from tests.tips.calls import Tips

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
async def node(tmp_path: Path, ports: PortClaims, kind: str) -> AsyncIterator[Node]:
    """Tips."""
    settings = renkei_tips.settings.Settings(members=MEMBERS, release_without_instrument=True, contact_desk="演習")
    async with run_node(renkei_tips.wiring.blueprint(settings), tmp_path, ports) as running:
        yield running


@pytest.fixture
async def arrests_node(tmp_path: Path, ports: PortClaims, kind: str) -> AsyncIterator[Node]:
    settings = renkei_arrests.settings.Settings(members=MEMBERS, release_without_instrument=True, contact_desk="演習")
    async with run_node(renkei_arrests.wiring.blueprint(settings), tmp_path, ports) as running:
        yield running


@pytest.fixture
def tips(node: Node) -> Tips:
    return Tips(node.agency.client())
