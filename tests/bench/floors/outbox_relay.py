"""A floor: the relay of `nats-outbox` over a backlog in its own table, a JSON payload of the same record in each row.

`python -m tests.bench.floors.outbox_relay` reads a job from standard input and writes the rows a second, both JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Final

import nats
from google.protobuf.json_format import MessageToDict
from nats.js.api import StreamConfig
from nats_outbox.core.models import OutboxEvent, create_tables
from nats_outbox.publishers.nats_publisher import NatsPublisher
from nats_outbox.relay.polling import PollingRelay
from nats_outbox.settings import OutboxSettings
from renkei.tips.v1 import tips_pb2
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from tests.bench.tips_service import create_message

_SUBJECT: Final = "tips.recorded"
_LARGEST_BATCH: Final = 1000  # that it takes, and its fastest


class _Counted:
    """Its publisher, and the moment in which the last row is acknowledged."""

    def __init__(self, publisher: NatsPublisher, count: int) -> None:
        self._publisher = publisher
        self.left = count
        self.all = asyncio.Event()

    async def publish(self, event: OutboxEvent) -> None:
        await self._publisher.publish(event)
        self.left -= 1
        if not self.left:
            self.all.set()


async def rows_per_second(database: str, server: str, rows: int) -> float:
    """Relay a backlog, from the first look at the table until the last row is marked and committed."""
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))
    connection = await nats.connect(server)
    stream = connection.jetstream()
    await stream.add_stream(StreamConfig(name="OUTBOX", subjects=[_SUBJECT]))
    await create_tables(engine)
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    payload = MessageToDict(tip)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as session:
        backlog = [
            {"event_id": uuid.uuid4(), "subject": _SUBJECT, "headers": {}, "payload": payload} for _ in range(rows)
        ]
        await session.execute(insert(OutboxEvent), backlog)
    publisher = _Counted(NatsPublisher(stream), rows)
    settings = OutboxSettings(database_url="postgresql+asyncpg://", batch_size=_LARGEST_BATCH)
    relay = PollingRelay(sessions, publisher, settings)
    began = time.perf_counter()
    relaying = asyncio.create_task(relay.start())
    await publisher.all.wait()
    await relay.stop()
    await relaying  # until what it has begun is committed
    seconds = time.perf_counter() - began
    async with engine.connect() as session:
        pending = (await session.execute(select(func.count()).where(OutboxEvent.status != "published"))).scalar_one()
    if pending or (await stream.stream_info("OUTBOX")).state.messages != rows:
        raise RuntimeError("not all of the backlog was relayed")
    await stream.delete_stream("OUTBOX")
    await connection.close()
    await engine.dispose()
    return rows / seconds


if __name__ == "__main__":
    json.dump(asyncio.run(rows_per_second(**json.load(sys.stdin))), sys.stdout)
