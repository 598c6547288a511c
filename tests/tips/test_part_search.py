"""Tips are found by a part of an identifier through the index: as reading every identifier finds them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.tips.v1.tips_pb2 import SearchTipsResponse, Tip

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.records.texts import candidates, entries, indexing, searching
from renkei_chassis.records.texts.postings import FULL
from renkei_tips.record import TIPS
from tests.agency import TOKYO
from tests.indexing import catch_up, index_of, small_blocks, stored_together
from tests.tips.calls import HANDLE, PHONE, a_tip, an_occurrence
from tests.tips.house import House, with_part

if TYPE_CHECKING:
    from renkei_chassis.records.texts.indexing import Indexing
    from tests.agency import Agency
    from tests.tips.calls import Tips

pytestmark = pytest.mark.usefixtures("by_hand")

PARTS: Final = (
    "090-1234",
    "０９０１",
    "1234",
    "5678",
    "12345678",
    "34-0001",
    "renkei",
    "Demo_02",
    "demo1234",
    "内線4711",
    "線471",
    "0000",
    "9012",
    "+81901",
)


@pytest.fixture
def index(agency: Agency) -> Indexing:
    return index_of(agency, TIPS)


async def all_pages(tips: Tips, part: str, **wanted: Any) -> list[Tip]:  # noqa: ANN401 (fields of a message)
    found: list[Tip] = []
    page = SearchTipsResponse()
    while True:
        page = await tips.search(part, page_token=page.next_page_token, **wanted)
        assert not page.HasField("text_matches")
        found += page.tips
        if not page.next_page_token:
            return found


@pytest.mark.parametrize("full", [4, FULL])
async def test_a_part_finds_what_reading_every_identifier_finds_in_the_same_order(
    agency: Agency, tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    """Through creations, corrections, deletions, copies and withdrawals, in any state of the index, in many blocks."""
    if full < FULL:
        small_blocks(monkeypatch, full)
    chance = random.Random(full)
    house = House(agency, tips, chance)
    for _ in range(5):
        for _ in range(chance.randint(3, 9)):
            await house.act()
        if chance.random() < 0.7:
            await index.look(fewest=1)

        for part in chance.sample(PARTS, 8):
            of = chance.choice((0, 0, PHONE, HANDLE))
            found = await all_pages(tips, part, page_size=chance.randint(2, 7), type=of)
            assert [tip.name for tip in found] == with_part(house.there(), part, of=of), part
    assert bool(await stored_together(agency, TIPS)) == (full < FULL)


async def test_a_page_ends_where_too_much_was_compared_and_the_next_goes_on_there(
    tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that hold every group of digits, and not in their order."""
    monkeypatch.setattr(candidates, "MOST_READ", 3)
    monkeypatch.setattr(searching, "MOST_READ", 3)
    made = []
    for number in range(12):
        phone = "090-1111-2345" if number % 3 else "090-1112-3451"
        made.append(await tips.create(a_tip(identifiers=[an_occurrence(phone), an_occurrence("080-2345-0000")])))
        if number == 7:
            await catch_up(index)

    found = await all_pages(tips, "11112345")

    assert [tip.name for tip in found] == with_part(made, "11112345")
    assert len((await tips.search("11112345")).tips) < 3


async def test_identifiers_are_found_in_every_entry_of_a_tip(
    tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tip with many takes several entries, which stay in one block: another begins where they have no room."""
    monkeypatch.setattr(indexing, "FULL", 4)
    monkeypatch.setattr(entries, "_IN_ONE_ENTRY", 2)
    made = [
        await tips.create(a_tip(identifiers=[an_occurrence(f"090-1234-{tip}{each}00") for each in range(6)]))
        for tip in range(3)
    ]

    await catch_up(index)

    for number, tip in enumerate(made):
        for each in range(6):
            assert [found.name for found in (await tips.search(f"1234-{number}{each}")).tips] == [tip.name]
    assert [tip.name for tip in await all_pages(tips, "090-1234", page_size=2)] == with_part(made, "090-1234")


async def test_what_is_indexed_of_a_part_is_narrowed_as_a_list_is(tips: Tips, index: Indexing) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence()]))
    gone = await tips.create(a_tip(identifiers=[an_occurrence()]))
    await catch_up(index)
    await tips.delete(gone.name)

    async def names(**wanted: Any) -> list[str]:  # noqa: ANN401 (fields of a message)
        return [tip.name for tip in (await tips.search("5678", **wanted)).tips]

    assert await names() == [made.name]
    assert await names(states=[Tip.STATE_TRIAGED]) == []
    assert await names(parent=TOKYO) == []
    assert await names(max_create_time=made.create_time) == []
    assert await names(min_create_time=made.create_time) == [made.name]


async def test_a_token_goes_on_with_its_own_search_alone(tips: Tips) -> None:
    for _ in range(2):
        await tips.create(a_tip(text="1234", identifiers=[an_occurrence()]))
    token = (await tips.search("1234", page_size=1)).next_page_token

    with pytest.raises(InvalidArgument) as refused:
        await tips.search("5678", page_size=1, page_token=token)

    assert refused.value.reason == "INVALID_PAGE_TOKEN"
