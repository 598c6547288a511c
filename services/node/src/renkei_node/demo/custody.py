"""The act about a clock of custody: half of the 48 hours is over, the warning comes by itself, somebody answers it."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from renkei.arrests.v1 import arrests_pb2, clocks_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub

from renkei_node.demo.agencies import label
from renkei_node.demo.journal import AcknowledgedClock
from renkei_node.demo.play import ClaimError
from renkei_node.demo.told import SAITAMA, TOKYO

if TYPE_CHECKING:
    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told

_HELD: Final = timedelta(hours=25)  # a little more than half of the 48
_HALF: Final = 50


async def clock_of_custody(play: Play, told: Told) -> None:
    """Claim that a clock warns by itself, that an answer to it is kept by name, and that nothing of it leaves."""
    told.say("9. Twenty-five hours after a restraint in Saitama: the clock of 48 hours warns, and somebody answers")
    arrest = await play.record_arrest(
        SAITAMA,
        play.arrest(
            text="現行犯逮捕。",
            offence="窃盗",
            role=arrests_pb2.Arrest.ROLE_CASH_RECEIVER,
            found=[],
            to=[TOKYO],
            restrained=datetime.now(UTC).replace(second=0, microsecond=0) - _HELD,
        ),
    )
    began = time.monotonic()
    client = play.federation.client(SAITAMA, "arrests")
    stub = client.stub(ClocksServiceStub)
    board = clocks_pb2.ListClocksRequest(parent=f"agencies/{SAITAMA}", unacknowledged=True)

    async def warned() -> clocks_pb2.RunningClock | None:
        clocks = (await client.call(stub.ListClocks, board)).clocks
        return next((clock for clock in clocks if clock.arrest == arrest.name), None)

    clock, seconds = await play.wait("the clock of 48 hours has warned", warned, since=began)
    if clock.warned_level != _HALF or clock.overdue:
        raise ClaimError("the clock of 48 hours warned of something else than its half")
    request = clocks_pb2.AcknowledgeClockRequest(request_id=str(uuid.uuid4()), name=clock.name, level=_HALF)
    answered = await client.call(stub.AcknowledgeClock, request)
    if not answered.HasField("acknowledge_time") or (await client.call(stub.ListClocks, board)).clocks:
        raise ClaimError("the acknowledged warning still waits for an answer")
    play.journal.clocks.append(
        AcknowledgedClock(arrest=arrest.name, kind=clock.kind, level=_HALF, acknowledger=answered.acknowledger)
    )
    elsewhere = play.federation.client(TOKYO, "arrests")

    async def arrived() -> arrests_pb2.Arrest | None:
        wanted = arrests_pb2.ListArrestsRequest(parent=f"agencies/{SAITAMA}", page_size=500)
        copies = (await elsewhere.call(elsewhere.stub(ArrestsServiceStub).ListArrests, wanted)).arrests
        return next((copy for copy in copies if copy.name == arrest.name), None)

    copy, _ = await play.wait("the arrest is in Tokyo", arrived, since=began)
    if copy.clocks or copy.HasField("custody"):
        raise ClaimError("Tokyo was told of a clock of Saitama")
    who = answered.acknowledger.rpartition("/")[2]
    told.say(
        f"   {label(SAITAMA)}: warned at 50 % after {seconds * 1000:.0f} ms, acknowledged by {who}, due in 23 hours; "
        "nobody is released or held longer by it"
    )
