"""What a correction of a tip changed, over a real connection, and a Japanese word for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from renkei.policy.v1.differences_pb2 import FieldDifference
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.differences_pb2 import ListTipDifferencesRequest, ListTipDifferencesResponse
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.errors import FailedPrecondition, NotAllowed
from renkei_tips.words import READING
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.agency import Agency


async def differences(tips: Tips, name: str, **asked: Any) -> ListTipDifferencesResponse:  # noqa: ANN401
    request = ListTipDifferencesRequest(name=name, **asked)
    return await tips.client.call(tips.client.stub(TipsServiceStub).ListTipDifferences, request)


async def test_only_officers_and_supervisors_are_told(agency: Agency, tips: Tips) -> None:
    made = await tips.create(a_tip())

    with pytest.raises(NotAllowed) as refused:
        await differences(Tips(agency.client("NPA_DESK")), made.name)
    with pytest.raises(FailedPrecondition) as first:
        await differences(tips, made.name)

    assert refused.value.reason == "ROLE_MISSING"
    assert first.value.reason == "NO_SUCH_VERSION"


async def test_a_correction_is_told_with_who_and_why(tips: Tips) -> None:
    made = await tips.create(a_tip(source=tips_pb2.Tip.SOURCE_BANK))
    change = tips_pb2.Tip(name=made.name, etag=made.etag, source=tips_pb2.Tip.SOURCE_OFFICER)
    changed = await tips.update(change, "source")

    answer = await differences(tips, made.name)

    (difference,) = answer.differences
    assert (difference.path, difference.change) == ("source", FieldDifference.CHANGE_REPLACED)
    assert (difference.before, difference.after) == ('"SOURCE_BANK"', '"SOURCE_OFFICER"')
    assert difference.text_ja == "情報源: 金融機関 から 警察官 に変更"
    assert difference.text_en == "source: SOURCE_BANK became SOURCE_OFFICER"
    assert (answer.to.version, answer.to.time, answer.to.reason) == (2, changed.update_time, "(演習データ) 訂正")


def described(descriptor: Any, seen: set[str]) -> Iterator[str]:  # noqa: ANN401 (upb's own descriptor)
    """Name every field and enum value that can stand in a message of ours."""
    if descriptor.full_name in seen or descriptor.full_name.startswith("google."):
        return
    seen.add(descriptor.full_name)
    for field in descriptor.fields:
        if field.name in READING.unread and descriptor is tips_pb2.Tip.DESCRIPTOR:
            continue
        yield field.name
        if field.enum_type is not None:
            yield from (value.name for value in field.enum_type.values if value.number)
        if field.message_type is not None:
            yield from described(field.message_type, seen)


def test_everything_that_can_differ_has_a_japanese_word() -> None:
    words = READING.fields.keys() | READING.values.keys()

    assert set(described(tips_pb2.Tip.DESCRIPTOR, set())) - words == set()
