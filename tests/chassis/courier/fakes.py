"""A source of numbered messages in memory, and a follower with a cursor as a real one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_chassis.courier import Message


class MemorySource:
    """Messages numbered from 1; the oldest can be dropped and the newest rolled back."""

    def __init__(self, count: int = 0) -> None:
        self.messages: dict[int, bytes] = {}
        self.last = 0
        self.acknowledged_through = 0
        self.add(count)

    def add(self, count: int, text: str = "message") -> None:
        for _ in range(count):
            self.last += 1
            self.messages[self.last] = f"{text} {self.last}".encode()

    def roll_back(self, last: int) -> None:
        self.messages = {number: data for number, data in self.messages.items() if number <= last}
        self.last = last

    def drop_through(self, number: int) -> None:
        self.messages = {kept: data for kept, data in self.messages.items() if kept > number}

    async def last_number(self) -> int:
        return self.last

    async def read(self, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
        start = max(after, min(self.messages, default=1) - 1) + 1
        return [(number, self.messages[number]) for number in range(start, min(start + limit, self.last + 1))]

    async def acknowledged(self) -> int:
        return self.acknowledged_through

    async def on_acknowledged(self, number: int) -> None:
        self.acknowledged_through = max(self.acknowledged_through, number)


class GapFollower:
    """Applies in order by its own cursor; a gap is filled from the source, as over gRPC."""

    def __init__(self, source: MemorySource | None = None) -> None:
        self.source = source
        self.applied: list[bytes] = []
        self.repaired = 0
        self.repeated = 0
        self.fail_times = 0

    @property
    def cursor(self) -> int:
        return len(self.applied)

    async def on_messages(self, messages: Sequence[Message]) -> int:
        if self.fail_times:
            self.fail_times -= 1
            raise OSError
        for message in messages:
            if message.number > self.cursor + 1 and self.source is not None:
                for number in range(self.cursor + 1, message.number):
                    self.applied.append(self.source.messages[number])
                    self.repaired += 1
            if message.number == self.cursor + 1:
                self.applied.append(message.data)
            elif message.number <= self.cursor:
                self.repeated += 1
        return self.cursor
