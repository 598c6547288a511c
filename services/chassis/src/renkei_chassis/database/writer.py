"""The one writer of a service's database: it takes all that wait and commits them as one group."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from renkei_chassis.database.answers import Answers
from renkei_chassis.database.group import CallJob, EffectJob, Group
from renkei_chassis.database.process.writer import WriterProcess
from renkei_chassis.errors import RenkeiError, ResourceExhausted, Unavailable
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from google.protobuf.message import Message

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.answers import Answer
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.process.frames import Key, Start
    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.append import Position
    from renkei_chassis.log.log import Log

T = TypeVar("T")

TURN_SECONDS: Final = 0.001
"""How long a thread keeps the interpreter where another waits: loop and writer share it, in a node and alone."""
MAX_GROUP: Final = 512
MAX_WAITING: Final = 20_000
# A group of this size means load: the next one gathers for as long as more callers arrive, up to half of what the
# last one took. A larger group costs each of its requests less, and a sync costs more than the wait.
_BUSY_GROUP: Final = 4
_GATHER_SECONDS: Final = 0.001
_LONGEST_GATHER_SECONDS: Final = 0.01
_LOG: Final = logging.getLogger("renkei.writer")


class Writer:
    """Serialises every write of one database.

    `call` carries out a request (parse, validate, look up its id, decide, store), `run` an effect of
    our own. Both wait until the group is committed; neither's failure harms its neighbours. A caller
    who goes away does not take its write back once the group has begun.

    After `move_calls` the calls are carried out in another process, and effects still in this one: one of
    the two writes at a time. A service does not see the difference.
    """

    def __init__(self, *, database: Database, log: Log, clock: Clock, max_behind_seconds: float = 10.0) -> None:
        """Call `start` on the event loop before the first write."""
        self._group = Group(database=database, clock=clock, max_behind_us=int(max_behind_seconds * 1e6))
        self._database = database
        self._clock = clock
        self._log = log
        self._waiting: list[CallJob | EffectJob] = []
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._task: asyncio.Task[None] | None = None
        self._process: WriterProcess | None = None
        self._stopping = False
        self.groups = 0
        self.jobs = 0
        self.erasures = 0
        """Grows with every group that erased something which messages may hold."""

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._work(), name="writer")

    async def move_calls(self, start: Start, *, key: Callable[[WriteMethod, str], Key | None]) -> None:
        """Have calls carried out in a process of their own from now on; `key` names the methods that it knows.

        Raises TypeError or RuntimeError where that cannot be.
        """
        self._process = WriterProcess(
            database=self._database, start=start, clock=self._clock, key=key, on_group=self._told
        )
        await self._process.start()

    @property
    def process_id(self) -> int:
        """The process that carries out the calls; 0 where it is this one, or where there is none at the moment."""
        return 0 if self._process is None else self._process.pid

    @property
    def process_starts(self) -> int:
        """How often that process was started."""
        return 0 if self._process is None else self._process.starts

    async def stop(self) -> None:
        """Finish what waits, then refuse everything."""
        self._stopping = True
        self._group.stop_waiting()
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._process is not None:
            await self._process.stop()
        await asyncio.to_thread(self._thread.shutdown)

    async def call(
        self,
        method: WriteMethod,
        *,
        path: str,
        request: bytes | Message,
        request_type: type[Message],
        caller: Principal,
        request_id: UUID | None = None,
        trace_parent: str = "",
    ) -> Message:
        """Carry out a request and return its answer after the commit.

        Raises what the rule raises; Unavailable/STORAGE_UNAVAILABLE where nothing could be committed.
        A bulk load gives `request_id` itself, since its rows have none in their messages.
        """
        if self._process is not None and (key := self._process.key(method, path)) is not None:
            self._refuse_stopping()
            return await self._process.call(
                key,
                path=path,
                request=request,
                request_type=request_type,
                caller=caller,
                request_id=request_id,
                trace_parent=trace_parent,
                most=MAX_WAITING,
            )
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        job = CallJob(
            future=future,
            method=method,
            path=path,
            request=request,
            request_type=request_type,
            caller=caller,
            request_id=request_id,
            trace_parent=trace_parent,
        )
        self._add(job)
        return cast("Message", await future)

    async def call_many(
        self,
        method: WriteMethod,
        *,
        path: str,
        requests: Sequence[Message],
        request_type: type[Message],
        caller: Principal,
        trace_parent: str = "",
    ) -> Sequence[Message | BaseException]:
        """Carry out many requests of one caller, each for itself, and give what `call` answers or raises for each.

        They wait as one, which costs a tenth of as many calls.
        """
        call = partial(self.call, method, path=path, request_type=request_type, caller=caller)
        if self._process is not None and self._process.key(method, path) is not None:
            return await asyncio.gather(
                *(call(request=request, trace_parent=trace_parent) for request in requests), return_exceptions=True
            )
        answers = Answers(len(requests))
        for place, request in enumerate(requests):
            answer = answers.at(place)
            job = CallJob(
                future=answer,
                method=method,
                path=path,
                request=request,
                request_type=request_type,
                caller=caller,
                request_id=None,
                trace_parent=trace_parent,
            )
            try:
                self._add(job)
            except RenkeiError as error:
                answer.set_exception(error)
        return await answers.all()

    async def run(self, effect: Callable[[Transaction], T], *, trace_parent: str = "") -> T:
        """Run an effect of our own inside the next group and return its value after the commit."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._add(EffectJob(future=future, effect=effect, trace_parent=trace_parent))
        return await future

    def _refuse_stopping(self) -> None:
        if self._stopping:
            raise Unavailable("SHUTTING_DOWN", "the server is stopping; repeat the request elsewhere or later")

    def _told(self, position: Position, calls: int) -> None:
        """Hear of a group that the other process committed, before its callers do."""
        if position.sequence > self._log.position.sequence:
            self._log.advance(position)
        self.groups += 1
        self.jobs += calls

    def _add(self, job: CallJob | EffectJob) -> None:
        self._refuse_stopping()
        if len(self._waiting) >= MAX_WAITING:
            raise ResourceExhausted("OVERLOADED", "too many writes wait; slow down")
        self._waiting.append(job)
        self._wake.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        last, took = 0, 0.0
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
            # Callers that were answered just now come back at once: let them join this group.
            await self._gather(min(took / 2, _LONGEST_GATHER_SECONDS) if last >= _BUSY_GROUP else 0.0)
            jobs = [job for job in self._waiting[:MAX_GROUP] if not _future(job).done()]
            self._waiting = self._waiting[MAX_GROUP:]
            last = len(jobs)
            if not jobs:
                continue
            began = loop.time()
            try:
                position = await self._process_group(jobs)
            except Exception as error:  # noqa: BLE001 (the outermost loop: nobody may wait for ever)
                log_event(_LOG, "a commit group failed", level=logging.ERROR, error=error, log=self._log.name)
                for job in jobs:
                    _resolve(_future(job), None, error)
                continue
            took = loop.time() - began
            self._committed(position)
            self.groups += 1
            self.jobs += len(jobs)
            for job in jobs:
                _resolve(_future(job), job.result, job.error)

    def _committed(self, position: Position) -> None:
        """Say that the last group is in, before its callers hear of it."""
        group = self._group
        if group.erased:
            self.erasures += 1
            self._log.forget()
        if position is not self._log.position:
            self._log.advance(position, () if group.erased else group.packs)
        for callback in group.afterwards:
            _call(callback)

    async def _process_group(self, jobs: Sequence[CallJob | EffectJob]) -> Position:
        loop = asyncio.get_running_loop()
        if self._process is None:
            return await loop.run_in_executor(self._thread, self._group.process, jobs, self._log.position)
        async with self._process.pen() as lent:
            if lent.before is None:
                self._group.doubt()
            before = lent.before or self._log.position
            position = await loop.run_in_executor(self._thread, self._group.process, jobs, before)
            if not self._group.unsure:
                lent.after = position
            return position

    async def _gather(self, seconds: float) -> None:
        """Wait while more callers arrive, so long at most; 0 gives those a turn who are ready now."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            before = len(self._waiting)
            await asyncio.sleep(_GATHER_SECONDS if seconds else 0)
            if len(self._waiting) in {before, MAX_GROUP} or loop.time() >= end:
                return


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001 (the group is committed, and its callers wait for their answers)
        log_event(_LOG, "a callback after the commit failed", level=logging.ERROR, error=error)


def _future(job: CallJob | EffectJob) -> asyncio.Future[Any] | Answer:
    assert job.future is not None  # noqa: S101 (only in the other process has a job none)
    return job.future


def _resolve(future: asyncio.Future[Any] | Answer, result: object, error: BaseException | None) -> None:
    if future.done():  # the caller went away
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
