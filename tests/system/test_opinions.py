"""Two nodes, one with files and one with PostgreSQL: a sighting reaches the originator, links, and goes again."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from renkei.identifiers.v1.identifiers_pb2 import PROVENANCE_OBSERVATION
from renkei.leads.v1 import leads_pb2
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.tips.v1 import opinions_pb2
from renkei.tips.v1.opinions_pb2 import Opinion
from renkei.tips.v1.opinions_pb2_grpc import OpinionsServiceStub
from renkei.tips.v1.tips_pb2 import DeleteTipRequest
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_node.layout import SERVICES
from tests.postgres_server import FAST, PostgresServer
from tests.system.federation import Federation, Member, until
from tests.tips.calls import an_occurrence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHIBA, TOKYO = "jp-12", "jp-13"
MARKER = f"RKSIGHT{uuid.uuid4().hex}"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def federation(tmp_path: Path) -> AsyncIterator[Federation]:
    server = await asyncio.to_thread(PostgresServer, FAST)
    for service in SERVICES:
        await asyncio.to_thread(server.run, f"CREATE DATABASE {service} TEMPLATE template0")
    made = await asyncio.to_thread(Federation, tmp_path, (CHIBA, TOKYO), {TOKYO: server})
    await asyncio.to_thread(made.set_up)
    await made.start()
    yield made
    await made.stop()
    await asyncio.to_thread(server.close)


async def ask(member: Member, method: str, **fields: Any) -> Any:  # noqa: ANN401 (any method)
    client = await member.client("tips")
    kind = getattr(opinions_pb2, f"{method}Request")
    if "request_id" in kind.DESCRIPTOR.fields_by_name:
        fields["request_id"] = str(uuid.uuid4())
    return await client.call(getattr(client.stub(OpinionsServiceStub), method), kind(**fields))


async def told_of(member: Member, tip: str) -> list[Opinion]:
    return list((await ask(member, "ListOpinions", parent="agencies/-", tip=tip)).opinions)


async def linked(member: Member) -> set[str]:
    client = await member.client("leads")
    request = leads_pb2.ListLeadsRequest(parent=member.name)
    leads = (await client.call(client.stub(LeadsServiceStub).ListLeads, request)).leads
    return {record.name for lead in leads for record in lead.records}


async def test_a_sighting_reaches_the_originator_and_links_on_both_sides(federation: Federation) -> None:
    chiba, tokyo = federation[CHIBA], federation[TOKYO]
    tip = (await federation.record(TOKYO, CHIBA, number=1)).name  # 090-1001-0000
    await until(lambda: _copied(chiba, tip))
    sighting = Opinion(
        tip=tip,
        stance=Opinion.STANCE_SIGHTED,
        text=f"(演習データ) {MARKER}",
        identifiers=[an_occurrence("090-1001-0000", provenance=PROVENANCE_OBSERVATION)],
    )
    sighting.handling.purpose_code = "organised-robbery"
    sighting.handling.releasable_to.append(tokyo.name)
    sighting.observe_time.GetCurrentTime()

    given = await ask(chiba, "CreateOpinion", parent=chiba.name, opinion=sighting)
    await until(lambda: _has(tokyo, tip, version=1))
    for member in (chiba, tokyo):
        await until(lambda member=member: _links(member, {tip, given.name}))  # type: ignore[misc]  # bound at once
    given.text = f"(演習データ) {MARKER} 訂正"
    mask, reason = {"paths": ["text"]}, "(演習) 訂正"
    given = await ask(chiba, "UpdateOpinion", opinion=given, update_mask=mask, reason=reason)
    await until(lambda: _has(tokyo, tip, version=2))
    client = await tokyo.client("tips")
    deletion = DeleteTipRequest(request_id=str(uuid.uuid4()), name=tip, reason="(演習)")
    await client.call(client.stub(TipsServiceStub).DeleteTip, deletion)
    await until(lambda: _links(chiba, set()))
    (outlives,) = await told_of(chiba, tip)
    await ask(chiba, "DeleteOpinion", name=given.name, reason="(演習)")
    await until(lambda: _has(tokyo, tip, version=0))

    assert (outlives.name, outlives.text) == (given.name, given.text)
    assert await told_of(chiba, tip) == []


async def _copied(member: Member, tip: str) -> bool:
    return tip in await asyncio.to_thread(member.copies)


async def _has(member: Member, tip: str, *, version: int) -> bool:
    found = await told_of(member, tip)
    return (found[0].version if found else 0) == version and all(MARKER in one.text for one in found)


async def _links(member: Member, names: set[str]) -> bool:
    return await linked(member) == names
