"""A cable that understands NATS: it brings a message twice, in another order, or not at all, and nothing else changes.

Only messages of JetStream are touched (their reply subject asks for an acknowledgement); what holds the connection
up goes through as it is. It reads plain text: once connections are encrypted, mischief needs the key.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from renkei_node.demo.proxy import Mode, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK: Final = 64 * 1024
_END: Final = b"\r\n"
_DELIVERY: Final = b"$JS.ACK."


class Mischief(StrEnum):
    """What happens to a message of JetStream."""

    NONE = "none"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    DROP = "drop"


class NatsCable(Proxy):
    """A cable to a nats-server that can lose, double and mix up what is delivered."""

    def __init__(self, **words: Any) -> None:  # noqa: ANN401 (what a Proxy takes)
        super().__init__(**words)
        self.mischief = Mischief.NONE
        self.chance = random.Random(0)
        self.done: Counter[str] = Counter()
        """How many messages it was done to."""

    async def _both_ways(
        self,
        near_reader: asyncio.StreamReader,
        near: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        far: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(near_reader, far, self._flowing))
            group.create_task(self._deliver(far_reader, near))

    async def _deliver(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames, held = Frames(), b""
        while True:
            chunk = await reader.read(_CHUNK)
            await self._answering.wait()
            if self.mode is Mode.DELAY:
                await asyncio.sleep(self._delay_seconds)
            if not chunk:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            passed = []
            for frame, is_delivery in frames.feed(chunk):
                out, held = self._do(frame, held) if is_delivery else (frame, held)
                passed.append(out)
            if self.mischief is not Mischief.REORDER:
                passed.append(held)
                held = b""
            writer.write(b"".join(passed))
            await writer.drain()

    def _do(self, frame: bytes, held: bytes) -> tuple[bytes, bytes]:
        """Give what goes on now, and what waits for the next message."""
        if self.mischief is Mischief.NONE or self.chance.random() >= 0.5:
            return frame + held, b""
        self.done[self.mischief] += 1
        match self.mischief:
            case Mischief.DUPLICATE:
                return frame + held + frame, b""
            case Mischief.REORDER:
                return held, frame
            case _:
                return held, b""


class Frames:
    """Cuts what a nats-server says into its lines and messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, bool]]:
        """Give each whole frame, and whether it is a delivery of JetStream."""
        self._rest += chunk
        while True:
            line, end, _ = self._rest.partition(_END)
            if not end:
                return
            size = len(line) + len(end)
            words = line.split()
            is_message = bool(words) and words[0].upper() in {b"MSG", b"HMSG"}
            if is_message:
                size += int(words[-1]) + len(_END)
                if len(self._rest) < size:
                    return
            frame, self._rest = self._rest[:size], self._rest[size:]
            yield frame, is_message and any(word.startswith(_DELIVERY) for word in words[3:4])
