"""Every field has an end, every name has a form, and every rule about a message names a field."""

from __future__ import annotations

from typing import Final

import pytest
from buf.validate import validate_pb2

from tests.contract.source import Element, Field, Kind, by_name, fields_of, of_kind

FIELDS: Final = of_kind(Kind.FIELD)
# field -> why it needs no maximum
WITHOUT_MAXIMUM: Final = {
    "renkei.policy.v1.MethodPolicy.permission": "stands in the contract itself and never travels",
    "renkei.policy.v1.MethodPolicy.roles": "the same",
}
REQUESTS: Final = [method.proto.input_type.removeprefix(".") for method in of_kind(Kind.METHOD)]


def rules(field: Element) -> validate_pb2.FieldRules:
    found: validate_pb2.FieldRules = field.proto.options.Extensions[validate_pb2.field]
    return found


def is_bounded(field: Element) -> bool:
    """Say whether a text, bytes or list cannot grow for ever."""
    given = rules(field)
    if field.proto.label == Field.LABEL_REPEATED:
        if not given.repeated.HasField("max_items"):
            return False
        given = given.repeated.items
    if field.proto.type == Field.TYPE_STRING:
        return given.string.uuid or any(given.string.HasField(name) for name in ("max_len", "max_bytes", "len"))
    if field.proto.type == Field.TYPE_BYTES:
        return any(given.bytes.HasField(name) for name in ("max_len", "len"))
    return True


def test_every_text_and_list_has_a_maximum() -> None:
    assert {field.name for field in FIELDS if not is_bounded(field)} == set(WITHOUT_MAXIMUM)


def request_fields() -> list[Element]:
    found: dict[str, Element] = {}
    waiting = list(REQUESTS)
    while waiting:
        for field in fields_of(waiting.pop()):
            if field.name not in found:
                found[field.name] = field
                waiting.append(field.proto.type_name.removeprefix("."))
    return list(found.values())


def takes_any_number(field: Element) -> bool:
    given = rules(field)
    of_enum = given.repeated.items.enum if field.proto.label == Field.LABEL_REPEATED else given.enum
    return field.proto.type == Field.TYPE_ENUM and not of_enum.defined_only


def test_a_request_takes_known_enum_values_only() -> None:
    fields = request_fields()

    assert len(fields) > 100
    assert [field.name for field in fields if takes_any_number(field)] == []


def test_every_name_has_a_form() -> None:
    names = [field for field in FIELDS if field.short in {"name", "parent"}]

    assert len(names) > 30
    assert [field.name for field in names if "Format: " not in field.comment] == []


MESSAGE_RULES: Final = [
    (message, rule)
    for message in of_kind(Kind.MESSAGE)
    for rule in message.proto.options.Extensions[validate_pb2.message].cel
]


@pytest.mark.parametrize(("message", "rule"), MESSAGE_RULES, ids=[f"{m.short}-{rule.id}" for m, rule in MESSAGE_RULES])
def test_a_rule_about_a_message_is_named_by_the_field_it_is_about(message: Element, rule: validate_pb2.Rule) -> None:
    """The chassis tells callers that id as the path of the broken field."""
    holder = message.name
    for name in rule.id.split("."):
        holder = by_name()[f"{holder}.{name}"].proto.type_name.removeprefix(".")
    assert rule.message.startswith(rule.id)


def test_an_enum_begins_with_a_zero_that_says_nothing() -> None:
    first = {enum.name: enum.proto.value[0] for enum in of_kind(Kind.ENUM)}

    assert [name for name, zero in first.items() if zero.number or not zero.name.endswith("_UNSPECIFIED")] == []


STANDARD: Final = {
    "state": Field.TYPE_ENUM,
    "etag": Field.TYPE_STRING,
    "display_name": Field.TYPE_STRING,
    "handling": Field.TYPE_MESSAGE,
}


def is_of_standard_type(field: Element) -> bool:
    if field.short.endswith("_time"):
        return bool(field.proto.type_name == ".google.protobuf.Timestamp")
    return bool(field.proto.type == STANDARD[field.short])


def test_a_standard_field_has_its_standard_type() -> None:
    fields = [field for field in FIELDS if field.short in STANDARD or field.short.endswith("_time")]

    assert len(fields) > 30
    assert [field.name for field in fields if not is_of_standard_type(field)] == []
