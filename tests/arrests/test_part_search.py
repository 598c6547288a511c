"""Arrests are found by a part of an identifier of their own, of a seized thing, or of an exhibit below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import events_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_arrests.record import ARRESTS
from renkei_chassis.ids import uuid7
from renkei_chassis.records import own
from renkei_chassis.records.texts.tokens import part_tokens
from tests.agency import TOKYO
from tests.arrests.calls import a_device, an_arrest, an_occurrence
from tests.arrests.exhibits import Exhibits, an_entry, an_exhibit
from tests.indexing import catch_up, index_of, tokens_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.arrests.v1.arrests_pb2 import Arrest
    from renkei.arrests.v1.exhibits_pb2 import Exhibit

    from renkei_chassis.records.texts.indexing import Indexing
    from tests.agency import Agency
    from tests.arrests.calls import Arrests

pytestmark = pytest.mark.usefixtures("by_hand")


@pytest.fixture
def exhibits(agency: Agency) -> Exhibits:
    return Exhibits(agency.client())


@pytest.fixture
def index(agency: Agency) -> Indexing:
    return index_of(agency, ARRESTS)


async def found(arrests: Arrests, part: str, **wanted: str) -> list[str]:
    return [arrest.name for arrest in (await arrests.search(part, **wanted)).arrests]


async def test_every_identifier_of_an_arrest_leads_to_it(arrests: Arrests, index: Indexing, exhibits: Exhibits) -> None:
    """Whether the index has come to it or not."""
    item = a_device(an_occurrence("080-3333-4444"))
    made = await arrests.create(an_arrest(identifiers=[an_occurrence("090-1111-2222")], seized_items=[item]))
    await exhibits.create(made.name, an_exhibit(an_occurrence("070-5555-6666")))

    for _ in range(2):
        for part in ("2222", "3333-44", "5556666"):
            assert await found(arrests, part) == [made.name], part
        assert await found(arrests, "22223333") == []
        await catch_up(index)


async def test_an_exhibit_that_comes_changes_or_goes_is_followed(
    agency: Agency, arrests: Arrests, index: Indexing, exhibits: Exhibits
) -> None:
    """Nothing of it stays in the index."""
    made = await arrests.create(an_arrest())
    await catch_up(index)
    exhibit = await exhibits.create(made.name, an_exhibit(an_occurrence("070-5555-6666")))
    await catch_up(index)
    assert await found(arrests, "6666") == [made.name]

    exhibit.identifiers[0].identifier.original = "070-7777-8888"
    exhibit = await exhibits.update(exhibit, "identifiers")
    await catch_up(index)

    assert await found(arrests, "8888") == [made.name]
    assert await found(arrests, "6666") == []
    assert part_tokens(["6666"]).isdisjoint(await tokens_in(agency, ARRESTS))

    await exhibits.delete(exhibit.name)
    await catch_up(index)

    assert await found(arrests, "8888") == []
    assert part_tokens(["8888"]).isdisjoint(await tokens_in(agency, ARRESTS))


async def test_a_purged_arrest_leaves_nothing_of_a_phone_that_was_seized(
    agency: Agency, arrests: Arrests, index: Indexing, exhibits: Exhibits
) -> None:
    """Its entries fill several places of a block."""
    made = await arrests.create(an_arrest(text="(演習データ) 魑魅魍魎"))
    await exhibits.load(made.name, [(an_entry(number), 0) for number in range(300)])
    await catch_up(index)
    assert await found(arrests, "1234-0299") == [made.name]
    assert await found(arrests, "1234-0300") == []
    record_id = ARRESTS.parse(made.name)[1].bytes

    await agency.service.writer.run(lambda transaction: own.remove(transaction, ARRESTS.tables, record_id))
    await catch_up(index)

    assert await found(arrests, "1234-0299") == []
    assert await tokens_in(agency, ARRESTS) == set()


async def test_copies_of_exhibits_are_found_with_their_arrest_and_go_with_it(
    agency: Agency, arrests: Arrests, index: Indexing
) -> None:
    arrest = an_arrest(name=f"{TOKYO}/arrests/{uuid7()}", version=1)
    exhibit = an_exhibit(an_occurrence("070-5555-6666"), name=f"{arrest.name}/exhibits/{uuid7()}", version=1)
    exhibit.identifiers[0].identifier.normal_form = "+817055556666"
    await bring(agency, arrest, [exhibit])
    for _ in range(2):
        assert await found(arrests, "6666") == [arrest.name]
        await catch_up(index)

    gone = events_pb2.ExhibitsWithdrawn(name=arrest.name, exhibits=[exhibit.name])
    await agency.bring(gone, grade=GRADE_FULL, resource=arrest.name)
    await catch_up(index)

    assert await found(arrests, "6666") == []
    assert part_tokens(["6666"]).isdisjoint(await tokens_in(agency, ARRESTS))


async def test_words_and_a_part_of_an_exhibit_narrow_each_other(
    arrests: Arrests, index: Indexing, exhibits: Exhibits
) -> None:
    both = await arrests.create(an_arrest(text="(演習データ) 指示役の男"))
    await exhibits.create(both.name, an_exhibit(an_occurrence("070-5555-6666")))
    await arrests.create(an_arrest(text="(演習データ) 指示役の男"))
    other = await arrests.create(an_arrest(text="(演習データ) 別の男"))
    await exhibits.create(other.name, an_exhibit(an_occurrence("070-5555-6666")))

    for _ in range(2):
        assert await found(arrests, "6666", text="指示役") == [both.name]
        await catch_up(index)


async def bring(agency: Agency, arrest: Arrest, exhibits: Sequence[Exhibit]) -> None:
    await agency.bring(events_pb2.ArrestRecorded(arrest=arrest), grade=GRADE_FULL)
    told = events_pb2.ExhibitsRecorded(name=arrest.name, exhibits=exhibits)
    await agency.bring(told, grade=GRADE_FULL, resource=arrest.name)
