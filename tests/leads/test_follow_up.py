"""People follow leads up over a real connection, and their word stays when leads join, grow, and the service stops."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_HANDLE, IDENTIFIER_TYPE_PHONE
from renkei.leads.v1 import follow_up_pb2 as pb
from renkei.leads.v1.leads_pb2 import (
    AgencyLeads,
    GetLeadCountsRequest,
    IdentifierTypeLeads,
    Lead,
    LeadCounts,
    ListLeadsRequest,
    WatchLeadsRequest,
)
from renkei.leads.v1.leads_pb2_grpc import LeadsServiceStub
from renkei.tips.v1.events_pb2 import TipDeleted, TipRecorded
from sqlalchemy import create_engine, inspect, select, text, update

from renkei_chassis.database.schema import migrate
from renkei_chassis.database.tables import schema_versions
from renkei_chassis.errors import RenkeiError
from renkei_leads.settings import Settings
from renkei_leads.tables import SCHEMA, follow_ups, lead_steps, leads
from renkei_leads.wiring import blueprint
from tests.leads.house import AGENCY, run_house
from tests.leads.officers import SATO, STATE, SUZUKI, Officer, kinds, name_of
from tests.leads.records import TOKYO, phone, tip, tip_name

if TYPE_CHECKING:
    from pathlib import Path

    from renkei_chassis.ports import PortClaims
    from tests.leads.house import House

WHY: Final = "(演習データ) 同姓同名"


def in_seconds(seconds: float) -> pb.SnoozeLeadRequest:
    request = pb.SnoozeLeadRequest()
    request.snooze_end_time.FromMicroseconds(int((time.time() + seconds) * 1e6))
    return request


async def found(house: House, *numbers: int, number: int = 1) -> str:
    """Let tips that share a phone be found; returns the lead's name."""
    await house.tell(*(TipRecorded(tip=tip(each, phone(number))) for each in numbers))
    return name_of(min(numbers))


async def test_a_lead_is_followed_up_from_the_first_look_to_its_end_and_comes_back_when_it_grows(house: House) -> None:
    name = await found(house, 1, 2)
    sato, suzuki, chief = Officer(house, "sato"), Officer(house, "suzuki"), Officer(house, "mori", "SUPERVISOR")
    before = await house.lead(name)

    assert (before.follow_up.state, before.follow_up.holder) == (STATE.STATE_NEW, "")
    assert before.follow_up.due_time.seconds - before.create_time.seconds == 1440 * 60
    await sato.do("MarkLeadSeen", name)
    seen = await sato.do("MarkLeadSeen", name)
    assert (seen.seen_count, seen.etag) == (1, before.follow_up.etag)

    ends = await asyncio.gather(sato.do("TakeLead", name), suzuki.do("TakeLead", name), return_exceptions=True)
    (won,) = [end for end in ends if isinstance(end, pb.FollowUp)]
    (lost,) = [end for end in ends if isinstance(end, RenkeiError)]
    assert (lost.reason, lost.metadata["holder"]) == ("LEAD_HELD", won.holder)
    if won.holder == SUZUKI:
        await suzuki.do("HandOverLead", name, assignee=SATO, reason=WHY)

    for method, more in (
        ("AcknowledgeLead", {}),
        ("HandOverLead", {"unit": "捜査二課"}),
        ("SnoozeLead", {"snooze_end_time": in_seconds(60).snooze_end_time}),
        ("ConfirmLead", {"etag": won.etag}),
        ("DismissLead", {"etag": won.etag, "reason": WHY}),
    ):
        assert (await suzuki.refused(method, name, **more)).reason == "LEAD_HELD"
    assert (await sato.refused("DismissLead", name, etag=before.follow_up.etag, reason=WHY)).reason == "ETAG_MISMATCH"
    assert (await sato.refused("DismissLead", name, reason=WHY)).reason == "FIELD_INVALID"
    assert (await sato.refused("DismissLead", name, etag="x")).reason == "FIELD_INVALID"
    assert (await sato.refused("AssignLead", name, assignee=SUZUKI)).reason == "ROLE_MISSING"
    assert (await sato.refused("ReopenLead", name, reason=WHY)).reason == "FOLLOW_UP_REFUSED"

    assigned = await chief.do("AssignLead", name, assignee=SUZUKI, unit="捜査二課")
    assert (assigned.state, assigned.holder, assigned.unit) == (STATE.STATE_TAKEN, SUZUKI, "捜査二課")
    dismissed = await suzuki.do("DismissLead", name, etag=assigned.etag, reason=WHY)
    assert (dismissed.state, dismissed.holder, dismissed.unit) == (STATE.STATE_DISMISSED, "", "捜査二課")
    refused = await sato.refused("TakeLead", name)
    assert (refused.reason, refused.metadata["state"]) == ("FOLLOW_UP_REFUSED", "DISMISSED")
    after = await house.lead(name)
    assert (after.etag, after.update_time) == (before.etag, before.update_time), "a step is no change of the lead"

    await found(house, 3)

    back = (await house.lead(name)).follow_up
    assert (back.state, back.has_grown, back.unit) == (STATE.STATE_NEW, True, "捜査二課")
    assert (await sato.refused("ConfirmLead", name, etag=dismissed.etag)).reason == "ETAG_MISMATCH"
    steps = await sato.history(name, page_size=2)
    told = kinds(steps)
    assert [told[0], *told[-3:]] == ["SEEN", "ASSIGNED", "DISMISSED", "GREW"]
    assert (steps[-2].actor, steps[-2].reason, steps[-1].actor) == (SUZUKI, WHY, "")
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    events = [event for event in await house.told() if event.type.endswith(".LeadFollowedUp")]
    assert len(events) == len(steps)
    assert not any(event.audience for event in events)


