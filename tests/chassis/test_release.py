"""What leaves is what the contract marks as leaving, at every depth, and nothing else."""

# ruff: noqa: ANN401 (an oracle that knows no type takes messages of every type)

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import any_pb2, timestamp_pb2
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1 import events_pb2 as arrest_events_pb2
from renkei.event.v1 import event_pb2
from renkei.exchange.v1 import events_pb2 as exchange_events_pb2
from renkei.identifiers.v1 import identifiers_pb2
from renkei.personas.v1 import events_pb2 as persona_events_pb2
from renkei.personas.v1 import personas_pb2
from renkei.policy.v1 import policy_pb2
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis import contract
from renkei_chassis.release import NotReleasableError, may_travel, strip
from tests.chassis.probe import UNKNOWN_FIELD, UNKNOWN_VALUE, probe_types, scatter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

FULL = policy_pb2.GRADE_FULL
INDEX_ONLY = policy_pb2.GRADE_INDEX_ONLY
LEAVES = {
    FULL: {policy_pb2.SPREAD_INDEX, policy_pb2.SPREAD_RELEASE},
    INDEX_ONLY: {policy_pb2.SPREAD_INDEX},
}
grades = st.sampled_from([FULL, INDEX_ONLY])
# A message takes thousands of draws, more than hypothesis gives one example: it draws a seed instead.
seeds = st.integers(0, 2**32)
PROBES = probe_types()
STAYS = object()

ADDRESS_BOOK = identifiers_pb2.RELATION_ADDRESS_BOOK
USED = identifiers_pb2.RELATION_USED_BY_SUBJECT


# The oracle: slow, plain, and written from the contract's comments alone.


def expected(message: Any, grade: policy_pb2.Grade.ValueType) -> Any:
    """Say as plain values what may leave of a message, or STAYS."""
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Any":
        kind = contract.message_type(message.type_url.split("/")[1])
        return ("any", kind.DESCRIPTOR.full_name, expected(kind.FromString(message.value), grade))
    if name.startswith("google."):
        return {field.name: value for field, value in message.ListFields()}
    if any(is_held_back(value, number, grade) for value, number in enum_values(message)):
        return STAYS
    leaving = {}
    for field, value in message.ListFields():
        if field.GetOptions().Extensions[policy_pb2.spread] not in LEAVES[grade]:
            continue
        result = expected_value(field, value, grade)
        if result is not STAYS and result not in ([], {"map": {}}):
            leaving[field.name] = result
    return leaving


def expected_value(field: Any, value: Any, grade: policy_pb2.Grade.ValueType) -> Any:
    if field.message_type is None:
        return list(value) if field.is_repeated else value
    if field.message_type.GetOptions().map_entry:
        plain = field.message_type.fields_by_name["value"].message_type is None
        pairs = {key: item if plain else expected(item, grade) for key, item in value.items()}
        return {"map": {key: item for key, item in pairs.items() if item is not STAYS}}
    if field.is_repeated:
        return [result for item in value if (result := expected(item, grade)) is not STAYS]
    return expected(value, grade)


def enum_values(message: Any) -> Iterator[tuple[Any, int]]:
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.enum_type is not None:
            yield from ((field.enum_type, number) for number in (value if field.is_repeated else [value]))
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            enum = field.message_type.fields_by_name["value"].enum_type
            if enum is not None:
                yield from ((enum, number) for number in value.values())


def is_held_back(enum: Any, number: int, grade: policy_pb2.Grade.ValueType) -> bool:
    marks = {value.number: value.GetOptions().Extensions[policy_pb2.value_spread] for value in enum.values}
    if set(marks.values()) == {policy_pb2.SPREAD_UNSPECIFIED}:
        return False
    if number not in marks:
        return True
    return marks[number] != policy_pb2.SPREAD_UNSPECIFIED and marks[number] not in LEAVES[grade]


def plain(message: Any) -> Any:
    """Say as plain values what a message holds, unknown fields too."""
    if message.DESCRIPTOR.full_name == "google.protobuf.Any":
        kind = contract.message_type(message.type_url.split("/")[1])
        return ("any", kind.DESCRIPTOR.full_name, plain(kind.FromString(message.value)))
    held = {}
    for field, value in message.ListFields():
        if field.message_type is None:
            held[field.name] = list(value) if field.is_repeated else value
        elif field.message_type.GetOptions().map_entry:
            scalar = field.message_type.fields_by_name["value"].message_type is None
            held[field.name] = {"map": {key: item if scalar else plain(item) for key, item in value.items()}}
        else:
            held[field.name] = [plain(item) for item in value] if field.is_repeated else plain(value)
    if len(UnknownFieldSet(message)):
        held["unknown"] = len(UnknownFieldSet(message))
    return held


