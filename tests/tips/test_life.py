"""The life of a tip over a connection: who moved it, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRecorded, TipRevised
from renkei.tips.v1.tips_pb2 import RecordTipDispositionRequest, Tip

from renkei_chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotAllowed, NotFoundOrDenied
from renkei_chassis.release import strip
from tests.agency import AGENCY, TOKYO, request_id
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from tests.agency import Agency

ACTIONED: Final = RecordTipDispositionRequest.DISPOSITION_ACTIONED
NO_ACTION: Final = RecordTipDispositionRequest.DISPOSITION_NO_ACTION
STEPS: Final[dict[str, dict[str, Any]]] = {
    "TriageTip": {},
    "AssignTip": {"unit": "(演習) 捜査一課"},
    "RecordTipDisposition": {"disposition": ACTIONED},
    "UnmergeTip": {},
}


@pytest.mark.parametrize("method", [*STEPS, "MergeTip"])
async def test_a_coordinator_moves_no_tip(agency: Agency, tips: Tips, method: str) -> None:
    made = await tips.create()
    fields = STEPS.get(method, {"into": made.name})

    with pytest.raises(NotAllowed) as refused:
        await Tips(agency.client("NPA_DESK")).step(method, made, **fields)

    assert refused.value.reason == "ROLE_MISSING"


async def test_a_tip_of_another_agency_is_moved_by_nobody_here(agency: Agency, tips: Tips) -> None:
    theirs = a_tip(name=f"{TOKYO}/tips/0191aaaa-0000-7000-8000-000000000001", version=1)
    await agency.bring(TipRecorded(tip=theirs), grade=GRADE_FULL)

    reasons = set()
    for method, fields in STEPS.items():
        with pytest.raises(FailedPrecondition) as refused:
            await tips.step(method, theirs, **fields)
        reasons.add(refused.value.reason)
    with pytest.raises(FailedPrecondition) as listing:
        await tips.ask("ListTipSteps", name=theirs.name)

    assert {*reasons, listing.value.reason} == {"FOREIGN_ORIGINATOR"}


@pytest.mark.parametrize(("method", "fields"), [pair for pair in STEPS.items() if pair[0] != "TriageTip"])
async def test_a_step_that_does_not_lead_on_is_refused_and_says_where_the_tip_stands(
    tips: Tips, method: str, fields: dict[str, Any]
) -> None:
    made = await tips.create()

    with pytest.raises(FailedPrecondition) as refused:
        await tips.step(method, made, **fields)

    assert (refused.value.reason, refused.value.metadata["state"]) == ("STEP_REFUSED", "RECEIVED")
    assert await tips.get(made.name) == made


async def test_a_step_wants_a_reason_a_unit_and_the_newest_etag(tips: Tips) -> None:
    made = await tips.create()
    triaged = await tips.step("TriageTip", made)

    with pytest.raises(InvalidArgument):
        await tips.step("TriageTip", made, reason="")
    with pytest.raises(InvalidArgument):
        await tips.step("AssignTip", triaged, unit="")
    with pytest.raises(Aborted) as stale:
        await tips.step("AssignTip", made, unit="(演習) 捜査一課")

    assert stale.value.reason == "ETAG_MISMATCH"


async def test_a_repeated_step_is_taken_once(tips: Tips, agency: Agency) -> None:
    made = await tips.create()
    request = request_id()

    first = await tips.step("TriageTip", made, request_id=request)
    again = await tips.step("TriageTip", made, request_id=request)

    assert first == again
    assert len(await agency.events()) == 2


async def test_every_step_says_who_took_it_when_and_why(agency: Agency, tips: Tips) -> None:
    chief = Tips(agency.client(officer="kato"))
    made = await tips.create()
    tip = await tips.step("TriageTip", made, reason="(演習) 見た")
    tip = await chief.step("AssignTip", tip, reason="(演習) 渡した", unit="捜査一課")
    tip = await chief.step("AssignTip", tip, reason="(演習) 移した", unit="捜査二課")
    tip = await tips.step("RecordTipDisposition", tip, reason="(演習) 済んだ", disposition=ACTIONED)
    assert (tip.state, tip.unit) == (Tip.STATE_ACTIONED, "捜査二課")
    tip = await tips.step("TriageTip", tip, reason="(演習) 新しい話")
    assert (tip.state, tip.unit) == (Tip.STATE_TRIAGED, "")
    tip = await tips.step("RecordTipDisposition", tip, reason="(演習) 何もない", disposition=NO_ACTION)
    await tips.delete(tip.name)
    restored = await tips.undelete(tip.name)

    answer = await tips.ask("ListTipSteps", name=made.name)

    assert [(step.version, step.deleted, step.state, step.recorder[-4:], step.reason) for step in answer.steps] == [
        (8, False, Tip.STATE_NO_ACTION, "sato", ""),
        (7, True, Tip.STATE_NO_ACTION, "sato", "(演習)"),
        (7, False, Tip.STATE_NO_ACTION, "sato", "(演習) 何もない"),
        (6, False, Tip.STATE_TRIAGED, "sato", "(演習) 新しい話"),
        (5, False, Tip.STATE_ACTIONED, "sato", "(演習) 済んだ"),
        (4, False, Tip.STATE_ASSIGNED, "kato", "(演習) 移した"),
        (3, False, Tip.STATE_ASSIGNED, "kato", "(演習) 渡した"),
        (2, False, Tip.STATE_TRIAGED, "sato", "(演習) 見た"),
        (1, False, Tip.STATE_RECEIVED, "sato", ""),
    ]
    assert [step.unit for step in answer.steps][4:7] == ["捜査二課", "捜査二課", "捜査一課"]
    assert answer.steps[0].time == restored.update_time
    times = [step.time.ToNanoseconds() for step in answer.steps]
    assert times == sorted(times, reverse=True)


async def test_steps_come_in_pages_that_miss_none(tips: Tips) -> None:
    tip = await tips.triaged()
    for unit in range(5):
        tip = await tips.step("AssignTip", tip, unit=f"捜査{unit}課")
    await tips.delete(tip.name)

    seen, token = [], ""
    for _ in range(10):
        page = await tips.ask("ListTipSteps", name=tip.name, page_size=3, page_token=token)
        seen += [(step.version, step.deleted) for step in page.steps]
        token = page.next_page_token
        if not token:
            break

    assert seen == [(7, True), *((version, False) for version in range(7, 0, -1))]


async def test_a_tip_that_is_not_there_has_no_steps(tips: Tips) -> None:
    with pytest.raises(NotFoundOrDenied) as refused:
        await tips.ask("ListTipSteps", name=f"{AGENCY}/tips/0191aaaa-0000-7000-8000-000000000001")

    assert refused.value.reason == "DENIED"


async def test_recipients_see_the_state_and_neither_unit_nor_reason(tips: Tips, agency: Agency) -> None:
    tip = await tips.triaged(a_tip(releasable_to=[TOKYO]))

    await tips.step("AssignTip", tip, unit="(演習) 捜査一課")

    last = (await agency.events())[-1]
    assert {entry.agency: entry.grade for entry in last.audience} == {TOKYO: GRADE_FULL}
    told = strip(TipRevised.FromString(last.data.value), GRADE_FULL).tip
    assert (told.state, told.unit, told.correction_reason, told.recorder) == (Tip.STATE_ASSIGNED, "", "", "")


@pytest.mark.parametrize("path", ["unit", "merged_into", "state_before_merge", "review", "state"])
async def test_a_correction_moves_no_tip(tips: Tips, path: str) -> None:
    made = await tips.create(a_tip(unit="(演習) 偽", merged_into="x", state=Tip.STATE_ACTIONED))

    with pytest.raises(InvalidArgument) as refused:
        await tips.update(made, path)

    assert refused.value.reason == "INVALID_UPDATE_MASK"
    assert (made.unit, made.merged_into, made.state) == ("", "", Tip.STATE_RECEIVED)
