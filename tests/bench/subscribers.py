"""A process with many open streams: it counts the events that come on each, and can tell when each of them came.

`python -m tests.bench.subscribers` reads a job from standard input, writes a line when every stream has had its first
answer, and ends with what it saw, both JSON.
"""

from __future__ import annotations

import base64
import gc
import json
import re
import selectors
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.http2 import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping

_STREAMS_A_CONNECTION: Final = 50
_PATIENCE_SECONDS: Final = 30.0
_ID_BYTES: Final = 36
_NAME: Final = rb"agencies/jp-12/tips/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What to open how often, and how many events each stream is to see before it is over."""

    port: int
    path: str
    headers: Mapping[str, str]
    message: str
    """In base64."""
    subscribers: int
    events: int
    names_an_event: int
    """How often the name of its record stands in an event."""
    timed: bool = False
    """Tell for each record when it came."""


class Seen:
    """What came on the streams of one connection."""

    def __init__(self, job: Subscription) -> None:
        self._timed = job.timed
        self._wanted = job.events * job.names_an_event
        self._rest: defaultdict[int, bytes] = defaultdict(bytes)
        self._counts: defaultdict[int, int] = defaultdict(int)
        self.began: set[int] = set()
        self.done = 0
        self.frames: defaultdict[int, list[tuple[float, bytes]]] = defaultdict(list)

    def take(self, stream: int, payload: bytes) -> None:
        """Count the names in a frame; one may begin in the frame before."""
        self.began.add(stream)
        joined = self._rest[stream] + payload
        self._rest[stream] = joined[1 - len(_NAME) :]
        if self._timed:
            self.frames[stream].append((time.monotonic(), payload))
        found = joined.count(_NAME)
        before = self._counts[stream]
        self._counts[stream] = before + found
        self.done += before < self._wanted <= before + found


def watch(job: Subscription) -> tuple[float, dict[str, list[float]]]:
    """Open the streams and wait for the end; gives the seconds since they were opened, and when each record came."""
    seen: list[Seen] = []
    connections: list[Connection] = []
    began = time.perf_counter()
    for first in range(0, job.subscribers, _STREAMS_A_CONNECTION):
        seen.append(Seen(job))
        connection = Connection("127.0.0.1", job.port, path=job.path, headers=job.headers, take=seen[-1].take)
        for _ in range(min(_STREAMS_A_CONNECTION, job.subscribers - first)):
            connection.call(base64.b64decode(job.message))
        connection.flush()
        connections.append(connection)
    ready = False
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while sum(each.done for each in seen) < job.subscribers:
            found = selector.select(timeout=_PATIENCE_SECONDS)
            if not found:
                raise TimeoutError(f"only {sum(each.done for each in seen)} of {job.subscribers} streams have it all")
            for key, _ in found:
                if key.data.receive() and key.data.failures:
                    raise RuntimeError(f"a stream ended: {key.data.failures[0]}")
                key.data.flush()
            if not ready and sum(len(each.began) for each in seen) == job.subscribers:
                ready = True
                print("ready", flush=True)  # noqa: T201 (whoever started us waits for it)
    seconds = time.perf_counter() - began
    for connection in connections:
        connection.close()
    return seconds, _times(seen)


def _times(seen: list[Seen]) -> dict[str, list[float]]:
    """Give for each record when it came on each stream: when its name was there for the first time, and whole."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    pattern = re.compile(_NAME + rb"[0-9a-f-]{%d}" % _ID_BYTES)
    for frames in (frames for each in seen for frames in each.frames.values()):
        tail, first = b"", dict[bytes, float]()
        for moment, payload in frames:
            joined = tail + payload
            tail = joined[1 - len(_NAME) - _ID_BYTES :]  # too short for a whole name
            for name in pattern.findall(joined):
                first.setdefault(name, moment)
        for name, moment in first.items():
            times[name.decode()].append(moment)
    return times


def main() -> int:
    """Read the job, do it, tell."""
    job = Subscription(**json.loads(sys.stdin.readline()))
    gc.disable()
    seconds, times = watch(job)
    json.dump({"seconds": seconds, "times": times}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
