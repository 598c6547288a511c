"""The end of one log, followed once for however many tabs.

A tab remembers nothing but its place. It takes from here what comes after that, at its own pace: whoever is slow holds
nobody up, and whoever is behind what is kept here reads the log itself, up to here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from renkei.event.v1.log_pb2 import ReadLogRequest, WatchLogRequest
from renkei.event.v1.log_pb2_grpc import LogServiceStub

from renkei_chassis.errors import OutOfRange, RenkeiError
from renkei_chassis.rpc.calling import RESUME_SEQUENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from renkei.event.v1.event_pb2 import Event
    from renkei.event.v1.log_pb2 import ReadLogResponse

    from renkei_chassis.rpc.client import Client

KEPT: Final = 2048
_STRETCH: Final = 200
_AT_ONCE: Final = 4
_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.5


class LogAwayError(Exception):
    """The log does not answer the desk."""


class OtherLogError(Exception):
    """A place is not of the log as it is now: it was restored meanwhile."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody is in a log. As text, `epoch.sequence`, it is the id of an event of the feed."""

    epoch: str
    sequence: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what a browser sends; what is no place is one of no log that there is."""
        epoch, _, sequence = text.partition(".")
        return cls(epoch, int(sequence)) if sequence.isascii() and sequence.isdecimal() else cls("", 0)

    def is_beyond(self, other: Place) -> bool:
        """Tell whether more of the same log was heard than up to the other place."""
        return self.epoch == other.epoch and self.sequence > other.sequence

    def __str__(self) -> str:
        """Write it as the id of an event."""
        return f"{self.epoch}.{self.sequence}"


@dataclass(frozen=True, slots=True)
class Told:
    """What the desk keeps of an event: which record, and what kind of thing happened to it."""

    sequence: int
    kind: str
    """`LeadFound`."""
    record: str
    """The last part of the record's name."""


class Tail:
    """Follows one log for as long as `run` runs."""

    def __init__(self, client: Client, *, kept: int = KEPT) -> None:
        """Take a client of the service whose log it is, which speaks as the desk itself; so many events are kept."""
        self._client = client
        self._stub = client.stub(LogServiceStub)
        self._kept: deque[Told] = deque(maxlen=kept)  # without a gap, up to where the log was heard
        self._heard = Place("", 0)
        self._changed = asyncio.Event()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self.ended = False
        """Whether nobody is to wait here any more."""
        self.read_behind = 0
        """How often the log was read for somebody who was behind."""

    async def run(self) -> None:
        """Follow until cancelled, from wherever the log is now; through restarts and restores of its service."""
        while True:
            try:
                await self._follow()
            except (RenkeiError, LogAwayError):
                await asyncio.sleep(_PAUSE_SECONDS)  # not there yet, or rolled back: asked anew it says which

    def end(self) -> None:
        """Let nobody wait any more."""
        self.ended = True
        self._wake()

    async def position(self) -> Place:
        """Ask where the log ends now. Raises LogAwayError."""
        answer = await self._read(after=0, limit=1)
        return Place(answer.epoch, answer.last_sequence)

    async def after(self, place: Place) -> Sequence[Told]:
        """Give some of what comes after a place, in order and without a gap; nothing: there is no more.

        Raises OtherLogError, and LogAwayError where it had to be read for this, and could not be.
        """
        heard = self._heard
        if place.epoch == heard.epoch:
            begin = heard.sequence - len(self._kept)
            if begin <= place.sequence <= heard.sequence:
                return tuple(islice(self._kept, place.sequence - begin, None))
        async with self._turns:
            self.read_behind += 1
            answer = await self._read(after=place.sequence, limit=_STRETCH)
        if answer.epoch != place.epoch:
            raise OtherLogError
        return _told(answer.events)

    async def beyond(self, place: Place, *, seconds: float) -> bool:
        """Wait until the log is heard beyond a place, or anew, or not any more; False: nothing came so long."""
        heard = self._heard
        try:
            async with asyncio.timeout(seconds):
                while not self.ended and self._heard is heard and not heard.is_beyond(place):
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        here = await self.position()
        if here.epoch != self._heard.epoch or here.sequence < self._heard.sequence:
            self._begin(here)
        request = WatchLogRequest(after_sequence=self._heard.sequence)
        async with aclosing(self._client.watch(self._stub.WatchLog, request, resume=RESUME_SEQUENCE)) as answers:
            async for answer in answers:
                through = Place(answer.epoch, answer.through_sequence)
                if through.epoch != self._heard.epoch:
                    self._begin(through)
                elif answer.events:
                    self._kept.extend(_told(answer.events))
                    self._hear(through)

    async def _read(self, *, after: int, limit: int) -> ReadLogResponse:
        request = ReadLogRequest(after_sequence=after, max_events=limit)
        try:
            return await self._client.call(self._stub.ReadLog, request, seconds=_SECONDS)
        except OutOfRange as error:
            raise OtherLogError from error
        except RenkeiError as error:  # also where the desk itself is not believed: no session is over for that
            raise LogAwayError from error

    def _begin(self, place: Place) -> None:
        """Begin anew: this log was not followed before, or is not what it was."""
        self._kept.clear()
        self._hear(place)

    def _hear(self, place: Place) -> None:
        self._heard = place
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _told(events: Iterable[Event]) -> Sequence[Told]:
    return [Told(event.sequence, event.type.rpartition(".")[2], event.resource.rpartition("/")[2]) for event in events]
