"""Bugs of a writer: what it says, keeps and numbers when a commit does not come. See `planted.py`."""

# ruff: noqa: ANN401 (stand-ins take what the real ones take)

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
import time
import uuid
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renkei.tips.v1 import tips_pb2

from renkei_chassis import failpoints
from renkei_chassis.database import group, sqlite, writer
from renkei_chassis.database.group import CallJob, Group
from renkei_chassis.database.requests import row_of
from renkei_chassis.database.transaction import RawPayload
from renkei_chassis.failpoints import Place
from renkei_chassis.log.append import append
from renkei_chassis.log.log import Log
from renkei_chassis.log.read import read_packs
from tests.system.faults.planting import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei_chassis.log.append import Position

_WINDOW = "planted"
_RECORDED = "renkei.tips.v1.TipRecorded"
_ANSWER_SECONDS = 0.1  # until an answer has reached its caller
_FOLLOW_SECONDS = 10.0


def acknowledge_before_commit() -> None:
    """Answer when the rows are in, and commit then."""
    mine = threading.local()  # each database has a writer's thread of its own
    process = Group.process

    def remember(self: Group, jobs: Any, position: Position) -> Position:
        mine.jobs = jobs
        return process(self, jobs, position)

    def answer() -> None:
        calls = [job for job in mine.jobs if isinstance(job, CallJob) and job.error is None]
        for job in calls:
            future = writer._future(job)
            if not isinstance(future, asyncio.Future):
                continue  # a row of a bulk load
            future.get_loop().call_soon_threadsafe(partial(writer._resolve, future, job.result, None))
        if calls:
            time.sleep(_ANSWER_SECONDS)
            failpoints.hit(_WINDOW)

    replace(Group, "process", remember)
    _before_commit(answer)


def publish_before_commit() -> None:
    """Hand packs to the relay when they are written, and commit then."""
    early: dict[str, dict[int, bytes]] = {}
    mine = threading.local()
    owner: dict[Any, tuple[Log, asyncio.AbstractEventLoop]] = {}
    begin, read = writer.Writer.__init__, Log.read

    def remember(connection: Any, events: Any, *, after: Position, **words: Any) -> tuple[Position, Any]:
        end, packs = append(connection, events, after=after, **words)
        mine.last = (connection, after, end)
        mine.goes_out = any(event.audience and _type_name(event.payload) == _RECORDED for event in events)
        return end, packs

    def know(self: writer.Writer, *, log: Log, **words: Any) -> None:
        begin(self, log=log, **words)
        owner[self._group._database.writing] = (log, asyncio.get_running_loop())

    async def read_early(self: Log, after: int, limit: int) -> list[tuple[int, bytes]]:
        found = dict(await read(self, after, limit))
        known = early.get(self.name, {})
        found.update({number: data for number, data in known.items() if number > after})
        return sorted(found.items())[:limit]

    def publish() -> None:
        last, mine.last = getattr(mine, "last", None), None
        if last is None:
            return
        connection, after, end = last
        log, loop = owner[connection.engine]
        if not log.name.endswith("/tips"):
            return
        packs = read_packs(connection, log.name, log.epoch, after=after.pack, limit=100)
        early.setdefault(log.name, {}).update(packs)
        loop.call_soon_threadsafe(log.advance, end)
        _wait_for_followers(Path(str(connection.engine.url.database)), log.name, end.sequence)
        if mine.goes_out:  # else nobody would have a copy of what never was
            failpoints.hit(_WINDOW)

    replace(group, "append", remember)
    replace(writer.Writer, "__init__", know)
    replace(Log, "read", read_early)
    _before_commit(publish)


