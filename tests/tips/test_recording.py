"""Recording, reading and correcting own tips."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    Unauthenticated,
)
from renkei_chassis.rpc.client import Client
from tests.agency import AGENCY, NOBODY, TOKYO, request_id
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from tests.agency import Agency


async def test_a_call_without_token_is_refused(agency: Agency) -> None:
    client = Client(agency.address)
    agency.clients.append(client)

    with pytest.raises(Unauthenticated) as refused:
        await Tips(client).create()

    assert refused.value.reason == "TOKEN_MISSING"


async def test_an_auditor_records_no_tip(agency: Agency) -> None:
    with pytest.raises(NotAllowed) as refused:
        await Tips(agency.client("AUDITOR")).create()

    assert refused.value.reason == "ROLE_MISSING"


async def test_what_callers_cannot_write_is_set_by_the_service(tips: Tips, agency: Agency) -> None:
    tip = a_tip(
        name=f"{TOKYO}/tips/{uuid.uuid4()}",
        state=tips_pb2.Tip.STATE_ACTIONED,
        version=7,
        etag="mine",
        contact_desk="mine",
        recorder="agencies/jp-12/officers/mine",
        correction_reason="mine",
        received_grade=2,
    )
    for field in ("create_time", "update_time", "delete_time", "purge_time", "receive_time"):
        getattr(tip, field).FromSeconds(1)

    made = await tips.create(tip)

    assert made.name.startswith(f"{AGENCY}/tips/")
    assert (made.state, made.version) == (tips_pb2.Tip.STATE_RECEIVED, 1)
    assert made.etag not in {"", "mine"}
    assert made.contact_desk.startswith("(演習データ)")
    assert made.recorder == f"{AGENCY}/officers/sato"
    assert made.create_time == made.update_time
    assert made.create_time.seconds > 1
    for field in ("delete_time", "purge_time", "receive_time"):
        assert not made.HasField(field)  # type: ignore[arg-type]  # one of the fields of the loop
    assert (made.correction_reason, made.received_grade) == ("", 0)
    assert await tips.get(made.name) == made


async def test_the_text_is_kept_word_for_word(tips: Tips) -> None:
    text = "𠮷野家の前\u202e逆\u200b髙﨑\ue000①\t\n終"

    made = await tips.create(a_tip(text=text))

    assert (await tips.get(made.name)).text == text


async def test_a_repeated_request_records_one_tip(tips: Tips, agency: Agency) -> None:
    request = request_id()

    first = await tips.create(request=request)
    again = await tips.create(request=request)

    assert again == first
    assert agency.service.log.position.sequence == 1


async def test_a_request_id_with_another_content_is_refused(tips: Tips) -> None:
    request = request_id()
    await tips.create(request=request)

    with pytest.raises(AlreadyExists) as refused:
        await tips.create(a_tip(text="(演習データ) 別の情報"), request=request)

    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_another_officers_request_id_is_refused(tips: Tips, agency: Agency) -> None:
    request = request_id()
    await tips.create(request=request)

    with pytest.raises(AlreadyExists) as refused:
        await Tips(agency.client(officer="suzuki")).create(request=request)

    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_repeat_is_answered_with_the_version_it_made(tips: Tips) -> None:
    request = request_id()
    first = await tips.create(request=request)
    first.text = "(演習データ) 訂正後"
    await tips.update(first, "text")

    again = await tips.create(request=request)

    assert again.version == 1
    assert again.text != first.text


@pytest.mark.parametrize("parent", [TOKYO, NOBODY])
async def test_nothing_is_recorded_for_another_agency(tips: Tips, parent: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        await tips.create(parent=parent)

    assert refused.value.reason == "FOREIGN_ORIGINATOR"
    assert refused.value.metadata["agency"] == parent


@pytest.mark.parametrize("parent", ["agencies/-", "agencies/JP-12", "jp-12", "agencies/jp-12/", "agencies/jp-12\n"])
async def test_a_parent_that_is_no_agency_is_refused(tips: Tips, parent: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(parent=parent)

    assert refused.value.reason == "INVALID_RESOURCE_NAME"
    assert refused.value.violations[0].field == "parent"


async def test_a_missing_tip_and_one_of_another_agency_look_the_same(tips: Tips) -> None:
    refusals = []
    for owner in (AGENCY, TOKYO, NOBODY):
        with pytest.raises(NotFoundOrDenied) as refused:
            await tips.get(f"{owner}/tips/{uuid.uuid4()}")
        refusals.append((refused.value.reason, refused.value.message, dict(refused.value.metadata)))

    assert refusals == [refusals[0]] * 3
    assert refusals[0][0] == "DENIED"


@pytest.mark.parametrize(
    "name",
    [
        f"{AGENCY}/tips/",
        f"{AGENCY}/tips/1",
        f"{AGENCY}/tips/{uuid.UUID(int=2**127)!s}/",
        f"{AGENCY}/tips/{str(uuid.UUID(int=0xABCDEF)).upper()}",
        f"{AGENCY}/tips/{uuid.UUID(int=1).hex}",
        f"{AGENCY}/arrests/{uuid.UUID(int=1)}",
        f"agencies/-/tips/{uuid.UUID(int=1)}",
        "../../etc/passwd",
        "09012345678",
    ],
)
async def test_a_name_of_another_form_is_refused_and_not_repeated(tips: Tips, name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.get(name)

    assert refused.value.reason == "INVALID_RESOURCE_NAME"
    assert name not in refused.value.message


async def test_an_older_version_can_be_read_and_a_later_one_is_refused(tips: Tips) -> None:
    first = await tips.create()
    change = tips_pb2.Tip(name=first.name, etag=first.etag, text="(演習データ) 訂正後")

    second = await tips.update(change, "text", reason="(演習) 聞き違い")

    assert (second.version, second.text, second.correction_reason) == (
        2,
        "(演習データ) 訂正後",
        "(演習) 聞き違い",
    )
    assert (second.display_name, second.create_time) == (first.display_name, first.create_time)
    assert second.etag != first.etag
    assert await tips.get(first.name) == await tips.get(first.name, 2) == second
    assert await tips.get(first.name, 1) == first
    with pytest.raises(FailedPrecondition) as refused:
        await tips.get(first.name, 3)
    assert refused.value.reason == "NO_SUCH_VERSION"
    assert refused.value.metadata["last_version"] == "2"


async def test_a_stale_etag_is_refused(tips: Tips) -> None:
    first = await tips.create()
    await tips.update(first, "text")

    with pytest.raises(Aborted) as refused:
        await tips.update(first, "text")

    assert refused.value.reason == "ETAG_MISMATCH"


async def test_a_correction_without_etag_is_refused(tips: Tips) -> None:
    made = await tips.create()
    made.etag = ""

    with pytest.raises(InvalidArgument) as refused:
        await tips.update(made, "text")

    assert [violation.field for violation in refused.value.violations] == ["tip.etag"]


async def test_a_repeated_correction_makes_one_version(tips: Tips) -> None:
    made = await tips.create()
    request = request_id()

    first = await tips.update(made, "text", request=request)
    again = await tips.update(made, "text", request=request)

    assert again == first
    assert (await tips.get(made.name)).version == 2


async def test_only_the_originator_corrects(tips: Tips) -> None:
    foreign = a_tip(name=f"{TOKYO}/tips/{uuid.uuid4()}", etag="any")

    with pytest.raises(FailedPrecondition) as refused:
        await tips.update(foreign, "text")

    assert refused.value.reason == "FOREIGN_ORIGINATOR"
    assert refused.value.metadata["agency"] == TOKYO


@pytest.mark.parametrize(
    "paths",
    [(), ("unknown",), ("text.length",), ("identifiers.provenance",), ("*",), ("",), ("name", "etag"), ("Text",)],
)
async def test_a_mask_that_changes_nothing_that_can_be_changed_is_refused(tips: Tips, paths: tuple[str, ...]) -> None:
    made = await tips.create()

    with pytest.raises(InvalidArgument) as refused:
        await tips.update(made, *paths)

    assert refused.value.reason == "INVALID_UPDATE_MASK"
    assert (await tips.get(made.name)).version == 1


async def test_output_only_paths_of_a_mask_are_ignored(tips: Tips) -> None:
    made = await tips.create()
    change = tips_pb2.Tip(name=made.name, etag=made.etag, recorder="mine", case_reference="(演習)1")
    change.create_time.FromSeconds(1)

    after = await tips.update(change, "recorder", "create_time", "case_reference")

    assert (after.case_reference, after.recorder, after.create_time) == ("(演習)1", made.recorder, made.create_time)


async def test_part_of_a_message_can_be_corrected(tips: Tips) -> None:
    made = await tips.create()
    change = tips_pb2.Tip(
        name=made.name, etag=made.etag, grading=tips_pb2.Grading(accuracy=tips_pb2.Grading.ACCURACY_4)
    )

    after = await tips.update(change, "grading.accuracy")

    assert (after.grading.reliability, after.grading.accuracy) == (made.grading.reliability, 4)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("text", "tip.text"),
        ("source", "tip.source"),
        ("grading", "tip.grading"),
        ("handling.purpose_code", "tip.handling.purpose_code"),
    ],
)
async def test_a_correction_cannot_empty_what_is_required(tips: Tips, path: str, field: str) -> None:
    made = await tips.create()

    with pytest.raises(InvalidArgument) as refused:
        await tips.update(tips_pb2.Tip(name=made.name, etag=made.etag), path)

    assert refused.value.reason == "FIELD_INVALID"
    assert [violation.field for violation in refused.value.violations] == [field]


async def test_corrected_identifiers_replace_what_a_search_finds(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence("090-1234-5678")]))
    change = tips_pb2.Tip(name=made.name, etag=made.etag, identifiers=[an_occurrence("080-8765-4321")])

    after = await tips.update(change, "identifiers")

    assert after.identifiers[0].identifier.normal_form == "+818087654321"
    assert not (await tips.search("090-1234")).tips
    assert [tip.name for tip in (await tips.search("080-8765")).tips] == [made.name]


async def test_a_deleted_tip_is_hidden_marked_and_can_be_brought_back(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence()]))

    deleted = await tips.delete(made.name, etag=made.etag)

    assert deleted.HasField("delete_time")
    assert (deleted.purge_time.ToDatetime() - deleted.delete_time.ToDatetime()).days == 30
    assert await tips.get(made.name) == deleted
    assert not (await tips.page()).tips
    assert not (await tips.search("090-1234")).tips
    assert list((await tips.page(show_deleted=True)).tips) == [deleted]

    back = await tips.undelete(made.name)

    assert (back.version, back.text) == (2, made.text)
    assert not back.HasField("delete_time")
    assert not back.HasField("purge_time")
    assert list((await tips.page()).tips) == [back]
    assert len((await tips.search("090-1234")).tips) == 1


async def test_a_deleted_tip_is_not_corrected_and_not_deleted_again(tips: Tips) -> None:
    made = await tips.create()
    await tips.delete(made.name)

    for call in (tips.update(made, "text"), tips.delete(made.name)):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert refused.value.reason == "DELETED"


async def test_what_is_not_deleted_is_not_brought_back(tips: Tips) -> None:
    made = await tips.create()

    with pytest.raises(FailedPrecondition) as refused:
        await tips.undelete(made.name)

    assert refused.value.reason == "NOT_DELETED"


async def test_an_officer_alone_brings_nothing_back(agency: Agency) -> None:
    officer = Tips(agency.client("OFFICER"))
    made = await officer.create()
    await officer.delete(made.name)

    with pytest.raises(NotAllowed) as refused:
        await officer.undelete(made.name)

    assert refused.value.reason == "ROLE_MISSING"


async def test_a_stale_etag_deletes_nothing(tips: Tips) -> None:
    made = await tips.create()

    with pytest.raises(Aborted) as refused:
        await tips.delete(made.name, etag="stale")

    assert refused.value.reason == "ETAG_MISMATCH"
    assert not (await tips.get(made.name)).HasField("delete_time")


async def test_a_repeated_deletion_gets_its_answer_even_after_the_tip_is_back(tips: Tips) -> None:
    made = await tips.create()
    request = request_id()
    first = await tips.delete(made.name, request=request)
    await tips.undelete(made.name)

    again = await tips.delete(made.name, request=request)

    assert again == first
    assert not (await tips.get(made.name)).HasField("delete_time")


async def test_nothing_is_deleted_or_brought_back_that_is_not_there(tips: Tips) -> None:
    missing = f"{AGENCY}/tips/{uuid.uuid4()}"

    for call in (tips.delete(missing), tips.undelete(missing), tips.update(a_tip(name=missing, etag="any"), "text")):
        with pytest.raises(NotFoundOrDenied) as refused:
            await call
        assert refused.value.reason == "DENIED"
