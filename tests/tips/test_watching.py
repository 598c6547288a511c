"""Watching tips: every change once, with the tip as it is now, and tokens to resume from."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1 import events_pb2, tips_pb2

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.ids import uuid7
from tests.agency import TOKYO, Agency
from tests.tips.calls import Tips, a_tip

if TYPE_CHECKING:
    from collections.abc import Sequence


async def seen(
    tips: Tips, count: int, *, resume_token: str = "", from_start: bool = False
) -> tuple[Sequence[tips_pb2.TipChange], str]:
    """Watch until so many changes came; returns them and the last token."""
    request = tips_pb2.WatchTipsRequest(resume_token=resume_token, from_start=from_start)
    changes: list[tips_pb2.TipChange] = []
    token = ""
    async with aclosing(tips.client.watch(tips.stub.WatchTips, request)) as answers:
        async for answer in answers:
            changes.extend(answer.changes)
            token = answer.resume_token
            if len(changes) >= count:
                break
    return changes, token


async def test_a_watch_from_the_start_tells_every_change_in_order(tips: Tips, agency: Agency) -> None:
    made = await tips.create(a_tip(releasable_to=[TOKYO]))
    foreign = a_tip(name=f"{TOKYO}/tips/{uuid7()}", version=1)
    await agency.bring(events_pb2.TipRecorded(tip=foreign), grade=GRADE_FULL)
    await agency.bring(events_pb2.TipWithdrawn(name=foreign.name, version=1), grade=GRADE_FULL)
    deleted = await tips.delete(made.name)

    changes, _ = await seen(tips, 4, from_start=True)

    assert [change.kind for change in changes] == ["TipRecorded", "TipReceived", "TipRemoved", "TipDeleted"]
    assert [change.name for change in changes] == [made.name, foreign.name, foreign.name, made.name]
    assert [change.HasField("tip") for change in changes] == [True, False, False, True]
    assert changes[0].tip == changes[3].tip == deleted
    assert [change.time.ToNanoseconds() for change in changes] == sorted({c.time.ToNanoseconds() for c in changes})


async def test_a_received_tip_is_shown_with_its_label_and_grade(tips: Tips, agency: Agency) -> None:
    foreign = a_tip(name=f"{TOKYO}/tips/{uuid7()}", version=1)
    await agency.bring(events_pb2.TipRecorded(tip=foreign), grade=GRADE_FULL)

    (change,), _ = await seen(tips, 1, from_start=True)

    assert change.tip == await tips.get(foreign.name)
    assert change.tip.received_grade == GRADE_FULL


async def test_a_watch_goes_on_exactly_where_its_token_ends(tips: Tips) -> None:
    names = [(await tips.create()).name for _ in range(3)]
    before, token = await seen(tips, 3, from_start=True)
    names += [(await tips.create()).name for _ in range(2)]

    after, _ = await seen(tips, 2, resume_token=token)

    assert [change.name for change in (*before, *after)] == names


async def test_a_watch_without_token_begins_now(tips: Tips) -> None:
    await tips.create()
    _, token = await seen(tips, 0)
    later = await tips.create()

    changes, _ = await seen(tips, 1, resume_token=token)

    assert [change.name for change in changes] == [later.name]


async def test_large_tips_are_told_in_parts_and_none_twice(tips: Tips) -> None:
    names = [(await tips.create(a_tip(text="漢" * 20_000))).name for _ in range(40)]
    request = tips_pb2.WatchTipsRequest(from_start=True)
    answers = []
    found: list[str] = []

    async with aclosing(tips.client.watch(tips.stub.WatchTips, request)) as stream:
        async for answer in stream:
            answers.append(answer)
            found.extend(change.name for change in answer.changes)
            if len(found) >= 40:
                break

    assert found == names
    assert all(answer.ByteSize() < 2 * 1024 * 1024 for answer in answers)
    middle = next(answer for answer in answers if answer.changes)
    rest, _ = await seen(tips, 40 - len(middle.changes), resume_token=middle.resume_token)
    assert [change.name for change in rest] == names[len(middle.changes) :]


@pytest.mark.parametrize("token", ["x", "AAAA", "x" * 512])
async def test_a_token_that_was_not_given_out_is_refused(tips: Tips, token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await seen(tips, 1, resume_token=token)

    assert refused.value.reason == "INVALID_RESUME_TOKEN"


async def test_a_page_token_resumes_no_watch(tips: Tips) -> None:
    for _ in range(2):
        await tips.create()
    token = (await tips.page(page_size=1)).next_page_token

    with pytest.raises(InvalidArgument) as refused:
        await seen(tips, 1, resume_token=token)

    assert refused.value.reason == "INVALID_RESUME_TOKEN"
