"""Our relay and our follower over a log that is there: how many events a second go out, and how many come in.

`python -m tests.bench.couriers` reads a job from standard input and writes what came of it, both JSON.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1 import log_pb2
from renkei.tips.v1 import events_pb2, tips_pb2
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, func, select

from renkei_chassis.alarms import Alarms
from renkei_chassis.clock import WallClock
from renkei_chassis.courier import Connection, DurableShape, Endpoint, Receiver, Relay, generate_user_key, log_shape
from renkei_chassis.courier.jetstream import create_stream, delete_stream, read_stream
from renkei_chassis.database.engine import Database, Owner
from renkei_chassis.database.postgresql.url import PostgresUrl
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent, Transaction
from renkei_chassis.database.writer import Writer
from renkei_chassis.follower.apply import Applier
from renkei_chassis.follower.follower import Follower
from renkei_chassis.ids import uuid7
from renkei_chassis.log.append import read_position
from renkei_chassis.log.log import Log
from renkei_chassis.telemetry.metrics import Metrics
from tests.bench.processes import python
from tests.bench.tips_service import AGENCY, create_message
from tests.system.federation import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei.event.v1.event_pb2 import Event

_RECORDED: Final = "renkei.tips.v1.TipRecorded"
_METADATA: Final = MetaData()
_INBOX: Final = Table(
    "bench_inbox",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierJob:
    """So many events, in packs of so many, from one database over JetStream into the other."""

    outbox: str
    inbox: str
    nats: str
    events: int
    events_a_pack: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Events a second: out of the log into the stream, and from the stream into the other database."""

    relayed: float
    received: float


async def carry(job: CourierJob) -> Carried:
    """Do it in another process. Raises RuntimeError where not everything arrived."""
    return Carried(**json.loads(await python("tests.bench.couriers", json.dumps(dataclasses.asdict(job)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    database: Database
    log: Log
    writer: Writer


@asynccontextmanager
async def _store(where: Path | PostgresUrl, service: str, metadata: MetaData) -> AsyncIterator[_Store]:
    owner = Owner(agency=AGENCY, service=service)
    schema = Schema(component=service, metadata=metadata)
    database = await asyncio.to_thread(Database.open, where, owner=owner, schema=schema)
    log = Log(name=f"{AGENCY}/logs/{service}", database=database, position=await database.read(read_position))
    writer = Writer(database=database, log=log, clock=WallClock())
    writer.start()
    try:
        yield _Store(database=database, log=log, writer=writer)
    finally:
        await writer.stop()
        await asyncio.to_thread(database.close)


def _record(transaction: Transaction, count: int) -> None:
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    for _ in range(count):
        name = f"{AGENCY}/tips/{uuid7()}"
        tip.name = name
        transaction.emit(NewEvent(payload=events_pb2.TipRecorded(tip=tip), resource=name))


def _keep(transaction: Transaction, event: Event, payload: Any) -> None:  # noqa: ANN401 (any event)
    transaction.insert(_INBOX, {"id": event.id, "content": payload.tip.SerializeToString()})


class Way:
    """From the log of one store over a stream into another store."""

    def __init__(self, source: _Store, reader: _Store, connection: Connection) -> None:
        self._source = source
        self._reader = reader
        self._connection = connection
        self._shape = log_shape("tips")
        applier = Applier(
            source=source.log.name, handlers={_RECORDED: _keep}, writer=reader.writer, alarms=Alarms(Metrics("bench"))
        )
        self._follower = Follower(
            applier=applier, database=reader.database, read_log=self._read_log, courier_connected=lambda: True
        )

    async def begin(self) -> None:
        """Have a first event in effect, and an empty stream that goes on behind it: as between any two services."""
        await self._source.writer.run(lambda transaction: _record(transaction, 1))
        follow = asyncio.create_task(self._follower.run())
        await self._follower.caught_up(1)
        follow.cancel()
        link = await self._connection.link()
        await create_stream(link, self._shape, self._source.log.epoch, 2)

    async def fill(self, events: int, events_a_pack: int) -> None:
        """Have a backlog in the log."""
        for _ in range(0, events, events_a_pack):
            await self._source.writer.run(lambda transaction: _record(transaction, events_a_pack))

    async def relay(self) -> float:
        """Give the seconds until the server has acknowledged the whole backlog."""
        log = self._source.log
        relay = Relay(self._connection, shape=self._shape, source=log, epoch=log.epoch)
        began = time.perf_counter()
        task = asyncio.create_task(relay.run())
        async with asyncio.timeout(60):
            while relay.counters.position < log.position.pack:  # noqa: ASYNC110 (a relay sets no event)
                await asyncio.sleep(0.001)
        seconds = time.perf_counter() - began
        task.cancel()
        state = await read_stream(await self._connection.link(), self._shape.name)
        if state is None or state.messages != log.position.pack - 1:
            raise RuntimeError("the stream does not hold what was relayed")
        return seconds

    async def receive(self) -> float:
        """Give the seconds until the whole backlog is committed in the other database."""
        receiver = Receiver(
            self._connection,
            stream=self._shape.name,
            durable=DurableShape(name="reader"),
            on_messages=self._follower.on_messages,
            may_create=True,
        )
        began = time.perf_counter()
        task = asyncio.create_task(receiver.run())
        async with asyncio.timeout(60):
            await self._follower.caught_up(self._source.log.position.sequence)
        seconds = time.perf_counter() - began

        async def acknowledged() -> bool:
            return receiver.counters.acknowledged_through == self._source.log.position.pack

        await until(acknowledged)
        task.cancel()
        count = await self._reader.database.read(
            lambda connection: connection.execute(select(func.count()).select_from(_INBOX)).scalar_one()
        )
        if count != self._source.log.position.sequence or self._follower.repaired > 1:
            raise RuntimeError("not everything came in by way of NATS")
        return seconds

    async def end(self) -> None:
        """Leave no stream behind."""
        await delete_stream(await self._connection.link(), self._shape.name)

    async def _read_log(self, request: log_pb2.ReadLogRequest) -> log_pb2.ReadLogResponse:
        log = self._source.log
        events = await log.events(after=request.after_sequence, limit=request.max_events)
        return log_pb2.ReadLogResponse(epoch=log.epoch, events=events, last_sequence=log.position.sequence)


async def main() -> int:
    """Read the job, do it, tell."""
    job = CourierJob(**json.load(sys.stdin))
    async with AsyncExitStack() as running:
        source = await running.enter_async_context(_store(PostgresUrl.parse(job.outbox), "tips", MetaData()))
        reader = await running.enter_async_context(_store(PostgresUrl.parse(job.inbox), "leads", _METADATA))
        connection = Connection(Endpoint(url=job.nats, key=generate_user_key(), name="bench"))
        connecting = asyncio.create_task(connection.run())
        running.callback(connecting.cancel)
        way = Way(source, reader, connection)
        await way.begin()
        await way.fill(job.events, job.events_a_pack)
        found = Carried(relayed=job.events / await way.relay(), received=job.events / await way.receive())
        await way.end()
    json.dump(dataclasses.asdict(found), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