async def test_a_lead_that_joins_another_keeps_its_history_and_whoever_holds_it(house: House) -> None:
    older, newer = await found(house, 1, 2), await found(house, 11, 12, number=2)
    sato, suzuki = Officer(house, "sato"), Officer(house, "suzuki")
    await sato.do("AcknowledgeLead", older)
    await suzuki.do("TakeLead", newer, reason=WHY)

    await house.tell(TipRecorded(tip=tip(20, phone(1), phone(2))))

    joined = await house.lead(older)
    assert (joined.follow_up.state, joined.follow_up.holder) == (STATE.STATE_TAKEN, SUZUKI)
    assert kinds(await sato.history(older)) == ["ACKNOWLEDGED", "TAKEN", "CARRIED_OVER", "GREW"]
    assert kinds(await sato.history(newer)) == ["TAKEN"]
    refused = await suzuki.refused("ConfirmLead", newer, etag="any")
    assert (refused.reason, refused.metadata["merged_into"]) == ("LEAD_ENDED", older)

    await house.tell(TipDeleted(name=tip_name(20), version=1))

    assert {(lead.name, lead.follow_up.holder) for lead in await house.leads()} == {(older, SUZUKI), (newer, SUZUKI)}
    assert len(await house.leads(mine=True)) == 0
    await house.tell(TipDeleted(name=tip_name(1), version=1))
    assert (await sato.refused("TakeLead", older)).metadata["state"] == "RETRACTED"


