"""Update masks: what they name is replaced, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.arrests.v1 import arrests_pb2

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.records.masks import MAX_PATHS, read_mask, replace_fields

ARREST = arrests_pb2.Arrest.DESCRIPTOR
OUTPUT_ONLY = frozenset({"name", "etag", "person.juvenile_class", "disposition"})
LEAVES = (
    "offence",
    "text",
    "role",
    "person.kana",
    "person.birth_date",
    "restraint_time",
    "identifiers",
    "handling.caveat",
)


@st.composite
def arrests(draw: st.DrawFn) -> arrests_pb2.Arrest:
    """Fill some of the fields of LEAVES, and one field besides."""
    word = st.text("abc", max_size=2)
    arrest = arrests_pb2.Arrest(name="n", case_reference=draw(word), offence=draw(word), text=draw(word))
    arrest.role = draw(st.sampled_from([0, 1, 2]))  # type: ignore[assignment]  # numbers of roles
    if draw(st.booleans()):
        arrest.person.kana, arrest.person.birth_date = draw(word), draw(word)
    if draw(st.booleans()):
        arrest.restraint_time.seconds = draw(st.integers(0, 2))
    if draw(st.booleans()):
        arrest.handling.caveat = draw(word)
    for _ in range(draw(st.integers(0, 2))):
        arrest.identifiers.add().identifier.original = draw(word)
    return arrest


def values(arrest: arrests_pb2.Arrest) -> dict[str, object]:
    return {
        "offence": arrest.offence,
        "text": arrest.text,
        "role": arrest.role,
        "person.kana": arrest.person.kana,
        "person.birth_date": arrest.person.birth_date,
        "restraint_time": arrest.restraint_time if arrest.HasField("restraint_time") else None,
        "identifiers": list(arrest.identifiers),
        "handling.caveat": arrest.handling.caveat,
        "case_reference": arrest.case_reference,
    }


@given(arrests(), arrests(), st.lists(st.sampled_from(LEAVES), min_size=1))
def test_a_mask_replaces_what_it_names_and_nothing_else(
    target: arrests_pb2.Arrest, source: arrests_pb2.Arrest, paths: list[str]
) -> None:
    before, wanted = values(target), values(source)

    replace_fields(target, source, read_mask(ARREST, paths, output_only=OUTPUT_ONLY))

    assert values(target) == {path: wanted[path] if path in paths else value for path, value in before.items()}


@given(arrests(), arrests())
def test_a_whole_message_is_replaced_also_by_none(target: arrests_pb2.Arrest, source: arrests_pb2.Arrest) -> None:
    replace_fields(target, source, read_mask(ARREST, ["person"], output_only=OUTPUT_ONLY))

    assert target.HasField("person") == source.HasField("person")
    assert target.person == source.person


def test_output_only_paths_are_left_out_with_all_below_them() -> None:
    paths = ["name", "offence", "person.juvenile_class", "disposition.reason", "etag"]

    assert read_mask(ARREST, paths, output_only=OUTPUT_ONLY) == [("offence",)]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "Offence",
        "offence.x",
        "person.x",
        "identifiers.provenance",
        "restraint_time.seconds",
        "person.",
        ".person",
    ],
)
def test_a_path_that_names_no_field_is_refused_by_its_place(path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_mask(ARREST, ["text", path], output_only=OUTPUT_ONLY)

    assert refused.value.reason == "INVALID_UPDATE_MASK"
    assert refused.value.violations[0].field == "update_mask.paths[1]"


@pytest.mark.parametrize("paths", [[], ["name"], ["name", "disposition"], ["text"] * (MAX_PATHS + 1)])
def test_a_mask_with_nothing_to_do_or_too_much_is_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_mask(ARREST, paths, output_only=OUTPUT_ONLY)

    assert refused.value.reason == "INVALID_UPDATE_MASK"
