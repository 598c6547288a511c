"""What a service and its writer's process say to each other: a length, then a pickle.

Both ends are one program, started by one user, over a socket pair that nobody else holds; nothing of
the outside is ever unpickled. Requests and answers cross as the bytes that they are.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database, Owner, Shared
    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.append import Position

Key: TypeAlias = str | bytes
"""Names a method that writes, on both sides."""
Resolve: TypeAlias = "Callable[[Key], WriteMethod]"
Recipe: TypeAlias = "Callable[[Database, Clock], Resolve]"
"""Makes the methods in the writer's process. It is pickled: a function of a module, or a partial of one."""
Method: TypeAlias = tuple[Key, str, str]
"""(key, path, type of the request)."""
Call: TypeAlias = "tuple[int, int, int, bytes, UUID | None, str]"
"""(number, number of method, number of caller, request, request id if the message has none, traceparent)."""
Answer: TypeAlias = tuple[int, str, bytes | BaseException]
"""(number of the call, type of the answer or "", its bytes or what was raised)."""
# The two that cross for every few calls are plain tuples: a class costs more to pickle than a call.
Batch: TypeAlias = "tuple[int, Mapping[int, Method], Mapping[int, Principal], Sequence[Call]]"
"""(what the service's clock says, methods not sent before, callers not sent before, calls of one turn of the loop)."""
Answers: TypeAlias = "tuple[int, int, int, Sequence[Answer]]"
"""(sequence, time, and pack at which the log ends now, answers of one group)."""

_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first frame to the writer's process."""

    shared: Shared
    owner: Owner
    recipe: Recipe
    max_behind_us: int = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantPen:
    """Ask for the right to write; it is given after the group that is being carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """Give the right to write to the other side; the log ends at `position`, None: read it, I am not sure."""

    position: Position | None


Frame: TypeAlias = "list[str] | Start | Batch | Answers | WantPen | Pen"
"""The first is where modules are found, and what follows can be read only then."""


def pack(frame: Frame) -> bytes:
    """Write a frame. Raises what pickle raises for what cannot be pickled."""
    content = pickle.dumps(frame, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


class Unpacker:
    """Takes bytes as they come and gives the frames that are whole."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()

    def feed(self, fresh: bytes) -> Iterator[Any]:
        """Take bytes; yields the frames that they complete."""
        buffer = self._buffer
        buffer += fresh
        start = 0
        try:
            while len(buffer) - start >= _LENGTH.size:
                (size,) = _LENGTH.unpack_from(buffer, start)
                end = start + _LENGTH.size + size
                if len(buffer) < end:
                    return
                with memoryview(buffer) as view, view[start + _LENGTH.size : end] as content:
                    frame = pickle.loads(content)  # noqa: S301 (see above: it is our own)
                start = end
                yield frame
        finally:
            del buffer[:start]
