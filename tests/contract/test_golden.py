"""Bytes that were written once are read, and would be written, in the same way for ever."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet

from renkei_chassis import contract
from tests.contract.golden import FOLDER, NAMES, as_json, coverable, covered, samples

every_type = pytest.mark.parametrize("name", NAMES)


@every_type
def test_every_field_of_every_event_stands_in_a_sample(name: str) -> None:
    """A new event or field needs one: python -m tests.contract.golden."""
    assert coverable(name) - covered(name) == set()


@every_type
def test_a_message_still_has_the_bytes_it_had(name: str) -> None:
    assert samples(name)
    for message, stored in samples(name):
        assert message.SerializeToString(deterministic=True).hex() == stored.hex()


@every_type
def test_stored_bytes_still_say_what_they_said(name: str) -> None:
    for message, stored in samples(name):
        read = contract.message_type(name).FromString(stored)

        assert as_json(read) == as_json(message)
        assert read == message
        assert not len(UnknownFieldSet(read))


def test_no_sample_is_of_a_type_that_is_gone() -> None:
    """An event that was once written stays readable: its type is never removed."""
    assert {PurePath(path).stem for path in FOLDER.glob("*.json")} == set(NAMES)
