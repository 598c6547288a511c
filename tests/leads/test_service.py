"""The service between its neighbours: what comes in over the logs, what it finds, and what it tells."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1.events_pb2 import (
    ArrestDeleted,
    ArrestPurged,
    ArrestRecorded,
    ArrestWithdrawn,
    DispositionRecorded,
    ExhibitsRecorded,
    ExhibitsReleased,
    ExhibitsRevised,
    ExhibitsWithdrawn,
)
from renkei.arrests.v1.exhibits_pb2 import Exhibit
from renkei.identifiers.v1.identifiers_pb2 import (
    IDENTIFIER_TYPE_DISPLAY_NAME,
    RELATION_ADDRESS_BOOK,
)
from renkei.leads.v1.leads_pb2 import Evidence, Lead
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED
from renkei.tips.v1.events_pb2 import (
    OpinionDeleted,
    OpinionRecorded,
    OpinionReleased,
    OpinionWithdrawn,
    TipDeleted,
    TipPurged,
    TipRecorded,
    TipReleased,
    TipRestored,
    TipRevised,
    TipWithdrawn,
)

from renkei_chassis.records.protected import Protected
from renkei_leads.settings import Settings
from renkei_leads.succession import lead_id
from renkei_leads.wiring import blueprint
from tests.databases import content
from tests.identifiers import EVERY_TYPE, WEAK
from tests.leads.house import AGENCY, run_house
from tests.leads.records import SAPPORO, TOCHIGI, TOKYO, arrest, handle, occurrence, phone, sighting, tip, tip_name

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message

    from renkei_chassis.ports import PortClaims
    from tests.leads.house import House


def lead_of(record: str) -> str:
    return f"{AGENCY}/leads/{lead_id(record)}"


async def test_records_of_three_forces_that_share_a_number_are_a_supported_lead(house: House) -> None:
    own = tip(2, phone(1))
    device = arrest(1, phone(1), agency=TOCHIGI)
    advertisement = tip(3, phone(1), agency=SAPPORO)

    await house.tell(TipRecorded(tip=own))
    await house.bring(ArrestRecorded(arrest=device), TipRecorded(tip=advertisement))

    (lead,) = await house.leads()
    assert lead.state == Lead.STATE_SUPPORTED
    assert [record.name for record in lead.records] == [device.name, own.name, advertisement.name]
    assert lead.name == lead_of(device.name)
    assert [record.grade for record in lead.records] == [GRADE_FULL, GRADE_UNSPECIFIED, GRADE_FULL]
    assert lead.records[0].contact_desk == "desk of jp-09"
    assert await house.set_aside() == []


async def test_a_recruiter_links_the_arrests_of_those_who_were_recruited(house: House) -> None:
    for number, agency in ((1, AGENCY), (2, TOCHIGI)):
        recruited = arrest(number, agency=agency)
        recruited.recruitment.steps.add(recruiter_identifiers=[phone(7)])
        told = ArrestRecorded(arrest=recruited)
        await (house.tell(told) if agency == AGENCY else house.bring(told))

    (lead,) = await house.leads()

    assert {record.name.rpartition("/arrests/")[0] for record in lead.records} == {AGENCY, TOCHIGI}


async def test_what_lies_among_the_exhibits_of_an_arrest_links_it_and_nothing_within_it(house: House) -> None:
    mine, theirs = arrest(1), arrest(2, agency=TOKYO)
    several = [Exhibit(name=f"{mine.name}/exhibits/{each}", version=1, identifiers=[phone(7)]) for each in "ab"]
    several.append(Exhibit(name=f"{mine.name}/exhibits/c", version=1, identifiers=[phone(8)]))
    one = Exhibit(name=f"{theirs.name}/exhibits/d", version=1, identifiers=[phone(7)])
    await house.tell(ArrestRecorded(arrest=mine), ExhibitsRecorded(name=mine.name, exhibits=several))
    alone = await house.leads()

    await house.bring(ArrestRecorded(arrest=theirs), ExhibitsRecorded(name=theirs.name, exhibits=[one]))
    (linked,) = await house.leads()
    await house.tell(ExhibitsWithdrawn(name=mine.name, exhibits=[several[0].name]))
    (still,) = await house.leads()
    several[1].identifiers[0].CopyFrom(phone(9))
    await house.tell(ExhibitsRevised(name=mine.name, exhibits=several[1:2]))
    none = await house.leads()
    await house.bring(ArrestWithdrawn(name=theirs.name, version=1))
    await house.bring(ExhibitsReleased(name=theirs.name, exhibits=[one]))  # too late
    await house.tell(TipRecorded(tip=tip(3, phone(7), phone(8))))
    (other,) = await house.leads()

    assert alone == none == []
    assert [record.name for record in linked.records] == [mine.name, theirs.name]
    assert [len(row.records) for row in linked.evidence] == [2]
    assert still.records == linked.records
    assert [record.name for record in other.records] == [mine.name, tip_name(3)]


async def test_every_type_links_but_the_weak_ones(house: House) -> None:
    """Domain: WEAK never makes a lead alone. What a type is missing from the numbering would link nothing either."""
    records = [tip(2 * kind + one, occurrence(kind, each.form)) for kind, each in EVERY_TYPE.items() for one in (0, 1)]

    await house.tell(*(TipRecorded(tip=each) for each in records))

    linked = {evidence.type for lead in await house.leads(page_size=50) for evidence in lead.evidence}
    assert linked == set(EVERY_TYPE) - WEAK
    assert await house.set_aside() == []


async def test_a_weak_identifier_supports_what_a_strong_one_links(house: House) -> None:
    kind = IDENTIFIER_TYPE_DISPLAY_NAME
    shared = occurrence(kind, EVERY_TYPE[kind].form)

    await house.tell(TipRecorded(tip=tip(1, phone(1), shared)), TipRecorded(tip=tip(2, phone(1), shared)))

    (lead,) = await house.leads()
    assert {evidence.type: evidence.strength for evidence in lead.evidence}[kind] == Evidence.STRENGTH_WEAK
    assert "表示名" in lead.explanation_ja


async def test_what_our_own_services_tell_others_says_nothing_here(house: House) -> None:
    await house.tell(
        TipReleased(tip=tip(1, phone(1))),
        TipRecorded(tip=tip(2, phone(1))),
        TipRecorded(tip=tip(3, phone(1))),
        TipWithdrawn(name=tip_name(2), version=1),
    )

    (lead,) = await house.leads()
    assert [record.name for record in lead.records] == [tip_name(2), tip_name(3)]


@pytest.mark.parametrize("seen", [TipRecorded, TipRevised, TipReleased, TipRestored])
async def test_every_event_that_carries_a_copy_makes_it_visible(house: House, seen: type[Message]) -> None:
    await house.tell(TipRecorded(tip=tip(1, phone(1))))

    await house.bring(seen(tip=tip(2, phone(1), agency=TOKYO)))

    assert len(await house.leads()) == 1


@pytest.mark.parametrize("gone", [TipWithdrawn, TipDeleted, TipPurged])
async def test_a_copy_that_is_taken_back_retracts_what_it_caused(house: House, gone: type[Message]) -> None:
    theirs = tip(2, phone(1), agency=TOKYO)
    await house.tell(*(TipRecorded(tip=tip(number, phone(which))) for number, which in ((1, 1), (3, 2), (4, 2))))
    await house.bring(TipRecorded(tip=theirs))

    await house.bring(gone(name=theirs.name, version=1))
    await house.bring(TipRecorded(tip=theirs))  # late, and of no effect

    assert [lead.name for lead in await house.leads()] == [lead_of(tip_name(3))]
    retracted = await house.lead(lead_of(tip_name(1)))
    assert retracted.state == Lead.STATE_RETRACTED
    assert not retracted.records
    assert theirs.name not in str(retracted)


async def test_a_sighting_links_as_an_observation_until_its_giver_takes_it_back(house: House) -> None:
    """An own one, and one that another agency released: neither is the tip that it is about."""
    await house.tell(TipRecorded(tip=tip(1, phone(1))), OpinionRecorded(opinion=sighting(2, phone(1))))
    await house.bring(OpinionReleased(opinion=sighting(3, phone(1), agency=TOKYO)))
    (lead,) = await house.leads()

    await house.tell(OpinionDeleted(name=sighting(2).name, version=1))
    await house.bring(OpinionWithdrawn(name=sighting(3, agency=TOKYO).name, version=1))

    assert [record.name for record in lead.records] == [
        tip_name(1),
        sighting(2).name,
        sighting(3, agency=TOKYO).name,
    ]
    assert await house.leads() == []


@pytest.mark.parametrize("gone", [ArrestDeleted, ArrestPurged])
async def test_an_own_arrest_that_is_gone_retracts_its_lead(house: House, gone: type[Message]) -> None:
    held = arrest(1, phone(1))
    await house.tell(ArrestRecorded(arrest=held), TipRecorded(tip=tip(2, phone(1))))

    await house.tell(gone(name=held.name, version=1))

    assert await house.leads() == []
    assert await house.kinds_told() == ["LeadFound", "LeadRetracted"]


async def test_a_lead_that_comes_back_has_the_same_name(house: House) -> None:
    await house.tell(TipRecorded(tip=tip(1, phone(1))), TipRecorded(tip=tip(2, phone(1))))
    (before,) = await house.leads()

    await house.tell(TipDeleted(name=tip_name(2), version=1))
    await house.tell(TipRestored(tip=tip(2, phone(1), version=2)))

    (after,) = await house.leads()
    assert after.name == before.name
    assert after.etag != before.etag
    assert after.create_time == before.create_time
    assert await house.kinds_told() == ["LeadFound", "LeadRetracted", "LeadFound"]


async def test_what_a_batch_does_and_undoes_is_told_as_one_change(house: House) -> None:
    await house.tell(TipRecorded(tip=tip(1, phone(1))), TipRecorded(tip=tip(2, phone(1))))

    await house.tell(TipDeleted(name=tip_name(2), version=1), TipRestored(tip=tip(2, phone(1), version=2)))

    assert await house.kinds_told() == ["LeadFound", "LeadChanged"]


async def test_a_record_that_joins_two_leads_leaves_the_later_one_merged(house: House) -> None:
    await house.tell(*(TipRecorded(tip=tip(number, phone(number % 2))) for number in (1, 2, 3, 4)))

    await house.tell(TipRecorded(tip=tip(5, phone(0), phone(1))))

    (lead,) = await house.leads()
    assert lead.name == lead_of(tip_name(1))
    assert len(lead.records) == 5
    merged = await house.lead(lead_of(tip_name(2)))
    assert (merged.state, merged.merged_into) == (Lead.STATE_MERGED, lead.name)
    assert (await house.kinds_told())[2:] == ["LeadChanged", "LeadMerged"]


async def test_a_lead_that_loses_its_first_record_names_its_successor(house: House) -> None:
    await house.tell(*(TipRecorded(tip=tip(number, phone(1))) for number in (1, 2, 3)))

    await house.tell(TipDeleted(name=tip_name(1), version=1))

    (successor,) = await house.leads()
    assert successor.name == lead_of(tip_name(2))
    retracted = await house.lead(lead_of(tip_name(1)))
    assert retracted.state == Lead.STATE_RETRACTED
    assert list(retracted.succeeded_by) == [successor.name]


async def test_a_number_that_arrives_months_later_matches_everything_held(house: House) -> None:
    """Three leaders sat in custody for an unrelated assault while nobody asked what their phones had in common."""
    await house.tell(*(TipRecorded(tip=tip(number, phone(number))) for number in range(1, 9)))

    await house.tell(ArrestRecorded(arrest=arrest(900, *(phone(number) for number in range(1, 9)))))

    (lead,) = await house.leads()
    assert len(lead.records) == 9
    assert len(lead.evidence) == 8


async def test_a_correction_moves_a_record_out_of_one_lead_and_into_another(house: House) -> None:
    await house.tell(*(TipRecorded(tip=tip(number, phone(number % 2))) for number in (1, 2, 3, 4, 5)))

    await house.tell(TipRevised(tip=tip(5, phone(0), version=2)))

    members = {lead.name: [record.name for record in lead.records] for lead in await house.leads()}
    assert members == {
        lead_of(tip_name(1)): [tip_name(1), tip_name(3)],
        lead_of(tip_name(2)): [tip_name(2), tip_name(4), tip_name(5)],
    }


async def test_a_disposition_changes_the_version_that_a_lead_shows_and_nothing_else(house: House) -> None:
    await house.tell(ArrestRecorded(arrest=arrest(1, phone(1))), TipRecorded(tip=tip(2, phone(1))))

    await house.tell(DispositionRecorded(arrest=arrest(1, phone(1), version=2)))

    (lead,) = await house.leads()
    assert [record.version for record in lead.records] == [2, 1]
    assert await house.kinds_told() == ["LeadFound", "LeadChanged"]


async def test_an_older_version_that_comes_late_changes_nothing(house: House) -> None:
    await house.tell(TipRecorded(tip=tip(1, phone(1))))
    await house.bring(TipRecorded(tip=tip(2, phone(1), agency=TOKYO, version=3)))

    await house.bring(TipRecorded(tip=tip(2, phone(2), agency=TOKYO, version=2)))

    assert len(await house.leads()) == 1
    assert await house.kinds_told() == ["LeadFound"]


async def test_handles_link_only_while_their_spans_overlap(house: House) -> None:
    await house.tell(
        TipRecorded(tip=tip(1, handle("x:renkei_demo", days=(0, 100)))),
        TipRecorded(tip=tip(2, handle("x:renkei_demo", days=(90, 190)))),
        TipRecorded(tip=tip(3, handle("x:renkei_demo", days=(400, None)))),
    )

    (lead,) = await house.leads()
    assert [record.name for record in lead.records] == [tip_name(1), tip_name(2)]


async def test_an_address_book_makes_no_lead_and_is_not_stored(house: House, tmp_path: Path) -> None:
    bystander = phone(77, relation=RELATION_ADDRESS_BOOK)

    await house.tell(TipRecorded(tip=tip(1, bystander)), TipRecorded(tip=tip(2, phone(78), bystander)))

    assert await house.leads() == []
    kept = await stored(tmp_path)
    assert b"+819000000078" in kept
    assert b"+819000000077" not in kept


async def test_what_is_protected_here_links_nothing_whoever_released_it(
    tmp_path: Path,
    ports: PortClaims,
    kind: str,
) -> None:
    press = Protected(whose="(演習データ) 報道", type="HANDLE", identifiers=("x:@Renkei_Demo",))
    shared = handle("x:renkei_demo")
    async with run_house(blueprint(Settings(protected=(press,))), tmp_path, ports) as house:
        await house.tell(TipRecorded(tip=tip(1, shared, phone(78))))
        await house.bring(
            TipRecorded(tip=tip(2, shared, agency=TOKYO)), TipRecorded(tip=tip(3, phone(78), agency=TOKYO))
        )

        (lead,) = await house.leads()

    assert [record.name for record in lead.records] == [tip_name(1), tip_name(3, TOKYO)]


async def test_of_a_copy_that_is_taken_back_only_the_name_stays_in_the_files(house: House, tmp_path: Path) -> None:
    theirs = tip(2, phone(78), phone(1), agency=TOKYO, caveat="MARKERxTHEIRS")
    await house.tell(TipRecorded(tip=tip(1, phone(1))))
    await house.bring(TipRecorded(tip=theirs))
    before = await stored(tmp_path)

    await house.bring(TipWithdrawn(name=theirs.name, version=1))

    kept = await stored(tmp_path)
    for word in (b"MARKERxTHEIRS", b"+819000000078", b"desk of jp-13"):
        assert word in before
        assert word not in kept
    assert theirs.name.encode() in kept


async def test_an_index_entry_makes_a_lead_without_text_or_caveat(house: House, tmp_path: Path) -> None:
    """Its originator sent neither; were one sent by mistake, it would not be kept."""
    await house.tell(TipRecorded(tip=tip(1, phone(1), caveat="MARKERxOWN")))

    await house.bring(TipRecorded(tip=tip(2, phone(1), agency=TOKYO, caveat="MARKERxTHEIRS")), grade=GRADE_INDEX_ONLY)

    (lead,) = await house.leads()
    assert lead.records[1].grade == GRADE_INDEX_ONLY
    assert [record.caveat for record in lead.records] == ["MARKERxOWN", ""]
    assert "MARKER" not in lead.explanation_ja + lead.explanation_en
    kept = await stored(tmp_path)
    assert b"MARKERxOWN" in kept
    assert not [word for word in (b"MARKERxTHEIRS", b"MARKERxTEXT", b"MARKERxTITLE") if word in kept]


async def test_a_raised_grade_brings_the_caveat(house: House) -> None:
    theirs = tip(2, phone(1), agency=TOKYO, caveat="ask first")
    await house.tell(TipRecorded(tip=tip(1, phone(1))))
    await house.bring(TipRecorded(tip=theirs), grade=GRADE_INDEX_ONLY)

    await house.bring(TipReleased(tip=theirs), grade=GRADE_FULL)

    (lead,) = await house.leads()
    assert (lead.records[1].grade, lead.records[1].caveat) == (GRADE_FULL, "ask first")


async def test_a_lowered_grade_takes_the_caveat_out_of_the_files(house: House, tmp_path: Path) -> None:
    theirs = tip(2, phone(1), agency=TOKYO, caveat="MARKERxTHEIRS")
    await house.tell(TipRecorded(tip=tip(1, phone(1))))
    await house.bring(TipRecorded(tip=theirs))
    assert b"MARKERxTHEIRS" in await stored(tmp_path)

    await house.bring(TipRevised(tip=tip(2, phone(1), agency=TOKYO, version=2)), grade=GRADE_INDEX_ONLY)

    assert len(await house.leads()) == 1
    assert b"MARKERxTHEIRS" not in await stored(tmp_path)


async def stored(directory: Path) -> bytes:
    """Read everything that the service keeps on disk."""
    files = await asyncio.to_thread(content, directory / "leads.db")
    return b"".join(files)
