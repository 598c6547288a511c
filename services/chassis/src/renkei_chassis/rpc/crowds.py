"""Refuse a request that is made of very many messages before anything looks at each of them.

Two bytes on the wire are a message: 256 KiB of them took a second to validate and 90 MB to hold, and
four megabytes 468 MB. The lengths of lists are known as soon as the bytes are parsed, and cost nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from buf.validate import validate_pb2

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

WORTH_A_LOOK: Final = 4096
"""A request of fewer bytes holds no crowd: some two thousand messages at most."""
MAX_MESSAGES: Final = 20_000
"""More than the largest request has that keeps every rule of the contract."""
_NO_LIMIT: Final = 1 << 62


def refuse_crowds(message: Message, *, deep: bool = True) -> None:
    """Raise FIELD_INVALID for a list longer than the contract allows, or for too many messages in all.

    With `deep=False` only the request's own lists are looked at: what stands in them is looked at one by one later.
    """
    left = MAX_MESSAGES
    waiting = [(message, "")]
    while waiting:
        current, prefix = waiting.pop()
        for below, path, count in _lists(current, prefix):
            left -= count
            if left < 0:
                raise _too_many(path, f"the request holds more than {MAX_MESSAGES} messages")
            if deep:
                waiting += below


def _lists(message: Message, prefix: str) -> Iterator[tuple[list[tuple[Message, str]], str, int]]:
    """Give for each field that holds messages: those, the field's path, and how many they are. Raises for a crowd."""
    limits = _limits(message.DESCRIPTOR)
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.is_repeated:
            if len(value) > limits.get(field.name, _NO_LIMIT):
                raise _too_many(path, f"must hold at most {limits[field.name]} items")
            entry = field.message_type
            if entry is not None and not entry.GetOptions().map_entry:
                yield [(item, f"{path}[{index}].") for index, item in enumerate(value)], path, len(value)
        elif field.message_type is not None:
            yield [(value, f"{path}.")], path, 1


@lru_cache(maxsize=512)
def _limits(descriptor: Descriptor) -> dict[str, int]:
    """Read from the contract how long each list of a message may be."""
    found = {}
    for field in descriptor.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if field.is_repeated and rules.repeated.HasField("max_items"):
            found[field.name] = rules.repeated.max_items
    return found


def _too_many(path: str, what: str) -> InvalidArgument:
    violation = FieldViolation(field=path, description=what)
    return InvalidArgument("FIELD_INVALID", f"{path}: {what}", violations=[violation])
