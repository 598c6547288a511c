"""The service's side of a writer in its own process: start it, send it calls, take answers, start it again."""

from __future__ import annotations

import asyncio
import logging
import pickle
import socket
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from google.protobuf import descriptor_pool, message_factory

from renkei_chassis.database.process.frames import Pen, Start, Unpacker, WantPen, pack
from renkei_chassis.errors import ResourceExhausted, Unavailable
from renkei_chassis.log.append import Position
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from uuid import UUID

    from google.protobuf.message import Message

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.process.frames import Answers, Call, Key, Method
    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.identity import Principal

_BUFFER_BYTES: Final = 4 << 20
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
_CALLERS: Final = 4096  # as many as a verifier remembers tokens
_LOG: Final = logging.getLogger("renkei.writer")

_Named: TypeAlias = "tuple[Key, str, type[Message]]"
_Unsent: TypeAlias = "tuple[int, _Named, Principal, bytes, UUID | None, str]"
"""(number, method, caller, request, request id, traceparent)."""


class WriterProcess:
    """Carries out calls in another process, and lends the pen to whoever must write in this one.

    One of the two writes at a time: whoever has the pen, which goes to and fro with the place where
    the log ends. Where the process dies, its calls are answered UNAVAILABLE (a repeat with the same
    request id tells whether they happened) and it is started again.
    """

    def __init__(
        self,
        *,
        database: Database,
        start: Start,
        clock: Clock,
        key: Callable[[WriteMethod, str], Key | None],
        on_group: Callable[[Position, int], None],
    ) -> None:
        """Take what the process starts with, how a method and its path are named there, and who hears of each group.

        `key` answers None for a method that the process does not know. `on_group` is told where the log
        ends and how many calls were answered, before they are.
        """
        self._database = database
        self._start = start
        self._clock = clock
        self._key = key
        self._on_group = on_group
        self._pen = asyncio.Lock()
        self._line: _Line | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._calls: dict[int, asyncio.Future[Message]] = {}
        self._number = 0
        self._unsent: list[_Unsent] = []
        self._stopping = False
        self.pid = 0
        """The process that runs now; 0 while none does."""
        self.starts = 0

    async def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises TypeError where the rules cannot be carried there, RuntimeError where it does not come up.
        """
        try:
            pack(self._start)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError("what these rules are made of cannot be carried into another process") from error
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._supervision = asyncio.create_task(self._supervise(ready), name="writer-process")
        await ready

    async def stop(self) -> None:
        """Wait for the calls that were sent, then let the process end and see it gone."""
        while waiting := [future for future in self._calls.values() if not future.done()]:
            await asyncio.wait(waiting)
        self._stopping = True
        if self._line is not None:
            self._line.close()
        if self._supervision is not None:
            await asyncio.gather(self._supervision, return_exceptions=True)

    @property
    def stopping(self) -> bool:
        """Whether the process is to end and not to come back."""
        return self._stopping

    def key(self, method: WriteMethod, path: str) -> Key | None:
        """Name a method there; None where it has to be carried out here."""
        return self._key(method, path)

    async def call(
        self,
        key: Key,
        *,
        path: str,
        request: bytes | Message,
        request_type: type[Message],
        caller: Principal,
        request_id: UUID | None,
        trace_parent: str,
        most: int,
    ) -> Message:
        """Carry out a call there; raises what its rule raises, or Unavailable where nobody can tell."""
        if self._line is None:
            raise _gone()
        if len(self._calls) >= most:
            raise ResourceExhausted("OVERLOADED", "too many writes wait; slow down")
        loop = asyncio.get_running_loop()
        self._number += 1
        number = self._number
        future: asyncio.Future[Message] = loop.create_future()
        self._calls[number] = future
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        if not self._unsent:
            loop.call_soon(self._send)
        self._unsent.append((number, (key, path, request_type), caller, raw, request_id, trace_parent))
        return await future

    @asynccontextmanager
    async def pen(self) -> AsyncGenerator[Lent]:
        """Have the right to write, until the block ends."""
        async with self._pen:
            line = self._line
            lent = Lent(None if line is None else await line.borrow())
            try:
                yield lent
            finally:
                if line is not None:
                    line.send(Pen(position=lent.after))

    def _send(self) -> None:
        """Send what came in this turn of the loop."""
        unsent, self._unsent = self._unsent, []
        line: _Line | None = self._line
        if line is None:
            for number, *_ in unsent:
                self._fail(number, _gone())
            return
        try:
            now_us = self._clock.now_us()
        except Unavailable as error:
            for number, *_ in unsent:
                self._fail(number, Unavailable(error.reason, error.message, metadata=error.metadata))
            return
        line.send_batch(now_us, unsent, self._calls)

    def _fail(self, number: int, error: Exception) -> None:
        future = self._calls.pop(number, None)
        if future is not None and not future.done():
            future.set_exception(error)

    def _answered(self, frame: Answers) -> None:
        sequence, time_us, packs, answers = frame
        self._on_group(Position(sequence=sequence, time_us=time_us, pack=packs), len(answers))
        for number, type_name, content in answers:
            future = self._calls.pop(number, None)
            if future is None or future.done():  # the caller went away
                continue
            if isinstance(content, bytes):
                future.set_result(_message_type(type_name).FromString(content))
            else:
                future.set_exception(content)

    async def _supervise(self, ready: asyncio.Future[None]) -> None:
        """Run the process, again and again, until told to stop."""
        pause = 0.0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._run_once(ready)
            except Exception as error:  # noqa: BLE001 (the outermost loop)
                if not ready.done():
                    ready.set_exception(RuntimeError("the writer's process does not start"))
                    return
                log_event(_LOG, "the writer's process does not start", level=logging.ERROR, error=error)
            if self.stopping:
                return
            lived = asyncio.get_running_loop().time() - began
            pause = 0.0 if lived > _LONGEST_PAUSE_SECONDS else max(pause * 2, _FIRST_PAUSE_SECONDS)
            await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    async def _run_once(self, ready: asyncio.Future[None]) -> None:
        """Start the process, serve until it is gone, and see that nothing of it is left."""
        async with self._pen:  # it reads where the log ends: nobody may write meanwhile
            line, child = await self._spawn()
            self._line, self.pid, self.starts = line, child.pid, self.starts + 1
        if not ready.done():
            ready.set_result(None)
        try:
            await line.gone.wait()
        finally:
            self._line, self.pid = None, 0
            await _see_off(child)
            # Only now: what it had in hand is committed or never will be, and the pen is free.
            line.end_loans()
            for number in list(self._calls):
                self._fail(number, _gone())
        if not self.stopping:
            log_event(_LOG, "the writer's process ended", level=logging.ERROR, pid=child.pid)

    async def _spawn(self) -> tuple[_Line, asyncio.subprocess.Process]:
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)  # noqa: FBT003 (it has no other argument)
            for end in (ours, theirs):
                for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                    end.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
            try:
                child = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "renkei_chassis.database.process.child", str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), *self._database.handles),
                )  # fmt: skip
            except BaseException:
                ours.close()
                raise
        line = _Line(self._answered)
        await asyncio.get_running_loop().create_connection(lambda: line, sock=ours)
        try:
            line.send(sys.path)
            line.send(self._start)
            await line.started(_START_SECONDS)
        except BaseException:
            line.close()
            await _see_off(child)
            raise
        return line, child


class Lent:
    """The pen in hand: where the log ended when it came, and where it ends when it goes back; None: not known."""

    __slots__ = ("after", "before")

    def __init__(self, before: Position | None) -> None:
        """Begin with what the process said; whoever has the pen sets `after`."""
        self.before = before
        self.after: Position | None = None


class _Line(asyncio.Protocol):
    """The socket to the process."""

    def __init__(self, on_answers: Callable[[Answers], None]) -> None:
        self.gone = asyncio.Event()
        self._on_answers = on_answers
        self._unpacker = Unpacker()
        self._transport: asyncio.WriteTransport | None = None
        self._loan: asyncio.Future[Position | None] | None = None
        self._ended = False
        self._methods: dict[_Named, int] = {}
        self._callers: dict[int, tuple[int, Principal]] = {}  # by id(), and so held

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        for frame in self._unpacker.feed(data):
            if isinstance(frame, tuple):
                self._on_answers(frame)
            elif self._loan is not None and not self._loan.done():
                self._loan.set_result(frame.position)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.gone.set()

    def send(self, frame: Any) -> None:  # noqa: ANN401 (a frame)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(pack(frame))

    def send_batch(self, now_us: int, unsent: Sequence[_Unsent], calls: dict[int, asyncio.Future[Message]]) -> None:
        """Send calls; one whose caller went away already is dropped, and so never happens."""
        methods: dict[int, Method] = {}
        callers: dict[int, Principal] = {}
        sent: list[Call] = []
        if len(self._callers) > _CALLERS:
            self._callers.clear()
        for number, named, caller, raw, request_id, trace_parent in unsent:
            if calls[number].done():
                del calls[number]
                continue
            method = self._methods.get(named)
            if method is None:
                method = self._methods[named] = len(self._methods)
                key, path, request_type = named
                methods[method] = key, path, request_type.DESCRIPTOR.full_name
            known = self._callers.get(id(caller))
            if known is None:
                known = self._callers[id(caller)] = len(self._callers), caller
                callers[known[0]] = caller
            sent.append((number, method, known[0], raw, request_id, trace_parent))
        if sent or methods or callers:
            self.send((now_us, methods, callers, sent))

    async def borrow(self, *, ask: bool = True) -> Position | None:
        """Wait for the pen, after asking for it; None where nobody knows, and once the process is gone for good."""
        if self._ended:
            return None
        self._loan = asyncio.get_running_loop().create_future()
        if ask:
            self.send(WantPen())
        try:
            return await self._loan
        finally:
            self._loan = None

    async def started(self, seconds: float) -> None:
        """Wait until the process says that it is ready. Raises TimeoutError or RuntimeError."""
        ready = asyncio.ensure_future(self.borrow(ask=False))
        gone = asyncio.ensure_future(self.gone.wait())
        try:
            done, _ = await asyncio.wait({ready, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
            gone.cancel()
        if not done:
            raise TimeoutError
        if ready not in done:
            raise RuntimeError("it ended before it was ready")

    def end_loans(self) -> None:
        """Say that the process is gone and what it wrote is written."""
        self._ended = True
        if self._loan is not None and not self._loan.done():
            self._loan.set_result(None)

    def close(self) -> None:
        """Close our end: the process ends."""
        if self._transport is not None:
            self._transport.close()


async def _see_off(child: asyncio.subprocess.Process) -> None:
    """Wait until the process is gone; one that will not go is killed."""
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _gone() -> Unavailable:
    return Unavailable(
        "STORAGE_UNAVAILABLE",
        "the writer's process is gone and will be back; repeat the request with the same request_id",
    )


_TYPES: Final[dict[str, type[Message]]] = {}


def _message_type(name: str) -> type[Message]:
    found = _TYPES.get(name)
    if found is None:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
        found = _TYPES[name] = message_factory.GetMessageClass(descriptor)
    return found
