"""Lists and searches: newest first, each tip once, page by page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.ids import uuid7
from tests.agency import AGENCY, SAPPORO, TOCHIGI, TOKYO, request_id
from tests.tips.calls import HANDLE, PHONE, Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from google.protobuf.message import Message

    from tests.agency import Agency


async def bring(agency: Agency, *, origin: str = TOKYO, **changes: Any) -> str:  # noqa: ANN401 (fields of a tip)
    tip = a_tip(name=f"{origin}/tips/{uuid7()}", version=1, **changes)
    await agency.bring(TipRecorded(tip=tip), grade=GRADE_FULL, origin=origin)
    return tip.name


async def test_a_walk_through_pages_gives_each_tip_once_newest_first(tips: Tips, agency: Agency) -> None:
    names = [(await tips.create()).name]
    for number in range(6):
        names.append(await bring(agency, origin=(TOKYO, SAPPORO)[number % 2]))
        names.append((await tips.create()).name)

    request = tips_pb2.ListTipsRequest(parent="agencies/-", page_size=4)
    pages = [list(page.tips) async for page in tips.client.pages(tips.stub.ListTips, request)]

    assert [len(page) for page in pages] == [4, 4, 4, 1]
    assert [tip.name for page in pages for tip in page] == names[::-1]


async def test_tips_recorded_during_a_walk_shift_nothing(tips: Tips) -> None:
    old = [(await tips.create()).name for _ in range(4)]
    first = await tips.page(page_size=2)
    await tips.create()

    second = await tips.page(page_size=2, page_token=first.next_page_token)

    assert [tip.name for tip in (*first.tips, *second.tips)] == old[::-1]


async def test_two_agencies_with_the_same_id_are_both_listed(tips: Tips, agency: Agency) -> None:
    made = await tips.create()
    record_id = made.name.rpartition("/")[2]
    names = {made.name}
    for origin in (TOKYO, TOCHIGI):
        names.add(f"{origin}/tips/{record_id}")
        await agency.bring(
            TipRecorded(tip=a_tip(name=f"{origin}/tips/{record_id}", version=1)), grade=GRADE_FULL, origin=origin
        )

    request = tips_pb2.ListTipsRequest(parent="agencies/-", page_size=1)
    pages = [[tip.name for tip in page.tips] async for page in tips.client.pages(tips.stub.ListTips, request)]

    assert [len(page) for page in pages] == [1, 1, 1]
    assert {name for page in pages for name in page} == names


async def test_a_parent_shows_the_tips_of_one_agency(tips: Tips, agency: Agency) -> None:
    own = (await tips.create()).name
    foreign = await bring(agency)

    assert [tip.name for tip in (await tips.page(AGENCY)).tips] == [own]
    assert [tip.name for tip in (await tips.page(TOKYO)).tips] == [foreign]
    assert not (await tips.page(SAPPORO)).tips


async def test_a_page_of_large_tips_is_cut_short_and_loses_none(tips: Tips) -> None:
    names = {(await tips.create(a_tip(text="漢" * 20_000))).name for _ in range(20)}

    request = tips_pb2.ListTipsRequest(parent=AGENCY, page_size=500)
    pages = [page async for page in tips.client.pages(tips.stub.ListTips, request)]

    assert len(pages) > 1
    assert all(page.ByteSize() < 2 * 1024 * 1024 for page in pages)
    assert sorted(tip.name for page in pages for tip in page.tips) == sorted(names)


async def test_filters_narrow_a_list(tips: Tips) -> None:
    bank = await tips.create(a_tip(source=tips_pb2.Tip.SOURCE_BANK, case_reference="(演習)9-1"))
    await tips.create(a_tip(case_reference="(演習)9-2"))

    by_source = await tips.page(sources=[tips_pb2.Tip.SOURCE_BANK])
    by_case = await tips.page(case_reference="(演習)9-1")
    by_state = await tips.page(states=[tips_pb2.Tip.STATE_MERGED])
    before = await tips.page(max_create_time=bank.create_time)
    since = await tips.page(min_create_time=bank.create_time, sources=[tips_pb2.Tip.SOURCE_BANK])

    assert list(by_source.tips) == list(by_case.tips) == list(since.tips) == [bank]
    assert not by_state.tips
    assert not before.tips


async def test_an_index_entry_without_time_is_in_no_list_by_time(tips: Tips, agency: Agency) -> None:
    tip = a_tip(name=f"{TOKYO}/tips/{uuid7()}", version=1)
    tip.create_time.FromSeconds(1_700_000_000)
    await agency.bring(TipRecorded(tip=tip), grade=GRADE_INDEX_ONLY)
    limit = tips_pb2.Tip().create_time
    limit.FromSeconds(4_000_000_000)

    assert len((await tips.page()).tips) == 1
    assert not (await tips.page(max_create_time=limit)).tips


@pytest.mark.parametrize("change", ["cut", "flipped", "foreign", "other query", "other method"])
async def test_a_page_token_serves_only_the_query_it_was_made_for(tips: Tips, change: str) -> None:
    for _ in range(3):
        await tips.create(a_tip(identifiers=[an_occurrence()]))
    token = (await tips.page(page_size=1)).next_page_token
    changed = {
        "cut": token[:-1],
        "flipped": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        "foreign": "AAAA",
        "other query": token,
        "other method": token,
    }[change]

    if change == "other method":
        call: Coroutine[None, None, Message] = tips.search("090-1234", page_token=changed)
    else:
        call = tips.page(AGENCY if change == "other query" else "agencies/-", page_token=changed)

    with pytest.raises(InvalidArgument) as refused:
        await call

    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_page_size_may_change_from_page_to_page(tips: Tips) -> None:
    names = [(await tips.create()).name for _ in range(4)]
    first = await tips.page(page_size=1)

    rest = await tips.page(page_size=3, page_token=first.next_page_token)

    assert [tip.name for tip in rest.tips] == names[2::-1]


@pytest.mark.parametrize("parent", ["agencies/*", "agencies/JP-12", "-", f"{AGENCY}/tips"])
async def test_a_list_of_what_is_no_agency_is_refused(tips: Tips, parent: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.page(parent)

    assert refused.value.reason == "INVALID_RESOURCE_NAME"


async def test_a_list_names_who_is_cut_off(tips: Tips, agency: Agency) -> None:
    agency.cut_off.add(SAPPORO)

    async with asyncio.timeout(20):
        while list((await tips.page()).unreachable) != [SAPPORO]:  # noqa: ASYNC110 (asked from the outside)
            await asyncio.sleep(0.05)

    assert not (await tips.page(AGENCY)).unreachable
    assert not (await tips.page(TOKYO)).unreachable
    assert list((await tips.page(SAPPORO)).unreachable) == [SAPPORO]
    assert list((await tips.search("090-1234")).unreachable) == [SAPPORO]


@pytest.mark.parametrize(
    ("original", "kind", "asked"),
    [
        ("090-1234-5678", PHONE, "090-1234"),
        ("090-1234-5678", PHONE, "12345678"),
        ("090-1234-5678", PHONE, "０９０ー１２３４"),
        ("+81 90 1234 5678", PHONE, "〇九〇ー一二三四"),
        ("@Renkei_Demo_01 (X)", HANDLE, "renkei_demo"),
        ("0999-001-普通-0000001", identifiers_pb2.IDENTIFIER_TYPE_BANK_ACCOUNT, "0999-001"),
        ("品川300あ1234", identifiers_pb2.IDENTIFIER_TYPE_VEHICLE_PLATE, "品川300"),
    ],
)
async def test_a_part_in_any_spelling_finds_the_tip(
    tips: Tips, original: str, kind: identifiers_pb2.IdentifierType.ValueType, asked: str
) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence(original, kind=kind)]))
    await tips.create(a_tip(identifiers=[an_occurrence("070-9999-8888")]))

    found = await tips.search(asked)

    assert list(found.tips) == [made]


async def test_a_tip_with_two_matching_identifiers_is_found_once(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence("090-1234-5678"), an_occurrence("090-1234-5679")]))

    assert list((await tips.search("090-1234")).tips) == [made]


async def test_a_search_can_ask_for_one_type(tips: Tips) -> None:
    await tips.create(a_tip(identifiers=[an_occurrence("090-1234-5678")]))

    assert len((await tips.search("090-1234", type=PHONE)).tips) == 1
    assert not (await tips.search("090-1234", type=HANDLE)).tips


async def test_what_cannot_be_read_as_its_type_is_kept_and_found(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence("内線 4711 (下4桁のみ)")]))

    identifier = made.identifiers[0].identifier
    assert (identifier.original, identifier.normal_form) == ("内線 4711 (下4桁のみ)", "")
    assert identifier.normal_form_version > 0
    assert list((await tips.search("内線4711")).tips) == [made]


async def test_copies_are_found_too_and_in_pages(tips: Tips, agency: Agency) -> None:
    identifiers = [an_occurrence()]
    identifiers[0].identifier.normal_form = "+819012345678"
    names = []
    for _ in range(3):
        names.append((await tips.create(a_tip(identifiers=[an_occurrence()]))).name)
        names.append(await bring(agency, identifiers=identifiers))

    request = tips_pb2.SearchTipsRequest(identifier="090-1234-5678", page_size=2)
    pages = [page async for page in tips.client.pages(tips.stub.SearchTips, request)]

    assert [len(page.tips) for page in pages] == [2, 2, 2]
    assert [tip.name for page in pages for tip in page.tips] == names[::-1]


@pytest.mark.parametrize("asked", ["09", "090", "0-9-0-", "%%%%", "____", "あ"])
async def test_too_short_a_part_is_refused(tips: Tips, asked: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.search(asked)

    assert refused.value.reason == "SEARCH_TOO_SHORT"


@pytest.mark.parametrize("asked", ["\ue000\ue001\ue002\ue003abcd", "a" * 257, "09012\x0034", ""])
async def test_what_can_be_no_part_is_refused(tips: Tips, asked: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.search(asked)

    assert refused.value.reason == "FIELD_INVALID"
    assert refused.value.violations[0].field == "identifier"


async def test_signs_of_a_pattern_match_nothing_but_themselves(tips: Tips) -> None:
    await tips.create(a_tip(identifiers=[an_occurrence()]))

    assert not (await tips.search("9012%5678")).tips
    assert not (await tips.search("9012_5678")).tips


async def test_a_load_is_found_by_search(tips: Tips) -> None:
    await tips.load(
        [a_tip(identifiers=[an_occurrence(f"090-1234-{row:04}")]) for row in range(60)], load_id=request_id()
    )

    assert len((await tips.search("090-1234-0059")).tips) == 1
    assert len((await tips.search("090-1234", page_size=500)).tips) == 60
