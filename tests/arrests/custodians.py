"""A service of arrests whose clock is moved by hand, for what clocks of custody do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.events_pb2 import ClockWarned

from renkei_arrests.settings import Settings
from renkei_arrests.wiring import blueprint
from renkei_chassis.clock import ManualClock, WallClock
from tests.agency import MEMBERS, Agency, run_agency
from tests.arrests.calls import Arrests, an_arrest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

KIND = arrests_pb2.Clock
HOUR = 3600.0
NOW = WallClock().now().replace(microsecond=0)
DESK = "(演習) 当直責任者"


class Custodians:
    """A service whose clock is moved by hand, and that can be started again over the same database."""

    def __init__(self, directory: Path, ports: PortClaims) -> None:
        self.directory = directory
        self.ports = ports
        self.clock = ManualClock(NOW)
        self.arrests: Arrests
        self.agency: Agency

    @asynccontextmanager
    async def service(self, **changes: Any) -> AsyncIterator[Arrests]:  # noqa: ANN401 (settings of many types)
        given = {"clock_seconds": 0.01, "clock_escalation_desk": DESK, "release_without_instrument": True}
        settings = Settings(members=MEMBERS, **{**given, **changes})
        async with run_agency(blueprint(settings), self.directory, self.ports, clock=self.clock) as self.agency:
            self.arrests = Arrests(self.agency.client())
            yield self.arrests

    async def until(self, count: int, of: type = ClockWarned) -> list[Any]:
        """Wait until so many events of a kind are there; the looking is the clocks' own."""
        async with asyncio.timeout(20):
            while len(found := await self.told(of)) < count:  # noqa: ASYNC110 (another task sets no event)
                await asyncio.sleep(0.005)
        return found

    async def told(self, of: type = ClockWarned) -> list[Any]:
        kind: Any = of
        return [
            kind.FromString(event.data.value)
            for event in await self.agency.events()
            if event.type == kind.DESCRIPTOR.full_name
        ]

    async def quiet(self) -> None:
        """Wait until the task has looked twice more, so that whatever is due has happened."""
        struck = await self.arrests.create(an_arrest(restraint=self.clock.now() - timedelta(hours=24)))
        async with asyncio.timeout(20):
            while struck.name not in {event.name for event in await self.told()}:  # noqa: ASYNC110 (the same)
                await asyncio.sleep(0.005)
        await self.arrests.delete(struck.name)


def levels(events: list[Any], kind: KIND.Kind.ValueType, name: str = "") -> list[int]:
    return [event.level for event in events if event.kind == kind and name in {"", event.name}]
