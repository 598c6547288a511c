"""Look at the clocks again and again, so that a warning comes though nobody calls, and nobody else can be reached."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from renkei.arrests.v1.arrests_pb2 import Arrest
from sqlalchemy import select

from renkei_arrests import clock_rows
from renkei_arrests.store import CLOCKS, TABLES
from renkei_chassis.clock import from_us
from renkei_chassis.errors import RenkeiError
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Never

    from sqlalchemy import Connection, Row

    from renkei_arrests.custody import Terms
    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger("renkei.arrests")
_AT_ONCE: Final = 100
_PIECE: Final = 200
_PAUSE_SECONDS: Final = 0.005


class ClockTask:
    """Warns and escalates.

    What a clock does takes its cause away in the same transaction, so nothing is told twice. While somebody turned the
    machine's clock the log refuses to be written; the board goes on showing by whatever the clock says, and what fell
    due meanwhile is told as soon as the log can be written again.
    """

    def __init__(
        self,
        *,
        agency: str,
        terms: Terms,
        database: Database,
        writer: Writer,
        clock: Clock,
        metrics: Metrics,
        seconds: float,
    ) -> None:
        """Take how often to look."""
        self._prefix = f"{agency}/arrests/"
        self._terms = terms
        self._database = database
        self._writer = writer
        self._clock = clock
        self._seconds = seconds
        self._struck = metrics.counter("renkei_clocks_struck", "Clocks that warned or were escalated.")

    async def run(self) -> Never:
        """Look for ever. First set the clocks anew: settings may have changed, or records be older than the clocks."""
        is_set = False
        while True:
            try:
                await self.look()
                if not is_set:
                    await self.set_anew()
                    is_set = True
            except RenkeiError as error:  # a turned clock, a full disk: the next look tries again
                log_event(_LOG, "the clocks cannot strike", level=logging.WARNING, reason=error.reason)
            await asyncio.sleep(self._seconds)

    async def look(self) -> int:
        """Let what is due strike now; returns how many clocks did."""
        struck = 0
        while True:
            found = await self._database.look(partial(_due, now_us=self._clock.now_us()))
            done = await self._writer.run(partial(self._strike, found)) if found else 0
            if not done:
                return struck
            self._struck(done)
            struck += done

    async def set_anew(self) -> int:
        """Compare the rows of every open record with its facts and mend those that differ; returns of how many."""
        mended, after = 0, b""
        while True:
            now = from_us(self._clock.now_us())
            piece: Callable[[Connection], tuple[list[bytes], bytes | None]] = partial(
                _differing, after=after, now=now, terms=self._terms
            )
            found, last = await self._database.read(piece)
            if found:
                await self._writer.run(partial(self._mend, found))
                mended += len(found)
            if last is None:
                return mended
            after = last
            await asyncio.sleep(_PAUSE_SECONDS)

    def _strike(self, keys: Sequence[tuple[bytes, int]], transaction: Transaction) -> int:
        struck = 0
        for record_id, kind in keys:
            row = clock_rows.find(transaction, record_id, kind)
            if row is None or row.look_us is None or row.look_us > transaction.now_us:
                continue  # met, acknowledged or purged a moment ago
            arrest = f"{self._prefix}{UUID(bytes=bytes(record_id))}"
            clock_rows.strike(transaction, row, arrest=arrest, terms=self._terms)
            struck += 1
        return struck

    def _mend(self, ids: Sequence[bytes], transaction: Transaction) -> None:
        for row in transaction.execute(select(TABLES.records).where(TABLES.records.c.id.in_(ids))).all():
            if row.state == Arrest.STATE_OPEN and row.delete_time_us is None:
                arrest = Arrest.FromString(row.content)
                clock_rows.stored(transaction, bytes(row.id), arrest, terms=self._terms, known=True)


def _due(connection: Connection, *, now_us: int) -> Sequence[tuple[bytes, int]]:
    columns = CLOCKS.c
    due = select(columns.record_id, columns.kind).where(columns.look_us <= now_us)
    return [
        (bytes(row.record_id), row.kind)
        for row in connection.execute(due.order_by(columns.look_us).limit(_AT_ONCE)).all()
    ]


def _differing(connection: Connection, *, after: bytes, now: Any, terms: Terms) -> tuple[list[bytes], bytes | None]:  # noqa: ANN401
    """Look at some open records: give those whose rows are wrong, and where to go on."""
    columns, clocks = TABLES.records.c, CLOCKS.c
    open_ones = select(columns.id, columns.content).where(
        columns.id > after, columns.state == Arrest.STATE_OPEN, columns.delete_time_us.is_(None)
    )
    records = connection.execute(open_ones.order_by(columns.id).limit(_PIECE)).all()
    ids = [bytes(row.id) for row in records]
    found = connection.execute(select(CLOCKS).where(clocks.record_id.in_(ids)).order_by(clocks.record_id)).all()
    rows: dict[bytes, list[Row[Any]]] = {key: list(some) for key, some in groupby(found, lambda r: bytes(r.record_id))}
    wrong = [
        key
        for key, record in zip(ids, records, strict=True)
        if clock_rows.differs(Arrest.FromString(record.content), rows.get(key, ()), now, terms)
    ]
    return wrong, ids[-1] if len(ids) == _PIECE else None
