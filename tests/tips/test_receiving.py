"""Copies of tips that other agencies released: they come, are replaced, and go."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis.errors import FailedPrecondition, NotFoundOrDenied
from renkei_chassis.follower import state
from renkei_chassis.ids import uuid7
from tests.agency import AGENCY, TOCHIGI, TOKYO, Agency
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message


def a_foreign_tip(*, version: int = 1, name: str = "", origin: str = TOKYO) -> tips_pb2.Tip:
    """Make a tip as the origin's own log holds it, with fields that should never have left."""
    tip = a_tip(
        name=name or f"{origin}/tips/{uuid7()}",
        version=version,
        state=tips_pb2.Tip.STATE_TRIAGED,
        etag="theirs",
        recorder=f"{origin}/officers/theirs",
        external_reference="theirs",
        contact_desk="(演習データ) 警視庁",
        identifiers=[an_occurrence("080-8765-4321")],
    )
    tip.identifiers[0].identifier.normal_form = "+818087654321"
    tip.create_time.FromSeconds(1_700_000_000)
    return tip


async def reasons(agency: Agency) -> Sequence[str]:
    return [row.reason for row in await agency.service.database.read(state.list_aside)]


async def test_a_released_tip_is_kept_with_grade_and_time_and_without_what_stays_home(
    tips: Tips, agency: Agency
) -> None:
    sent = a_foreign_tip()

    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    kept = await tips.get(sent.name)
    assert (kept.text, kept.handling, kept.contact_desk) == (sent.text, sent.handling, sent.contact_desk)
    assert kept.received_grade == GRADE_FULL
    assert kept.HasField("receive_time")
    assert (kept.etag, kept.recorder, kept.external_reference) == ("", "", "")


async def test_an_index_entry_holds_the_index_fields_only(tips: Tips, agency: Agency) -> None:
    """Also where the origin sent more: what it should not have sent is not kept."""
    sent = a_foreign_tip()

    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_INDEX_ONLY)

    kept = await tips.get(sent.name)
    assert {field.name for field, _ in kept.ListFields()} == {
        "name",
        "handling",
        "version",
        "identifiers",
        "contact_desk",
        "received_grade",
        "receive_time",
    }
    assert kept.identifiers[0].identifier.original == ""
    assert kept.identifiers[0].identifier.normal_form == "+818087654321"


@pytest.mark.parametrize("event", [events_pb2.TipRevised, events_pb2.TipReleased, events_pb2.TipRestored])
async def test_a_newer_version_replaces_the_copy(
    tips: Tips,
    agency: Agency,
    event: type[events_pb2.TipRevised | events_pb2.TipReleased | events_pb2.TipRestored],
) -> None:
    first = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=first), grade=GRADE_FULL)
    second = a_foreign_tip(name=first.name, version=2)
    second.identifiers[0].identifier.normal_form = "+817087654321"

    await agency.bring(event(tip=second), grade=GRADE_INDEX_ONLY)

    kept = await tips.get(first.name)
    assert (kept.version, kept.text, kept.received_grade) == (2, "", GRADE_INDEX_ONLY)
    assert not (await tips.search("080-8765")).tips
    assert len((await tips.search("070-8765")).tips) == 1
    assert len((await tips.page()).tips) == 1


async def test_an_older_version_replaces_nothing(tips: Tips, agency: Agency) -> None:
    newer = a_foreign_tip(version=3)
    await agency.bring(events_pb2.TipRevised(tip=newer), grade=GRADE_FULL)

    await agency.bring(events_pb2.TipRecorded(tip=a_foreign_tip(name=newer.name)), grade=GRADE_FULL)

    assert (await tips.get(newer.name)).version == 3
    assert not await reasons(agency)


@pytest.mark.parametrize("event", [events_pb2.TipWithdrawn, events_pb2.TipDeleted, events_pb2.TipPurged])
async def test_a_withdrawn_copy_is_gone_and_late_duplicates_do_not_bring_it_back(
    tips: Tips, agency: Agency, event: type[events_pb2.TipWithdrawn | events_pb2.TipDeleted | events_pb2.TipPurged]
) -> None:
    sent = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    await agency.bring(event(name=sent.name, version=1), grade=GRADE_FULL)
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    with pytest.raises(NotFoundOrDenied):
        await tips.get(sent.name)
    assert not (await tips.page()).tips
    assert not (await tips.search("080-8765")).tips


