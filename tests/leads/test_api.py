"""The methods of LeadsService over a real connection."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from renkei.leads.v1.leads_pb2 import GetLeadRequest, Lead, LeadChange, ListLeadsRequest, WatchLeadsRequest
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.tips.v1.events_pb2 import TipDeleted, TipRecorded

from renkei_chassis.errors import InvalidArgument, NotAllowed, NotFoundOrDenied
from renkei_leads import api
from renkei_leads.settings import Settings
from renkei_leads.succession import lead_id
from renkei_leads.wiring import blueprint
from tests.leads.house import AGENCY, run_house
from tests.leads.records import TOKYO, phone, tip, tip_name

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from tests.leads.house import House

UNKNOWN_STATE = ListLeadsRequest(parent=AGENCY).SerializeToString() + b"\x22\x01\x63"


async def pairs(house: House, count: int) -> list[str]:
    """Let so many leads be found, one after the other; returns their names."""
    for number in range(count):
        await house.tell(*(TipRecorded(tip=tip(2 * number + which, phone(number))) for which in (1, 2)))
    return [f"{AGENCY}/leads/{lead_id(tip_name(2 * number + 1))}" for number in range(count)]


async def test_a_lead_is_got_by_its_name(house: House) -> None:
    (name,) = await pairs(house, 1)

    lead = await house.lead(name)

    assert lead.name == name
    assert lead.state == Lead.STATE_CANDIDATE
    assert lead.etag
    assert lead.create_time == lead.update_time
    assert lead.create_time.seconds > 0


async def test_missing_and_foreign_leads_look_the_same(house: House) -> None:
    (name,) = await pairs(house, 1)
    refusals = set()

    for asked in (name.replace("jp-12", "jp-13"), f"{AGENCY}/leads/{lead_id('x')}", f"{AGENCY}/leads/slug"):
        with pytest.raises(NotFoundOrDenied) as refused:
            await house.lead(asked)
        refusals.add((refused.value.reason, refused.value.message, str(refused.value.metadata)))

    assert len(refusals) == 1


@pytest.mark.parametrize("name", [f"{AGENCY}/tips/x", "leads/x", f"{AGENCY}/leads/X", f"{AGENCY}/leads/"])
async def test_what_is_no_leads_name_is_refused_as_such(house: House, name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await house.lead(name)

    assert refused.value.reason == "INVALID_RESOURCE_NAME"


async def test_only_the_roles_of_the_contract_read_leads(house: House) -> None:
    client = house.client("AUDITOR")

    with pytest.raises(NotAllowed) as refused:
        await client.call(client.stub(LeadsServiceStub).ListLeads, ListLeadsRequest(parent=AGENCY))

    assert refused.value.reason == "ROLE_MISSING"


async def test_pages_give_each_lead_once_the_last_changed_first(house: House) -> None:
    names = await pairs(house, 5)
    await house.tell(TipRecorded(tip=tip(90, phone(1))))

    listed = await house.leads(page_size=2)

    assert [lead.name for lead in listed] == [names[1], names[4], names[3], names[2], names[0]]


async def test_a_page_is_cut_before_it_is_too_long_for_a_client(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_MAX_ANSWER_BYTES", 1)
    names = await pairs(house, 3)
    client = house.client()

    first = await client.call(client.stub(LeadsServiceStub).ListLeads, ListLeadsRequest(parent=AGENCY))
    everything = await house.leads()

    assert len(first.leads) == 1
    assert sorted(lead.name for lead in everything) == sorted(names)


async def test_leads_are_listed_by_state_and_by_record(house: House) -> None:
    names = await pairs(house, 3)
    await house.tell(TipDeleted(name=tip_name(1), version=1))

    assert [lead.name for lead in await house.leads(states=[Lead.STATE_RETRACTED])] == [names[0]]
    assert [lead.name for lead in await house.leads(record=tip_name(4))] == [names[1]]
    assert await house.leads(record=tip_name(1)) == []
    assert len(await house.leads(states=[1, 2, 3, 4])) == 3


async def test_a_page_token_of_another_query_is_refused(house: House) -> None:
    await pairs(house, 2)
    client = house.client()
    leads = client.stub(LeadsServiceStub)
    page = await client.call(leads.ListLeads, ListLeadsRequest(parent=AGENCY, page_size=1))

    for query in (
        ListLeadsRequest(parent=AGENCY, page_token=page.next_page_token, record=tip_name(1)),
        ListLeadsRequest(parent=AGENCY, page_token=f"{page.next_page_token[:-1]}!"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            await client.call(leads.ListLeads, query)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        pytest.param(ListLeadsRequest(), "FIELD_INVALID", id="no parent"),
        pytest.param(ListLeadsRequest(parent="jp-12"), "INVALID_RESOURCE_NAME", id="no name"),
        pytest.param(ListLeadsRequest(parent=AGENCY, page_size=-1), "FIELD_INVALID", id="a negative size"),
        pytest.param(ListLeadsRequest.FromString(UNKNOWN_STATE), "FIELD_INVALID", id="an unknown state"),
        pytest.param(ListLeadsRequest(parent=AGENCY, record="x" * 129), "FIELD_INVALID", id="a long record"),
        pytest.param(ListLeadsRequest(parent=AGENCY, record="\0"), "FIELD_INVALID", id="a NUL"),
    ],
)
async def test_a_bad_query_is_refused_with_its_reason(house: House, request_: ListLeadsRequest, reason: str) -> None:
    client = house.client()

    with pytest.raises(InvalidArgument) as refused:
        await client.call(client.stub(LeadsServiceStub).ListLeads, request_)

    assert refused.value.reason == reason


async def test_the_leads_of_another_agency_cannot_be_listed(house: House) -> None:
    client = house.client()

    with pytest.raises(NotFoundOrDenied):
        await client.call(client.stub(LeadsServiceStub).ListLeads, ListLeadsRequest(parent=TOKYO))


async def test_while_the_exchange_says_nothing_every_peer_counts_as_cut_off(tmp_path: Path, ports: PortClaims) -> None:
    async with run_house(blueprint(Settings(members=(AGENCY, TOKYO))), tmp_path, ports) as house:
        client = house.client()

        page = await client.call(client.stub(LeadsServiceStub).ListLeads, ListLeadsRequest(parent=AGENCY))

    assert list(page.unreachable) == [TOKYO]


async def test_a_watch_tells_what_happens_and_resumes_where_it_was(house: House) -> None:
    client = house.client()
    watch = client.stub(LeadsServiceStub).WatchLeads
    seen: list[LeadChange] = []

    async with asyncio.timeout(20), aclosing(client.watch(watch, WatchLeadsRequest())) as answers:
        token = (await anext(answers)).resume_token
        (name,) = await pairs(house, 1)
        seen.extend((await anext(answers)).changes)
    await house.tell(TipDeleted(name=tip_name(2), version=1))
    async with asyncio.timeout(20), aclosing(client.watch(watch, WatchLeadsRequest(resume_token=token))) as answers:
        async for answer in answers:
            seen.extend(answer.changes)
            if len(seen) == 3:
                break

    assert [(change.kind, change.lead.name) for change in seen] == [
        ("LeadFound", name),
        ("LeadFound", name),
        ("LeadRetracted", name),
    ]
    assert seen[1].lead.state == Lead.STATE_RETRACTED
    assert seen[1].time == seen[0].time


async def test_a_watch_from_the_start_is_cut_into_answers_that_fit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_MAX_ANSWER_BYTES", 1)
    names = await pairs(house, 3)
    client = house.client()
    watch = client.watch(client.stub(LeadsServiceStub).WatchLeads, WatchLeadsRequest(from_start=True))
    sizes: list[int] = []
    seen: list[str] = []

    async with asyncio.timeout(20), aclosing(watch) as answers:
        async for answer in answers:
            sizes.append(len(answer.changes))
            seen.extend(change.lead.name for change in answer.changes)
            if len(seen) == 3:
                break

    assert seen == names
    assert max(sizes) == 1


async def test_a_token_that_was_not_made_here_is_refused(house: House) -> None:
    client = house.client()
    watch = client.watch(client.stub(LeadsServiceStub).WatchLeads, WatchLeadsRequest(resume_token="forged"))

    with pytest.raises(InvalidArgument) as refused:
        async with asyncio.timeout(20), aclosing(watch) as answers:
            await anext(answers)

    assert refused.value.reason == "INVALID_RESUME_TOKEN"


async def test_a_name_of_a_hundred_thousand_characters_is_refused(house: House) -> None:
    client = house.client()

    with pytest.raises(InvalidArgument) as refused:
        await client.call(client.stub(LeadsServiceStub).GetLead, GetLeadRequest(name="x" * 100_000))

    assert refused.value.reason == "FIELD_INVALID"
