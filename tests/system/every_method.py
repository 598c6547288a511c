"""Every method of every service, called by a client that is not ours as somebody would use it."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc

from tests.system.federation import until
from tests.system.refusals import (
    ARRESTS,
    BLOCKS,
    CLOCKS,
    EXCHANGE,
    EXHIBITS,
    FOLLOW_UP,
    LEADS,
    LOG,
    OPINIONS,
    THERE,
    TIPS,
    Ground,
    a_phone,
    a_tip,
    new_id,
    service_token,
)
from tests.system.refused_records import acknowledge, follow_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


PHONE = "090-1234-5678"


async def call_every_method(here: Ground) -> None:
    """Run the whole API once."""
    await _records(here)
    await _life_of_a_tip(here)
    await _source_of_a_tip(here)
    await _opinions(here)
    await _arrests(here)
    await _clocks(here)
    await _chains_and_purge_reviews(here)
    await _exhibits(here)
    await _sealed_blocks(here)
    await _leads(here)
    await _lanes_and_logs(here)
    await _watch_over_a_restart(here)
    await _load_over_a_restart(here)


async def _records(here: Ground) -> None:
    """Create, read, correct, delete, restore, page through, search."""
    label = {"purpose_code": "organised-robbery", "releasable_to": [f"agencies/{THERE}"]}
    request_id = new_id()
    made = await here.create(request_id=request_id, handling=label, identifiers=[a_phone(PHONE)])
    assert await here.create(request_id=request_id, handling=label, identifiers=[a_phone(PHONE)]) == made
    assert await here.call(f"{TIPS}/GetTip", {"name": made["name"]}) == made

    corrected = await here.update(made)
    assert (corrected["version"], corrected["text"]) == (2, "演習データ 2")
    deleted = await here.delete(made["name"])
    assert "delete_time" in deleted
    restored = await here.call(f"{TIPS}/UndeleteTip", {"request_id": new_id(), "name": made["name"]})
    assert restored["text"] == "演習データ 2"

    names = [made["name"], *[(await here.create(text=f"演習データ {number}"))["name"] for number in range(6)]]
    listing = {"parent": here.member.name, "page_size": 3}
    paging = here.js.pages(here.address(TIPS), f"{TIPS}/ListTips", listing, token=await here.token())
    pages = [[tip["name"] for tip in page["tips"]] async for page in paging]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [name for page in pages for name in page] == names[::-1]
    found = await here.call(f"{TIPS}/SearchTips", {"identifier": "0901234"})
    assert [tip["name"] for tip in found["tips"]] == [made["name"]]


async def _life_of_a_tip(here: Ground) -> None:
    """Triage, assign, dispose, merge, unmerge, review, and read the steps."""
    views = await here.call(f"{TIPS}/GetGradingViews", {"scheme": "GRADING_SCHEME_ADMIRALTY", "code": "B3"})
    whole, made = await here.create(), await here.create(grading=views["grading"])
    assert made["grading"]["original_code"] == "B3"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("TriageTip", {}),
        ("AssignTip", {"unit": "(演習) 捜査一課"}),
        ("RecordTipDisposition", {"disposition": "DISPOSITION_ACTIONED"}),
        ("MergeTip", {"into": whole["name"]}),
        ("UnmergeTip", {}),
    ]
    states = [(await here.step(method, made, **fields))["state"].removeprefix("STATE_") for method, fields in steps]
    assert states == ["TRIAGED", "ASSIGNED", "ACTIONED", "MERGED", "ACTIONED"]

    due = {"parent": here.member.name, "due_before": {"seconds": 4_000_000_000}}
    waiting = await here.call(f"{TIPS}/ListTipsDueForReview", due)
    assert made["name"] in [tip["name"] for tip in waiting["tips"]]
    for tip in (made, whole):
        reviewed = await here.step("ReviewTip", tip, outcome="OUTCOME_DELETE")
        assert "delete_time" in reviewed
    asked = {"name": made["name"], "from_version": 1, "to_version": 3}
    compared = await here.call(f"{TIPS}/ListTipDifferences", asked)
    assert [each["path"] for each in compared["differences"]] == ["state", "unit"]
    told = await here.call(f"{TIPS}/ListTipSteps", {"name": made["name"]})
    assert [(step["version"], step.get("deleted", False)) for step in told["steps"][:2]] == [(7, True), (7, False)]
    assert len(told["steps"]) == 8


async def _source_of_a_tip(here: Ground) -> None:
    made = await here.create()
    identity = {"person_name": "(演習) 架空"}
    setting = {"request_id": new_id(), "tip": made["name"], "identity": identity}
    assert (await here.call(f"{TIPS}/SetTipSource", setting))["known"]
    opening = {"request_id": new_id(), "tip": made["name"], "reason": "(演習)"}
    assert await here.call(f"{TIPS}/RevealTipSource", opening) == identity
    listed = await here.call(f"{TIPS}/ListTipSourceOpenings", {"parent": here.member.name})
    assert [each["tip"] for each in listed["openings"]] == [made["name"]]
    await here.step("ReviewTip", made, outcome="OUTCOME_DELETE")


async def _arrests(here: Ground) -> None:
    made = await here.create_arrest(seized_items=[{"description": "携帯", "identifiers": [a_phone(PHONE)]}])
    listed = await here.call(f"{ARRESTS}/ListArrests", {"parent": "agencies/-"})
    found = await here.call(f"{ARRESTS}/SearchArrests", {"identifier": PHONE})
    got = await here.call(f"{ARRESTS}/GetArrest", {"name": made["name"]})
    assert [[arrest["name"] for arrest in answer["arrests"]] for answer in (listed, found)] == [[made["name"]]] * 2
    assert got["etag"] == made["etag"]

    mask = {"paths": ["offence"]}
    change = {"request_id": new_id(), "arrest": {**got, "offence": "(演習データ) 強盗"}, "update_mask": mask}
    changed = await here.call(f"{ARRESTS}/UpdateArrest", {**change, "reason": "(演習)"})
    outcome = {"kind": "KIND_INDICTED", "time": {"seconds": 1_728_000_000}}
    request = {"request_id": new_id(), "name": made["name"], "etag": changed["etag"], "disposition": outcome}
    disposed = await here.call(f"{ARRESTS}/RecordDisposition", request)
    assert (disposed["state"], disposed["version"]) == ("STATE_DISPOSED", 3)
    compared = await here.call(f"{ARRESTS}/ListArrestDifferences", {"name": made["name"], "to_version": 2})
    assert [each["path"] for each in compared["differences"]] == ["offence"]
    assert (compared["from"]["version"], compared["to"]["reason"]) == (1, "(演習)")
    review = {"request_id": new_id(), "name": made["name"], "reason": "(演習)", "outcome": "OUTCOME_KEEP"}
    assert (await here.call(f"{ARRESTS}/ReviewArrest", review))["review"]["outcome"] == "OUTCOME_KEEP"
    waiting = {"parent": here.member.name, "due_before": {"seconds": 4_000_000_000}}
    waits = await here.call(f"{ARRESTS}/ListArrestsDueForReview", waiting)
    assert [arrest["name"] for arrest in waits["arrests"]] == [made["name"]]

    deletion = {"request_id": new_id(), "name": made["name"], "reason": "(演習)"}
    await here.call(f"{ARRESTS}/DeleteArrest", deletion)
    await here.call(f"{ARRESTS}/UndeleteArrest", {"request_id": new_id(), "name": made["name"]})
    rows = [{"row": 1, "arrest": {**got, "text": "演習データ"}}, {"row": 2, "arrest": {**got, "offence": ""}}]
    loaded = await _load(here, f"{ARRESTS}/LoadArrests", rows)
    assert ["error" in result for result in loaded] == [False, True]
    assert loaded[1]["error"]["reason"] == "FIELD_INVALID"

    path = f"{ARRESTS}/WatchArrests"
    async with aclosing(
        here.js.watch(here.address(path), path, {"from_start": True}, token=await here.token())
    ) as answers:
        kinds = await _kinds(answers, 5)
    assert kinds[:3] == ["ArrestRecorded", "ArrestRevised", "DispositionRecorded"]


async def _chains_and_purge_reviews(here: Ground) -> None:
    first = await here.create_arrest()
    later = await here.create_arrest(restraint_time={"seconds": 1_729_000_000}, earlier_arrest=first["name"])
    chain = await here.call(f"{ARRESTS}/ListArrestChain", {"name": first["name"]})
    assert [each["name"] for each in chain["arrests"]] == [first["name"], later["name"]]

    outcome = {"kind": "KIND_NOT_INDICTED", "ground": "GROUND_NO_SUSPICION", "time": {"seconds": 1_730_000_000}}
    request = {"request_id": new_id(), "name": later["name"], "etag": later["etag"], "disposition": outcome}
    await here.call(f"{ARRESTS}/RecordDisposition", request)
    (review,) = (await here.call(f"{ARRESTS}/ListPurgeReviews", {"parent": here.member.name}))["reviews"]
    decision = {"decision": "PURGE_DECISION_PURGE", "reason": "(演習)"}
    request = {"request_id": new_id(), "name": review["name"], **decision}
    assert (await here.call(f"{ARRESTS}/DecidePurgeReview", request))["decision"] == "PURGE_DECISION_PURGE"


async def _exhibits(here: Ground) -> None:
    arrest = (await here.create_arrest())["name"]
    request = {"request_id": new_id(), "parent": arrest, "exhibit": {"kind": "KIND_DEVICE"}}
    phone = await here.call(f"{EXHIBITS}/CreateExhibit", request)
    entry = {"kind": "KIND_ENTRY", "within": phone["name"]}
    rows = [{"row": 1, "exhibit": entry}, {"row": 2, "exhibit": {"kind": "KIND_ENTRY"}, "within_row": 7}]
    first, second = await _load(here, f"{EXHIBITS}/LoadExhibits", rows, parent=arrest)
    assert second["error"]["reason"] == "EXHIBIT_WITHIN_UNKNOWN"
    listed = (await here.call(f"{EXHIBITS}/ListExhibits", {"parent": arrest, "within": phone["name"]}))["exhibits"]
    assert [each["name"] for each in listed] == [first["name"]]
    got = await here.call(f"{EXHIBITS}/GetExhibit", {"name": first["name"]})
    assert got == listed[0]
    change = {
        "exhibit": {**got, "description": "(演習)"},
        "update_mask": {"paths": ["description"]},
        "reason": "(演習)",
    }
    assert (await here.call(f"{EXHIBITS}/UpdateExhibit", {"request_id": new_id(), **change}))["version"] == 2
    path = f"{EXHIBITS}/ReadExhibits"
    async with aclosing(
        here.js.watch(here.address(path), path, {"parent": arrest}, token=await here.token())
    ) as answers:
        read = (await anext(answers))["exhibits"]
    assert [each["version"] for each in read] == [1, 2]
    deletion = {"request_id": new_id(), "name": phone["name"], "reason": "(演習)"}
    assert (await here.call(f"{EXHIBITS}/DeleteExhibit", deletion))["delete_time"]


async def _sealed_blocks(here: Ground) -> None:
    made = await here.create_arrest(person={"display_name": "(演習) 甲"})
    name = f"{made['name']}/sealedBlocks/person"
    assert (await here.call(f"{BLOCKS}/GetSealedBlock", {"name": name}))["known"]
    content = {"person": {"display_name": "(演習) 乙"}}
    await here.call(f"{BLOCKS}/SetSealedBlock", {"request_id": new_id(), "name": name, "content": content})
    opening = {"request_id": new_id(), "name": name, "reason": "(演習)"}
    assert (await here.call(f"{BLOCKS}/RevealSealedBlock", opening))["person"] == content["person"]
    told = await here.call(f"{BLOCKS}/ListSealedOpenings", {"parent": here.member.name})
    assert [each["name"] for each in told["openings"]] == [name]


async def _opinions(here: Ground) -> None:
    tip = (await here.received())["name"]
    seen = {"stance": "STANCE_SIGHTED", "observe_time": {"seconds": 1_728_000_000}, "identifiers": [a_phone(PHONE)]}
    made = await here.opine(tip, tip.rpartition("/tips/")[0], **seen)
    got = await here.call(f"{OPINIONS}/GetOpinion", {"name": made["name"]})
    assert got["identifiers"][0]["identifier"]["normal_form"] == "+819012345678"

    change = {"opinion": {**made, "text": "演習データ 2"}, "update_mask": {"paths": ["text"]}, "reason": "(演習)"}
    await here.call(f"{OPINIONS}/UpdateOpinion", {"request_id": new_id(), **change})
    named = {"name": made["name"], "reason": "(演習)"}
    await here.call(f"{OPINIONS}/DeleteOpinion", {"request_id": new_id(), **named})
    await here.call(f"{OPINIONS}/UndeleteOpinion", {"request_id": new_id(), "name": made["name"]})
    await here.call(f"{OPINIONS}/ReviewOpinion", {"request_id": new_id(), **named, "outcome": "OUTCOME_KEEP"})
    parent = {"parent": here.member.name}
    (listed,) = (await here.call(f"{OPINIONS}/ListOpinions", {**parent, "tip": tip}))["opinions"]
    (found,) = (await here.call(f"{OPINIONS}/SearchOpinions", {"identifier": PHONE}))["opinions"]
    assert listed["version"] == found["version"] == 4
    later = {"due_before": {"seconds": 4_000_000_000}}
    (due,) = (await here.call(f"{OPINIONS}/ListOpinionsDueForReview", {**parent, **later}))["opinions"]
    assert due["name"] == made["name"]


async def _clocks(here: Ground) -> None:
    made = await here.create_arrest(restraint_time={"seconds": int(time.time()) - 25 * 3600})

    async def warned() -> bool:
        return bool((await here.call(f"{CLOCKS}/ListClocks", {**board, "unacknowledged": True})).get("clocks"))

    board = {"parent": here.member.name, "kinds": ["KIND_TO_PROSECUTOR"]}
    await until(warned)
    path = f"{CLOCKS}/WatchClocks"
    async with aclosing(here.js.watch(here.address(path), path, {}, token=await here.token())) as answers:
        await anext(answers)  # from here on
        answer = await acknowledge(here, made, 50)
        assert await _kinds(answers, 1) == ["ClockAcknowledged"]
    assert answer["acknowledger"] == f"{here.member.name}/officers/sato"
    (shown,) = (await here.call(f"{CLOCKS}/ListClocks", board))["clocks"]
    assert (shown["name"], shown["acknowledge_time"]) == (answer["name"], answer["acknowledge_time"])


async def _leads(here: Ground) -> None:
    """The tip and the arrest share a phone."""

    async def found() -> bool:
        return bool((await here.call(f"{LEADS}/ListLeads", {"parent": here.member.name})).get("leads"))

    await until(found)
    (lead,) = (await here.call(f"{LEADS}/ListLeads", {"parent": here.member.name}))["leads"]
    assert (await here.call(f"{LEADS}/GetLead", {"name": lead["name"]}))["name"] == lead["name"]
    assert int((await here.call(f"{LEADS}/GetLeadCounts", {"parent": here.member.name}))["leads"]) == 1
    path = f"{LEADS}/WatchLeads"
    async with aclosing(
        here.js.watch(here.address(path), path, {"from_start": True}, token=await here.token())
    ) as answers:
        assert (await _kinds(answers, 1))[0] == "LeadFound"
    await _follow_up(here, lead)


async def _follow_up(here: Ground, lead: Mapping[str, Any]) -> None:
    """Do everything that people do about a lead, and read it back."""
    why, later = {"reason": "(演習)"}, {"seconds": int(time.time()) + 3600}
    await follow_up(here, "MarkLeadSeen", lead)
    taken = await follow_up(here, "TakeLead", lead)
    assert taken["holder"] == f"{here.member.name}/officers/sato"
    await follow_up(here, "HandOverLead", lead, unit="捜査二課")
    await follow_up(here, "AssignLead", lead, assignee=taken["holder"])
    await follow_up(here, "HandOverLead", lead, unit="捜査二課")
    await follow_up(here, "AcknowledgeLead", lead)
    snoozed = await follow_up(here, "SnoozeLead", lead, snooze_end_time=later)
    confirmed = await follow_up(here, "ConfirmLead", lead, etag=snoozed["etag"])
    assert confirmed["state"] == "STATE_CONFIRMED"
    reopened = await follow_up(here, "ReopenLead", lead, **why)
    await follow_up(here, "DismissLead", lead, etag=reopened["etag"], **why)
    many = {"request_id": new_id(), "parent": here.member.name, "step": "STEP_TAKE", "leads": [{"name": lead["name"]}]}
    (result,) = (await here.call(f"{FOLLOW_UP}/BatchFollowUpLeads", many))["results"]
    assert result["error"]["code"] == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    steps = (await here.call(f"{FOLLOW_UP}/ListLeadSteps", {"name": lead["name"]}))["steps"]
    assert [steps[0]["kind"], len(steps), steps[-1]["reason"]] == ["KIND_SEEN", 10, "(演習)"]


async def _lanes_and_logs(here: Ground) -> None:
    peers = await here.call(f"{EXCHANGE}/ListPeers", {}, token=await here.token(roles=("OPERATOR",)))
    assert [peer["name"] for peer in peers["peers"]] == [f"agencies/{THERE}"]
    deliveries = await here.call(f"{EXCHANGE}/ListDeliveries", {}, token=await here.token(roles=("OPERATOR",)))
    assert {delivery["recipient"] for delivery in deliveries["deliveries"]} == {f"agencies/{THERE}"}
    raised = await here.raise_harm(f"agencies/{THERE}")
    reviewed = await here.review_harm(raised["name"])
    assert reviewed["review_note"] == "(演習)"
    listed = await here.call(f"{EXCHANGE}/ListImminentHarm", {})
    assert [message["name"] for message in listed["messages"]] == [raised["name"]]
    peer = await service_token(here, "exchange", of=THERE, role="PEER")
    lane = await here.call(f"{EXCHANGE}/ReadLane", {"lane": "LANE_DATA"}, token=peer)
    assert len(lane["bundles"]) == int(lane["last_bundle"]) > 0

    follower = await service_token(here, "leads")
    log = await here.call(f"{LOG}/ReadLog", {}, token=follower)
    assert [int(event["sequence"]) for event in log["events"]] == list(range(1, int(log["last_sequence"]) + 1))
    path = f"{LOG}/WatchLog"
    async with aclosing(here.js.watch(here.address(path), path, {}, token=follower)) as answers:
        async for answer in answers:
            assert answer["events"] == log["events"]
            break


async def _watch_over_a_restart(here: Ground) -> None:
    path = f"{TIPS}/WatchTips"
    names: list[str] = []
    async with aclosing(here.js.watch(here.address(path), path, {}, token=await here.token())) as answers:
        await anext(answers)  # from here on
        expected = [(await here.create())["name"] for _ in range(3)]
        names += await _names(answers, 3)
        await asyncio.to_thread(here.member.kill)
        await asyncio.to_thread(here.member.start)
        await here.member.ready()
        expected += [(await here.create())["name"] for _ in range(3)]
        names += await _names(answers, 3)

    assert names == expected


async def _load_over_a_restart(here: Ground) -> None:
    rows = [{"row": row, "tip": a_tip(text=f"演習データ 行{row}")} for row in range(1, 3001)]
    loading = asyncio.create_task(_load(here, f"{TIPS}/LoadTips", rows))
    statement = "SELECT count(*) FROM tip"
    before = int(str((await asyncio.to_thread(here.member.rows, "tips", statement))[0][0]))

    async def begun() -> bool:
        return int(str((await asyncio.to_thread(here.member.rows, "tips", statement))[0][0])) > before

    await until(begun)
    await asyncio.to_thread(here.member.kill)
    assert not loading.done(), "the load was over before the node was killed: make it longer"
    await asyncio.to_thread(here.member.start)
    await here.member.ready()
    results = await loading

    assert [int(result["row"]) for result in results] == list(range(1, 3001))
    assert len({result["name"] for result in results}) == 3000
    kept = await asyncio.to_thread(here.member.rows, "tips", statement)
    assert kept == [(before + 3000,)], "a row was recorded twice or lost"


async def _load(here: Ground, path: str, rows: list[dict[str, Any]], parent: str = "") -> list[dict[str, Any]]:
    request = {"load_id": new_id(), "parent": parent or here.member.name, "rows": rows}
    loading = here.js.load(here.address(path), path, request, token=await here.token())
    return [result async for result in loading]


async def _kinds(answers: AsyncIterator[Any], count: int) -> list[str]:
    return [change["kind"] for change in await _changes(answers, count)]


async def _names(answers: AsyncIterator[Any], count: int) -> list[str]:
    return [change["name"] for change in await _changes(answers, count)]


async def _changes(answers: AsyncIterator[Any], count: int) -> list[Any]:
    """Read a watch until so many changes came."""
    found: list[Any] = []
    async for answer in answers:
        found += answer.get("changes", [])
        if len(found) >= count:
            break
    return found
