"""Two agencies: what is purged at one is in no file of either any more, whatever kept a copy of it."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.exhibits_pb2 import CreateExhibitRequest, Exhibit
from renkei.arrests.v1.exhibits_pb2_grpc import ExhibitsServiceStub
from renkei.leads.v1 import leads_pb2
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.records.texts.postings import of_block
from renkei_chassis.records.texts.tokens import pairs_of_part
from tests.arrests.calls import a_device, an_arrest
from tests.arrests.calls import an_occurrence as in_arrest
from tests.system.federation import Federation, Member, until
from tests.tips.calls import a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHIBA, TOKYO = "jp-12", "jp-13"
HERE, THERE = f"agencies/{CHIBA}", f"agencies/{TOKYO}"
PHONE: Final = "090-7731-4461"
NORMAL: Final = "+819077314461"
HASTY: Final = ("-m", "tests.system.hasty_node", "up")
TEXT, CORRECTED, PERSON, REASON, KEPT, ITEM = (f"RKPURGE{word}{uuid.uuid4().hex}" for word in "abcdef")
# As the index of searches holds the last digits of the number.
INDEXED: Final = of_block(pairs_of_part(PHONE[-4:])[0].numbers[0], 0).to_bytes(8, "little")
GOES: Final = (TEXT, CORRECTED, PERSON, REASON, PHONE, NORMAL, ITEM, INDEXED)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def federation(tmp_path: Path) -> AsyncIterator[Federation]:
    made = await asyncio.to_thread(Federation, tmp_path, (CHIBA, TOKYO))
    await asyncio.to_thread(made.set_up)
    for member in made.members.values():
        member.command = HASTY
        member.environment = {
            f"RENKEI_{service}_PURGE_{what}": value
            for service in ("TIPS", "ARRESTS")
            for what, value in (("SECONDS", "0.1"), ("HOURS", "1"))
        }
    await made.start()
    yield made
    await made.stop()


async def record_tip(member: Member, text: str, phone: str, *audience: str) -> tips_pb2.Tip:
    tip = a_tip(releasable_to=audience, text=f"(演習データ) {text}", identifiers=[an_occurrence(phone)])
    client = await member.client("tips")
    request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=member.name, tip=tip)
    return await client.call(client.stub(TipsServiceStub).CreateTip, request)


async def update_tip(member: Member, tip: tips_pb2.Tip, path: str) -> tips_pb2.Tip:
    client = await member.client("tips")
    request = tips_pb2.UpdateTipRequest(request_id=str(uuid.uuid4()), tip=tip, reason=REASON)
    request.update_mask.paths.append(path)
    return await client.call(client.stub(TipsServiceStub).UpdateTip, request)


async def record_arrest(member: Member, *audience: str) -> arrests_pb2.Arrest:
    arrest = an_arrest(releasable_to=audience, seized_items=[a_device(in_arrest(PHONE))])
    arrest.person.display_name = PERSON
    client = await member.client("arrests")
    request = arrests_pb2.CreateArrestRequest(request_id=str(uuid.uuid4()), parent=member.name, arrest=arrest)
    return await client.call(client.stub(ArrestsServiceStub).CreateArrest, request)


async def record_exhibit(member: Member, arrest: str) -> None:
    exhibit = Exhibit(kind=Exhibit.KIND_ENTRY, description=ITEM, identifiers=[in_arrest(PHONE)])
    client = await member.client("arrests")
    request = CreateExhibitRequest(request_id=str(uuid.uuid4()), parent=arrest, exhibit=exhibit)
    await client.call(client.stub(ExhibitsServiceStub).CreateExhibit, request)


async def update_arrest(member: Member, arrest: arrests_pb2.Arrest, path: str) -> None:
    client = await member.client("arrests")
    request = arrests_pb2.UpdateArrestRequest(request_id=str(uuid.uuid4()), arrest=arrest, reason=REASON)
    request.update_mask.paths.append(path)
    await client.call(client.stub(ArrestsServiceStub).UpdateArrest, request)


async def leads(member: Member) -> list[leads_pb2.Lead]:
    client = await member.client("leads")
    request = leads_pb2.ListLeadsRequest(parent=member.name)
    return list((await client.call(client.stub(LeadsServiceStub).ListLeads, request)).leads)


async def holds(member: Member, table: str, count: int) -> bool:
    database = table.partition("_")[0] + "s"
    rows = await asyncio.to_thread(member.rows, database, f"SELECT count(*) FROM {table}")  # noqa: S608
    return int(str(rows[0][0])) == count


async def has_lead(member: Member) -> bool:
    return len(await leads(member)) == 1


async def is_clean(member: Member) -> bool:
    return await asyncio.to_thread(member.bytes_with, GOES) == {}


async def is_indexed(member: Member) -> bool:
    return INDEXED in await asyncio.to_thread(member.bytes_with, [INDEXED])


async def test_no_file_of_two_nodes_holds_anything_of_what_was_purged(federation: Federation) -> None:
    chiba, tokyo = federation[CHIBA], federation[TOKYO]
    tip = await record_tip(chiba, TEXT, PHONE, THERE)
    tip.text = f"(演習データ) {CORRECTED}"
    tip = await update_tip(chiba, tip, "text")
    arrest = await record_arrest(chiba, THERE)
    await record_exhibit(chiba, arrest.name)
    kept = await record_tip(chiba, KEPT, "090-1111-2222", THERE)
    await until(partial(holds, tokyo, "tip_copy", 2))
    await until(partial(holds, tokyo, "arrest_copy", 1))
    await until(partial(holds, tokyo, "arrest_exhibit_copy", 1))
    for member in (chiba, tokyo):
        await until(partial(has_lead, member))
        await until(partial(is_indexed, member))
    here, there = [set(await asyncio.to_thread(member.bytes_with, GOES)) for member in (chiba, tokyo)]

    for record in (tip, arrest):
        record.handling.purge_by.GetCurrentTime()
    await update_tip(chiba, tip, "handling.purge_by")
    await update_arrest(chiba, arrest, "handling.purge_by")
    for member, table, count in (
        (chiba, "tip", 1),
        (chiba, "arrest", 0),
        (tokyo, "tip_copy", 1),
        (tokyo, "arrest_copy", 0),
        (tokyo, "arrest_exhibit_copy", 0),
    ):
        await until(partial(holds, member, table, count))
    for member in (chiba, tokyo):
        await until(partial(is_clean, member))

    assert here == set(GOES)  # the search finds what is there
    assert {CORRECTED, NORMAL, ITEM, INDEXED} <= there
    for member in (chiba, tokyo):
        assert await leads(member) == []
        assert await asyncio.to_thread(member.bytes_with, [KEPT]) != {}
    assert await asyncio.to_thread(tokyo.copies) == [kept.name]