async def test_a_withdrawal_that_overtakes_the_release_still_holds(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip()
    await agency.bring(events_pb2.TipWithdrawn(name=sent.name, version=2), grade=GRADE_FULL)

    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    with pytest.raises(NotFoundOrDenied):
        await tips.get(sent.name)


async def test_a_late_withdrawal_does_not_remove_what_was_released_after_it(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip(version=3)
    await agency.bring(events_pb2.TipReleased(tip=sent), grade=GRADE_FULL)

    await agency.bring(events_pb2.TipWithdrawn(name=sent.name, version=2), grade=GRADE_FULL)

    assert (await tips.get(sent.name)).version == 3


async def test_a_restored_tip_comes_back(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)
    await agency.bring(events_pb2.TipDeleted(name=sent.name, version=1), grade=GRADE_FULL)

    await agency.bring(events_pb2.TipRestored(tip=a_foreign_tip(name=sent.name, version=2)), grade=GRADE_FULL)

    assert (await tips.get(sent.name)).version == 2


async def test_our_own_log_tells_of_copies_at_home_only(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_INDEX_ONLY)
    await agency.bring(events_pb2.TipWithdrawn(name=sent.name, version=1), grade=GRADE_INDEX_ONLY)

    received, removed = await agency.events()

    assert (received.type, removed.type) == ("renkei.tips.v1.TipReceived", "renkei.tips.v1.TipRemoved")
    assert events_pb2.TipReceived.FromString(received.data.value) == events_pb2.TipReceived(
        name=sent.name, version=1, grade=GRADE_INDEX_ONLY
    )
    assert not received.audience
    assert not removed.audience
    assert not received.HasField("origin")
    assert (received.resource, removed.resource) == (sent.name, sent.name)


@pytest.mark.parametrize("owner", [AGENCY, TOCHIGI])
async def test_nobody_sends_a_record_of_another_agency(tips: Tips, agency: Agency, owner: str) -> None:
    made = await tips.create()
    name = made.name if owner == AGENCY else f"{owner}/tips/{uuid7()}"

    await agency.bring(events_pb2.TipRevised(tip=a_foreign_tip(name=name, version=9)), grade=GRADE_FULL)
    await agency.bring(events_pb2.TipDeleted(name=made.name, version=9), grade=GRADE_FULL)

    assert set(await reasons(agency)) <= {"FOREIGN_ORIGINATOR", "BEHIND_ANOTHER"}
    assert len(await reasons(agency)) == 2
    assert await tips.get(made.name) == made


@pytest.mark.parametrize(
    ("payload", "grade", "reason"),
    [
        (events_pb2.TipRecorded(), GRADE_FULL, "MALFORMED_RECORD"),
        (events_pb2.TipRecorded(tip=a_foreign_tip(name="tips/1")), GRADE_FULL, "MALFORMED_RECORD"),
        (events_pb2.TipRecorded(tip=a_foreign_tip(version=0)), GRADE_FULL, "MALFORMED_RECORD"),
        (events_pb2.TipRecorded(tip=a_foreign_tip()), GRADE_UNSPECIFIED, "GRADE_MISSING"),
        (events_pb2.TipWithdrawn(name=f"{TOKYO}/tips/1", version=1), GRADE_FULL, "MALFORMED_RECORD"),
        (events_pb2.TipWithdrawn(name=f"{TOKYO}/tips/{uuid.UUID(int=1)}"), GRADE_FULL, "MALFORMED_RECORD"),
    ],
    ids=["empty", "name", "version", "grade", "name withdrawn", "version withdrawn"],
)
async def test_what_is_malformed_is_set_aside_with_a_reason(
    tips: Tips, agency: Agency, payload: Message, grade: int, reason: str
) -> None:
    await agency.bring(payload, grade=grade, resource="x")  # type: ignore[arg-type]  # also grades that are none

    assert await reasons(agency) == [reason]
    assert not (await tips.page()).tips


@pytest.mark.parametrize("field", ["observe_time", "text", "display_name"])
async def test_a_value_out_of_bounds_is_set_aside(tips: Tips, agency: Agency, field: str) -> None:
    sent = a_foreign_tip()
    if field == "observe_time":
        sent.observe_time.seconds = 10**15
    else:
        setattr(sent, field, "x" * 100_000)

    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    assert await reasons(agency) == ["MALFORMED_RECORD"]


async def test_a_value_that_only_a_newer_contract_knows_is_no_fault(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip()
    sent.source = 77  # type: ignore[assignment]  # a source of tomorrow

    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    assert (await tips.get(sent.name)).source == 77
    assert not await reasons(agency)


async def test_a_bad_event_does_not_hold_up_other_records(tips: Tips, agency: Agency) -> None:
    good = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=a_foreign_tip(version=0)), grade=GRADE_FULL)

    await agency.bring(events_pb2.TipRecorded(tip=good), grade=GRADE_FULL)

    assert (await tips.get(good.name)).name == good.name


async def test_a_copy_can_be_neither_corrected_nor_deleted(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip()
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)
    copy = await tips.get(sent.name)
    copy.etag = "any"

    for call in (tips.update(copy, "text"), tips.delete(sent.name), tips.undelete(sent.name)):
        with pytest.raises(FailedPrecondition) as refused:
            await call
        assert (refused.value.reason, refused.value.metadata["agency"]) == ("FOREIGN_ORIGINATOR", TOKYO)


async def test_a_copy_has_no_other_version_here(tips: Tips, agency: Agency) -> None:
    sent = a_foreign_tip(version=4)
    await agency.bring(events_pb2.TipRecorded(tip=sent), grade=GRADE_FULL)

    assert (await tips.get(sent.name, 4)).version == 4
    with pytest.raises(FailedPrecondition) as refused:
        await tips.get(sent.name, 3)

    assert refused.value.reason == "NO_SUCH_VERSION"
