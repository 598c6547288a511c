"""Ask JetStream's API, in plain requests, for the few things that a relay and a receiver need.

What is asked for is written out here, so that a stream or a durable that differs from it in any
field we set can be told from one we made.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.courier.connection import Link

STREAM_MISSING: Final = 10059
CONSUMER_MISSING: Final = 10014
MESSAGE_MISSING: Final = 10037
WRONG_LAST_SEQUENCE: Final = 10071
# maximum bytes, maximum messages (both arrive under the same code), no room left on the server
FULL: Final = frozenset({10077, 10023, 10047})
EPOCH_KEY: Final = "renkei.epoch"

_API: Final = "$JS.API."
_SECONDS: Final = 2.0
# Short, because the server keeps every id of it in memory; expected last sequences keep the order.
_DUPLICATE_WINDOW: Final = timedelta(seconds=5)
_ACK_PENDING: Final = 1000
_PULLS_WAITING: Final = 16


class JetStreamError(Exception):
    """The server answered with an error."""

    def __init__(self, code: int, description: str) -> None:
        """Keep the server's own code and words."""
        super().__init__(f"{code} {description}")
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableShape:
    """A durable pull consumer whose acknowledgements cover everything before them."""

    name: str
    ack_wait: timedelta = timedelta(seconds=5)

    def configuration(self) -> dict[str, object]:
        """Write the durable out as the server wants it."""
        return {
            "durable_name": self.name,
            "ack_policy": "all",
            "ack_wait": _nanoseconds(self.ack_wait),
            "deliver_policy": "all",
            "replay_policy": "instant",
            "max_ack_pending": _ACK_PENDING,
            "max_deliver": -1,
            "max_waiting": _PULLS_WAITING,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamShape:
    """A stream of numbered messages.

    With a `durable` it is a lane: one reader, whose acknowledged messages are purged, and which
    refuses new ones when it is full. Without one it is a local log: any number of readers make
    their own durables, and the oldest messages give way.
    """

    name: str
    subject: str
    durable: DurableShape | None = None
    max_age: timedelta = timedelta(0)
    max_bytes: int = 64 * 1024 * 1024
    max_message_bytes: int = 512 * 1024

    def configuration(self, epoch: str) -> dict[str, object]:
        """Write the stream out as the server wants it, without its first sequence."""
        window = min(_DUPLICATE_WINDOW, self.max_age or _DUPLICATE_WINDOW)
        return {
            "name": self.name,
            "subjects": [self.subject],
            "retention": "limits",
            "storage": "file",
            "num_replicas": 1,
            "discard": "new" if self.durable else "old",
            "max_age": _nanoseconds(self.max_age),
            "max_bytes": self.max_bytes,
            "max_msg_size": self.max_message_bytes,
            "max_msgs": -1,
            "max_consumers": 1 if self.durable else -1,
            "duplicate_window": _nanoseconds(window),
            "deny_delete": True,
            "metadata": {EPOCH_KEY: epoch},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamState:
    """What a stream holds: numbers `first` to `last`, or nothing yet after `last`."""

    first: int
    last: int
    messages: int
    missing: int
    configuration: Mapping[str, object] = field(repr=False)

    @property
    def has_hole(self) -> bool:
        """Whether a number between first and last is not there."""
        return bool(self.missing) or bool(self.messages and self.messages != self.last - self.first + 1)

    def differs(self, wanted: Mapping[str, object]) -> bool:
        """Tell whether a field that we set has another value; the server adds fields of its own."""
        return _differs(wanted, self.configuration)


async def read_stream(link: Link, stream: str) -> StreamState | None:
    """Give a stream's state, or None if there is no such stream."""
    try:
        answer = await call(link, f"STREAM.INFO.{stream}")
    except JetStreamError as error:
        if error.code == STREAM_MISSING:
            return None
        raise
    return _stream_state(answer)


async def create_stream(link: Link, shape: StreamShape, epoch: str, first: int) -> StreamState:
    """Make an empty stream whose first message will have the number `first`."""
    wanted = {**shape.configuration(epoch), "first_seq": first}
    return _stream_state(await call(link, f"STREAM.CREATE.{shape.name}", wanted))


async def delete_stream(link: Link, stream: str) -> None:
    """Delete a stream with all its durables; one that is not there is fine."""
    try:
        await call(link, f"STREAM.DELETE.{stream}")
    except JetStreamError as error:
        if error.code != STREAM_MISSING:
            raise


async def purge_through(link: Link, stream: str, number: int) -> None:
    """Drop every message up to and with `number`."""
    await call(link, f"STREAM.PURGE.{stream}", {"seq": number + 1})


async def read_message(link: Link, stream: str, number: int) -> bytes | None:
    """Give one stored message, or None if it is not there."""
    try:
        answer = await call(link, f"STREAM.MSG.GET.{stream}", {"seq": number})
    except JetStreamError as error:
        if error.code == MESSAGE_MISSING:
            return None
        raise
    return base64.b64decode(answer["message"].get("data", ""))


async def ensure_durable(link: Link, stream: str, shape: DurableShape) -> int:
    """Make the durable if it is missing or not as wanted, and give its acknowledged number."""
    wanted = shape.configuration()
    try:
        answer = await call(link, f"CONSUMER.INFO.{stream}.{shape.name}")
        if not _differs(wanted, answer["config"]):
            return int(answer["ack_floor"].get("stream_seq", 0))
        await call(link, f"CONSUMER.DELETE.{stream}.{shape.name}")
    except JetStreamError as error:
        if error.code != CONSUMER_MISSING:
            raise
    await call(link, f"CONSUMER.CREATE.{stream}.{shape.name}", {"stream_name": stream, "config": wanted})
    return 0


async def call(link: Link, operation: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Ask the API and give its answer. Raises JetStreamError, or nats-py's own errors."""
    payload = json.dumps(body).encode() if body is not None else b""
    reply = await link.client.request(_API + operation, payload, timeout=_SECONDS)
    return read_answer(reply.data)


def read_answer(data: bytes) -> dict[str, Any]:
    """Read an answer of the API. Raises JetStreamError for an error that it tells, and for what is no answer."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(answer, dict):
        raise _unreadable()
    if error := answer.get("error"):
        if not isinstance(error, dict):
            raise _unreadable()
        raise JetStreamError(error.get("err_code", 0), str(error.get("description", "")))
    return answer


def _unreadable() -> JetStreamError:
    return JetStreamError(0, "the answer cannot be read")


def _stream_state(answer: Mapping[str, Any]) -> StreamState:
    try:
        state, config = answer["state"], answer["config"]
        lost = state.get("lost") or {}
        return StreamState(
            first=int(state["first_seq"]),
            # A stream that never held anything says 0, whatever number it begins with.
            last=max(int(state["last_seq"]), int(config.get("first_seq") or 1) - 1),
            messages=int(state["messages"]),
            missing=int(state.get("num_deleted", 0)) + len(lost.get("msgs") or ()),
            configuration=config,
        )
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise _unreadable() from None


def _differs(wanted: Mapping[str, object], found: Mapping[str, object]) -> bool:
    for key, value in wanted.items():
        there = found.get(key)
        if isinstance(value, dict):
            if not isinstance(there, dict) or _differs(value, there):
                return True
        elif there != value and (there or value):  # the server leaves out what is zero
            return True
    return False


def _nanoseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * 1000
