"""Timestamps that callers send: bounded, so that adding to them never leaves what a Timestamp can say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

EARLIEST: Final = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
LATEST: Final = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_TIMESTAMP: Final = "google.protobuf.Timestamp"
_NANOS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    name: str
    many: bool
    below: tuple[_Step, ...] | None  # None: the field is a timestamp itself


_STEPS: Final[dict[Descriptor, tuple[_Step, ...]]] = {}


def check_times(message: Message, field: str) -> None:
    """Return if every timestamp in the message, at every depth, lies from 1900 to 2199; else FIELD_INVALID."""
    broken = list(broken_times(message, field))
    if broken:
        first = broken[0]
        raise InvalidArgument("FIELD_INVALID", f"{first.field}: {first.description}", violations=broken[:50])


def broken_times(message: Message, field: str) -> Iterator[FieldViolation]:
    """Name every timestamp that is none."""
    descriptor = cast("Descriptor", message.DESCRIPTOR)
    steps = _STEPS.get(descriptor)
    if steps is None:
        steps = _STEPS[descriptor] = _steps_of(descriptor)
    return _broken(message, steps, f"{field}." if field else "")


def to_us(time: Timestamp) -> int:
    """Turn a checked timestamp into microseconds since 1970."""
    return time.seconds * 1_000_000 + time.nanos // 1000


def set_us(time: Timestamp, microseconds: int) -> None:
    """Set a timestamp to microseconds since 1970."""
    time.seconds, rest = divmod(microseconds, 1_000_000)
    time.nanos = rest * 1000


def _broken(message: Message, steps: tuple[_Step, ...], prefix: str) -> Iterator[FieldViolation]:
    for step in steps:
        if step.many:
            for index, item in enumerate(getattr(message, step.name)):
                path = f"{prefix}{step.name}[{index}]"
                if step.below is not None:
                    yield from _broken(item, step.below, f"{path}.")
                elif not _is_time(item):
                    yield FieldViolation(field=path, description="must be a time from 1900 to 2199")
        elif message.HasField(step.name):
            below = getattr(message, step.name)
            if step.below is not None:
                yield from _broken(below, step.below, f"{prefix}{step.name}.")
            elif not _is_time(below):
                yield FieldViolation(field=f"{prefix}{step.name}", description="must be a time from 1900 to 2199")


def _is_time(time: Timestamp) -> bool:
    return EARLIEST <= time.seconds < LATEST and 0 <= time.nanos < _NANOS


def _steps_of(descriptor: Descriptor) -> tuple[_Step, ...]:
    """Find the way to every timestamp; a type that holds itself has none of them in our contract."""
    steps = []
    for field in descriptor.fields:
        kind = field.message_type
        if kind is None or kind.GetOptions().map_entry:
            continue
        if kind.full_name == _TIMESTAMP:
            steps.append(_Step(name=field.name, many=field.is_repeated, below=None))
        elif not kind.full_name.startswith("google.") and (below := _steps_of(kind)):
            steps.append(_Step(name=field.name, many=field.is_repeated, below=below))
    return tuple(steps)
