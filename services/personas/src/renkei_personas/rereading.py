"""Read the logs again, from their beginning, once this program finds more in a record than the one before it did.

A follower reads each event once. What was taken in by a program that knew fewer forms of a name would else stay
unknown until somebody corrects the record. So each log is read once more up to where the follower stood when the newer
program came, beside the follower and with a place of its own; it goes on after a restart where it was.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError
from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse
from renkei.event.v1.log_pb2_grpc import LogServiceStub

from renkei_chassis.contract import event_type
from renkei_chassis.errors import OutOfRange, RenkeiError
from renkei_chassis.follower.state import read_cursor
from renkei_chassis.telemetry.logging import log_event
from renkei_personas.store import records

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.follower.apply import Handler
    from renkei_chassis.rpc.client import Client

READING: Final = 2
"""Grows whenever more is found in a record than before. 1: before names were looked for in words."""
_BATCH: Final = 256
_PAUSE_SECONDS: Final = 5.0
_LOG: Final = logging.getLogger("renkei.personas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a log was read again, and up to where it is to be."""

    source: str
    reading: int
    epoch: str
    sequence: int
    until: int


class Rereading:
    """Reads each log again where that is needed, and then no more."""

    def __init__(
        self,
        *,
        agency: str,
        logs: Collection[str],
        handlers: Mapping[str, Handler],
        database: Database,
        writer: Writer,
        client: Callable[[str], Client],
    ) -> None:
        """Take whose logs, by short name, and what their events do; a type without a handler does nothing."""
        self._agency = agency
        self._logs = logs
        self._handlers = handlers
        self._database = database
        self._writer = writer
        self._client = client
        self._told: set[str] = set()

    async def run(self) -> None:
        """Read what is to be read again; who does not answer is asked again later."""
        await self._begin()
        waiting = list(self._logs)
        while waiting:
            waiting = [service for service in waiting if not await self._is_read(service)]
            if waiting:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _begin(self) -> None:
        """Note for each log up to where it is to be read again: to where the follower stands now."""
        known = await self._database.read(records.places)
        fresh = []
        for service in self._logs:
            source = self._source(service)
            if source not in known or known[source].reading != READING:
                cursor = await self._database.read(partial(read_cursor, source=source))
                fresh.append(
                    Place(source=source, reading=READING, epoch=cursor.epoch, sequence=0, until=cursor.sequence)
                )
        if fresh:
            await self._writer.run(partial(_keep, fresh))

    def _source(self, service: str) -> str:
        return f"{self._agency}/logs/{service}"

    async def _is_read(self, service: str) -> bool:
        try:
            await self._read(service)
        except RenkeiError as error:
            if service not in self._told:
                log_event(_LOG, "reading again waits", log=service, reason=error.reason)
            self._told.add(service)
            return False
        return True

    async def _read(self, service: str) -> None:
        known = await self._database.read(records.places)
        place = Place(**known[self._source(service)]._asdict())
        client = self._client(service)
        stub = client.stub(LogServiceStub)
        while place.sequence < place.until:
            try:
                request = ReadLogRequest(after_sequence=place.sequence, max_events=_BATCH)
                answer = await client.call(stub.ReadLog, request)
            except OutOfRange:  # the log was restored to an earlier place
                answer = await client.call(stub.ReadLog, ReadLogRequest(max_events=_BATCH))
            if answer.epoch == place.epoch:
                place = await self._writer.run(partial(self._learn, place, answer))
            else:
                place = replace(place, epoch=answer.epoch, sequence=0, until=answer.last_sequence)

    def _learn(self, place: Place, answer: ReadLogResponse, transaction: Transaction) -> Place:
        for event in answer.events:
            self._one(transaction, event)
        through = answer.events[-1].sequence if answer.events else place.until
        later = replace(place, sequence=through)
        _keep([later], transaction)
        return later

    def _one(self, transaction: Transaction, event: Event) -> None:
        handler = self._handlers.get(event.type)
        if handler is None or event.erased:
            return
        try:
            payload = event_type(event.type).FromString(event.data.value)
        except DecodeError:  # the follower has set it aside
            return
        handler(transaction, event, payload)


def _keep(places: Sequence[Place], transaction: Transaction) -> None:
    for place in places:
        records.keep_place(transaction, asdict(place))
