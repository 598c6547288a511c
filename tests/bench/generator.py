"""The load generator: a process of its own that keeps so many calls open and tells how it went.

`python -m tests.bench.generator` reads a job from standard input and writes its outcome, both JSON.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import random
import selectors
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.http2 import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PLACEHOLDER: Final = "00000000-0000-4000-8000-000000000000"
"""Stands in a message where each call gets a fresh UUID."""


_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do. The messages take turns."""

    port: int
    path: str
    headers: Mapping[str, str]
    messages: Sequence[str]
    """In base64."""
    callers: int
    connections: int = 1
    warm_seconds: float = 0.3
    seconds: float = 1.5
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How it went: calls answered a second, and how long one took."""

    calls: int
    per_second: float
    p50_us: float
    p99_us: float
    failures: int
    failure: str
    """How the first of the failures ended."""


class Run:
    """A job being done: the calls that are open, and what the counted ones took."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._messages = _messages([base64.b64decode(text) for text in job.messages])
        self._open: dict[tuple[Connection, int], int] = {}
        self._took: list[int] = []
        self._seconds = job.seconds

    def go(self) -> Load:
        """Keep `callers` calls open for as long as the job says; they are counted after the warm-up."""
        job = self._job
        connections = [
            Connection(job.host, job.port, path=job.path, headers=job.headers) for _ in range(job.connections)
        ]
        start = time.perf_counter_ns()
        for number in range(job.callers):
            self._call(connections[number % len(connections)], start)
        for connection in connections:
            connection.flush()
        counted_from = start + int(job.warm_seconds * 1e9)
        with selectors.DefaultSelector() as selector:
            for connection in connections:
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            while self._open:
                ready = selector.select(timeout=_PATIENCE_SECONDS)
                if not ready:
                    raise TimeoutError(f"{len(self._open)} calls are not answered")
                for key, _ in ready:
                    self._answered(key.data, counted_from, counted_from + int(job.seconds * 1e9))
        for connection in connections:
            connection.close()
        return self._load([failure for connection in connections for failure in connection.failures])

    def _call(self, connection: Connection, now: int) -> None:
        self._open[connection, connection.call(next(self._messages))] = now

    def _answered(self, connection: Connection, begin: int, end: int) -> None:
        """Take the answers that are there, and let each of their callers call again."""
        ended = connection.receive()
        now = time.perf_counter_ns()
        took = [now - self._open.pop((connection, stream)) for stream in ended]
        if begin <= now < end:
            self._took += took
        elif now >= end and not self._took:  # a machine that stood still: what came first, in the time that it took
            self._took, self._seconds = took, (now - begin) / 1e9
        if now < end:
            for _ in ended:
                self._call(connection, now)
        connection.flush()

    def _load(self, failures: Sequence[str]) -> Load:
        took = sorted(self._took)
        return Load(
            calls=len(took),
            per_second=len(took) / self._seconds,
            p50_us=took[len(took) // 2] / 1e3 if took else 0.0,
            p99_us=took[len(took) * 99 // 100] / 1e3 if took else 0.0,
            failures=len(failures),
            failure=failures[0] if failures else "",
        )


def _messages(templates: Sequence[bytes]) -> Iterator[bytes]:
    place = PLACEHOLDER.encode()
    parts = [template.partition(place) for template in templates]
    bits = random.SystemRandom().getrandbits
    salt = random.Random(bits(64)).getrandbits
    while True:
        for head, found, tail in parts:
            if not found:
                yield head
                continue
            text = f"{salt(128):032x}"
            fresh = f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
            yield head + fresh.encode() + tail


def main() -> int:
    """Read the job, do it, tell."""
    job = Job(**json.load(sys.stdin))
    gc.disable()
    json.dump(dataclasses.asdict(Run(job).go()), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
