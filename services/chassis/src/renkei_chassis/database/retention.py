"""Forget requests after 30 days, never sooner because somebody turned the clock; and tell what time has surely passed.

A wall clock that is a year ahead for a minute must not cost the ids of yesterday: a repeat of theirs would be carried
out twice. So it is not asked how old a row is, but whether it is older than every hour that was seen on the clock in
the last 30 days *of running*. A clock that was wrong makes rows live longer, and so does a node that stood still.
"""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from renkei_chassis.database import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.database.transaction import Transaction

KEPT: Final = timedelta(days=30)
HOUR: Final = timedelta(hours=1)
_SLACK: Final = timedelta(seconds=10)  # clocks are slewed, and an hour's timer may fire a little early
_HOUR_US: Final = (HOUR - _SLACK) // timedelta(microseconds=1)
# An hour is counted a little early each time, and still they make 30 whole days.
HOURS_SEEN: Final = KEPT // (HOUR - _SLACK) + 1
AT_ONCE: Final = 5000
_KEY: Final = "hours"


def see_hour(transaction: Transaction) -> None:
    """Note what the clock shows, once an hour: called more often, or after a restart, it waits for the next."""
    hours = _hours(transaction)
    if hours and abs(transaction.now_us - hours[-1]) < _HOUR_US:
        return
    seen = [*hours, transaction.now_us][-HOURS_SEEN - 1 :]
    value = struct.pack(f"<{len(seen)}q", *seen)
    facts = tables.facts
    if hours:
        transaction.execute(facts.update().where(facts.c.key == _KEY).values(value=value))
    else:
        transaction.execute(facts.insert().values(key=_KEY, value=value))


def latest_seen(transaction: Transaction) -> int:
    """Give the latest time that this database knows its clock showed, also where no event was written; 0: none.

    Beside the log's own time, for who must not act by a clock that stands behind it. It is at most an hour older than
    the last moment of running. One that was once ahead is forgotten after 30 days of running.
    """
    applied = transaction.first(select(func.max(tables.cursors.c.apply_time_us).label("at")))
    return max((*_hours(transaction), int(applied.at or 0) if applied is not None else 0))


def forget_requests(transaction: Transaction) -> bool:
    """Drop some of what is older than 30 days; returns whether there may be more. A group must not take long."""
    hours = _hours(transaction)
    if len(hours) <= HOURS_SEEN:
        return False
    requests = tables.requests
    old = select(requests.c.request_id).where(requests.c.time_us < min(hours)).limit(AT_ONCE)
    gone = transaction.execute(requests.delete().where(requests.c.request_id.in_(old)))
    return gone.rowcount == AT_ONCE


def surely_passed(transaction: Transaction, hours: int) -> int | None:
    """Give the latest moment (microseconds since 1970) that has passed, whatever was wrong with the clock lately.

    It is what the clock shows now, or less where it showed less at any time in the last `hours` of running. So a clock
    that was ahead for less than that moves nothing; neither does one that was put back. None: not run for so long yet.
    """
    if not 0 < hours <= HOURS_SEEN:
        raise ValueError("from one hour to those that are remembered")
    seen = _hours(transaction)
    return None if len(seen) <= hours else min(transaction.now_us, *seen[-hours - 1 :])


def _hours(transaction: Transaction) -> Sequence[int]:
    """Give what the clock showed at each of the last hours."""
    row = transaction.first(select(tables.facts.c.value).where(tables.facts.c.key == _KEY))
    if row is None:
        return ()
    value = bytes(row.value)
    return struct.unpack(f"<{len(value) // 8}q", value)
