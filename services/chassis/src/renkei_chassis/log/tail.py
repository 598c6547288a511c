"""The end of a log as it was just committed: whoever is up to date need not have it read again.

It is a copy in memory of what the database holds, bounded, and forgotten as soon as anything is erased.
"""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from renkei.event.v1.event_pb2 import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE_URL: Final = "type.googleapis.com/"
_BYTES: Final = 256 * 1024


class LogRow(NamedTuple):
    """What the log keeps of one event."""

    sequence: int
    event_id: bytes
    origin_agency: str
    time_us: int
    type: str
    resource: str
    digest: bytes
    erased: bool
    envelope: bytes
    salt: bytes | None
    data: bytes | None

    def event(self, source: str) -> Event:
        """Build the event as it is told; what was erased of it is not."""
        event = Event.FromString(self.envelope)
        event.source = source
        event.sequence = self.sequence
        event.id = str(uuid.UUID(bytes=self.event_id))
        event.time.FromMicroseconds(self.time_us)
        event.type = self.type
        event.resource = self.resource
        event.digest = self.digest
        if self.erased or self.data is None or self.salt is None:
            event.erased = True
        else:
            event.salt = self.salt
            event.data.type_url = TYPE_URL + self.type
            event.data.value = self.data
        return event


@dataclass(slots=True, kw_only=True)
class Pack:
    """Events that go over NATS as one message."""

    number: int
    rows: list[LogRow] = field(default_factory=list)
    size: int = 0

    @property
    def first(self) -> int:
        """The sequence of the first event."""
        return self.rows[0].sequence

    @property
    def last(self) -> int:
        """The sequence of the last event."""
        return self.rows[-1].sequence


class Tail:
    """The newest packs of a log, without a hole."""

    def __init__(self, *, most_bytes: int = _BYTES) -> None:
        """Begin with nothing."""
        self._most_bytes = most_bytes
        self._packs: deque[Pack] = deque()
        self._size = 0

    def add(self, packs: Sequence[Pack]) -> None:
        """Take what was committed; where it does not follow on what is here, that goes."""
        for pack in packs:
            if self._packs and (pack.number, pack.first) != (self._packs[-1].number + 1, self._packs[-1].last + 1):
                self.clear()
            self._packs.append(pack)
            self._size += pack.size
        while self._size > self._most_bytes:
            self._size -= self._packs.popleft().size

    def clear(self) -> None:
        """Forget everything."""
        self._packs.clear()
        self._size = 0

    def packs(self, after: int, limit: int) -> Sequence[Pack] | None:
        """Give the packs after a number; None where some of them are not here."""
        if not self._packs or after + 1 < self._packs[0].number:
            return None
        return [pack for pack in self._packs if pack.number > after][:limit]

    def rows(self, after: int) -> Sequence[LogRow] | None:
        """Give what comes after a sequence; None where some of it is not here."""
        if not self._packs or after + 1 < self._packs[0].first:
            return None
        return [row for pack in self._packs if pack.last > after for row in pack.rows if row.sequence > after]
