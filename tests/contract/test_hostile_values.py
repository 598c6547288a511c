"""In every field of every request what is hostile is refused by the path of that field, and never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.rpc.validation import validate
from tests.hostile import MARK, Hostile, proper, requests, wrecked

if TYPE_CHECKING:
    from google.protobuf.message import Message

REQUESTS: Final = {kind.DESCRIPTOR.full_name: kind for kind in requests().values()}
every_request = pytest.mark.parametrize("name", sorted(REQUESTS))


def refusal(message: Message) -> InvalidArgument | None:
    try:
        validate(message)
    except InvalidArgument as error:
        return error
    return None


def names_the_field(error: InvalidArgument, hostile: Hostile) -> bool:
    if hostile.what == "unknown field":
        return error.reason == "UNKNOWN_FIELD" and error.metadata["field"] == f"{hostile.path}.10719".lstrip(".")
    paths = [violation.field for violation in error.violations]
    return error.reason == "FIELD_INVALID" and any(path.startswith(hostile.path) for path in paths)


def told(error: InvalidArgument) -> str:
    violations = [violation.field + violation.description for violation in error.violations]
    return " ".join([str(error), *error.metadata.values(), *violations])


def fields_below(kind: type[Message]) -> set[str]:
    """Name every field at any depth that can hold a bad value: a flag cannot, and a message is its fields."""
    found, waiting = set(), [kind.DESCRIPTOR]
    while waiting:
        for field in waiting.pop().fields:
            if field.message_type is not None:
                waiting.append(field.message_type)
            elif field.type != field.TYPE_BOOL:
                found.add(field.full_name)
    return found


@every_request
def test_a_proper_request_is_taken(name: str) -> None:
    """Or the tests below would refuse for another reason than their own."""
    assert refusal(proper(REQUESTS[name])) is None


@every_request
def test_what_is_hostile_in_any_field_is_refused_by_its_path_and_not_repeated(name: str) -> None:
    tried = list(wrecked(REQUESTS[name]))
    refused = [(hostile, refusal(hostile.request)) for hostile in tried]

    taken = [(hostile.path, hostile.what) for hostile, error in refused if hostile.must_be_refused and error is None]
    blind = [(h.path, h.what) for h, error in refused if error is not None and not names_the_field(error, h)]
    told_on = [(h.path, h.what) for h, error in refused if error is not None and MARK in told(error)]
    assert (taken, blind, told_on) == ([], [], [])


@every_request
def test_every_field_but_flags_is_wrecked_somehow(name: str) -> None:
    tried = {hostile.field for hostile in wrecked(REQUESTS[name])}

    assert fields_below(REQUESTS[name]) - tried == set()
