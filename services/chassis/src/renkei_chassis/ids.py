"""Identifiers: UUIDv7 in order of making, and UUIDv8 computed from a name."""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import time
import uuid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RANDOM_BITS: Final = 32
_COUNTER_BITS: Final = 42
_COUNTER_END: Final = 1 << _COUNTER_BITS
_VARIANT: Final = 0b10 << 62
_WORDS: Final = 512


class _RandomBits:
    """Does what `secrets.randbits` does, from a supply that asks the kernel once for some hundred ids.

    Each question to the kernel also lets another thread have the interpreter, in the middle of a commit group.
    """

    def __init__(self) -> None:
        self._supply: Iterator[int] = iter(())

    def __call__(self, count: int) -> int:
        """Give so many bits, 64 at most. Safe to share between threads."""
        word = next(self._supply, None)
        if word is None:
            self._supply = supply = iter(struct.unpack(f"{_WORDS}Q", os.urandom(8 * _WORDS)))
            word = next(supply)
        return word >> (64 - count)

    def restart(self) -> None:
        """Forget what is left: a forked child must not go on with its parent's supply."""
        self._supply = iter(())


_random_bits: Final = _RandomBits()


class Uuid7Source:
    """Makes UUIDv7 (RFC 9562) that strictly increase, whatever the clock does.

    48 bits of milliseconds, a 42-bit counter that starts at random in its lower half each
    millisecond, 32 random bits. When the clock is behind the last id made, the last millisecond
    goes on being used and only the counter grows. Safe to share between threads.
    """

    def __init__(
        self,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        random_bits: Callable[[int], int] = _random_bits,
    ) -> None:
        """Take the clock and the source of randomness, so that tests can fix both."""
        self._now_ns = now_ns
        self._random_bits = random_bits
        self._lock = threading.Lock()
        self._milliseconds = -1
        self._counter = 0

    def __call__(self) -> uuid.UUID:
        """Make the next id."""
        now = self._now_ns() // 1_000_000
        with self._lock:
            if now > self._milliseconds:
                self._milliseconds = now
                self._counter = self._random_bits(_COUNTER_BITS - 1)
            else:
                self._counter += 1
                if self._counter == _COUNTER_END:
                    self._milliseconds += 1
                    self._counter = self._random_bits(_COUNTER_BITS - 1)
            milliseconds, counter = self._milliseconds, self._counter
        high = (milliseconds & ((1 << 48) - 1)) << 16 | 7 << 12 | counter >> 30
        low = _VARIANT | (counter & ((1 << 30) - 1)) << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)
        return uuid.UUID(int=high << 64 | low)

    def restart(self) -> None:
        """Forget the last id: a forked child must not count on from its parent's counter."""
        self._lock = threading.Lock()
        self._milliseconds = -1


uuid7: Final = Uuid7Source()
"""The process's own source: call `uuid7()` where no `new_id=` was handed in."""

os.register_at_fork(after_in_child=_random_bits.restart)
os.register_at_fork(after_in_child=uuid7.restart)


def uuid8_of(tag: bytes, name: str) -> uuid.UUID:
    """Compute the same id from the same name everywhere: SHA-256(tag ‖ 0 ‖ name) cut to a UUIDv8.

    `tag` names the use (b"renkei-lead-v1"), so that equal names in two uses give two ids; it holds
    no zero byte.
    """
    if not tag or b"\0" in tag:
        raise ValueError("a domain tag is not empty and holds no zero byte")
    value = int.from_bytes(hashlib.sha256(tag + b"\0" + name.encode()).digest()[:16], "big")
    value = value & ~(0xF << 76) | 8 << 76
    return uuid.UUID(int=value & ~(0b11 << 62) | _VARIANT)
