"""Arrest records over a real connection: what is checked, what is read, and what the service sets itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.identifiers.v1 import identifiers_pb2

from renkei_chassis.errors import (
    InvalidArgument,
    NotAllowed,
)
from tests.agency import AGENCY, Agency
from tests.arrests.calls import (
    RESTRAINT,
    Arrests,
    a_device,
    a_disposition,
    an_arrest,
    an_occurrence,
    japan,
    stamp,
)
from tests.identifiers import EVERY_TYPE, SPANNED

if TYPE_CHECKING:
    from collections.abc import Callable


TO_PROSECUTOR = arrests_pb2.Clock.KIND_TO_PROSECUTOR


def a_person(birth_date: str = "2004-10-05") -> arrests_pb2.Person:
    return arrests_pb2.Person(display_name="(演習データ) 髙﨑 一郎", kana="(演習)", birth_date=birth_date)


async def test_an_auditor_records_no_arrest(agency: Agency) -> None:
    with pytest.raises(NotAllowed) as refused:
        await Arrests(agency.client("AUDITOR")).create()

    assert refused.value.reason == "ROLE_MISSING"


async def test_what_callers_cannot_write_is_set_by_the_service(arrests: Arrests) -> None:
    record = an_arrest(
        name="mine",
        state=arrests_pb2.Arrest.STATE_DISPOSED,
        version=9,
        disposition=a_disposition(),
        clocks=[arrests_pb2.Clock(overdue=True)] * 3,
        person=a_person(""),
    )
    record.person.juvenile_class = arrests_pb2.Person.JUVENILE_CLASS_ADULT

    made = await arrests.create(record)

    assert made.name.startswith(f"{AGENCY}/arrests/")
    assert (made.state, made.version) == (arrests_pb2.Arrest.STATE_OPEN, 1)
    assert not made.HasField("disposition")
    assert made.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_UNSPECIFIED
    assert [clock.kind for clock in made.clocks] == [TO_PROSECUTOR, arrests_pb2.Clock.KIND_LONGEST]
    assert made.contact_desk.startswith("(演習データ)")
    assert await arrests.get(made.name) == made


@pytest.mark.parametrize(
    ("birth_date", "expected"),
    [
        ("2004-10-01", arrests_pb2.Person.JUVENILE_CLASS_ADULT),
        ("2004-10-02", arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19),
        ("2006-10-02", arrests_pb2.Person.JUVENILE_CLASS_14_17),
        ("2010-10-02", arrests_pb2.Person.JUVENILE_CLASS_UNDER_14),
        ("", arrests_pb2.Person.JUVENILE_CLASS_UNSPECIFIED),
    ],
)
async def test_the_juvenile_class_is_the_one_at_restraint(
    arrests: Arrests, birth_date: str, expected: arrests_pb2.Person.JuvenileClass.ValueType
) -> None:
    made = await arrests.create(an_arrest(person=a_person(birth_date)))

    assert made.person.juvenile_class == expected


async def test_a_corrected_birth_date_or_restraint_gives_another_class(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(person=a_person("2004-10-05")))
    change = arrests_pb2.Arrest(name=made.name, etag=made.etag, restraint_time=stamp(japan(5)))

    later = await arrests.update(change, "restraint_time")
    change = arrests_pb2.Arrest(name=made.name, etag=later.etag, person=a_person("2004-10-06"))
    corrected = await arrests.update(change, "person.birth_date")

    assert made.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19
    assert later.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_ADULT
    assert corrected.person.juvenile_class == arrests_pb2.Person.JUVENILE_CLASS_SPECIFIED_18_19


@pytest.mark.parametrize("birth_date", ["2004-02-30", "2024-10-02", "0000-00-00"])
async def test_a_birth_date_that_cannot_be_is_refused(arrests: Arrests, birth_date: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(an_arrest(person=a_person(birth_date)))

    assert refused.value.reason == "BIRTH_DATE_INVALID"
    assert refused.value.violations[0].field == "arrest.person.birth_date"
    assert birth_date not in refused.value.message


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: an_arrest(restraint=None), "arrest.restraint_time"),
        (lambda: an_arrest(kind=99), "arrest.kind"),
        (lambda: an_arrest(role=-1), "arrest.role"),
        (lambda: an_arrest(offence="x" * 100_000), "arrest.offence"),
        (lambda: an_arrest(case_reference="a\0b"), "arrest.case_reference"),
        (lambda: an_arrest(text="x" * 20_001), "arrest.text"),
        (lambda: an_arrest(person=arrests_pb2.Person(birth_date="R6.10.1")), "arrest.person.birth_date"),
        (lambda: an_arrest(person=arrests_pb2.Person(display_name="a\x1bb")), "arrest.person.display_name"),
        (lambda: an_arrest(prosecutor_receipt_time={"seconds": 10**17}), "arrest.prosecutor_receipt_time"),
        (
            lambda: an_arrest(seized_items=[a_device(an_occurrence()), a_device(an_occurrence(provenance=99))]),
            "arrest.seized_items[1].identifiers[0].provenance",
        ),
        (
            lambda: an_arrest(seized_items=[a_device(identifiers_pb2.Occurrence())]),
            "arrest.seized_items[0].identifiers[0].identifier.type",
        ),
    ],
)
async def test_a_broken_field_is_named(arrests: Arrests, make: Callable[[], arrests_pb2.Arrest], field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await arrests.create(make())

    assert refused.value.reason == "FIELD_INVALID"
    assert refused.value.violations[0].field == field
    assert not (await arrests.page()).arrests


@pytest.mark.parametrize("path", ["kind", "restraint_time", "offence", "handling"])
async def test_a_correction_cannot_empty_what_is_required(arrests: Arrests, path: str) -> None:
    made = await arrests.create()

    with pytest.raises(InvalidArgument) as refused:
        await arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag), path)

    assert refused.value.reason in {"FIELD_INVALID", "TIMES_OUT_OF_ORDER"}
    assert (await arrests.get(made.name)).version == 1


async def test_identifiers_on_seized_items_are_read_found_and_span_the_restraint(arrests: Arrests) -> None:
    handle = an_occurrence("@renkei_demo (X)")
    handle.identifier.type = identifiers_pb2.IDENTIFIER_TYPE_HANDLE
    made = await arrests.create(
        an_arrest(
            seized_items=[a_device(), a_device(an_occurrence(), handle)], identifiers=[an_occurrence("080-8765-4321")]
        )
    )

    phone, found = made.seized_items[1].identifiers
    assert (phone.identifier.normal_form, found.identifier.normal_form) == ("+819012345678", "x:renkei_demo")
    assert found.valid_from == stamp(RESTRAINT - timedelta(days=90))
    assert found.valid_until == stamp(RESTRAINT + timedelta(days=90))
    for part in ("090-1234", "renkei_demo", "080-8765"):
        assert [arrest.name for arrest in (await arrests.search(part)).arrests] == [made.name]


async def test_a_seized_item_carries_identifiers_of_every_type(arrests: Arrests) -> None:
    written = []
    for kind, each in EVERY_TYPE.items():
        written.append(an_occurrence(each.original))
        written[-1].identifier.type = kind

    made = await arrests.create(an_arrest(seized_items=[a_device(*written)]))

    read = made.seized_items[0].identifiers
    assert [each.identifier.normal_form for each in read] == [each.form for each in EVERY_TYPE.values()]
    assert {each.identifier.type for each in read if each.HasField("valid_from")} == SPANNED
    for each in EVERY_TYPE.values():
        assert [arrest.name for arrest in (await arrests.search(each.parts[0])).arrests] == [made.name], each


async def test_a_phone_full_of_numbers_is_recorded(arrests: Arrests) -> None:
    numbers = [an_occurrence(f"090-1234-{row:04}") for row in range(1000)]

    made = await arrests.create(an_arrest(seized_items=[a_device(*numbers)]))

    assert len({item.identifier.normal_form for item in made.seized_items[0].identifiers}) == 1000
    assert len((await arrests.search("090-1234-0999")).arrests) == 1
