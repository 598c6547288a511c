"""Sealed blocks: people are kept apart from records, told nobody, and opened only with a reason that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from renkei.arrests.v1 import sealed_pb2
from renkei.arrests.v1.arrests_pb2 import Arrest, Person
from renkei.arrests.v1.sealed_pb2 import JuvenileBlock, PersonBlock, SealedContent, Victim, VictimsBlock
from renkei.arrests.v1.sealed_pb2_grpc import SealedBlocksServiceStub
from sqlalchemy import select

from renkei_arrests import sealed
from renkei_arrests.record import ARRESTS
from renkei_arrests.store import OPENINGS, SEALED
from renkei_chassis.errors import RenkeiError
from renkei_chassis.ids import uuid7
from renkei_chassis.records import own
from tests.agency import AGENCY, TOKYO, Agency, request_id
from tests.arrests.calls import Arrests, an_arrest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from renkei_chassis.rpc.client import Client

NAME = "MARKERxNAME"
WHOLE = SealedContent(
    victims=VictimsBlock(victims=[Victim(display_name=NAME, contact="(演習データ)", harm="(演習データ) 全治二週間")])
)


class Blocks:
    """The service, as one caller sees it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stub = client.stub(SealedBlocksServiceStub)

    async def put(self, name: str, content: SealedContent | None = None, *, request: str = "") -> Any:  # noqa: ANN401
        asked = sealed_pb2.SetSealedBlockRequest(request_id=request or request_id(), name=name, content=content)
        return await self.client.call(self.stub.SetSealedBlock, asked)

    async def get(self, name: str) -> sealed_pb2.SealedBlock:
        return await self.client.call(self.stub.GetSealedBlock, sealed_pb2.GetSealedBlockRequest(name=name))

    async def reveal(self, name: str, *, request: str = "", reason: str = "(演習データ) 照会") -> SealedContent:
        asked = sealed_pb2.RevealSealedBlockRequest(request_id=request or request_id(), name=name, reason=reason)
        return await self.client.call(self.stub.RevealSealedBlock, asked)

    async def openings(self, **wanted: Any) -> sealed_pb2.ListSealedOpeningsResponse:  # noqa: ANN401
        asked = sealed_pb2.ListSealedOpeningsRequest(**{"parent": AGENCY, **wanted})
        return await self.client.call(self.stub.ListSealedOpenings, asked)


@pytest.fixture
def blocks(agency: Agency) -> Blocks:
    return Blocks(agency.client())


def rows(connection: Connection) -> list[Row[Any]]:
    return [*connection.execute(select(SEALED)).all(), *connection.execute(select(OPENINGS)).all()]


async def refusal(call: Any) -> str:  # noqa: ANN401 (any call)
    with pytest.raises(RenkeiError) as refused:
        await call
    return refused.value.reason


async def test_a_name_given_with_a_record_is_in_no_answer_and_no_event(
    arrests: Arrests, agency: Agency, blocks: Blocks
) -> None:
    person = Person(display_name=NAME, kana=f"{NAME}カナ", birth_date="2004-10-05")
    request, record = request_id(), an_arrest(releasable_to=[TOKYO], person=person)
    made = await arrests.create(record, request=request)
    again = await arrests.create(record, request=request)
    loaded = await arrests.load([record, an_arrest()], load_id=request_id())
    block = f"{made.name}/sealedBlocks/person"

    changed = Arrest(
        name=made.name, etag=made.etag, offence="(演習データ) 窃盗", person=Person(display_name=f"{NAME}2")
    )
    corrected = await arrests.update(changed, "offence", "person.display_name")

    assert made == again
    assert made.person == Person(birth_date="2004-10-05", juvenile_class=Person.JUVENILE_CLASS_SPECIFIED_18_19)
    assert corrected.person == made.person
    assert not any(NAME.encode() in event.data.value for event in await agency.events())
    shown = (await arrests.page()).arrests
    assert not any(NAME in str(arrest) for arrest in shown)
    assert (await blocks.get(block)).recorder == f"{AGENCY}/officers/sato"
    assert (await blocks.reveal(block)).person == PersonBlock(display_name=f"{NAME}2", kana=f"{NAME}カナ")
    theirs = [f"{result.name}/sealedBlocks/person" for result in loaded]
    assert (await blocks.reveal(theirs[0])).person.display_name == NAME
    assert not (await blocks.get(theirs[1])).known
    forgotten = await arrests.update(Arrest(name=made.name, etag=corrected.etag), "person")
    assert (forgotten.HasField("person"), (await blocks.get(block)).known) == (False, False)