async def test_what_is_put_off_comes_back_at_its_time_and_everybody_who_watches_hears_it(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    async with run_house(blueprint(Settings(wake_seconds=0.05)), tmp_path, ports) as house:
        name = await found(house, 1, 2)
        sato, client = Officer(house, "sato"), house.client()
        for seconds in (-5, 32 * 86400):
            refused = await sato.refused("SnoozeLead", name, snooze_end_time=in_seconds(seconds).snooze_end_time)
            assert (refused.reason, refused.metadata["max_days"]) == ("SNOOZE_TIME_INVALID", "31")
        await sato.do("TakeLead", name)
        told: list[tuple[str, int]] = []
        watch = client.watch(client.stub(LeadsServiceStub).WatchLeads, WatchLeadsRequest())
        async with asyncio.timeout(20), aclosing(watch) as answers:
            await anext(answers)
            snoozed = await sato.do("SnoozeLead", name, snooze_end_time=in_seconds(0.4).snooze_end_time)
            assert (snoozed.state, snoozed.holder) == (STATE.STATE_SNOOZED, SATO)
            async for answer in answers:
                told += [(change.kind, change.lead.follow_up.state) for change in answer.changes]
                if told and told[-1][1] == STATE.STATE_TAKEN:
                    break

        assert {each for each, _ in told} == {"LeadFollowedUp"}
        assert kinds(await sato.history(name)) == ["TAKEN", "SNOOZED", "WOKEN"]
        assert [lead.name for lead in await house.leads(mine=True)] == [name]


async def test_many_leads_are_followed_up_at_once_each_for_itself(house: House) -> None:
    names = [await found(house, 10 * number, 10 * number + 1, number=number) for number in (1, 2, 3)]
    sato, suzuki = Officer(house, "sato"), Officer(house, "suzuki")
    await suzuki.do("TakeLead", names[1])
    asked = [pb.LeadToFollowUp(name=name) for name in (*names, name_of(99), names[0])]
    same = str(uuid.uuid4())

    first = await sato.many("TAKE", *asked, request_id=same)
    again = await sato.many("TAKE", *asked, request_id=same)

    assert first == again
    assert [result.name for result in first] == [each.name for each in asked]
    assert [result.follow_up.holder for result in first] == [SATO, "", SATO, "", SATO]
    assert [result.error.message.split(";")[0] for result in first][1] == "somebody holds the lead"
    assert "(or it does not exist)" in first[3].error.message
    assert kinds(await sato.history(names[0])) == ["TAKEN"]
    for step, more, reason in (
        ("ASSIGN", {"assignee": SUZUKI}, "ROLE_MISSING"),
        ("DISMISS", {}, "FIELD_INVALID"),
        ("UNSPECIFIED", {}, "FIELD_INVALID"),
        ("TAKE", {"parent": TOKYO}, "DENIED"),
    ):
        with pytest.raises(RenkeiError) as refused:
            await sato.many(step, asked[0], **more)
        assert refused.value.reason == reason
    later = in_seconds(3600).snooze_end_time
    (snoozed,) = await sato.many("SNOOZE", asked[0], snooze_end_time=later)
    assert snoozed.follow_up.snooze_end_time == later
    assert [lead.name for lead in await house.leads(max_snooze_end_time=later)] == [names[0]]
    assert await house.leads(max_snooze_end_time=in_seconds(60).snooze_end_time) == []
    (given,) = await sato.many("HAND_OVER", asked[2], unit="捜査二課", reason=WHY)
    assert (given.follow_up.state, given.follow_up.unit) == (STATE.STATE_NEW, "捜査二課")
    assert [lead.name for lead in await house.leads(unit="捜査二課")] == [names[2]]
    assert [lead.name for lead in await house.leads(follow_up_states=[STATE.STATE_TAKEN])] == [names[1]]
    assert {lead.name for lead in await house.leads(follow_up_states=[STATE.STATE_NEW])} == {names[2]}


async def test_urgent_leads_come_first_over_all_pages(house: House) -> None:
    """Whatever the page: supported before candidates, of each what nobody looked after by its time, then the rest."""
    sato = Officer(house, "sato")
    names = [await found(house, 10 * each + 1, 10 * each + 2, number=each) for each in range(7)]
    for each in (3, 5, 6):  # what another force has too makes a lead supported
        await house.bring(TipRecorded(tip=tip(10 * each + 3, phone(each), agency=TOKYO)))
    await sato.do("MarkLeadSeen", names[2])
    await sato.do("TakeLead", names[1])
    await sato.do("AcknowledgeLead", names[5])
    await sato.do("DismissLead", names[0], etag=(await house.lead(names[0])).follow_up.etag, reason=WHY)
    await sato.do("ReopenLead", names[0], reason=WHY)  # its time runs anew

    listed = {size: await house.leads(order=ListLeadsRequest.ORDER_URGENCY, page_size=size) for size in (1, 2, 3, 50)}

    (whole, *others) = listed.values()
    assert all([lead.name for lead in other] == [lead.name for lead in whole] for other in others)
    assert [lead.name for lead in whole] == [names[each] for each in (3, 6, 5, 2, 4, 0, 1)]
    assert [lead.state for lead in whole] == [Lead.STATE_SUPPORTED] * 3 + [Lead.STATE_CANDIDATE] * 4
    due = [lead.follow_up.due_time.ToMicroseconds() for lead in whole if lead.follow_up.state == STATE.STATE_NEW]
    assert due[:2] == sorted(due[:2])
    assert due[2:] == sorted(due[2:])


async def test_counts_are_those_of_the_list_whatever_is_asked_for(house: House) -> None:
    """Counted again after every change, and by the same conditions as the list."""
    sato = Officer(house, "sato")
    client = house.client()

    async def counted(**more: Any) -> LeadCounts:  # noqa: ANN401 (fields of the request)
        request = GetLeadCountsRequest(parent=AGENCY, **more)
        return await client.call(client.stub(LeadsServiceStub).GetLeadCounts, request)

    def recounted(listed: list[Lead]) -> LeadCounts:
        sure = [lead for lead in listed if lead.state == Lead.STATE_SUPPORTED]
        where = {lead.name: {record.name.rpartition("/tips/")[0] for record in lead.records} for lead in listed}
        kinds = Counter(kind for lead in listed for kind in {each.type for each in lead.evidence})
        return LeadCounts(
            leads=len(listed),
            supported=len(sure),
            agencies=[
                AgencyLeads(
                    agency=agency,
                    leads=sum(agency in each for each in where.values()),
                    supported=sum(agency in where[lead.name] for lead in sure),
                )
                for agency in sorted(set().union(*where.values()))
            ],
            types=[IdentifierTypeLeads(type=kind, leads=number) for kind, number in sorted(kinds.items())],
        )

    assert await counted() == LeadCounts()
    names = [await found(house, 10 * each + 1, 10 * each + 2, number=each) for each in range(4)]
    await house.bring(TipRecorded(tip=tip(13, phone(1), agency=TOKYO)))
    everything = await house.leads()
    assert await counted() == await counted() == recounted(everything)
    assert (await counted()).agencies[1].agency == TOKYO
    await sato.do("TakeLead", names[2])
    taken = {"follow_up_states": [STATE.STATE_TAKEN]}
    assert await counted(**taken) == recounted(await house.leads(**taken))
    assert (await counted(follow_up_states=[STATE.STATE_NEW])).leads == 3
    middle = sorted(lead.update_time.ToMicroseconds() for lead in everything)[2]
    since = Timestamp()
    since.FromMicroseconds(middle)
    assert ((await counted(min_update_time=since)).leads, (await counted(max_update_time=since)).leads) == (2, 2)
    assert (await counted(identifier_type=IDENTIFIER_TYPE_PHONE)).leads == 4
    assert await counted(identifier_type=IDENTIFIER_TYPE_HANDLE) == LeadCounts()
    await house.tell(TipDeleted(name=tip_name(31), version=2))
    assert await counted() == recounted(await house.leads())


async def test_whoever_is_nobody_here_learns_and_does_nothing(house: House) -> None:
    name = await found(house, 1, 2)
    sato, auditor = Officer(house, "sato"), Officer(house, "kato", "AUDITOR")

    assert (await auditor.refused("TakeLead", name)).reason == "ROLE_MISSING"
    stub = LeadsServiceStub
    for role, parent, reason in (("AUDITOR", AGENCY, "ROLE_MISSING"), ("OFFICER", TOKYO, "DENIED")):
        client = house.client(role)
        with pytest.raises(RenkeiError) as uncounted:
            await client.call(client.stub(stub).GetLeadCounts, GetLeadCountsRequest(parent=parent))
        assert uncounted.value.reason == reason
    refusals = set()
    for asked in (name.replace("jp-12", "jp-13"), name_of(99)):
        for refused in (await sato.refused("TakeLead", asked), await sato.refused("MarkLeadSeen", asked)):
            refusals.add((refused.reason, refused.message))
        with pytest.raises(RenkeiError) as unlisted:
            await sato.history(asked)
        refusals.add((unlisted.value.reason, unlisted.value.message))
    assert len(refusals) == 1
    for more in ({}, {"assignee": f"{TOKYO}/officers/ito"}, {"assignee": f"{AGENCY}/tips/x", "unit": "捜査二課"}):
        assert (await sato.refused("HandOverLead", name, **more)).reason == "ASSIGNEE_INVALID"
    assert await sato.history(name) == []


async def test_what_people_did_is_there_after_a_restart_and_a_repeat_changes_nothing(
    tmp_path: Path, ports: PortClaims, kind: str
) -> None:
    same = str(uuid.uuid4())
    async with run_house(blueprint(Settings()), tmp_path, ports) as house:
        name = await found(house, 1, 2)
        taken = await Officer(house, "sato").do("TakeLead", name, request_id=same, reason=WHY)

    async with run_house(blueprint(Settings()), tmp_path, ports) as house:
        sato = Officer(house, "sato")
        assert await sato.do("TakeLead", name, request_id=same, reason=WHY) == taken
        assert (await sato.refused("TakeLead", name, request_id=same)).reason == "REQUEST_ID_REUSED"
        (step,) = await sato.history(name)
        assert (step.actor, step.reason, step.time) == (SATO, WHY, taken.update_time)
        await sato.do("ConfirmLead", name, etag=taken.etag)
        assert (await sato.do("ReopenLead", name, reason=WHY)).state == STATE.STATE_NEW
        assert (await house.lead(name)).state == Lead.STATE_CANDIDATE


def test_a_database_of_before_gets_the_tables() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, [SCHEMA])
        for table in (follow_ups, lead_steps):
            table.drop(connection)
        connection.execute(text("ALTER TABLE occurrence DROP COLUMN part"))  # came later
        connection.execute(text("DROP INDEX lead_by_creation"))
        connection.execute(update(schema_versions).values(version=1))

        migrate(connection, [SCHEMA])

        assert "lead_by_creation" in {index["name"] for index in inspect(connection).get_indexes(leads.name)}
        assert {follow_ups.name, lead_steps.name} <= set(inspect(connection).get_table_names())
        assert connection.execute(select(schema_versions.c.version)).scalar_one() == SCHEMA.version
