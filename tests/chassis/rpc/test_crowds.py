"""A request of very many messages is refused by its lists' lengths, before anything looks at each message."""

from __future__ import annotations

import uuid

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.rpc.crowds import MAX_MESSAGES, WORTH_A_LOOK, refuse_crowds
from renkei_chassis.rpc.validation import validate


def arrest(*lists: int) -> arrests_pb2.CreateArrestRequest:
    """Make an arrest whose items hold so many identifiers each."""
    request = arrests_pb2.CreateArrestRequest(request_id=str(uuid.uuid4()))
    for count in lists:
        item = request.arrest.seized_items.add()
        for _ in range(count):
            item.identifiers.add()
    return request


def test_a_list_longer_than_the_contract_allows_is_named() -> None:
    request = tips_pb2.CreateTipRequest()
    for _ in range(201):
        request.tip.identifiers.add()

    with pytest.raises(InvalidArgument) as refused:
        refuse_crowds(request)

    assert refused.value.reason == "FIELD_INVALID"
    assert [violation.field for violation in refused.value.violations] == ["tip.identifiers"]


def test_a_list_in_a_list_is_counted_too() -> None:
    with pytest.raises(InvalidArgument) as refused:
        refuse_crowds(arrest(1, 1001))

    assert [violation.field for violation in refused.value.violations] == ["arrest.seized_items[1].identifiers"]


def test_too_many_messages_in_all_are_refused_though_each_list_is_short_enough() -> None:
    refuse_crowds(arrest(*[1000] * (MAX_MESSAGES // 1000 - 1)))
    with pytest.raises(InvalidArgument, match="more than 20000 messages"):
        refuse_crowds(arrest(*[1000] * (MAX_MESSAGES // 1000)))


def test_only_the_own_lists_of_a_load_are_counted() -> None:
    """Each row is looked at by itself, and refused by itself."""
    request = tips_pb2.LoadTipsRequest()
    row = request.rows.add()
    for _ in range(300):
        row.tip.identifiers.add()

    refuse_crowds(request, deep=False)
    with pytest.raises(InvalidArgument):
        refuse_crowds(request)


def test_validation_looks_for_crowds_in_every_request_that_can_hold_one() -> None:
    request = arrest(*[1000] * 21)
    assert request.ByteSize() > WORTH_A_LOOK

    with pytest.raises(InvalidArgument, match="more than 20000 messages"):
        validate(request)
