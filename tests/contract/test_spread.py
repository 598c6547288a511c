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

    assert lane == ["renkei.exchange.v1.LaneReceived"]


def may_travel_as(event: Element) -> policy_pb2.Travel.ValueType:
    return may_travel(contract.event_type(event.name).DESCRIPTOR)  # type: ignore[arg-type] # upb's own descriptor


def test_no_persona_leaves() -> None:
    mine = [event for event in EVENTS if event.package == "renkei.personas.v1"]

    assert mine
    assert [event.name for event in mine if event in TRAVELLING] == []


@pytest.mark.parametrize("package", ["renkei.personas.v1", "renkei.leads.v1"])
def test_no_field_of_a_persona_or_a_lead_has_a_way_out(package: str) -> None:
    fields = of_kind(Kind.FIELD, lambda field: field.package == package)

    assert len(fields) > 20
    assert [field.name for field in fields if spread(field) in LEAVING] == []


@pytest.mark.parametrize("message", ["renkei.arrests.v1.Person", "renkei.arrests.v1.Clock"])
def test_no_field_of_an_arrested_person_and_of_a_clock_has_a_way_out(message: str) -> None:
    fields = reachable(message)

    assert fields
    assert [field.name for field in fields if spread(field) != policy_pb2.SPREAD_HOME] == []


def test_only_identifiers_names_and_labels_leave_with_the_index() -> None:
    """What INDEX_ONLY tells is a closed list, in words: no text, no person, no role. Adding to it is a decision."""
    told = {
        field.name.removeprefix("renkei.")
        for event in TRAVELLING
        for field in reachable(event.name)
        if spread(field) == policy_pb2.SPREAD_INDEX and field.proto.type != Field.TYPE_MESSAGE
    }

    assert {name for name in told if not name.startswith(("policy.v1.Handling.", "exchange.v1.LaneReceived."))} == {
        "arrests.v1.Arrest.contact_desk",
        "arrests.v1.Arrest.name",
        "arrests.v1.Arrest.version",
        "arrests.v1.ArrestDeleted.name",
        "arrests.v1.ArrestDeleted.version",
        "arrests.v1.ArrestWithdrawn.name",
        "arrests.v1.ArrestWithdrawn.version",
        "identifiers.v1.Identifier.normal_form",
        "identifiers.v1.Identifier.normal_form_version",
        "identifiers.v1.Identifier.type",
        "identifiers.v1.Occurrence.provenance",
        "identifiers.v1.Occurrence.relation",
        "tips.v1.Tip.contact_desk",
        "tips.v1.Tip.name",
        "tips.v1.Tip.version",
        "tips.v1.TipDeleted.name",
        "tips.v1.TipDeleted.version",
        "tips.v1.TipWithdrawn.name",
        "tips.v1.TipWithdrawn.version",
    }


def test_an_address_book_stays_and_is_the_only_such_value() -> None:
    values = of_kind(Kind.VALUE)

    marked = {value.name for value in values if value.proto.options.Extensions[policy_pb2.value_spread]}

    assert marked == {"renkei.identifiers.v1.Relation.RELATION_ADDRESS_BOOK"}
