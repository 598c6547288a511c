"""Serve where the followers of a service stand, what they set aside, and the second try."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from renkei.event.v1 import log_pb2

from renkei_chassis.database.pages import page_size
from renkei_chassis.follower import state
from renkei_chassis.rpc.methods import Api, Call, ReadMethod

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

    from renkei_chassis.alarms import Alarms
    from renkei_chassis.database.engine import Database
    from renkei_chassis.follower.follower import Follower
    from renkei_chassis.follower.retry import Retrier
    from renkei_chassis.rpc.page_tokens import PageTokens

_KIND = "set_aside"
_ALARMS = "alarms"


def follower_api(
    *,
    followers: Mapping[str, Follower],
    retrier: Retrier,
    database: Database,
    tokens: PageTokens,
    alarms: Alarms,
) -> Api:
    """Make the methods of FollowerService."""

    async def list_followers(request: log_pb2.ListFollowersRequest, call: Call) -> Message:
        del request, call
        answer = log_pb2.ListFollowersResponse()
        for source, follower in sorted(followers.items()):
            aside = await database.read(partial(state.read_aside, source=source))
            line = answer.followers.add(
                source=source,
                sequence=follower.cursor.sequence,
                last_known_sequence=follower.last_known,
                set_aside=aside.count,
                repaired=follower.repaired,
                reachable=follower.reachable,
                courier_connected=follower.courier_connected(),
            )
            cursor = await database.look(partial(state.read_cursor, source=source))
            if cursor.apply_time_us:
                line.apply_time.FromMicroseconds(cursor.apply_time_us)
            if aside.oldest_us:
                line.oldest_set_aside_time.FromMicroseconds(aside.oldest_us)
        return answer

    async def list_set_aside(request: log_pb2.ListSetAsideRequest, call: Call) -> Message:
        del call
        size = page_size(request.page_size, default=100, largest=1000)
        after = tokens.decode(_KIND, request, request.page_token) or ("", 0)
        rows = await database.read(partial(state.list_aside, after=after, limit=size + 1))
        answer = log_pb2.ListSetAsideResponse()
        for row in rows[:size]:
            line = answer.events.add(
                source=row.source,
                sequence=row.sequence,
                event_id=str(uuid.UUID(bytes=row.event_id)),
                type=row.type,
                resource=row.resource,
                reason=row.reason,
                attempts=row.attempts,
            )
            line.create_time.FromMicroseconds(row.time_us)
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = tokens.encode(_KIND, request, (last.source, last.sequence))
        return answer

    async def retry_set_aside(request: log_pb2.RetrySetAsideRequest, call: Call) -> Message:
        del call
        applied, remaining = await retrier.retry(source=request.source)
        return log_pb2.RetrySetAsideResponse(applied=applied, remaining=remaining)

    return {
        "renkei.event.v1.FollowerService": {
            "ListFollowers": ReadMethod(answer=list_followers),
            "ListAlarms": _list_alarms(alarms, tokens),
            "ListSetAside": ReadMethod(answer=list_set_aside),
            "RetrySetAside": ReadMethod(answer=retry_set_aside),
        }
    }


def _list_alarms(alarms: Alarms, tokens: PageTokens) -> ReadMethod:
    async def list_alarms(request: log_pb2.ListAlarmsRequest, call: Call) -> Message:
        del call
        size = page_size(request.page_size, default=100, largest=1000)
        after = tokens.decode(_ALARMS, request, request.page_token) or ("", "")
        found = [alarm for alarm in alarms.sounded() if (alarm.reason, alarm.subject) > tuple(after)]
        answer = log_pb2.ListAlarmsResponse()
        for alarm in found[:size]:
            line = answer.alarms.add(reason=alarm.reason, subject=alarm.subject, count=alarm.count)
            line.last_time.FromMicroseconds(alarm.time_us)
        if len(found) > size:
            last = found[size - 1]
            answer.next_page_token = tokens.encode(_ALARMS, request, (last.reason, last.subject))
        return answer

    return ReadMethod(answer=list_alarms)
