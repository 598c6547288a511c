"""Tell of what was refused or is wrong: a line in the log and an alarm of the service, never a crash or content."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.alarms import Alarms as Sounds
    from renkei_chassis.database.transaction import Transaction

# Of our own events, on the way out.
NOT_RELEASABLE_TYPE: Final = "NOT_RELEASABLE_TYPE"
NOT_RELEASABLE: Final = "NOT_RELEASABLE"
NOT_OURS: Final = "NOT_OURS"
UNKNOWN_AGENCY: Final = "UNKNOWN_AGENCY"
UNKNOWN_GRADE: Final = "UNKNOWN_GRADE"
TOO_LARGE: Final = "TOO_LARGE"
HARM_REVIEW_OVERDUE: Final = "HARM_REVIEW_OVERDUE"
# Of others' items, on the way in.
UNREADABLE: Final = "UNREADABLE"
WRONG_LANE: Final = "WRONG_LANE"
RECEIPT_MISMATCH: Final = "RECEIPT_MISMATCH"
# Of a lane as a whole.
BLOCKED: Final = "BLOCKED"
NEW_EPOCH: Final = "NEW_EPOCH"
BAD_COPY: Final = "BAD_COPY"

_LOG: Final = logging.getLogger("renkei.exchange")


class Alarms:
    """Logs and sounds what somebody should look at."""

    def __init__(self, service: Sounds) -> None:
        """Take the service's own list of alarms, which counts them for `/metrics` and `renkei status`."""
        self._service = service

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each reason was sounded."""
        counts: Counter[str] = Counter()
        for alarm in self._service.sounded():
            counts[alarm.reason] += alarm.count
        return counts

    def sound(self, reason: str, **fields: str | int) -> None:
        """Tell now. On the event loop."""
        self._service.sound(reason, _subject(fields))
        log_event(_LOG, "exchange alarm", level=logging.ERROR, error=None, reason=reason, **fields)

    def sound_after(self, transaction: Transaction, reason: str, **fields: str | int) -> None:
        """Tell once the transaction is committed, so that a batch that is done again is not told of twice."""
        transaction.after_commit(partial(self.sound, reason, **fields))


def _subject(fields: Mapping[str, str | int]) -> str:
    """Name the lane and its agency, or the log of our own."""
    if "peer" in fields:
        return f"{fields.get('lane', '')} {fields['peer']}".strip()
    return str(fields.get("log", ""))
