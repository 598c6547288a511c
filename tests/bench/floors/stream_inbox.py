"""A floor: a FastStream subscriber with a durable inbox, a row and a commit for each message, acknowledged behind it.

`python -m tests.bench.floors.stream_inbox` reads a job from standard input and writes the messages a second, both JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Final

import asyncpg
import nats
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub

from tests.bench.tips_service import create_message

_SUBJECT: Final = "inbox.recorded"
_STREAM: Final = "INBOX"
_PULLED: Final = 64
_TABLE: Final = "CREATE TABLE inbox (message_id text PRIMARY KEY, content bytea NOT NULL)"
_ROW: Final = "INSERT INTO inbox (message_id, content) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def messages_per_second(database: str, server: str, messages: int, connections: int) -> float:
    """Consume a backlog, from the subscription until the last message is committed and acknowledged."""
    await _publish(server, messages)
    broker = NatsBroker(server, logger=None)
    taken = 0
    done = asyncio.Event()
    async with asyncpg.create_pool(database, min_size=connections, max_size=connections) as pool:
        await pool.execute(_TABLE)

        @broker.subscriber(
            _SUBJECT,
            stream=JStream(_STREAM, declare=False),
            durable="inbox",
            pull_sub=PullSub(batch_size=_PULLED),
        )
        async def keep(content: bytes, message: NatsMessage) -> None:
            nonlocal taken
            await pool.execute(_ROW, message.headers["Nats-Msg-Id"], content)
            taken += 1
            if taken == messages:
                done.set()

        began = time.perf_counter()
        await broker.start()
        await done.wait()
        seconds = time.perf_counter() - began
        await broker.stop()
        count = await pool.fetchval("SELECT count(*) FROM inbox")
    if count != messages:
        raise RuntimeError("not every message has a row")
    await _forget(server)
    return messages / seconds


async def _publish(server: str, messages: int) -> None:
    connection = await nats.connect(server)
    stream = connection.jetstream()
    await stream.add_stream(name=_STREAM, subjects=[_SUBJECT])
    content = create_message()
    for _ in range(messages // _PULLED):
        ids = [str(uuid.uuid4()) for _ in range(_PULLED)]
        await asyncio.gather(*(stream.publish(_SUBJECT, content, headers={"Nats-Msg-Id": each}) for each in ids))
    await connection.close()


async def _forget(server: str) -> None:
    connection = await nats.connect(server)
    await connection.jetstream().delete_stream(_STREAM)
    await connection.close()


if __name__ == "__main__":
    json.dump(asyncio.run(messages_per_second(**json.load(sys.stdin))), sys.stdout)
