"""What somebody should look at, since the service started: how often, what about, and when last."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from renkei_chassis.telemetry.metrics import Metrics

EVENT_SET_ASIDE: Final = "EVENT_SET_ASIDE"
"""A follower could not apply an event; `renkei retry --list` says why."""
LOG_RESTORED: Final = "LOG_RESTORED"
"""A log that is followed has a new epoch and was read again."""
STREAM_DISTRUSTED: Final = "STREAM_DISTRUSTED"
"""A stream on NATS was not what its relay had written, and was made anew."""

_MOST: Final = 1000
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounded:
    """One alarm and everything that it was sounded for."""

    reason: str
    subject: str
    """The log, stream or lane: a name of ours, never of a record or a person."""
    count: int
    time_us: int


class Alarms:
    """The alarms of one service. Whoever sounds one writes the line in the log, which knows more."""

    def __init__(self, metrics: Metrics, *, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        """Take where to count."""
        self._count = metrics.counter("renkei_alarms", "What somebody should look at.", ["reason"])
        self._now_us = now_us
        self._sounded: dict[tuple[str, str], Sounded] = {}

    def sound(self, reason: str, subject: str) -> None:
        """Remember it. On the event loop."""
        self._count(1, reason=reason)
        if len(self._sounded) >= _MOST and (reason, subject) not in self._sounded:
            subject = _OTHERS
        before = self._sounded.get((reason, subject))
        self._sounded[reason, subject] = Sounded(
            reason=reason, subject=subject, count=1 + (before.count if before else 0), time_us=self._now_us()
        )

    def sounded(self) -> Sequence[Sounded]:
        """List them by reason and subject."""
        return [self._sounded[key] for key in sorted(self._sounded)]