async def test_an_opening_is_kept_with_its_reason_and_never_answered_twice(arrests: Arrests, blocks: Blocks) -> None:
    arrest = (await arrests.create()).name
    victims, juvenile = f"{arrest}/sealedBlocks/victims", f"{arrest}/sealedBlocks/juvenile"
    request = request_id()
    known = await blocks.put(victims, WHOLE, request=request)
    assert await blocks.put(victims, WHOLE, request=request) == known == await blocks.get(victims)
    await blocks.put(juvenile, SealedContent(juvenile=JuvenileBlock(guardian=NAME)))

    request = request_id()
    assert await blocks.reveal(victims, request=request) == WHOLE
    assert await refusal(blocks.reveal(victims, request=request)) == "REQUEST_ANSWER_GONE"
    assert (await blocks.reveal(juvenile)).juvenile.guardian == NAME

    told = await blocks.openings(page_size=1, arrest=arrest)
    rest = await blocks.openings(page_size=1, arrest=arrest, page_token=told.next_page_token)
    assert [each.name for each in (*told.openings, *rest.openings)] == [juvenile, victims]
    assert {each.caller for each in told.openings} == {f"{AGENCY}/officers/sato"}
    assert (rest.openings[0].reason, rest.next_page_token) == ("(演習データ) 照会", "")
    assert NAME not in str((told, rest))
    assert not (await blocks.put(victims)).known
    assert await refusal(blocks.reveal(victims)) == "BLOCK_NOT_RECORDED"
    assert len((await blocks.openings()).openings) == 2


async def test_what_may_not_be_is_refused(arrests: Arrests, agency: Agency, blocks: Blocks) -> None:
    arrest = (await arrests.create()).name
    person, theirs = f"{arrest}/sealedBlocks/person", f"{TOKYO}/arrests/{uuid7()}/sealedBlocks/person"
    nothing = f"{AGENCY}/arrests/{uuid7()}/sealedBlocks/person"
    desk, auditor = Blocks(agency.client("NPA_DESK")), Blocks(agency.client("AUDITOR"))

    assert await refusal(blocks.put(person, WHOLE)) == "FIELD_INVALID"
    for call in (blocks.put, blocks.get, blocks.reveal):
        assert await refusal(call(theirs)) == "FOREIGN_ORIGINATOR"
        assert await refusal(call(nothing)) == "DENIED"
        assert await refusal(call(f"{arrest}/sealedBlocks/witness")) == "FIELD_INVALID"
        assert await refusal(call(arrest)) == "INVALID_RESOURCE_NAME"
    for role in (desk, auditor):
        assert await refusal(role.reveal(person)) == "ROLE_MISSING"
        assert await refusal(role.put(person)) == "ROLE_MISSING"
    assert await refusal(Blocks(agency.client("OFFICER")).openings()) == "ROLE_MISSING"
    assert list((await auditor.openings()).openings) == []
    assert await refusal(blocks.openings(parent=TOKYO)) == "FOREIGN_ORIGINATOR"
    assert await refusal(blocks.openings(arrest=f"{TOKYO}/arrests/{uuid7()}")) == "FOREIGN_ORIGINATOR"
    assert await refusal(blocks.reveal(person, reason="")) == "FIELD_INVALID"
    await arrests.delete(arrest)
    assert await refusal(blocks.reveal(person)) == "DELETED"
    assert await refusal(blocks.put(person)) == "DELETED"


async def test_a_purge_takes_the_blocks_and_the_reasons_and_leaves_who_opened_them(
    arrests: Arrests, agency: Agency, blocks: Blocks
) -> None:
    made = await arrests.create(an_arrest(person=Person(display_name=NAME)))
    await blocks.put(f"{made.name}/sealedBlocks/victims", WHOLE)
    await blocks.reveal(f"{made.name}/sealedBlocks/victims", reason=NAME)
    before = await agency.service.database.read(rows)

    def purge(transaction: Any) -> None:  # noqa: ANN401 (what the sweep does with one record)
        sealed.blot_reasons(transaction, made)
        own.remove(transaction, ARRESTS.tables, ARRESTS.parse(made.name)[1].bytes)

    await agency.service.writer.run(purge)

    after: Sequence[Row[Any]] = await agency.service.database.read(rows)
    assert len(before) == 3
    assert [(row.caller, row.reason) for row in after] == [(f"{AGENCY}/officers/sato", "")]
    assert [each.name for each in (await blocks.openings(arrest=made.name)).openings] == [
        f"{made.name}/sealedBlocks/victims"
    ]
