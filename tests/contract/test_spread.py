"""Whatever can stand in an event says how far it may go, and what must stay says so."""

from __future__ import annotations

from typing import Final

import pytest
from renkei.policy.v1 import policy_pb2

from renkei_chassis import contract
from renkei_chassis.release import may_travel, strip
from tests.contract.golden import filled
from tests.contract.source import Element, Field, Kind, events, of_kind, reachable, spread

EVENTS: Final = events()
LEAVING: Final = {policy_pb2.SPREAD_INDEX, policy_pb2.SPREAD_RELEASE}
TRAVELLING: Final = [
    event for event in EVENTS if event.proto.options.Extensions[policy_pb2.travel] != policy_pb2.TRAVEL_HOME
]
every_event = pytest.mark.parametrize("event", EVENTS, ids=str)


def test_there_are_events() -> None:
    assert {event.name for event in EVENTS} == set(contract.EVENT_TYPES)
    assert len(EVENTS) >= 24


@every_event
def test_every_event_says_whether_it_may_leave(event: Element) -> None:
    assert event.proto.options.Extensions[policy_pb2.travel] != policy_pb2.TRAVEL_UNSPECIFIED


@every_event
def test_every_field_of_an_event_says_how_far_it_may_go(event: Element) -> None:
    undecided = [field.name for field in reachable(event.name) if spread(field) == policy_pb2.SPREAD_UNSPECIFIED]

    assert undecided == []


@every_event
def test_an_event_can_be_released_or_says_that_it_stays(event: Element) -> None:
    """No event holds what release code must refuse, and an INDEX_ONLY copy still says which record it is about."""
    whole = filled(contract.event_type(event.name))

    for grade in (policy_pb2.GRADE_INDEX_ONLY, policy_pb2.GRADE_FULL):
        assert bool(strip(whole, grade).ListFields()) == (event in TRAVELLING)


def test_only_the_exchange_speaks_of_lanes() -> None:
    """Events without instrument are a closed list; adding to it is a decision for this line."""
    lane = [event.name for event in EVENTS if may_travel_as(event) == policy_pb2.TRAVEL_LANE]

    assert lane == ["renkei.exchange.v1.LaneReceived", "renkei.exchange.v1.ImminentHarmRaised"]


def may_travel_as(event: Element) -> policy_pb2.Travel.ValueType:
    return may_travel(contract.event_type(event.name).DESCRIPTOR)  # type: ignore[arg-type] # upb's own descriptor


def test_a_persona_leaves_as_nothing_but_the_three_events_of_the_short_list() -> None:
    """Two marks must agree: the event's own, and the file's short list, which the exchange holds on to."""
    mine = [event for event in EVENTS if event.package == "renkei.personas.v1"]
    listed = [name for file in contract.FILES for name in file.GetOptions().Extensions[policy_pb2.leaving]]

    assert len(mine) > len(listed) == 3
    assert [event.name for event in mine if event in TRAVELLING] == listed


def test_the_minimal_facts_of_a_plan_are_a_closed_list() -> None:
    """Plan id, agency, crime, period, counts, outcome. Adding to it is a decision for this line."""
    told = {
        field.short
        for name in (event.name for event in TRAVELLING if event.package == "renkei.personas.v1")
        for field in reachable(name)
    }

    assert told == {
        "plan",
        "agency",
        "crime_code",
        "period_start",
        "period_end",
        "document_count",
        "documents_issued",
        "version",
        "outcome",
    }


def test_no_message_of_a_persona_can_stand_in_what_leaves() -> None:
    """What travels holds times, numbers, two names and two enums; no message of a plan, document or contact."""
    messages = {
        field.proto.type_name
        for event in TRAVELLING
        for field in reachable(event.name)
        if field.proto.type == Field.TYPE_MESSAGE and field.package == "renkei.personas.v1"
    }

    assert messages == {".google.protobuf.Timestamp"}


@pytest.mark.parametrize("package", ["renkei.personas.v1", "renkei.leads.v1"])
def test_no_field_of_a_persona_or_a_lead_has_a_way_out(package: str) -> None:
    listed = tuple(f"{event.name}." for event in TRAVELLING)
    fields = of_kind(Kind.FIELD, lambda field: field.package == package and not field.name.startswith(listed))

    assert len(fields) > 20
    assert [field.name for field in fields if spread(field) in LEAVING] == []


