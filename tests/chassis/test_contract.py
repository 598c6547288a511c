"""The chassis knows every message, event and method of the contract by name."""

from __future__ import annotations

import pytest
from renkei.policy.v1 import policy_pb2
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis import contract


def test_an_event_is_found_by_its_full_name() -> None:
    assert contract.is_known("renkei.tips.v1.TipRecorded")
    assert contract.event_type("renkei.tips.v1.TipRecorded") is events_pb2.TipRecorded


@pytest.mark.parametrize(
    "name", ["", "TipRecorded", "renkei.tips.v1.Tip", "google.protobuf.Timestamp", "renkei.tips.v1.TipVanished"]
)
def test_what_no_events_file_defines_is_no_event(name: str) -> None:
    assert not contract.is_known(name)
    with pytest.raises(KeyError):
        contract.event_type(name)


def test_nested_and_plain_messages_are_known() -> None:
    assert contract.message_type("renkei.tips.v1.Tip") is tips_pb2.Tip
    assert contract.message_type("renkei.policy.v1.Handling").DESCRIPTOR.name == "Handling"


def test_methods_come_with_their_path_and_policy() -> None:
    policies = {path: policy for path, _, policy in contract.methods()}

    created = policies["/renkei.tips.v1.TipsService/CreateTip"]

    assert created.permission == "tips.create"
    assert policy_pb2.ROLE_OFFICER in created.roles
    assert "/renkei.event.v1.LogService/ReadLog" in policies
