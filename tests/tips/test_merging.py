"""Tips that are part of others: every name leads to one live tip, whatever is merged, unmerged, deleted and purged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from renkei.identifiers.v1.identifiers_pb2 import IDENTIFIER_TYPE_PHONE
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1.events_pb2 import TipRevised
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotFoundOrDenied, RenkeiError
from renkei_chassis.release import strip
from tests.agency import AGENCY, TOKYO
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from tests.agency import Agency


def lasting(tip: Tip) -> Tip:
    """Give what of a tip no mere step changes."""
    kept = Tip()
    kept.CopyFrom(tip)
    kept.version = 0
    kept.etag = kept.recorder = kept.correction_reason = ""
    kept.ClearField("update_time")
    return kept


async def reason_of(tips: Tips, method: str, tip: Tip, **fields: str) -> str:
    with pytest.raises(RenkeiError) as refused:
        await tips.step(method, tip, **fields)
    return refused.value.reason


async def test_a_tip_merges_into_no_copy_no_missing_no_deleted_tip_and_not_into_itself(tips: Tips) -> None:
    tip, gone = await tips.triaged(), await tips.create()
    await tips.delete(gone.name)
    missing = f"{AGENCY}/tips/0191aaaa-0000-7000-8000-000000000001"
    theirs = missing.replace(AGENCY, TOKYO)

    reasons = [await reason_of(tips, "MergeTip", tip, into=into) for into in (theirs, missing, gone.name, tip.name)]

    assert reasons == ["FOREIGN_ORIGINATOR", "DENIED", "DELETED", "TARGET_ITSELF"]
    with pytest.raises(InvalidArgument):
        await tips.step("MergeTip", tip, into="tips/1")
    assert await tips.get(tip.name) == tip


async def test_a_tip_merges_into_none_that_is_merged_itself_and_hears_where_that_is(tips: Tips) -> None:
    first, second, third = [await tips.triaged() for _ in range(3)]
    await tips.step("MergeTip", second, into=third.name)

    with pytest.raises(FailedPrecondition) as refused:
        await tips.step("MergeTip", first, into=second.name)

    assert (refused.value.reason, refused.value.metadata["merged_into"]) == ("TARGET_MERGED", third.name)


async def test_a_tip_that_nobody_triaged_is_not_merged_and_others_merge_into_it(tips: Tips) -> None:
    fresh, triaged = await tips.create(), await tips.triaged()

    assert await reason_of(tips, "MergeTip", fresh, into=triaged.name) == "STEP_REFUSED"
    assert (await tips.step("MergeTip", triaged, into=fresh.name)).state == Tip.STATE_MERGED


async def test_a_merged_tip_answers_as_before_is_found_and_still_links(tips: Tips, agency: Agency) -> None:
    target = await tips.create()
    tip = await tips.triaged(a_tip(releasable_to=[TOKYO], identifiers=[an_occurrence()]))

    merged = await tips.step("MergeTip", tip, into=target.name)

    assert await tips.get(tip.name) == merged
    assert (merged.merged_into, merged.state_before_merge, merged.text) == (target.name, Tip.STATE_TRIAGED, tip.text)
    assert [found.name for found in (await tips.search("090-1234")).tips] == [tip.name]
    last = (await agency.events())[-1]
    assert {entry.agency: entry.grade for entry in last.audience} == {TOKYO: GRADE_FULL}
    told = strip(TipRevised.FromString(last.data.value), GRADE_FULL).tip
    assert [one.identifier.type for one in told.identifiers] == [IDENTIFIER_TYPE_PHONE]
    assert (told.state, told.merged_into, told.state_before_merge) == (Tip.STATE_MERGED, "", 0)


async def test_unmerging_restores_state_and_unit(tips: Tips) -> None:
    target = await tips.create()
    tip = await tips.step("AssignTip", await tips.triaged(), unit="(演習) 捜査一課")
    merged = await tips.step("MergeTip", tip, into=target.name)

    back = await tips.step("UnmergeTip", merged)

    assert lasting(back) == lasting(tip)
    assert back.version == tip.version + 2


async def test_what_has_others_merged_into_it_is_not_deleted_and_can_be_taken_back_by_its_label(tips: Tips) -> None:
    target = await tips.create(a_tip(releasable_to=[TOKYO]))
    merged = await tips.step("MergeTip", await tips.triaged(), into=target.name)

    with pytest.raises(FailedPrecondition) as refused:
        await tips.delete(target.name)
    target.handling.ClearField("releasable_to")
    await tips.update(target, "handling")
    await tips.step("UnmergeTip", merged)
    deleted = await tips.delete(target.name)

    assert refused.value.reason == "HAS_MERGED"
    assert deleted.HasField("delete_time")


async def test_a_merged_tip_that_was_deleted_comes_back_as_what_it_was(tips: Tips) -> None:
    target, tip = await tips.create(), await tips.triaged()
    await tips.step("MergeTip", tip, into=target.name)
    await tips.delete(tip.name)
    await tips.delete(target.name)  # nothing alive is part of it now

    back = await tips.undelete(tip.name)

    assert lasting(back) == lasting(tip)


async def test_a_merged_tip_can_be_corrected_and_stays_merged(tips: Tips) -> None:
    target = await tips.create()
    merged = await tips.step("MergeTip", await tips.triaged(), into=target.name)
    merged.text = "(演習データ) 訂正"

    corrected = await tips.update(merged, "text")

    assert (corrected.state, corrected.merged_into, corrected.text) == (
        Tip.STATE_MERGED,
        target.name,
        "(演習データ) 訂正",
    )


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_merges_and_unmerges_every_name_leads_to_one_live_tip(tips: Tips, seed: int) -> None:
    """Against a model that only knows who is part of whom; a refusal must have its reason in the model."""
    chance = random.Random(seed)
    count = 6
    now = {tip.name: tip for tip in [await tips.triaged() for _ in range(count)]}
    before: dict[str, Tip] = {}
    into: dict[str, str] = {}
    deleted: set[str] = set()
    refusals = set()
    for _ in range(90):
        name, other = chance.choice(list(now)), chance.choice(list(now))
        act = chance.choice(["MergeTip", "MergeTip", "UnmergeTip", "DeleteTip", "UndeleteTip", "UndeleteTip"])
        allowed = {
            "MergeTip": name not in into and other not in into and name != other and not {name, other} & deleted,
            "UnmergeTip": name in into,
            "DeleteTip": name not in deleted and name not in into.values(),
            "UndeleteTip": name in deleted,
        }[act]
        changed = None
        try:
            if act == "MergeTip":
                changed = await tips.step(act, now[name], into=other)
            elif act == "UnmergeTip":
                changed = await tips.step(act, now[name])
            else:
                changed = await (tips.delete(name) if act == "DeleteTip" else tips.undelete(name))
        except RenkeiError as refused:
            refusals.add(refused.reason)
        assert allowed == (changed is not None), act
        if changed is None:
            continue
        if act == "MergeTip":
            before[name], into[name] = now[name], other
        elif act in {"UnmergeTip", "UndeleteTip"}:
            into.pop(name, None)
            deleted.discard(name)
            was = before.pop(name, None)
            assert was is None or lasting(changed) == lasting(was)
        else:
            into.pop(name, None)
            deleted.add(name)
        now[name] = changed
        for each in set(now) - deleted:
            assert await live(tips, each, at_most=count) == root(into, each)

    assert refusals >= {"STEP_REFUSED", "TARGET_MERGED", "DELETED", "NOT_DELETED", "HAS_MERGED"}


async def live(tips: Tips, name: str, *, at_most: int) -> str:
    for _ in range(at_most):
        tip = await tips.get(name)
        if tip.state != Tip.STATE_MERGED:
            assert not tip.merged_into
            return name
        name = tip.merged_into
    raise AssertionError("the way goes in a circle")


def root(into: dict[str, str], name: str) -> str:
    return root(into, into[name]) if name in into else name


async def test_a_tip_that_is_missing_is_not_unmerged(tips: Tips) -> None:
    missing = Tip(name=f"{AGENCY}/tips/0191aaaa-0000-7000-8000-000000000001")

    with pytest.raises(NotFoundOrDenied):
        await tips.step("UnmergeTip", missing)
