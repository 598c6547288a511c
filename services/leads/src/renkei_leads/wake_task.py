"""Let leads that were put off come back when their time is there, though nobody calls."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import RenkeiError
from renkei_chassis.telemetry.logging import log_event
from renkei_leads import follow_up_rows
from renkei_leads.domain import StepKind
from renkei_leads.domain.follow_up import wake
from renkei_leads.follow_up_rows import NewStep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Never

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer

_LOG: Final = logging.getLogger("renkei.leads")
_AT_ONCE: Final = 100


class WakeTask:
    """Wakes leads. By a clock that is ahead they come early, which costs a look."""

    def __init__(self, *, agency: str, database: Database, writer: Writer, clock: Clock, seconds: float) -> None:
        """Take how often to look."""
        self._agency = agency
        self._database = database
        self._writer = writer
        self._clock = clock
        self._seconds = seconds

    async def run(self) -> Never:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except RenkeiError as error:  # a turned clock, a full disk: the next look tries again
                log_event(_LOG, "leads cannot come back", level=logging.WARNING, reason=error.reason)
            await asyncio.sleep(self._seconds)

    async def look(self) -> int:
        """Wake what is due; returns how many leads."""
        woken = 0
        while True:
            found = await self._database.look(partial(follow_up_rows.due, now_us=self._clock.now_us(), limit=_AT_ONCE))
            done = await self._writer.run(partial(self._wake, found)) if found else 0
            if not done:
                return woken
            woken += done

    def _wake(self, ids: Sequence[str], transaction: Transaction) -> int:
        woken = 0
        for lead in ids:
            before = follow_up_rows.find(transaction, lead)
            end_us = before.follow_up.snooze_end_us
            if end_us is None or end_us > transaction.now_us:
                continue  # somebody acted a moment ago
            step = NewStep(kind=StepKind.WOKEN, after=wake(before.follow_up))
            follow_up_rows.write_step(transaction, agency=self._agency, before=before, step=step)
            woken += 1
        return woken
