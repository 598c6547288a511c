"""Events that no service of ours would write: what they say links nothing, and what cannot be is set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1.events_pb2 import (
    ArrestRecorded,
    ExhibitsRecorded,
)
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from renkei.identifiers.v1.identifiers_pb2 import (
    IDENTIFIER_TYPE_PHONE,
)
from renkei.policy.v1.policy_pb2 import GRADE_UNSPECIFIED
from renkei.tips.v1.events_pb2 import (
    TipDeleted,
    TipRecorded,
)

from tests.leads.house import AGENCY
from tests.leads.records import SAPPORO, TOKYO, arrest, handle, occurrence, phone, tip, tip_name

if TYPE_CHECKING:
    from tests.leads.house import House


@pytest.mark.parametrize("name", ["", "agencies/jp-12/tips/1", "{}/exhibits/", "{}/exhibits/" + "a" * 37])
async def test_an_exhibit_without_a_name_below_its_arrest_is_set_aside(house: House, name: str) -> None:
    mine = arrest(1)
    named = name.replace("{}", mine.name)

    await house.tell(ArrestRecorded(arrest=mine))
    await house.tell(ExhibitsRecorded(name=mine.name, exhibits=[Exhibit(name=named, version=1)]))

    assert await house.set_aside() == ["MALFORMED_RECORD"]


async def test_nobody_speaks_of_a_record_but_its_originator(house: House) -> None:
    await house.bring(TipRecorded(tip=tip(1, phone(1), agency=TOKYO)), origin=SAPPORO)
    await house.bring(TipRecorded(tip=tip(2, phone(1))), origin=TOKYO)
    await house.bring(TipRecorded(tip=tip(3, phone(1))), origin=AGENCY)
    await house.bring(TipDeleted(name=tip_name(4), version=1), origin=TOKYO)
    await house.tell(TipRecorded(tip=tip(5, phone(1), agency=TOKYO)))

    assert await house.set_aside() == ["FOREIGN_ORIGINATOR"] * 5
    assert await house.leads() == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        f"{TOKYO}/tips/",
        f"{TOKYO}/arrests/x",
        f"{TOKYO}/tips/A",
        pytest.param(f"{TOKYO}/tips/{'x' * 99}", id="long"),
    ],
)
async def test_a_record_without_a_name_of_its_kind_is_set_aside(house: House, name: str) -> None:
    broken = tip(1, phone(1), agency=TOKYO)
    broken.name = name

    await house.bring(TipRecorded(tip=broken), origin=TOKYO)

    assert await house.set_aside() == ["MALFORMED_RECORD"]


async def test_a_copy_without_version_or_grade_is_set_aside(house: House) -> None:
    await house.bring(TipRecorded(tip=tip(1, phone(1), agency=TOKYO, version=0)))
    await house.bring(TipRecorded(tip=tip(2, phone(1), agency=TOKYO)), grade=GRADE_UNSPECIFIED)

    assert await house.set_aside() == ["MALFORMED_RECORD", "GRADE_MISSING"]


async def test_identifiers_that_no_contract_allows_link_nothing_and_harm_nothing(house: House) -> None:
    hostile = [
        occurrence(IDENTIFIER_TYPE_PHONE, ""),
        occurrence(IDENTIFIER_TYPE_PHONE, "+81\0"),
        occurrence(IDENTIFIER_TYPE_PHONE, "9" * 100_000),
        occurrence(99, "x"),  # type: ignore[arg-type]  # a type from a newer contract
        handle("x:renkei_demo", days=(10**12, -(10**12))),
    ]
    shared = phone(1)
    shared.provenance = 99  # type: ignore[assignment]

    await house.bring(*(TipRecorded(tip=tip(number, *hostile, shared, agency=TOKYO)) for number in (1, 2)))

    (lead,) = await house.leads()
    assert [row.normal_form for row in lead.evidence] == ["+819000000001"]
    assert {record.provenance for record in lead.evidence[0].records} == {99}
    assert await house.set_aside() == []
