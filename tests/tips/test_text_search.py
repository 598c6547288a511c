"""Tips are found by what stands in their texts, however it is written: as a slow and obvious reading finds them."""

# ruff: noqa: ANN401 (fields of a message are of many types)

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import AsyncMock

import pytest
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1.events_pb2 import TipRecorded, TipRevised, TipWithdrawn
from renkei.tips.v1.tips_pb2 import SearchTipsRequest, SearchTipsResponse, Tip
from sqlalchemy import func, select

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.records import own
from renkei_chassis.records.texts import blocks, candidates, searching
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.records.texts.postings import FULL
from renkei_chassis.records.texts.tokens import WRITTEN, part_tokens, text_tokens, token
from renkei_tips.domain.identifiers import searchable
from renkei_tips.record import TIPS
from tests.agency import AGENCY, TOKYO, Agency
from tests.indexing import catch_up, index_of, small_blocks, stored_together, tokens_in
from tests.tips.calls import Tips, a_tip, an_occurrence
from tests.tips.house import House, received, with_words

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from renkei_chassis.records.texts.candidates import Candidates


QUERIES: Final = (
    "山田",
    "やまだ",
    "ﾔﾏﾀﾞ",
    "高崎",
    "髙﨑",
    "ばいと",
    "バイト",
    "0901234",
    "34 山田",
    "A社 高",
    "い 山田",
    "ダ09",
    "イト高",
)


REFUSED: Final = {
    "": "FIELD_INVALID",
    "山" * 201: "FIELD_INVALID",
    "山" * 80_000: "FIELD_INVALID",
    "あい うえ おか きく けこ さし すせ そた ちつ": "FIELD_INVALID",
    "山": "SEARCH_TOO_SHORT",
    "、。・ー‐": "SEARCH_TOO_SHORT",
    "  \u3000\n": "SEARCH_TOO_SHORT",
    "\x00山田": "FIELD_INVALID",
    "\u202e\u200b": "SEARCH_TOO_SHORT",
    "%_": "SEARCH_TOO_SHORT",
}


pytestmark = pytest.mark.usefixtures("by_hand")


@pytest.fixture
def index(agency: Agency) -> Indexing:
    return index_of(agency, TIPS)


async def search(tips: Tips, text: str, **wanted: Any) -> SearchTipsResponse:
    return await tips.client.call(tips.stub.SearchTips, SearchTipsRequest(text=text, **wanted))


