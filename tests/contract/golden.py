"""Samples of everything that is stored or sent for long: a message, and the bytes it must have for ever.

A sample is never edited. A new event or a new field gets a further sample:

    python -m tests.contract.golden
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format

from renkei_chassis import contract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

FOLDER: Final = Path(__file__).parent / "golden"
# Beside the events: what carries them in a log, on NATS and in a lane.
CARRIERS: Final = (
    "renkei.event.v1.Event",
    "renkei.event.v1.EventBatch",
    "renkei.exchange.v1.Bundle",
    "renkei.exchange.v1.BundleHeader",
)
NAMES: Final = (*sorted(contract.EVENT_TYPES), *CARRIERS)
_FIRST_SECOND: Final = 1_700_000_000


def filled(kind: type[Message]) -> Message:
    """Make a message in which every field is set, and no two to the same value."""
    message = kind()
    _fill(message, itertools.count(1))
    return message


def samples(name: str) -> list[tuple[Message, bytes]]:
    """Read the samples of a type: the message as its JSON says, and the bytes that stand beside."""
    path = FOLDER / f"{name}.json"
    stored = json.loads(path.read_text()) if path.is_file() else []
    kind = contract.message_type(name)
    return [(json_format.ParseDict(entry["message"], kind()), bytes.fromhex(entry["bytes"])) for entry in stored]


def covered(name: str) -> set[str]:
    """Give the paths of the fields that some sample sets."""
    return {path for message, _ in samples(name) for path in _paths(message, "")}


def coverable(name: str) -> set[str]:
    """Give the paths of all fields."""
    return set(_paths(filled(contract.message_type(name)), ""))


def as_json(message: Message) -> dict[str, Any]:
    """Say a message in JSON with the names of the contract."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def add_missing(name: str) -> bool:
    """Add a sample if the type has none, or fields that no sample sets."""
    if covered(name) >= coverable(name):
        return False
    path = FOLDER / f"{name}.json"
    stored = json.loads(path.read_text()) if path.is_file() else []
    message = filled(contract.message_type(name))
    stored.append({"message": as_json(message), "bytes": message.SerializeToString(deterministic=True).hex()})
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n")
    return True


def _fill(message: Any, numbers: Iterator[int]) -> None:  # noqa: ANN401 (every type)
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds, message.nanos = _FIRST_SECOND + next(numbers), next(numbers) * 1_000
        return
    if name == "google.protobuf.Any":
        message.Pack(filled(contract.event_type("renkei.tips.v1.TipWithdrawn")), deterministic=True)
        return
    for field in message.DESCRIPTOR.fields:
        if field.message_type is not None:
            target = getattr(message, field.name)
            for item in [target.add(), target.add()] if field.is_repeated else [target]:
                item.SetInParent()
                _fill(item, numbers)
        elif field.is_repeated:
            getattr(message, field.name).extend([_value(field, numbers), _value(field, numbers)])
        else:
            setattr(message, field.name, _value(field, numbers))


def _value(field: Any, numbers: Iterator[int]) -> str | bytes | bool | int:  # noqa: ANN401 (a descriptor of upb's)
    number = next(numbers)
    if field.type == field.TYPE_STRING:
        return f"{field.name} {number} 連携"
    if field.type == field.TYPE_BYTES:
        return bytes([number % 256]) * 4
    if field.type == field.TYPE_BOOL:
        return True
    if field.enum_type is not None:
        # The first value that is said: later ones may be marked as staying at home.
        return int(field.enum_type.values[1].number)
    return number


def _paths(message: Message, prefix: str) -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        yield path
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                yield from _paths(item, f"{path}.")


if __name__ == "__main__":
    for each in NAMES:
        if add_missing(each):
            sys.stdout.write(f"golden: added a sample of {each}\n")
