"""Serve a service's log to the other services of the agency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse, WatchLogRequest, WatchLogResponse

from renkei_chassis.errors import OutOfRange
from renkei_chassis.log.read import MAX_EVENTS
from renkei_chassis.rpc.methods import Api, Call, ReadMethod, StreamMethod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from renkei_chassis.log.log import Log


def log_api(log: Log) -> Api:
    """Make the methods of LogService over one log."""

    async def read_log(request: ReadLogRequest, call: Call) -> ReadLogResponse:
        del call
        last = _known(log, request.after_sequence)
        events = await log.events(after=request.after_sequence, limit=request.max_events or MAX_EVENTS)
        through = events[-1].sequence if events else last
        return ReadLogResponse(
            events=events, through_sequence=through, last_sequence=max(last, through), epoch=log.epoch
        )

    async def watch_log(request: WatchLogRequest, call: Call) -> AsyncIterator[WatchLogResponse]:
        del call
        after = request.after_sequence
        _known(log, after)
        async for events in log.follow(after=after):
            after = events[-1].sequence if events else after
            yield WatchLogResponse(events=events, through_sequence=after, epoch=log.epoch)

    return {
        "renkei.event.v1.LogService": {
            "ReadLog": ReadMethod(answer=read_log),
            "WatchLog": StreamMethod(answers=watch_log),
        }
    }


def _known(log: Log, after: int) -> int:
    last = log.position.sequence
    if after > last:
        raise OutOfRange(
            "LOG_AHEAD",
            "the caller knows events that this log does not have: the log was rolled back",
            metadata={"last_sequence": str(last), "epoch": log.epoch},
        )
    return last