def answer_from_cache() -> None:
    """Remember answers when they are made, whether their commit came or not."""
    answers: dict[Any, Any] = {}
    carry_out = group._carry_out

    def cached(transaction: Any, job: Any, done: Any) -> Any:
        if isinstance(job, CallJob) and job.request_id in answers:
            job.result = answers[job.request_id]
            return {}
        fresh = carry_out(transaction, job, done)
        if isinstance(job, CallJob):
            answers[job.request_id] = job.result
        return fresh

    replace(group, "_carry_out", cached)


def forget_request_ids() -> None:
    """Know request ids as long as the process lives."""
    known: dict[Any, Any] = {}
    carry_out = group._carry_out

    def remember(transaction: Any, job: Any, done: Any) -> Any:
        fresh = carry_out(transaction, job, done)
        known.update(fresh)
        return fresh

    replace(group, "_carry_out", remember)
    replace(group, "find_done", lambda _connection, ids: {key: known[key] for key in ids if key in known})
    replace(group, "row_of", lambda _request_id, done, *, now_us: row_of(uuid.uuid4(), done, now_us=now_us))


def dedupe_by_content() -> None:
    """Take two requests that say the same for one."""
    answers: dict[bytes, Any] = {}
    carry_out = group._carry_out

    def same(transaction: Any, job: Any, done: Any) -> Any:
        if not isinstance(job, CallJob) or not job.path.endswith("CreateTip"):
            return carry_out(transaction, job, done)
        content = tips_pb2.CreateTipRequest.FromString(job.message.SerializeToString() if job.message else b"")
        content.request_id = ""
        key = content.SerializeToString(deterministic=True)
        if key in answers:
            job.result = answers[key]
            return {}
        fresh = carry_out(transaction, job, done)
        answers[key] = job.result
        return fresh

    replace(group, "_carry_out", same)


def burn_numbers() -> None:
    """Go on counting after a commit that failed."""
    process = Group.process
    last: dict[Any, Position] = {}

    def remember(connection: Any, events: Any, **words: Any) -> tuple[Position, Any]:
        last[connection.engine], packs = append(connection, events, **words)
        return last[connection.engine], packs

    def count_on(self: Group, jobs: Any, position: Position) -> Position:
        last.pop(self._database.writing, None)
        end = process(self, jobs, position)
        self._unsure = False
        return last.get(self._database.writing, end)

    replace(Group, "process", count_on)
    replace(group, "append", remember)


def do_not_sync() -> None:
    """Leave it to the operating system when a commit reaches the disk."""
    pragmas = tuple(line.replace("synchronous=FULL", "synchronous=OFF") for line in sqlite.PRAGMAS)
    assert pragmas != sqlite.PRAGMAS
    replace(sqlite, "PRAGMAS", pragmas)


def print_requests() -> None:
    """Show what comes in, as one does while looking for a bug."""
    carry_out = group._carry_out

    def show(transaction: Any, job: Any, done: Any) -> Any:
        if isinstance(job, CallJob):
            sys.stderr.write(f"{job.message}\n")
        return carry_out(transaction, job, done)

    replace(group, "_carry_out", show)


def _type_name(payload: Any) -> str:
    return payload.type_name if isinstance(payload, RawPayload) else payload.DESCRIPTOR.full_name


def _wait_for_followers(path: Path, source: str, sequence: int) -> None:
    """Hold the window open until the exchange has what was published, or does not take it."""
    ends = time.monotonic() + _FOLLOW_SECONDS
    statement = "SELECT sequence FROM renkei_cursor WHERE source = ?"
    while time.monotonic() < ends:
        with closing(sqlite3.connect(f"file:{path.with_name('exchange.db')}?mode=ro", uri=True)) as connection:
            row = connection.execute(statement, (source,)).fetchone()
        if row is not None and row[0] >= sequence:
            return
        time.sleep(0.02)


def _before_commit(act: Callable[[], None]) -> None:
    """Do something between the rows and the commit."""

    def hit(place: str) -> None:
        if place == Place.BEFORE_COMMIT:
            act()
        failpoints.hit(place)

    replace(group, "hit", hit)
