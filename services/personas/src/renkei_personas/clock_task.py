"""Look at the clocks again and again, so that what is due happens though nobody calls."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei_chassis.errors import RenkeiError
from renkei_chassis.telemetry.logging import log_event
from renkei_personas.store import cases

if TYPE_CHECKING:
    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_personas.acts import Acts

_LOG: Final = logging.getLogger("renkei.personas")


class ClockTask:
    """Lets every clock strike that is due.

    A clock that was turned stops it (the log's own clock refuses then), and nothing strikes twice: what a clock does
    takes away what it ran for, in the same transaction.
    """

    def __init__(self, *, acts: Acts, database: Database, writer: Writer, clock: Clock, seconds: float) -> None:
        """Take how often to look."""
        self._acts = acts
        self._database = database
        self._writer = writer
        self._clock = clock
        self._seconds = seconds

    async def run(self) -> None:
        """Look for ever. First set the clocks anew: the settings may have changed since the last run."""
        is_set = False
        while True:
            try:
                if not is_set:
                    await self._writer.run(self._acts.set_clocks)
                    is_set = True
                await self.look()
            except RenkeiError as error:  # a turned clock, a full disk: the next look tries again
                _warn(error)
            await asyncio.sleep(self._seconds)

    async def look(self) -> int:
        """Let what is due strike now; returns in how many investigations."""
        now_us = self._clock.now_us()
        found = await self._database.look(partial(cases.due, now_us=now_us))
        for persona in found:
            try:
                await self._writer.run(partial(self._strike, persona))
            except RenkeiError as error:  # one that cannot is no reason for the others to wait
                _warn(error)
        return len(found)

    def _strike(self, persona: bytes, transaction: Transaction) -> None:
        self._acts.let_clocks_strike(transaction, persona)


def _warn(error: RenkeiError) -> None:
    log_event(_LOG, "the clocks cannot strike", level=logging.WARNING, reason=error.reason)
