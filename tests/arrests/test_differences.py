"""What a correction changed, over a real connection: in pages, of own records alone, and without what is sealed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.differences_pb2 import ListArrestDifferencesRequest, ListArrestDifferencesResponse
from renkei.arrests.v1.events_pb2 import ArrestRecorded
from renkei.policy.v1.differences_pb2 import FieldDifference
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_arrests.words import READING
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, NotFoundOrDenied
from tests.agency import AGENCY, TOKYO, Agency
from tests.arrests.calls import Arrests, a_device, an_arrest, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Iterator


async def differences(arrests: Arrests, name: str, **asked: Any) -> ListArrestDifferencesResponse:  # noqa: ANN401
    request = ListArrestDifferencesRequest(name=name, **asked)
    return await arrests.client.call(arrests.client.stub(ArrestsServiceStub).ListArrestDifferences, request)


async def corrected(arrests: Arrests) -> arrests_pb2.Arrest:
    made = await arrests.create(an_arrest(person=arrests_pb2.Person(display_name="(演習) 甲", birth_date="1990-01-02")))
    change = arrests_pb2.Arrest(
        name=made.name,
        etag=made.etag,
        offence="(演習データ) 強盗",
        person=arrests_pb2.Person(display_name="(演習) 乙", birth_date="1990-01-03"),
        seized_items=[a_device(an_occurrence())],
    )
    return await arrests.update(change, "offence", "person", "seized_items")


async def test_only_officers_and_supervisors_are_told(agency: Agency, arrests: Arrests) -> None:
    made = await corrected(arrests)

    with pytest.raises(NotAllowed) as refused:
        await differences(Arrests(agency.client("NPA_DESK")), made.name)

    assert refused.value.reason == "ROLE_MISSING"


async def test_a_missing_record_a_copy_and_a_missing_version_are_refused(agency: Agency, arrests: Arrests) -> None:
    made = await corrected(arrests)
    copy = an_arrest(name=f"{TOKYO}/arrests/{uuid.uuid4()}", version=1)
    await agency.bring(ArrestRecorded(arrest=copy), grade=GRADE_FULL)

    with pytest.raises(NotFoundOrDenied):
        await differences(arrests, f"{AGENCY}/arrests/{uuid.uuid4()}")
    with pytest.raises(FailedPrecondition) as foreign:
        await differences(arrests, copy.name)
    with pytest.raises(FailedPrecondition) as missing:
        await differences(arrests, made.name, to_version=7)
    with pytest.raises(FailedPrecondition) as first:
        await differences(arrests, made.name, to_version=1)
    with pytest.raises(InvalidArgument) as no_token:
        await differences(arrests, made.name, page_token="x")

    assert foreign.value.reason == "FOREIGN_ORIGINATOR"
    assert (missing.value.reason, missing.value.metadata["last_version"]) == ("NO_SUCH_VERSION", "2")
    assert first.value.reason == "NO_SUCH_VERSION", "the first version took the place of none"
    assert no_token.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_correction_is_told_with_who_and_why_and_without_what_is_sealed(arrests: Arrests) -> None:
    made = await corrected(arrests)

    answer = await differences(arrests, made.name)
    back = await differences(arrests, made.name, from_version=2, to_version=1)

    assert [(each.path, each.change, each.sealed) for each in answer.differences] == [
        ("offence", FieldDifference.CHANGE_REPLACED, False),
        ("person", FieldDifference.CHANGE_REPLACED, True),
        ("seized_items[0]", FieldDifference.CHANGE_ADDED, False),
    ]
    assert answer.differences[0].text_ja == "罪名: 「(演習データ) 強盗致傷」 から 「(演習データ) 強盗」 に変更"
    assert "甲" not in str(answer.differences[1])
    assert "1990-01" not in str(answer)  # names and times in it may hold any four digits
    earlier = getattr(answer, "from")
    assert (earlier.version, answer.to.version, answer.to.reason) == (1, 2, "(演習)")
    assert answer.to.recorder == f"{AGENCY}/officers/sato"
    assert answer.to.time == made.update_time
    assert back.differences[2].change == FieldDifference.CHANGE_REMOVED


async def test_pages_compare_the_same_versions_whatever_is_corrected_meanwhile(arrests: Arrests) -> None:
    made = await corrected(arrests)
    first = await differences(arrests, made.name, page_size=2)
    await arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag, text="(演習)"), "text")

    last = await differences(arrests, made.name, page_size=2, page_token=first.next_page_token)

    assert [each.path for each in (*first.differences, *last.differences)] == ["offence", "person", "seized_items[0]"]
    assert (last.to.version, last.next_page_token) == (2, "")


def described(descriptor: Any, seen: set[str]) -> Iterator[str]:  # noqa: ANN401 (upb's own descriptor)
    """Name every field and enum value that can stand in a message of ours."""
    if descriptor.full_name in seen or descriptor.full_name.startswith("google."):
        return
    seen.add(descriptor.full_name)
    for field in descriptor.fields:
        if field.name in READING.unread and descriptor is arrests_pb2.Arrest.DESCRIPTOR:
            continue
        if field.name in READING.sealed:
            continue
        yield field.name
        if field.enum_type is not None:
            yield from (value.name for value in field.enum_type.values if value.number)
        if field.message_type is not None:
            yield from described(field.message_type, seen)


def test_everything_that_can_differ_has_a_japanese_word() -> None:
    words = READING.fields.keys() | READING.values.keys()

    assert set(described(arrests_pb2.Arrest.DESCRIPTOR, set())) - words == set()
