"""The writer's process: takes batches of calls from its service, carries them out group by group, answers.

Started by `WriterProcess` with the number of the socket as its argument. It lives as long as the
service holds the other end, and no longer: a service that is killed takes it along.
"""

from __future__ import annotations

import gc
import logging
import select
import signal
import socket
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pool, message_factory
from sqlalchemy.exc import DBAPIError

from renkei_chassis.clock import from_us
from renkei_chassis.database.engine import Database
from renkei_chassis.database.group import CallJob, Group
from renkei_chassis.database.process.frames import Pen, Start, Unpacker, WantPen, pack
from renkei_chassis.errors import RenkeiError
from renkei_chassis.log.append import read_end
from renkei_chassis.telemetry.logging import configure, log_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from google.protobuf.message import Message

    from renkei_chassis.database.process.frames import Answer, Batch, Key, Resolve
    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.append import Position

MAX_GROUP: Final = 512
_READ_BYTES: Final = 1 << 20
_BUSY_GROUP: Final = 4
_GATHER_SECONDS: Final = 0.001
_LONGEST_GATHER_SECONDS: Final = 0.01
_LOG: Final = logging.getLogger("renkei.writer")


class _Ended(Exception):  # noqa: N818 (no error: the service is gone)
    """The service closed its end."""


class Line:
    """The socket to the service, frame by frame."""

    def __init__(self, link: socket.socket) -> None:
        """Take the open socket; it blocks."""
        self._link = link
        self._unpacker = Unpacker()
        self._ready: deque[Any] = deque()

    def next(self) -> Any:  # noqa: ANN401 (whoever asks knows what comes)
        """Wait for a frame. Raises _Ended."""
        while not self._ready:
            self._read()
        return self._ready.popleft()

    def there(self, seconds: float = 0.0) -> Iterator[Any]:
        """Give the frames that are there, after waiting so long at most for any."""
        if not self._ready and select.select([self._link], [], [], seconds)[0]:
            self._read()
        while self._ready:
            yield self._ready.popleft()

    def send(self, frame: Any) -> None:  # noqa: ANN401 (a frame)
        """Send a frame. Raises _Ended."""
        try:
            self._link.sendall(pack(frame))
        except OSError:
            raise _Ended from None

    def _read(self) -> None:
        try:
            fresh = self._link.recv(_READ_BYTES)
        except OSError:
            raise _Ended from None
        if not fresh:
            raise _Ended
        self._ready.extend(self._unpacker.feed(fresh))


class _ToldClock:
    """Says what the service's own clock said when the last batch was sent: a service has one clock."""

    us = 0

    def now_us(self) -> int:
        return self.us

    def now(self) -> datetime:
        return from_us(self.us)