def agrees(message: Message, grade: policy_pb2.Grade.ValueType) -> bool:
    wanted = expected(message, grade)
    if wanted is STAYS:
        with pytest.raises(NotReleasableError):
            strip(message, grade)
        return True
    before = message.SerializeToString(deterministic=True)
    result = strip(message, grade)
    assert message.SerializeToString(deterministic=True) == before
    assert type(result) is type(message)
    return bool(plain(type(result).FromString(result.SerializeToString())) == wanted)


@given(seeds, grades)
def test_every_shape_of_field_is_released_as_the_contract_says(seed: int, grade: policy_pb2.Grade.ValueType) -> None:
    message = PROBES["Probe"]()
    scatter(message, Random(seed))

    assert agrees(message, grade)


@given(seeds, grades, st.sampled_from(sorted(contract.EVENT_TYPES)))
def test_every_event_is_released_as_the_contract_says(seed: int, grade: policy_pb2.Grade.ValueType, name: str) -> None:
    message = contract.event_type(name)()
    scatter(message, Random(seed), depth=6)

    assert agrees(message, grade)


# The same from the outside: markers in every text of a record, looked for in the bytes that leave.


def planted(message: Any, path: str = "", *, leaves_at: frozenset[int] = frozenset({FULL, INDEX_ONLY})) -> Any:
    """Fill every field, put a marker into every text, and give marker -> the grades at which it may leave."""
    markers: dict[str, frozenset[int]] = {}
    for field in message.DESCRIPTOR.fields:
        mark = field.GetOptions().Extensions[policy_pb2.spread]
        here = leaves_at & {grade for grade, marks in LEAVES.items() if mark in marks}
        name = f"{path}.{field.name}"
        if field.message_type is not None:
            target = getattr(message, field.name)
            for item in [target.add(), target.add()] if field.is_repeated else [target]:
                item.SetInParent()
                markers |= planted(item, f"{name}{len(markers)}", leaves_at=here)
        elif field.type == field.TYPE_STRING:
            marker = f"MARKER{name};"
            markers[marker] = here
            if field.is_repeated:
                getattr(message, field.name).append(marker)
            else:
                setattr(message, field.name, marker)
        elif field.is_repeated:
            getattr(message, field.name).append(1)
        else:
            setattr(message, field.name, 1)
    return markers


@pytest.mark.parametrize("grade", [FULL, INDEX_ONLY])
@pytest.mark.parametrize(
    "kind",
    [events_pb2.TipRecorded, events_pb2.TipRevised, arrest_events_pb2.ArrestRecorded, personas_pb2.Persona],
    ids=lambda kind: kind.DESCRIPTOR.name,
)
def test_a_marker_leaves_exactly_where_its_field_may(kind: type[Message], grade: policy_pb2.Grade.ValueType) -> None:
    message = kind()
    markers = planted(message)
    assert len(markers) >= 9

    sent = strip(message, grade).SerializeToString()

    assert {marker for marker in markers if marker.encode() in sent} == {
        marker for marker, leaves_at in markers.items() if grade in leaves_at
    }


@pytest.mark.parametrize(
    "name", ["person", "clocks", "custody", "notices", "prosecutor_receipt_time", "recorder", "external_reference"]
)
def test_what_must_stay_of_an_arrest_stays(name: str) -> None:
    arrest = arrests_pb2.Arrest()
    planted(arrest)

    left = strip(arrest, FULL)

    assert name not in {field.name for field, _ in left.ListFields()}


def test_index_only_holds_no_text_no_person_and_no_role() -> None:
    arrest = arrests_pb2.Arrest()
    planted(arrest)

    left = strip(arrest, INDEX_ONLY)

    assert {field.name for field, _ in left.ListFields()} == {
        "name",
        "handling",
        "version",
        "seized_items",
        "identifiers",
        "recruitment",
        "money",
        "contact_desk",
    }
    # Of the recruiting path what the recruiters used, as of any other part of the record.
    assert {field.name for field, _ in left.recruitment.steps[0].ListFields()} == {"recruiter_identifiers"}
    # Of the money which account is beside which, and neither sums nor names.
    assert {field.name for field, _ in left.money.ListFields()} == {"movements"}
    assert {field.name for field, _ in left.money.movements[0].ListFields()} == {"source", "destination"}
    assert {field.name for field, _ in left.money.movements[0].source.ListFields()} == {"identifier"}
    assert {field.name for field, _ in left.identifiers[0].identifier.ListFields()} == {
        "type",
        "normal_form",
        "normal_form_version",
    }


def test_the_list_of_recipients_never_leaves() -> None:
    tip = tips_pb2.Tip()
    tip.handling.releasable_to.append("agencies/jp-13")

    assert b"jp-13" not in strip(tip, FULL).SerializeToString()


# What stays as a whole.


