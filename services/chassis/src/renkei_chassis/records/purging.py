"""Purge own records whose time has come: by themselves, never early, and so that nothing of them is left.

A sweep reads all records in small pieces on a reader's thread, and hands those that are due to the writer, which looks
again and erases each in one transaction with the event that tells of it. So a crash leaves a record whole or gone, and
the next sweep goes on. What is due is measured by `surely_passed`, not by the clock.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from renkei.event.v1.event_pb2 import Event
from renkei.policy.v1.policy_pb2 import Grade
from sqlalchemy import select

from renkei_chassis.database import tables
from renkei_chassis.database.retention import see_hour, surely_passed
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import RenkeiError
from renkei_chassis.log.append import erase_resource
from renkei_chassis.records import own
from renkei_chassis.records.due import purge_due_us, review_due_us
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Never

    from sqlalchemy import Connection

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.records.audience import Audience
    from renkei_chassis.records.kind import Record, RecordKind, Retention
    from renkei_chassis.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger("renkei.purging")
# A reader must not be long, nor hold what every other thread waits for; a group must not take long either.
_PIECE: Final = 200
_PAUSE_SECONDS: Final = 0.02
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often is looked, and how long the clock must have been right before it is believed."""

    seconds: float
    hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What one look at all records found."""

    purged: int = 0
    waiting: int = 0
    """Records whose time has come by the clock, while it is not sure yet that it passed."""
    for_review: int = 0
    """Records, not deleted, whose review is due by the clock."""


class Purging:
    """Purges the own records of one kind."""

    def __init__(
        self,
        kind: RecordKind,
        *,
        agency: str,
        retention: Callable[[Record], Retention],
        rhythm: Rhythm,
        database: Database,
        writer: Writer,
        metrics: Metrics,
        parting: Callable[[Transaction, Record], None] = lambda _transaction, _record: None,
    ) -> None:
        """Take how long a record of which class is kept, how often to look, and what to do before a record goes."""
        self._kind = kind
        self._prefix = f"{agency}/{kind.collection}/"
        self._retention = retention
        self._rhythm = rhythm
        self._database = database
        self._writer = writer
        self._parting = parting
        # A record's own events; those that only name it stay, so that whoever is behind still hears of them.
        events = kind.events
        self._kept = frozenset(
            event.DESCRIPTOR.full_name for event in (events.withdrawn, events.deleted, events.purged)
        )
        purged = metrics.counter("renkei_records_purged", "Own records that were purged.", ["kind"])
        waiting = metrics.gauge(
            "renkei_records_purge_waiting",
            "Own records that are due to be purged and wait until the clock is surely right.",
            ["kind"],
        )
        for_review = metrics.gauge("renkei_records_review_due", "Own records that are due for review.", ["kind"])
        self._count = purged.bind(kind=kind.word)
        self._waiting = waiting.bind(kind=kind.word)
        self._for_review = for_review.bind(kind=kind.word)

    async def run(self) -> Never:
        """Look for ever."""
        while True:
            try:
                await self.look()
            except RenkeiError as error:  # a turned clock, a full disk: the next look tries again
                log_event(_LOG, "nothing can be purged now", level=logging.WARNING, reason=error.reason)
            await asyncio.sleep(self._rhythm.seconds)

    async def look(self) -> Sweep:
        """Purge what is due, and tell what was found."""
        now_us, passed_us = await self._writer.run(self._see)
        purged = waiting = for_review = 0
        after: bytes | None = b""
        while after is not None:
            found, waits, reviews, after = await self._database.read(
                partial(self._piece, after=after, now_us=now_us, passed_us=passed_us)
            )
            waiting, for_review = waiting + waits, for_review + reviews
            for start in range(0, len(found), _AT_ONCE):
                purged += await self._writer.run(partial(self._purge, found[start : start + _AT_ONCE]))
            await asyncio.sleep(_PAUSE_SECONDS)
        if purged:
            self._count(purged)
            log_event(_LOG, "records were purged", kind=self._kind.word, count=purged)
        self._waiting(waiting)
        self._for_review(for_review)
        return Sweep(purged=purged, waiting=waiting, for_review=for_review)

    def _see(self, transaction: Transaction) -> tuple[int, int | None]:
        see_hour(transaction)
        return transaction.now_us, surely_passed(transaction, self._rhythm.hours)

    def _piece(
        self, connection: Connection, *, after: bytes, now_us: int, passed_us: int | None
    ) -> tuple[list[bytes], int, int, bytes | None]:
        """Look at some records: give those to be purged, how many wait or are due for review, and where to go on."""
        columns = self._kind.tables.records.c
        rows = connection.execute(
            select(self._kind.tables.records).where(columns.id > after).order_by(columns.id).limit(_PIECE)
        ).all()
        found: list[bytes] = []
        waiting = for_review = 0
        for row in rows:
            record = own.read(self._kind, row)
            retention = self._retention(record)
            due = purge_due_us(record, retention)
            if due is not None and passed_us is not None and due <= passed_us:
                found.append(bytes(row.id))
            elif due is not None and due <= now_us:
                waiting += 1
            elif row.delete_time_us is None and review_due_us(record, retention) <= now_us:
                for_review += 1
        return found, waiting, for_review, bytes(rows[-1].id) if len(rows) == _PIECE else None

    def _purge(self, ids: Sequence[bytes], transaction: Transaction) -> int:
        """Purge those of the records that are due still; returns how many."""
        passed_us = surely_passed(transaction, self._rhythm.hours)
        records = self._kind.tables.records
        purged = 0
        for record_id in ids:
            # One by one: the purge of a record may have made a new version of another.
            row = transaction.first(select(records).where(records.c.id == record_id))
            if row is None:
                continue
            record = own.read(self._kind, row)
            due = purge_due_us(record, self._retention(record))
            if due is None or passed_us is None or due > passed_us:
                continue  # brought back, or relabelled, a moment ago
            self._parting(transaction, record)
            own.remove(transaction, self._kind.tables, row.id)
            audience = _had(transaction, record.name)
            erase_resource(transaction, record.name, origin="", keep=self._kept)
            payload = self._kind.events.purged(name=record.name, version=row.version)
            transaction.emit(NewEvent(payload=payload, resource=record.name, audience=audience))
            purged += 1
        return purged


def _had(transaction: Transaction, name: str) -> Audience:
    """Tell every agency that any event of a record ever went to, with the most that it got."""
    events = tables.events.c
    told = transaction.execute(select(events.envelope).where(events.resource == name, events.origin_agency == "")).all()
    audience: dict[str, int] = {}
    for row in told:
        for entry in Event.FromString(row.envelope).audience:
            audience[entry.agency] = max(entry.grade, audience.get(entry.agency, 0))
    return {agency: Grade.ValueType(grade) for agency, grade in audience.items()}