class Child:
    """Carries out what comes over the line."""

    def __init__(self, line: Line, start: Start) -> None:
        """Open the database beside the service, which has migrated it and holds it."""
        self._line = line
        self._database = Database.beside(start.shared, owner=start.owner)
        self._clock = _ToldClock()
        self._group = Group(database=self._database, clock=self._clock, max_behind_us=start.max_behind_us)
        self._resolve: Resolve = start.recipe(self._database, self._clock)
        self._methods: dict[int, tuple[WriteMethod, str, type[Message]]] = {}
        self._callers: dict[int, Principal] = {}
        self._waiting: deque[tuple[int, CallJob]] = deque()
        self._pen_wanted = False
        with self._database.writing.connect() as connection:
            self._position: Position = read_end(connection)
            connection.rollback()
        self._last, self._took = 0, 0.0

    def work(self) -> None:
        """Serve until the service closes the line; raises _Ended then."""
        self._line.send(Pen(position=self._position))  # it reads: ready, and this is where the log ends
        while True:
            if not self._waiting and not self._pen_wanted:
                self._take(self._line.next())
            self._take_all(self._line.there())
            if self._pen_wanted:
                self._lend_pen()
            elif self._waiting:
                if self._last >= _BUSY_GROUP:
                    self._gather(min(self._took / 2, _LONGEST_GATHER_SECONDS))
                self._carry_out()

    def _gather(self, seconds: float) -> None:
        """Wait while more comes, so long at most: whoever was answered just now comes back at once."""
        end = time.monotonic() + seconds
        while len(self._waiting) < MAX_GROUP and not self._pen_wanted and time.monotonic() < end:
            if not self._take_all(self._line.there(_GATHER_SECONDS)):
                return

    def _take_all(self, frames: Iterator[Any]) -> bool:
        found = False
        for frame in frames:
            self._take(frame)
            found = True
        return found

    def _take(self, frame: Batch | WantPen) -> None:
        if isinstance(frame, WantPen):
            self._pen_wanted = True
            return
        self._clock.us, methods, callers, calls = frame
        for number, named in methods.items():
            self._methods[number] = self._method(*named)
        if 0 in callers:  # the service began to count anew
            self._callers.clear()
        self._callers.update(callers)
        for number, method_number, caller, request, request_id, trace_parent in calls:
            method, path, request_type = self._methods[method_number]
            job = CallJob(
                future=None,
                method=method,
                path=path,
                request=request,
                request_type=request_type,
                caller=self._callers[caller],
                request_id=request_id,
                trace_parent=trace_parent,
            )
            self._waiting.append((number, job))

    def _method(self, key: Key, path: str, type_name: str) -> tuple[WriteMethod, str, type[Message]]:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(type_name)
        return self._resolve(key), path, message_factory.GetMessageClass(descriptor)

    def _carry_out(self) -> None:
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
        jobs = [job for _, job in taken]
        began = time.monotonic()
        try:
            self._position = self._group.process(jobs, self._position)
            for callback in self._group.afterwards:
                callback()
        except Exception as error:  # noqa: BLE001 (the outermost loop: nobody may wait for ever)
            log_event(_LOG, "a commit group failed", level=logging.ERROR, error=error)
            for job in jobs:
                job.result, job.error = None, job.error or error
        self._last, self._took = len(jobs), time.monotonic() - began
        end = self._position
        self._line.send((end.sequence, end.time_us, end.pack, [_answer(number, job) for number, job in taken]))

    def _lend_pen(self) -> None:
        """Let the service write, and go on when it has; calls that come meanwhile wait."""
        self._pen_wanted = False
        self._line.send(Pen(position=None if self._group.unsure else self._position))
        while not isinstance(frame := self._line.next(), Pen):
            self._take(frame)
        if frame.position is None:
            self._group.doubt()
        else:
            self._position = frame.position


def _answer(number: int, job: CallJob) -> Answer:
    if job.error is None:
        assert job.result is not None  # noqa: S101 (a job without an error has a result)
        return number, job.result.DESCRIPTOR.full_name, job.result.SerializeToString()
    return number, "", _portable(job.error)


def _portable(error: BaseException) -> BaseException:
    """Give an error that can be pickled. One that is not ours is logged here, where its frames are known."""
    if isinstance(error, RenkeiError):
        return error
    log_event(_LOG, "a write failed", level=logging.ERROR, error=error)
    if isinstance(error, DBAPIError):  # its values are a record's, and some of them cannot be pickled
        error = type(error)(None, None, error.orig or RuntimeError())
    try:
        pack(error)  # type: ignore[arg-type]  # as part of a frame
    except Exception:  # noqa: BLE001 (whatever its own pickling raises)
        return RuntimeError(type(error).__qualname__)
    return error


def main(arguments: Sequence[str]) -> int:
    """Serve the socket whose number is given."""
    # A terminal's Ctrl-C and a supervisor's SIGTERM reach the whole group; the service drains first, then lets us go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    writer = configure(level=logging.WARNING)
    status = 0
    with socket.socket(fileno=int(arguments[0])) as link:
        line = Line(link)
        try:
            sys.path[:] = line.next()
            child = Child(line, line.next())
            gc.collect()
            gc.freeze()  # what is there now stays for good
            child.work()
        except _Ended:
            pass
        except Exception as error:  # noqa: BLE001 (a text of it may quote a record: class and frames only)
            log_event(_LOG, "the writer's process failed", level=logging.ERROR, error=error)
            status = 1
        finally:
            writer.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
