"""Every type of identifier, from a tip as it is written to the search that finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.identifiers.v1 import identifiers_pb2

from renkei_normalform import VERSION
from tests.identifiers import EVERY_TYPE, SPANNED
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from renkei.identifiers.v1.identifiers_pb2 import IdentifierType


def test_the_samples_are_of_every_type_of_the_contract() -> None:
    assert set(EVERY_TYPE) == set(identifiers_pb2.IdentifierType.values()) - {0}


async def test_a_tip_keeps_what_was_written_and_reads_its_form(tips: Tips) -> None:
    written = [an_occurrence(each.original, kind=kind) for kind, each in EVERY_TYPE.items()]

    made = await tips.create(a_tip(identifiers=written))

    read = [occurrence.identifier for occurrence in made.identifiers]
    assert [each.original for each in read] == [each.original for each in EVERY_TYPE.values()]
    assert [each.normal_form for each in read] == [each.form for each in EVERY_TYPE.values()]
    assert {each.normal_form_version for each in read} == {VERSION}
    assert (await tips.get(made.name)) == made


async def test_what_is_somebodys_for_a_time_gets_a_span_and_nothing_else_does(tips: Tips) -> None:
    written = [an_occurrence(each.original, kind=kind) for kind, each in EVERY_TYPE.items()]

    made = await tips.create(a_tip(identifiers=written))

    spanned = {each.identifier.type for each in made.identifiers if each.HasField("valid_from")}
    assert spanned == SPANNED
    assert {each.identifier.type for each in made.identifiers if each.HasField("valid_until")} == SPANNED


@pytest.mark.parametrize("kind", EVERY_TYPE)
async def test_a_part_of_an_identifier_finds_its_tip(tips: Tips, kind: IdentifierType.ValueType) -> None:
    await tips.create(a_tip(identifiers=[an_occurrence("080-8765-4321")]))
    made = await tips.create(a_tip(identifiers=[an_occurrence(EVERY_TYPE[kind].original, kind=kind)]))

    for part in EVERY_TYPE[kind].parts:
        assert [tip.name for tip in (await tips.search(part, type=kind)).tips] == [made.name], part


async def test_what_cannot_be_read_as_its_type_is_kept_without_a_form(tips: Tips) -> None:
    """An officer's note is not refused because a digit was misread: it only links nothing."""
    misread = an_occurrence("490154203237519", kind=identifiers_pb2.IDENTIFIER_TYPE_IMEI)

    made = await tips.create(a_tip(identifiers=[misread]))

    assert made.identifiers[0].identifier.original == "490154203237519"
    assert made.identifiers[0].identifier.normal_form == ""
