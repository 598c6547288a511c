"""What leaves of an arrest, and what is kept of others': no person, no clock, no exhibit number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import arrests_pb2, events_pb2
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.handling_pb2 import PERMITTED_ACTION_INDEX_ONLY, Handling
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_chassis.errors import NotFoundOrDenied
from renkei_chassis.ids import uuid7
from renkei_chassis.release import strip
from tests.agency import SAPPORO, TOCHIGI, TOKYO, Agency
from tests.arrests.calls import Arrests, a_device, a_disposition, an_arrest, an_occurrence, japan, stamp

if TYPE_CHECKING:
    from renkei.policy.v1.policy_pb2 import Grade

MARKER = "MARKERxPERSON"


def a_full_arrest() -> arrests_pb2.Arrest:
    """Make a record with something in every field that stays at home."""
    return an_arrest(
        releasable_to=[TOKYO],
        person=arrests_pb2.Person(display_name=MARKER, kana=MARKER, birth_date="2004-10-05"),
        external_reference=MARKER,
        seized_items=[
            arrests_pb2.SeizedItem(
                description="(演習データ)",
                exhibit_number=MARKER,
                identifiers=[
                    an_occurrence(),
                    an_occurrence("080-8765-4321", relation=identifiers_pb2.RELATION_ADDRESS_BOOK),
                ],
            )
        ],
        prosecutor_receipt_time=stamp(japan(2)),
        detention_request_time=stamp(japan(2, 12)),
    )


@pytest.mark.parametrize("grade", [GRADE_FULL, GRADE_INDEX_ONLY])
async def test_the_person_and_the_address_book_never_leave(
    arrests: Arrests, agency: Agency, grade: Grade.ValueType
) -> None:
    record = a_full_arrest()
    record.seized_items[0].identifiers[1].relation = identifiers_pb2.RELATION_ADDRESS_BOOK
    await arrests.dispose(await arrests.create(record))
    recorded, disposed = await agency.events()

    for event, kind in ((recorded, events_pb2.ArrestRecorded), (disposed, events_pb2.DispositionRecorded)):
        leaving = strip(kind.FromString(event.data.value), grade)

        content = leaving.SerializeToString()
        assert MARKER.encode() in event.data.value
        assert MARKER.encode() not in content
        assert b"8765-4321" not in content
        assert b"87654321" not in content
        assert not leaving.arrest.HasField("person")
        assert not leaving.arrest.clocks
        assert not leaving.arrest.HasField("prosecutor_receipt_time")


async def test_an_update_tells_each_agency_what_it_means_for_it(arrests: Arrests, agency: Agency) -> None:
    made = await arrests.create(an_arrest(releasable_to=[TOKYO, TOCHIGI]))
    label = Handling(purpose_code="x", releasable_to=[TOCHIGI, SAPPORO], permitted_action=PERMITTED_ACTION_INDEX_ONLY)

    await arrests.update(arrests_pb2.Arrest(name=made.name, etag=made.etag, handling=label), "handling")

    told = [
        (event.type.rpartition(".")[2], {entry.agency: entry.grade for entry in event.audience})
        for event in await agency.events(after=1)
    ]
    assert told == [
        ("ArrestRevised", {TOCHIGI: GRADE_INDEX_ONLY}),
        ("ArrestReleased", {SAPPORO: GRADE_INDEX_ONLY}),
        ("ArrestWithdrawn", {TOKYO: GRADE_FULL}),
    ]


async def test_a_copy_has_no_clocks_since_the_times_they_need_stayed_behind(arrests: Arrests, agency: Agency) -> None:
    sent = a_full_arrest()
    sent.name, sent.version = f"{TOKYO}/arrests/{uuid7()}", 1

    await agency.bring(events_pb2.ArrestRecorded(arrest=sent), grade=GRADE_FULL)

    kept = await arrests.get(sent.name)
    assert (kept.offence, kept.received_grade) == (sent.offence, GRADE_FULL)
    assert not kept.clocks
    assert not kept.HasField("person")
    assert [len(item.identifiers) for item in kept.seized_items] == [1]


async def test_a_disposition_elsewhere_replaces_the_copy(arrests: Arrests, agency: Agency) -> None:
    sent = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1)
    await agency.bring(events_pb2.ArrestRecorded(arrest=sent), grade=GRADE_FULL)
    sent.version = 2
    sent.disposition.CopyFrom(a_disposition())

    await agency.bring(events_pb2.DispositionRecorded(arrest=sent), grade=GRADE_FULL)

    kept = await arrests.get(sent.name)
    assert (kept.version, kept.disposition.kind, kept.disposition.reason) == (2, sent.disposition.kind, "")


async def test_an_index_entry_is_found_and_says_nothing_else(arrests: Arrests, agency: Agency) -> None:
    sent = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1, seized_items=[a_device(an_occurrence())])
    sent.seized_items[0].identifiers[0].identifier.normal_form = "+819012345678"

    await agency.bring(events_pb2.ArrestReleased(arrest=sent), grade=GRADE_INDEX_ONLY)

    (found,) = (await arrests.search("090-1234")).arrests
    assert (found.name, found.received_grade) == (sent.name, GRADE_INDEX_ONLY)
    assert (found.offence, found.role, found.kind, found.seized_items[0].description) == ("", 0, 0, "")
    assert not found.HasField("restraint_time")


@pytest.mark.parametrize("event", [events_pb2.ArrestWithdrawn, events_pb2.ArrestDeleted])
async def test_a_withdrawn_copy_is_gone(
    arrests: Arrests, agency: Agency, event: type[events_pb2.ArrestWithdrawn | events_pb2.ArrestDeleted]
) -> None:
    sent = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1)
    await agency.bring(events_pb2.ArrestRecorded(arrest=sent), grade=GRADE_FULL)

    await agency.bring(event(name=sent.name, version=1), grade=GRADE_FULL)

    with pytest.raises(NotFoundOrDenied):
        await arrests.get(sent.name)
    assert [found.type.rpartition(".")[2] for found in await agency.events()] == ["ArrestReceived", "ArrestRemoved"]
