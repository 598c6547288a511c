"""How long a deleted tip can be brought back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.errors import FailedPrecondition
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint
from tests.agency import MEMBERS, run_agency
from tests.tips.calls import Tips

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims


@pytest.mark.parametrize("days", [1, 30])
async def test_nothing_is_brought_back_from_its_purge_time_on(tmp_path: Path, ports: PortClaims, days: int) -> None:
    clock = ManualClock(WallClock().now())
    settings = Settings(members=MEMBERS, undelete_days=days)
    async with run_agency(blueprint(settings), tmp_path, ports, clock=clock) as agency:
        tips = Tips(agency.client())
        early, late = await tips.create(), await tips.create()
        for tip in (early, late):
            await tips.delete(tip.name)

        clock.advance(timedelta(days=days).total_seconds() - 1)
        back = await tips.undelete(early.name)
        clock.advance(1)
        with pytest.raises(FailedPrecondition) as refused:
            await tips.undelete(late.name)

        assert not back.HasField("purge_time")
        assert refused.value.reason == "UNDELETE_EXPIRED"
        assert (await tips.get(late.name)).HasField("delete_time")
