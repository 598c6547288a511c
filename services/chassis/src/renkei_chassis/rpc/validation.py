"""Refuse a request that breaks the rules of the contract, in words that never repeat a value.

The rules are `buf.validate` rules and stand beside the fields; protovalidate runs them. Two more hold
for every request: no field that this server does not know, and no NUL in any string.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import protovalidate
from google.protobuf.unknown_fields import UnknownFieldSet

from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.rpc.crowds import WORTH_A_LOOK, refuse_crowds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

FIELD_INVALID: Final = "FIELD_INVALID"
UNKNOWN_FIELD: Final = "UNKNOWN_FIELD"

# A status holds some dozens; a hostile request could break thousands.
_MAX_VIOLATIONS: Final = 50

_VALIDATOR: Final = protovalidate.Validator()


def validate(message: Message, raw: bytes | None = None) -> None:
    """Return if the request keeps the contract's rules; raise InvalidArgument if not.

    `raw` are the bytes that `message` was parsed from; with them the check is a little faster.

    UNKNOWN_FIELD names the first field or number that is not known in `metadata["field"]`.
    FIELD_INVALID lists what is broken; each path is that of the contract, such as
    `tip.identifiers[0].identifier.original`.
    """
    given = message.SerializeToString() if raw is None else raw
    if len(given) > WORTH_A_LOOK:
        refuse_crowds(message)
    _refuse_unknown_fields(message, given)
    broken = [*_nul_violations(message)] if b"\0" in given else []
    broken += map(_violation, islice(_VALIDATOR.collect_violations(message), _MAX_VIOLATIONS))
    if broken:
        first = broken[0]
        raise InvalidArgument(FIELD_INVALID, f"{first.field}: {first.description}", violations=broken)


def _refuse_unknown_fields(message: Message, given: bytes) -> None:
    # Asking each message below for its unknown fields costs ten times as much as dropping them all
    # and looking whether anything is gone. Nothing is, in a message that passes.
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() == size:
        return
    message.ParseFromString(given)
    path = next(_unknown_paths(message, ""), "")
    text = f"the request holds {path or 'a field'}, which this server does not know"
    raise InvalidArgument(UNKNOWN_FIELD, text, metadata={"field": path})


def _unknown_paths(message: Message, prefix: str) -> Iterator[str]:
    unknown = UnknownFieldSet(message)
    for index in range(len(unknown)):
        yield f"{prefix}{unknown[index].field_number}"
    for path, below in _messages_below(message, prefix):
        yield from _unknown_paths(below, f"{path}.")


def _nul_violations(message: Message) -> Iterator[FieldViolation]:
    for path in islice(_nul_paths(message, ""), _MAX_VIOLATIONS):
        yield FieldViolation(field=path, description="must not hold NUL characters")


def _nul_paths(message: Message, prefix: str) -> Iterator[str]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if _any_nul((*value.keys(), *value.values())):
                yield path
        elif not field.is_repeated:
            if _any_nul((value,)):
                yield path
        else:
            yield from (f"{path}[{i}]" for i, item in enumerate(value) if _any_nul((item,)))
    for path, below in _messages_below(message, prefix):
        yield from _nul_paths(below, f"{path}.")


def _any_nul(values: tuple[object, ...]) -> bool:
    return any(isinstance(value, str) and "\0" in value for value in values)


def _messages_below(message: Message, prefix: str) -> Iterator[tuple[str, Message]]:
    for field, value in message.ListFields():
        entry = field.message_type
        if entry is None:
            continue
        path = f"{prefix}{field.name}"
        if entry.GetOptions().map_entry:
            if entry.fields_by_name["value"].message_type is not None:
                yield from ((f"{path}[]", item) for item in value.values())
        elif field.is_repeated:
            yield from ((f"{path}[{i}]", item) for i, item in enumerate(value))
        else:
            yield path, value


def _violation(found: protovalidate.Violation) -> FieldViolation:
    proto = found.proto
    path = ".".join(_element(element) for element in proto.field.elements) if proto.field is not None else ""
    if proto.rule is None:
        # A rule about a whole message. By our convention its id is the path, seen from that message.
        path = f"{path}.{proto.rule_id}" if path else proto.rule_id
    return FieldViolation(field=path, description=proto.message)


def _element(element: Any) -> str:  # noqa: ANN401 (a type that protovalidate keeps to itself)
    name = element.field_name or str(element.field_number)
    if element.subscript is None:
        return name
    # The key of a map is a value of the caller's, and so is left out.
    return f"{name}[{element.subscript.value}]" if element.subscript.field == "index" else f"{name}[]"
