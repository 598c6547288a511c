"""A client that is not ours runs the whole API against real nodes: grpc-js, knowing the contract alone."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from google.protobuf import descriptor_pool
from renkei.arrests.v1 import arrests_pb2_grpc, clocks_pb2_grpc, exhibits_pb2_grpc, sealed_pb2_grpc  # noqa: F401 (its descriptors)
from renkei.event.v1 import log_pb2_grpc  # noqa: F401
from renkei.exchange.v1 import exchange_pb2_grpc  # noqa: F401
from renkei.leads.v1 import follow_up_pb2_grpc, leads_pb2_grpc  # noqa: F401
from renkei.tips.v1 import tips_pb2_grpc  # noqa: F401

from tests.contract.test_errors import GIVEN, reason_of
from tests.system import broken_nodes
from tests.system.every_method import call_every_method
from tests.system.federation import Federation
from tests.system.grpc_js import ROOT, Refused, grpc_js
from tests.system.refusals import (
    ARRESTS,
    BLOCKS,
    CLOCKS,
    EXCHANGE,
    EXHIBITS,
    FOLLOW_UP,
    HERE,
    LEADS,
    LOG,
    MEETINGS,
    NOT_FROM_OUTSIDE,
    OPINIONS,
    THERE,
    TIPS,
    Ground,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

SERVICES = (TIPS, OPINIONS, ARRESTS, CLOCKS, EXHIBITS, BLOCKS, LEADS, FOLLOW_UP, EXCHANGE, LOG)
# The packages whose refusals a client of these services can meet.
PACKAGES = ("policy", "tips", "arrests", "leads", "exchange")
REASONS = {
    reason_of(value): value for value in GIVEN if value.package.removeprefix("renkei.").split(".")[0] in PACKAGES
}


@asynccontextmanager
async def ground(path: Path) -> AsyncIterator[Ground]:
    federation = await asyncio.to_thread(Federation, path, (HERE, THERE))
    await asyncio.to_thread(federation.set_up, courier=False)
    await asyncio.to_thread(broken_nodes.trust_a_stranger, federation[HERE].directory.trust)
    try:
        async with grpc_js() as js:
            await federation.start()
            yield Ground(federation=federation, js=js)
    finally:
        await federation.stop()


def test_every_reason_is_met_by_a_client_or_said_to_be_out_of_its_reach() -> None:
    assert len(REASONS) > 40
    assert MEETINGS.keys() & NOT_FROM_OUTSIDE.keys() == set()
    assert MEETINGS.keys() | NOT_FROM_OUTSIDE.keys() == REASONS.keys()
    for reason, why in NOT_FROM_OUTSIDE.items():
        assert all(f'"{reason}"' in (ROOT / test).read_text() for test in re.findall(r"tests/\S+\.py", why))


@pytest.mark.slow
async def test_every_reason_that_a_client_can_meet_comes_as_the_contract_says(tmp_path: Path) -> None:
    told: dict[str, tuple[str, str]] = {}
    async with ground(tmp_path) as here:
        for reason, meet in MEETINGS.items():
            try:
                await meet(here)
            except Refused as refused:
                told[reason] = (refused.code, refused.reason)

    statuses = {reason: re.search(r"Status ([A-Z_]+)", REASONS[reason].comment) for reason in MEETINGS}
    assert told == {reason: (said[1], reason) for reason, said in statuses.items() if said is not None}


@pytest.mark.slow
async def test_the_whole_api_answers_a_foreign_client(tmp_path: Path) -> None:
    async with ground(tmp_path) as here:
        await call_every_method(here)

        pool = descriptor_pool.Default()
        served = {f"{name}/{method.name}" for name in SERVICES for method in pool.FindServiceByName(name).methods}
        assert served - here.js.used == set()