@pytest.mark.parametrize("grade", [FULL, INDEX_ONLY])
@pytest.mark.parametrize("relation", [ADDRESS_BOOK, UNKNOWN_VALUE])
def test_an_address_book_entry_and_what_nobody_knows_stay_whole(
    relation: Any, grade: policy_pb2.Grade.ValueType
) -> None:
    arrest = arrests_pb2.Arrest()
    item = arrest.seized_items.add()
    for number, kind in (("+81901", USED), ("+81902", relation), ("+81903", USED)):
        item.identifiers.add(relation=kind).identifier.normal_form = number

    left = strip(arrest_events_pb2.ArrestRecorded(arrest=arrest), grade)

    kept = [occurrence.identifier.normal_form for occurrence in left.arrest.seized_items[0].identifiers]
    assert kept == ["+81901", "+81903"]
    assert b"81902" not in left.SerializeToString()


def test_a_message_that_stays_as_a_whole_is_refused() -> None:
    with pytest.raises(NotReleasableError, match="Occurrence"):
        strip(identifiers_pb2.Occurrence(relation=ADDRESS_BOOK), FULL)


@pytest.mark.parametrize("grade", [policy_pb2.GRADE_UNSPECIFIED, 3, -1])
def test_a_grade_that_releases_nothing_builds_nothing(grade: Any) -> None:
    with pytest.raises(ValueError, match="releases nothing"):
        strip(tips_pb2.Tip(), grade)


def test_unknown_fields_stay_also_inside_what_is_copied_whole() -> None:
    tip = tips_pb2.Tip()
    for message in (tip, tip.handling, tip.create_time, tip.identifiers.add().identifier):
        message.MergeFromString(UNKNOWN_FIELD)

    left = strip(tip, FULL)

    assert UNKNOWN_FIELD in tip.SerializeToString()
    assert UNKNOWN_FIELD not in left.SerializeToString()


# Any.


def probe_with(inside: any_pb2.Any) -> Any:
    message: Any = PROBES["Probe"]()
    message.any.type_url, message.any.value = inside.type_url, inside.value
    return message


def packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def test_an_any_leaves_stripped_inside() -> None:
    tip = tips_pb2.Tip(name="agencies/jp-12/tips/1", text="SECRET", etag="SECRET")

    left = strip(probe_with(packed(tip)), INDEX_ONLY)

    assert tips_pb2.Tip.FromString(left.any.value) == tips_pb2.Tip(name="agencies/jp-12/tips/1")


def test_an_any_tells_nothing_in_its_address() -> None:
    inside = packed(tips_pb2.Tip())
    inside.type_url = "SECRET/renkei.tips.v1.Tip"

    assert strip(probe_with(inside), FULL).any.type_url == "type.googleapis.com/renkei.tips.v1.Tip"


@pytest.mark.parametrize(
    "inside",
    [
        any_pb2.Any(),
        any_pb2.Any(type_url="type.googleapis.com/renkei.tips.v1.Vanished", value=b"SECRET"),
        packed(timestamp_pb2.Timestamp(seconds=1)),
        any_pb2.Any(type_url="type.googleapis.com/renkei.tips.v1.Tip", value=b"\xffSECRET"),
        packed(identifiers_pb2.Occurrence(relation=ADDRESS_BOOK)),
    ],
    ids=["no type", "unknown type", "type of others", "broken bytes", "stays as a whole"],
)
def test_an_any_that_nobody_can_strip_is_refused(inside: any_pb2.Any) -> None:
    with pytest.raises(NotReleasableError) as caught:
        strip(probe_with(inside), FULL)

    assert "SECRET" not in str(caught.value)


def test_a_google_message_that_can_hold_anything_is_no_leaf() -> None:
    """google.rpc.Status holds an Any: copied whole, its inside would leave unseen."""
    with pytest.raises(NotReleasableError, match=r"google\.rpc\.Status"):
        strip(tips_pb2.TipRowResult().error, FULL)


# Which events may leave at all.


@pytest.mark.parametrize(
    ("kind", "travel"),
    [
        (events_pb2.TipRecorded, policy_pb2.TRAVEL_RELEASED),
        (events_pb2.TipReceived, policy_pb2.TRAVEL_HOME),
        (exchange_events_pb2.LaneReceived, policy_pb2.TRAVEL_LANE),
        (persona_events_pb2.PersonaSubmitted, policy_pb2.TRAVEL_HOME),
        (tips_pb2.Tip, policy_pb2.TRAVEL_HOME),
        (event_pb2.Event, policy_pb2.TRAVEL_HOME),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else value.DESCRIPTOR.full_name,
)
def test_only_what_says_so_may_travel(kind: Any, travel: policy_pb2.Travel.ValueType) -> None:
    assert may_travel(kind.DESCRIPTOR) == travel
