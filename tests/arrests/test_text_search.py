"""Arrest records are found by their texts, and nobody by a name: the person's sealed block is never looked into."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from renkei.arrests.v1.arrests_pb2 import Person, SearchArrestsRequest, SearchArrestsResponse
from sqlalchemy import func, select

from renkei_arrests.record import ARRESTS
from renkei_chassis.errors import InvalidArgument, NotAllowed
from renkei_chassis.records.texts.indexing import Indexing
from renkei_chassis.records.texts.tokens import FOLDED, PART, WRITTEN, token
from tests.arrests.calls import Arrests, a_device, a_disposition, an_arrest
from tests.indexing import tokens_in

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction
    from tests.agency import Agency

_NAME: Final = "魑魅魍魎"
_KANA: Final = "ぬのはた"


async def search(arrests: Arrests, text: str) -> SearchArrestsResponse:
    return await arrests.client.call(arrests.stub.SearchArrests, SearchArrestsRequest(text=text))


@pytest.fixture
async def indexed(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Be told when the service has indexed something."""
    event, store = asyncio.Event(), Indexing._store

    def tell(index: Indexing, work: object, transaction: Transaction) -> None:
        store(index, work, transaction)  # type: ignore[arg-type]  # passed on as it came
        transaction.after_commit(event.set)

    monkeypatch.setattr(Indexing, "_store", tell)
    return event


async def test_an_auditor_searches_no_texts(agency: Agency) -> None:
    with pytest.raises(NotAllowed):
        await search(Arrests(agency.client("AUDITOR")), "強盗")


async def test_a_search_for_nothing_is_refused(arrests: Arrests) -> None:
    with pytest.raises(InvalidArgument, match="identifier or text must not be empty"):
        await search(arrests, "")


async def test_no_search_finds_a_person(indexed: asyncio.Event, agency: Agency, arrests: Arrests) -> None:
    """Before the service has indexed the record, and after."""
    person = Person(display_name=_NAME, kana=_KANA, birth_date="2000-01-01")
    made = await arrests.create(an_arrest(person=person, text="(演習データ) 供述"))
    before = [await search(arrests, each) for each in (_NAME, _KANA, "2000")]
    made.text = "(演習データ) 自供"
    await arrests.update(made, "text")

    await asyncio.wait_for(indexed.wait(), 20)

    after = [await search(arrests, each) for each in (_NAME, _KANA, "2000")]
    assert not any(page.arrests for page in (*before, *after))
    assert [each.name for each in (await search(arrests, "自供")).arrests] == [made.name]

    asked = select(func.count()).select_from(ARRESTS.tables.texts.pending)
    assert not await agency.service.database.read(lambda connection: connection.execute(asked).scalar_one())
    held = await tokens_in(agency, ARRESTS)
    assert token("自供", WRITTEN) in held
    for pair in ("魑魅", "魅魍", "ぬの", "のは", "20", "00"):
        assert held.isdisjoint({token(pair, WRITTEN), token(pair, FOLDED), token(pair, PART)})


async def test_every_text_of_a_record_is_found_where_it_stands(arrests: Arrests) -> None:
    made = await arrests.create(an_arrest(text="(演習データ) 指示役の男", seized_items=[a_device()]))
    await arrests.dispose(made, a_disposition())
    places = {"強盗": "offence", "指示役": "text", "ｽﾏｰﾄﾌｫﾝ": "seized_items[0].description"}

    found = {query: await search(arrests, query) for query in places}

    assert {query: page.text_matches.matches[0].highlights[0].field for query, page in found.items()} == places
    assert {each.field for each in (await search(arrests, "演習データ")).text_matches.matches[0].highlights} >= {
        "disposition.reason"
    }
