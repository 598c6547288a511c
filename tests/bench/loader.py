"""The bulk loader: a process of its own that streams rows whose bytes were made before, and tells how long it took.

`python -m tests.bench.loader` reads a job from standard input and writes what came of it, both JSON.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from renkei.tips.v1 import tips_pb2

from tests.bench.processes import python
from tests.bench.tips_service import AGENCY, create_message

if TYPE_CHECKING:
    from collections.abc import Sequence

LOAD: Final = "/renkei.tips.v1.TipsService/LoadTips"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """So many rows, over so many streams at once."""

    port: int
    token: str
    rows: int
    rows_a_message: int = 250
    streams: int = 2


async def load(job: LoadJob) -> float:
    """Load from another process; gives the seconds. Raises RuntimeError where not every row became a record."""
    told = await python("tests.bench.loader", json.dumps(dataclasses.asdict(job)))
    return float(json.loads(told)["seconds"])


def messages(job: LoadJob) -> list[list[bytes]]:
    """Make the messages of each stream."""
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    streams: list[list[bytes]] = []
    each = job.rows // job.streams
    for _ in range(job.streams):
        load_id = str(uuid.uuid4())
        rows = [tips_pb2.TipRow(row=row, tip=tip) for row in range(1, each + 1)]
        streams.append(
            [
                tips_pb2.LoadTipsRequest(
                    load_id=load_id, parent=AGENCY, rows=rows[first : first + job.rows_a_message]
                ).SerializeToString()
                for first in range(0, each, job.rows_a_message)
            ]
        )
    return streams


async def _stream(channel: grpc.aio.Channel, sent: Sequence[bytes], token: str) -> list[bytes]:
    """Send all and take the answers; they are looked at afterwards."""
    method: Any = channel.stream_stream(LOAD)
    return [answer async for answer in method(iter(sent), metadata=(("authorization", f"Bearer {token}"),))]


async def main() -> int:
    """Read the job, do it, tell."""
    job = LoadJob(**json.load(sys.stdin))
    streams = messages(job)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{job.port}") as channel:
        await channel.channel_ready()
        began = time.perf_counter()
        answers = await asyncio.gather(*(_stream(channel, sent, job.token) for sent in streams))
        seconds = time.perf_counter() - began
    results = [
        result
        for stream in answers
        for answer in stream
        for result in tips_pb2.LoadTipsResponse.FromString(answer).results
    ]
    recorded = sum(result.WhichOneof("result") == "name" for result in results)
    if recorded != job.rows:
        raise RuntimeError(f"{recorded} of {job.rows} rows were recorded")
    json.dump({"seconds": seconds}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