RESOURCES: Final = (
    "Persona",
    "Extension",
    "Plan",
    "Clock",
    "Entry",
    "Task",
    "Document",
    "Legend",
    "Contact",
    "Disclosure",
)


@pytest.mark.parametrize("message", RESOURCES)
def test_every_field_of_a_persona_says_that_it_stays(message: str) -> None:
    fields = of_kind(Kind.FIELD, lambda field: field.parent == f"renkei.personas.v1.{message}")

    assert fields
    assert [field.name for field in fields if spread(field) != policy_pb2.SPREAD_HOME] == []


@pytest.mark.parametrize(
    "message", ["renkei.arrests.v1.Person", "renkei.arrests.v1.Clock", "renkei.arrests.v1.Custody"]
)
def test_no_field_of_an_arrested_person_and_of_a_clock_has_a_way_out(message: str) -> None:
    fields = reachable(message)

    assert fields
    assert [field.name for field in fields if spread(field) != policy_pb2.SPREAD_HOME] == []


def test_only_identifiers_names_and_labels_leave_with_the_index() -> None:
    """What INDEX_ONLY tells is a closed list, in words: no text, no person, no role. Adding to it is a decision."""
    told = {
        field.name.removeprefix("renkei.")
        for event in TRAVELLING  # what a persona may say has a closed list of its own, above
        for field in reachable(event.name)
        if spread(field) == policy_pb2.SPREAD_INDEX and field.proto.type != Field.TYPE_MESSAGE
    }

    assert {
        name
        for name in told
        if not name.startswith(("policy.v1.Handling.", "exchange.v1.LaneReceived.", "personas.v1."))
    } == {
        "arrests.v1.Arrest.contact_desk",
        "arrests.v1.Arrest.name",
        "arrests.v1.Arrest.version",
        "arrests.v1.ArrestDeleted.name",
        "arrests.v1.ArrestDeleted.version",
        "arrests.v1.ArrestPurged.name",
        "arrests.v1.ArrestPurged.version",
        "arrests.v1.ArrestWithdrawn.name",
        "arrests.v1.ArrestWithdrawn.version",
        "arrests.v1.Exhibit.name",
        "arrests.v1.Exhibit.version",
        "arrests.v1.ExhibitsRecorded.name",
        "arrests.v1.ExhibitsReleased.name",
        "arrests.v1.ExhibitsRevised.name",
        "arrests.v1.ExhibitsWithdrawn.exhibits",
        "arrests.v1.ExhibitsWithdrawn.name",
        "exchange.v1.ImminentHarm.contact_desk",
        "exchange.v1.ImminentHarm.place",
        "exchange.v1.ImminentHarm.reason",
        "exchange.v1.ImminentHarmRaised.name",
        "identifiers.v1.Identifier.normal_form",
        "identifiers.v1.Identifier.normal_form_version",
        "identifiers.v1.Identifier.type",
        "identifiers.v1.Occurrence.provenance",
        "identifiers.v1.Occurrence.relation",
        "tips.v1.Opinion.contact_desk",
        "tips.v1.Opinion.name",
        "tips.v1.Opinion.tip",
        "tips.v1.Opinion.version",
        "tips.v1.OpinionDeleted.name",
        "tips.v1.OpinionDeleted.version",
        "tips.v1.OpinionPurged.name",
        "tips.v1.OpinionPurged.version",
        "tips.v1.OpinionWithdrawn.name",
        "tips.v1.OpinionWithdrawn.version",
        "tips.v1.Tip.contact_desk",
        "tips.v1.Tip.name",
        "tips.v1.Tip.version",
        "tips.v1.TipDeleted.name",
        "tips.v1.TipDeleted.version",
        "tips.v1.TipPurged.name",
        "tips.v1.TipPurged.version",
        "tips.v1.TipWithdrawn.name",
        "tips.v1.TipWithdrawn.version",
    }


def test_an_address_book_stays_and_is_the_only_such_value() -> None:
    values = of_kind(Kind.VALUE)

    marked = {value.name for value in values if value.proto.options.Extensions[policy_pb2.value_spread]}

    assert marked == {"renkei.identifiers.v1.Relation.RELATION_ADDRESS_BOOK"}
