"""What a relay reads from, and what it reports: counters, and alarms about streams it threw away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class NumberedMessages(Protocol):
    """Where a relay reads from: messages numbered from 1 without gaps, always the same bytes."""

    async def last_number(self) -> int:
        """Give the number of the last message, 0 if there is none."""

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """Give up to `limit` messages that follow number `after`, in order, ready to be sent."""


class Distrust(Enum):
    """Why a stream was not believed to be ours."""

    CONFIGURATION = "it is configured otherwise"
    EPOCH = "it belongs to another epoch"
    AHEAD = "it holds numbers that the source does not have"
    HOLE = "a number is missing in it"
    FOREIGN = "it holds bytes that the source never gave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A stream was deleted and made anew: which, why, and how far it and its source were."""

    stream: str
    distrust: Distrust
    stream_last: int
    source_last: int


@dataclass(slots=True, kw_only=True)
class RelayCounters:
    """What a relay has done since it started and where it stands, for status and metrics."""

    published: int = 0
    created: int = 0
    recreated: int = 0
    rewinds: int = 0
    skipped: int = 0
    full: int = 0
    errors: int = 0
    last_error: str | None = None
    position: int = 0
    source_last: int = 0
    acknowledged: int = 0
