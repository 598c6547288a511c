"""Who is told what: the audience of each event, frozen with the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1 import handling_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis.contract import event_type
from renkei_chassis.errors import FailedPrecondition, InvalidArgument
from renkei_chassis.release import strip
from renkei_tips.settings import Settings
from renkei_tips.wiring import blueprint
from tests.agency import AGENCY, MEMBERS, NOBODY, SAPPORO, TOCHIGI, TOKYO, Agency, run_agency
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from pathlib import Path

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.ports import PortClaims

INDEX_ONLY = handling_pb2.PERMITTED_ACTION_INDEX_ONLY


def told(events: list[Event]) -> list[tuple[str, dict[str, int]]]:
    return [
        (event.type.rpartition(".")[2], {entry.agency: entry.grade for entry in event.audience}) for event in events
    ]


def payload(event: Event) -> Any:  # noqa: ANN401 (one of several events)
    return event_type(event.type).FromString(event.data.value)


async def relabelled(tips: Tips, tip: tips_pb2.Tip, *releasable_to: str, index_only: bool = False) -> tips_pb2.Tip:
    handling = handling_pb2.Handling(purpose_code="organised-robbery", releasable_to=releasable_to)
    if index_only:
        handling.permitted_action = INDEX_ONLY
    return await tips.update(tips_pb2.Tip(name=tip.name, etag=tip.etag, handling=handling), "handling")


async def test_a_tip_without_label_is_released_to_nobody(tips: Tips, agency: Agency) -> None:
    await tips.create()

    assert told(await agency.events()) == [("TipRecorded", {})]


async def test_a_tip_is_released_to_the_agencies_of_its_label(tips: Tips, agency: Agency) -> None:
    await tips.create(a_tip(releasable_to=[TOKYO, TOCHIGI]))

    assert told(await agency.events()) == [("TipRecorded", {TOKYO: GRADE_FULL, TOCHIGI: GRADE_FULL})]


async def test_index_only_lowers_the_grade_for_all(tips: Tips, agency: Agency) -> None:
    tip = a_tip(releasable_to=[TOKYO])
    tip.handling.permitted_action = INDEX_ONLY

    await tips.create(tip)

    assert told(await agency.events()) == [("TipRecorded", {TOKYO: GRADE_INDEX_ONLY})]


async def test_the_event_carries_the_record_as_it_was_stored(tips: Tips, agency: Agency) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence()], external_reference="(演習)内部番号"))

    (event,) = await agency.events()

    assert event.resource == made.name
    assert event.data.type_url == "type.googleapis.com/renkei.tips.v1.TipRecorded"
    assert payload(event) == events_pb2.TipRecorded(tip=made)


async def test_what_an_index_only_peer_gets_holds_no_word_of_the_tip(tips: Tips, agency: Agency) -> None:
    marker = "MARKERxTEXT"
    tip = a_tip(
        releasable_to=[TOKYO],
        display_name=marker,
        text=marker,
        case_reference=marker,
        external_reference=marker,
        identifiers=[
            an_occurrence("@marker_demo (X)", kind=identifiers_pb2.IDENTIFIER_TYPE_HANDLE),
            an_occurrence("090-8765-4321", relation=identifiers_pb2.RELATION_ADDRESS_BOOK),
        ],
    )
    tip.handling.permitted_action = INDEX_ONLY
    tip.handling.caveat = marker
    await tips.create(tip)
    (event,) = await agency.events()

    leaving = strip(payload(event), GRADE_INDEX_ONLY)

    content = leaving.SerializeToString()
    assert marker.encode() not in content
    assert TOKYO.encode() not in content
    assert b"8765-4321" not in content
    assert b"87654321" not in content
    assert [found.identifier.normal_form for found in leaving.tip.identifiers] == ["x:marker_demo"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (), [("TipRevised", {})]),
        ((TOKYO,), (TOKYO,), [("TipRevised", {TOKYO: GRADE_FULL})]),
        ((), (TOKYO,), [("TipRevised", {}), ("TipReleased", {TOKYO: GRADE_FULL})]),
        ((TOKYO,), (), [("TipRevised", {}), ("TipWithdrawn", {TOKYO: GRADE_FULL})]),
        (
            (TOKYO, TOCHIGI),
            (TOCHIGI, SAPPORO),
            [
                ("TipRevised", {TOCHIGI: GRADE_FULL}),
                ("TipReleased", {SAPPORO: GRADE_FULL}),
                ("TipWithdrawn", {TOKYO: GRADE_FULL}),
            ],
        ),
    ],
)
async def test_an_update_tells_each_agency_what_it_means_for_it(
    tips: Tips,
    agency: Agency,
    before: tuple[str, ...],
    after: tuple[str, ...],
    expected: list[tuple[str, dict[str, int]]],
) -> None:
    made = await tips.create(a_tip(releasable_to=before))

    changed = await relabelled(tips, made, *after)

    events = await agency.events(after=1)
    assert told(events) == expected
    assert {event.resource for event in events} == {made.name}
    assert payload(events[0]).tip == changed
    assert {payload(event).version for event in events if event.type.endswith("Withdrawn")} <= {2}


async def test_a_lowered_grade_replaces_the_copy_by_less(tips: Tips, agency: Agency) -> None:
    made = await tips.create(a_tip(releasable_to=[TOKYO]))

    await relabelled(tips, made, TOKYO, index_only=True)

    assert told(await agency.events(after=1)) == [("TipRevised", {TOKYO: GRADE_INDEX_ONLY})]


async def test_a_raised_grade_is_a_release(tips: Tips, agency: Agency) -> None:
    tip = a_tip(releasable_to=[TOKYO])
    tip.handling.permitted_action = INDEX_ONLY
    made = await tips.create(tip)

    await relabelled(tips, made, TOKYO)

    assert told(await agency.events(after=1)) == [("TipRevised", {}), ("TipReleased", {TOKYO: GRADE_FULL})]


async def test_deleting_withdraws_from_all_and_undeleting_releases_again(tips: Tips, agency: Agency) -> None:
    made = await tips.create(a_tip(releasable_to=[TOKYO]))
    await tips.delete(made.name)

    back = await tips.undelete(made.name)

    _, deleted, restored = await agency.events()
    assert told([deleted, restored]) == [("TipDeleted", {TOKYO: GRADE_FULL}), ("TipRestored", {TOKYO: GRADE_FULL})]
    assert payload(deleted) == events_pb2.TipDeleted(name=made.name, version=1)
    assert payload(restored) == events_pb2.TipRestored(tip=back)


async def test_an_instrument_is_refused(tips: Tips) -> None:
    tip = a_tip()
    tip.handling.instrument = f"{AGENCY}/instruments/1"

    with pytest.raises(FailedPrecondition) as refused:
        await tips.create(tip)

    assert refused.value.reason == "INSTRUMENT_UNSUPPORTED"


@pytest.mark.parametrize("named", [NOBODY, AGENCY])
async def test_a_label_names_other_agencies_of_the_federation_only(tips: Tips, named: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(a_tip(releasable_to=[TOKYO, named]))

    assert refused.value.reason == "UNKNOWN_AGENCY"
    assert refused.value.metadata["agency"] == named
    assert refused.value.violations[0].field == "tip.handling.releasable_to[1]"


@pytest.mark.parametrize("named", ["jp-13", "agencies/JP-13", "agencies/-", "agencies/jp-13/tips/1"])
async def test_a_label_names_agencies_by_their_names(tips: Tips, named: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(a_tip(releasable_to=[named]))

    assert refused.value.reason == "FIELD_INVALID"


async def test_nothing_is_released_without_instrument_unless_the_node_allows_it(
    tmp_path: Path, ports: PortClaims
) -> None:
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports) as agency:
        tips = Tips(agency.client())

        with pytest.raises(FailedPrecondition) as refused:
            await tips.create(a_tip(releasable_to=[TOKYO]))

        assert refused.value.reason == "RELEASE_WITHOUT_INSTRUMENT"
        assert not await agency.events()


async def test_what_was_released_before_the_node_stopped_releasing_can_be_taken_back(
    tmp_path: Path, ports: PortClaims
) -> None:
    """A correction would carry new content out; emptying the label and deleting take it back."""
    async with run_agency(
        blueprint(Settings(members=MEMBERS, release_without_instrument=True)), tmp_path, ports
    ) as agency:
        tips = Tips(agency.client())
        first = await tips.create(a_tip(releasable_to=[TOKYO]))
        second = await tips.create(a_tip(releasable_to=[TOKYO]))
    async with run_agency(blueprint(Settings(members=MEMBERS)), tmp_path, ports) as agency:
        tips = Tips(agency.client())

        with pytest.raises(FailedPrecondition) as refused:
            await tips.update(first, "text")
        await relabelled(tips, first)
        await tips.delete(second.name)

        assert refused.value.reason == "RELEASE_WITHOUT_INSTRUMENT"
        assert told(await agency.events(after=2)) == [
            ("TipRevised", {}),
            ("TipWithdrawn", {TOKYO: GRADE_FULL}),
            ("TipDeleted", {TOKYO: GRADE_FULL}),
        ]


def test_every_setting_says_what_it_is_and_nothing_is_released_by_default() -> None:
    assert all((field.description or "").strip() for field in Settings.model_fields.values())
    assert Settings().release_without_instrument is False
