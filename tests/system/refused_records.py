"""How a client meets the refusals that tips, arrest records and leads have of their own."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.ids import uuid7
from tests.system.federation import until
from tests.system.refusals import (
    ARRESTS,
    BLOCKS,
    CLOCKS,
    EXHIBITS,
    FOLLOW_UP,
    LEADS,
    OPINIONS,
    THERE,
    TIPS,
    Ground,
    a_phone,
    meets,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHHELD: Final = {"provenance": "PROVENANCE_WITHHELD_ASK_ORIGINATOR"}


@meets("TIMES_OUT_OF_ORDER")
async def _(ground: Ground) -> None:
    await ground.create_arrest(prosecutor_receipt_time={"seconds": 1_727_000_000})


@meets("BIRTH_DATE_INVALID")
async def _(ground: Ground) -> None:
    await ground.create_arrest(person={"birth_date": "2004-02-30"})


@meets("DISPOSED")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest()
    disposition = {"kind": "KIND_INDICTED", "time": {"seconds": 1_728_000_000}}
    for _ in range(2):
        request = {"request_id": new_id(), "name": arrest["name"], "etag": arrest["etag"], "disposition": disposition}
        arrest = await ground.call(f"{ARRESTS}/RecordDisposition", request)


@meets("NOT_DISPOSED")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest()
    change = {"arrest": {**arrest, "disposition": {"kind": "KIND_INDICTED", "time": {"seconds": 1_728_000_000}}}}
    request = {"request_id": new_id(), **change, "update_mask": {"paths": ["disposition"]}, "reason": "(演習)"}
    await ground.call(f"{ARRESTS}/UpdateArrest", request)


@meets("EXTENSION_FORBIDDEN")
async def _(ground: Ground) -> None:
    extended = {"juvenile_measure": True, "extension_grant_time": {"seconds": 1_728_500_000}, "extension_days": 10}
    await ground.create_arrest(detention_request_time={"seconds": 1_727_900_000}, custody={"detention": extended})


@meets("MEASURE_FORBIDDEN")
async def _(ground: Ground) -> None:
    facts = {"detention_request_time": {"seconds": 1_727_900_000}, "person": {"birth_date": "1990-01-01"}}
    await ground.create_arrest(custody={"detention": {"juvenile_measure": True}}, **facts)


@meets("INDICTMENT_FORBIDDEN")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest(person={"birth_date": "2008-01-01"})
    disposition = {"kind": "KIND_INDICTED", "time": {"seconds": 1_728_000_000}}
    request = {"request_id": new_id(), "name": arrest["name"], "etag": arrest["etag"], "disposition": disposition}
    await ground.call(f"{ARRESTS}/RecordDisposition", request)


@meets("CUSTODY_CONTRADICTORY")
async def _(ground: Ground) -> None:
    both = {"issue_time": {"seconds": 1_727_700_000}, "refuse_time": {"seconds": 1_727_700_000}}
    await ground.create_arrest(custody={"warrant": both})


@meets("PROTECTED_IS_NO_SUSPECT")
async def _(ground: Ground) -> None:
    await ground.create_arrest(roles=[{"role": "ROLE_PROTECTED_APPLICANT"}])


@meets("EARLIER_ARREST_UNKNOWN")
async def _(ground: Ground) -> None:
    await ground.create_arrest(earlier_arrest=f"{ground.member.name}/arrests/{uuid7()}")


@meets("CHAIN_CONTRADICTORY")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest()
    await ground.create_arrest(earlier_arrest=arrest["name"])  # restrained at the same minute


@meets("NO_PURGE_REVIEW")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest()
    request = {"request_id": new_id(), "name": arrest["name"], "decision": "PURGE_DECISION_KEEP", "reason": "(演習)"}
    await ground.call(f"{ARRESTS}/DecidePurgeReview", request)


@meets("EXHIBIT_WITHIN_UNKNOWN")
async def _(ground: Ground) -> None:
    arrest = (await ground.create_arrest())["name"]
    exhibit = {"kind": "KIND_ENTRY", "within": f"{arrest}/exhibits/{uuid7()}"}
    request = {"request_id": new_id(), "parent": arrest, "exhibit": exhibit}
    await ground.call(f"{EXHIBITS}/CreateExhibit", request)


@meets("BLOCK_NOT_RECORDED")
async def _(ground: Ground) -> None:
    name = f"{(await ground.create_arrest())['name']}/sealedBlocks/victims"
    request = {"request_id": new_id(), "name": name, "reason": "(演習)"}
    await ground.call(f"{BLOCKS}/RevealSealedBlock", request)


async def acknowledge(ground: Ground, arrest: Mapping[str, Any], level: int) -> Any:  # noqa: ANN401
    request = {"request_id": new_id(), "name": f"{arrest['name']}/clocks/to-prosecutor", "level": level}
    return await ground.call(f"{CLOCKS}/AcknowledgeClock", request)


@meets("CLOCK_NOT_RUNNING")
async def _(ground: Ground) -> None:
    await acknowledge(ground, await ground.create_arrest(), 50)  # it is history


@meets("NOTHING_TO_ACKNOWLEDGE")
async def _(ground: Ground) -> None:
    arrest = await ground.create_arrest(restraint_time={"seconds": int(time.time())})
    await acknowledge(ground, arrest, 50)


@meets("JUDICIAL_USE_WITHHELD")
async def _(ground: Ground) -> None:
    label = {"purpose_code": "organised-robbery", "judicial_use": "JUDICIAL_USE_FREE"}
    await ground.create(handling=label, identifiers=[a_phone("090-1234-5678", **WITHHELD)])


@meets("SOURCE_WITHHELD")
async def _(ground: Ground) -> None:
    tip = await ground.create(identifiers=[a_phone("090-1234-5678", **WITHHELD)])
    await ground.update({**tip, "source": "SOURCE_BANK"}, "source")


@meets("OWN_TIP")
async def _(ground: Ground) -> None:
    await ground.opine((await ground.create())["name"])


@meets("TIP_NOT_READ")
async def _(ground: Ground) -> None:
    await ground.opine((await ground.received(permitted_action="PERMITTED_ACTION_INDEX_ONLY"))["name"])


@meets("OPINION_FIXED")
async def _(ground: Ground) -> None:
    tip, other = [(await ground.received())["name"] for _ in range(2)]
    changed = {**await ground.opine(tip), "tip": other}
    mask = {"paths": ["tip"]}
    request = {"request_id": new_id(), "opinion": changed, "update_mask": mask, "reason": "(演習)"}
    await ground.call(f"{OPINIONS}/UpdateOpinion", request)


@meets("STEP_REFUSED")
async def _(ground: Ground) -> None:
    await ground.step("UnmergeTip", await ground.create())


@meets("TARGET_MERGED")
async def _(ground: Ground) -> None:
    part, _ = await ground.merged()
    other = await ground.step("TriageTip", await ground.create())
    await ground.step("MergeTip", other, into=part["name"])


@meets("TARGET_ITSELF")
async def _(ground: Ground) -> None:
    tip = await ground.step("TriageTip", await ground.create())
    await ground.step("MergeTip", tip, into=tip["name"])


@meets("HAS_MERGED")
async def _(ground: Ground) -> None:
    _, whole = await ground.merged()
    await ground.delete(whole["name"])


@meets("SOURCE_ANONYMOUS")
async def _(ground: Ground) -> None:
    tip = await ground.create(source="SOURCE_ANON_HOTLINE")
    identity = {"person_name": "(演習) 架空"}
    await ground.call(f"{TIPS}/SetTipSource", {"request_id": new_id(), "tip": tip["name"], "identity": identity})


@meets("SOURCE_NOT_RECORDED")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    await ground.call(f"{TIPS}/RevealTipSource", {"request_id": new_id(), "tip": tip["name"], "reason": "(演習)"})


@meets("GRADING_CODE_INVALID")
async def _(ground: Ground) -> None:
    await ground.call(f"{TIPS}/GetGradingViews", {"scheme": "GRADING_SCHEME_ADMIRALTY", "code": "G7"})


@meets("REQUEST_ANSWER_GONE")
async def _(ground: Ground) -> None:
    tip = await ground.create()
    identity = {"person_name": "(演習) 架空"}
    await ground.call(f"{TIPS}/SetTipSource", {"request_id": new_id(), "tip": tip["name"], "identity": identity})
    request = {"request_id": new_id(), "tip": tip["name"], "reason": "(演習)"}
    for _ in range(2):  # a source is opened once a request
        await ground.call(f"{TIPS}/RevealTipSource", request)


async def a_lead(ground: Ground) -> Any:  # noqa: ANN401
    """Let a lead of two tips be found, which share a phone that no other test has."""
    phone = a_phone(f"080-{random.randint(1000, 9999)}-{random.randint(1000, 9999)}")
    tips = [await ground.create(identifiers=[phone]) for _ in range(2)]

    async def found() -> bool:
        return bool(await leads())

    async def leads() -> Any:  # noqa: ANN401
        request = {"parent": ground.member.name, "record": tips[0]["name"]}
        return (await ground.call(f"{LEADS}/ListLeads", request)).get("leads")

    await until(found)
    (lead,) = await leads()
    return {**lead, "tips": tips}


async def follow_up(ground: Ground, method: str, lead: Mapping[str, Any], **fields: Any) -> Any:  # noqa: ANN401
    request = {"request_id": new_id(), "name": lead["name"], **fields}
    return await ground.call(f"{FOLLOW_UP}/{method}", request)


@meets("LEAD_ENDED")
async def _(ground: Ground) -> None:
    lead = await a_lead(ground)
    await ground.delete(lead["tips"][0]["name"])

    async def ended() -> bool:
        return str((await ground.call(f"{LEADS}/GetLead", {"name": lead["name"]}))["state"]) == "STATE_RETRACTED"

    await until(ended)
    await follow_up(ground, "TakeLead", lead)


@meets("LEAD_HELD")
async def _(ground: Ground) -> None:
    lead = await a_lead(ground)
    for _ in range(2):
        await follow_up(ground, "TakeLead", lead)


@meets("FOLLOW_UP_REFUSED")
async def _(ground: Ground) -> None:
    await follow_up(ground, "ReopenLead", await a_lead(ground), reason="(演習)")


@meets("SNOOZE_TIME_INVALID")
async def _(ground: Ground) -> None:
    await follow_up(ground, "SnoozeLead", await a_lead(ground), snooze_end_time={"seconds": 1_727_752_500})


@meets("ASSIGNEE_INVALID")
async def _(ground: Ground) -> None:
    await follow_up(ground, "HandOverLead", await a_lead(ground), assignee=f"agencies/{THERE}/officers/ito")