async def all_pages(tips: Tips, text: str, **wanted: Any) -> list[Tip]:
    found: list[Tip] = []
    token = ""
    while True:
        page = await search(tips, text, page_token=token, **wanted)
        assert len(page.text_matches.matches) == len(page.tips)
        found += page.tips
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("full", [4, FULL])
async def test_a_search_finds_what_reading_every_text_finds_in_the_same_order(
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

        for query in chance.sample(QUERIES, 6):
            found = await all_pages(tips, query, page_size=chance.randint(2, 7))
            assert [tip.name for tip in found] == with_words(house.there(), query), query
    assert bool(await stored_together(agency, TIPS)) == (full < FULL)


async def test_a_page_ends_where_too_much_was_compared_and_the_next_goes_on_there(
    tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost or told twice, whether it is indexed or pending."""
    monkeypatch.setattr(candidates, "MOST_READ", 3)
    monkeypatch.setattr(searching, "MOST_READ", 3)
    made = [await tips.create(a_tip(display_name="", text=text)) for text in ("やまだ", "山田", "ヤマダ", "やまと") * 3]
    await index.look(fewest=1)
    made += [await tips.create(a_tip(display_name="", text=text)) for text in ("ヤマダ", "やまだ", "山") * 2]

    found = await all_pages(tips, "ヤマダ")

    assert [tip.name for tip in found] == with_words(made, "ヤマダ")
    assert len((await search(tips, "ヤマダ")).tips) <= 3


async def test_a_match_says_how_and_where_the_words_stand(tips: Tips, index: Indexing) -> None:
    written = await tips.create(a_tip(display_name="(演習データ) 山田", text="🍎山田、ﾔﾏﾀﾞと０９０ー１２３４−５６７８"))
    folded = await tips.create(a_tip(display_name="", text="ヤマダ、山  田さん 090-1234-5678"))
    await catch_up(index)

    found = await search(tips, "山田 090-1234")

    assert [tip.name for tip in found.tips] == [folded.name, written.name]
    assert [match.exact for match in found.text_matches.matches] == [False, False]
    assert [
        [getattr(tip, each.field)[each.start : each.end] for each in match.highlights]
        for tip, match in zip(found.tips, found.text_matches.matches, strict=True)
    ] == [["山  田", "090-1234"], ["山田", "山田", "０９０ー１２３４"]]
    assert (await search(tips, "ﾔﾏﾀﾞ")).text_matches.matches[0].exact


async def test_words_and_an_identifier_narrow_each_other(tips: Tips, index: Indexing) -> None:
    both = await tips.create(a_tip(text="山田", identifiers=[an_occurrence("090-1234-5678")]))
    await tips.create(a_tip(text="山田", identifiers=[an_occurrence("080-9999-0001")]))
    await tips.create(a_tip(text="高崎", identifiers=[an_occurrence("090-1234-5678")]))
    for _ in range(2):
        found = await search(tips, "山田", identifier="090-1234")
        await catch_up(index)
        assert [tip.name for tip in found.tips] == [both.name]


async def test_a_search_is_narrowed_as_a_list_is(agency: Agency, tips: Tips, index: Indexing) -> None:
    ours = await tips.create(a_tip(text="山田"))
    theirs = received(TOKYO, "山田")
    await agency.bring(TipRecorded(tip=theirs), grade=GRADE_FULL, origin=TOKYO)
    await catch_up(index)

    async def names(**wanted: Any) -> list[str]:
        return [tip.name for tip in (await search(tips, "山田", **wanted)).tips]

    assert await names() == [theirs.name, ours.name]
    assert await names(parent=AGENCY) == [ours.name]
    assert await names(parent=TOKYO) == [theirs.name]
    assert await names(states=[Tip.STATE_TRIAGED]) == []
    assert await names(sources=[Tip.SOURCE_ACQUAINTANCE], parent=AGENCY) == [ours.name]
    assert await names(min_create_time=ours.create_time, parent=AGENCY) == [ours.name]
    assert await names(max_create_time=ours.create_time, parent=AGENCY) == []


async def test_what_cannot_be_looked_for_is_refused_in_words(tips: Tips) -> None:
    """The words are not the ones that were typed: they might be of a person."""
    for text, reason in REFUSED.items():
        with pytest.raises(InvalidArgument) as refused:
            await search(tips, text)

        assert refused.value.reason == reason, text
        assert not text.strip() or text not in refused.value.message


async def test_signs_that_mean_something_elsewhere_mean_nothing_here(tips: Tips, index: Indexing) -> None:
    for text in (
        "山田\u200b",
        "\u202e山田",
        "'; DROP TABLE tip; --山田",
        "%山田_",
        "\ud7ff山田",
        "山\u0301田",
        "山田\ue000",
    ):
        made = await tips.create(a_tip(display_name="", text=f"x{text}x"))
        await tips.create(a_tip(display_name="", text="山と田"))
        if len(text) % 2:
            await catch_up(index)

        assert [tip.name for tip in (await search(tips, text)).tips] == [made.name], text

        await tips.delete(made.name)
        assert not (await search(tips, text)).tips


async def test_a_token_of_another_search_is_refused(tips: Tips) -> None:
    for _ in range(3):
        await tips.create(a_tip(text="山田"))
    token = (await search(tips, "山田", page_size=1)).next_page_token

    with pytest.raises(InvalidArgument) as refused:
        await search(tips, "高崎", page_size=1, page_token=token)

    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_change_while_it_is_indexed_is_not_lost(
    agency: Agency, tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and the storing of a block, a tip is corrected; a crash there costs no more."""
    tip = await tips.create(a_tip(text="山田"))
    store = index._store
    tip.text = "高崎"

    async def crash(_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(agency.service.writer, "run", crash)
    with pytest.raises(ConnectionError):
        await index.look(fewest=1)
    monkeypatch.undo()
    work = await agency.service.database.read(lambda connection: index._work(connection, fewest=1))
    await tips.update(tip, "text")
    await agency.service.writer.run(lambda transaction: store(work, transaction))

    for _ in range(2):
        assert [each.name for each in (await search(tips, "高崎")).tips] == [tip.name]
        assert not (await search(tips, "山田")).tips
        await catch_up(index)


@pytest.mark.parametrize("full", [1, FULL])
async def test_nothing_in_the_index_tells_of_what_was_corrected_purged_or_withdrawn(
    agency: Agency, tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    """Neither of the texts nor of the identifiers, in a block that has room or in old ones that are stored together."""
    if full < FULL:
        small_blocks(monkeypatch, full)
    kept = await tips.create(a_tip(display_name="", text="残る文", identifiers=[an_occurrence("090-1111-2222")]))
    own_tip = await tips.create(a_tip(display_name="", text="魑魅魍魎", identifiers=[an_occurrence("090-3333-4444")]))
    purged = await tips.create(a_tip(display_name="", text="酒池肉林", identifiers=[an_occurrence("090-5555-6666")]))
    copy = received(TOKYO, "森羅万象")
    copy.identifiers.append(an_occurrence("090-7777-8888"))
    downgraded = received(TOKYO, "百鬼夜行")
    for tip in (copy, downgraded):
        await agency.bring(TipRecorded(tip=tip), grade=GRADE_FULL, origin=TOKYO)
    await catch_up(index)
    before = await tokens_in(agency, TIPS)
    assert bool(await stored_together(agency, TIPS)) == (full < FULL)

    own_tip.text = "訂正後"
    own_tip.identifiers[0].identifier.original = "090-9999-0000"
    await tips.update(own_tip, "text", "identifiers")
    purged_id = uuid.UUID(purged.name.rpartition("/")[2]).bytes
    await agency.service.writer.run(lambda transaction: own.remove(transaction, TIPS.tables, purged_id))
    await agency.bring(TipWithdrawn(name=copy.name, version=1), grade=GRADE_FULL, origin=TOKYO)
    downgraded.version, downgraded.text = 2, ""
    await agency.bring(TipRevised(tip=_index_entry(downgraded)), grade=GRADE_INDEX_ONLY, origin=TOKYO)
    await catch_up(index)

    after = await tokens_in(agency, TIPS)
    there = [kept, await tips.get(own_tip.name)]
    assert {token(pair, WRITTEN) for pair in ("魑魅", "酒池", "森羅", "百鬼")} <= before
    assert part_tokens(["4444", "6666", "8888"]) <= before
    assert after == {
        number
        for tip in there
        for numbers in (
            text_tokens([tip.display_name, tip.text], TIPS.folding),
            part_tokens(searchable(each.identifier.normal_form, "") for each in tip.identifiers),
        )
        for number in numbers
    }
    assert await members_in(agency) == {kept.name, own_tip.name}


async def test_a_search_is_not_disturbed_where_blocks_come_together_meanwhile(
    agency: Agency, tips: Tips, index: Indexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows of the blocks as they were, and reads their pairs where they were."""
    small_blocks(monkeypatch, 1)
    made = [await tips.create(a_tip(text="山田")) for _ in range(4)]
    with monkeypatch.context() as patch:
        patch.setattr(Indexing, "_tidy", AsyncMock())
        await catch_up(index)
    read, loop = candidates.Candidates._blocks, asyncio.get_running_loop()

    def slowly(self: Candidates, before: object) -> object:
        found = read(self, before)  # type: ignore[arg-type]  # passed on as it came
        asyncio.run_coroutine_threadsafe(index.look(), loop).result()
        return found

    monkeypatch.setattr(candidates.Candidates, "_blocks", slowly)

    assert not await stored_together(agency, TIPS)
    found = await search(tips, "山田")
    assert [tip.name for tip in found.tips] == with_words(made, "山田")
    assert await stored_together(agency, TIPS) == 2


async def members_in(house: Agency) -> set[str]:
    def ask(connection: Connection) -> set[str]:
        texts = TIPS.tables.texts
        assert not connection.execute(select(func.count()).select_from(texts.pending)).scalar_one()
        found = [
            blocks.member_key(member, row.agencies.split("\n"))
            for row in connection.execute(select(texts.blocks)).all()
            for member in blocks.read_members(connection, texts, row.number)
        ]
        return {
            f"{agency or AGENCY}/tips/{uuid.UUID(bytes=record_id)}" for record_id, agency in found if any(record_id)
        }

    return await house.service.database.read(ask)


def _index_entry(tip: Tip) -> Tip:
    return Tip(name=tip.name, version=tip.version, handling=tip.handling)
