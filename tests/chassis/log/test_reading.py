"""A log is read by sequence, in bounded stretches, and followed as it grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse

from renkei_chassis.errors import OutOfRange
from renkei_chassis.log.api import log_api
from renkei_chassis.log.read import MAX_BYTES, MAX_EVENTS
from renkei_chassis.rpc.methods import Call, ReadMethod
from tests.chassis.keeper import APPROVE, officer

if TYPE_CHECKING:
    from tests.chassis.keeper import Keeper


async def read_log(keeper: Keeper, *, after: int = 0, most: int = 0) -> ReadLogResponse:
    method = log_api(keeper.log)["renkei.event.v1.LogService"]["ReadLog"]
    assert isinstance(method, ReadMethod)
    call = Call(path=APPROVE, caller=officer(), trace_parent="")
    answer = await method.answer(ReadLogRequest(after_sequence=after, max_events=most), call)
    assert isinstance(answer, ReadLogResponse)
    return answer


async def test_a_read_is_cut_by_count_and_by_size(keeper: Keeper) -> None:
    await keeper.tell(*[10] * (MAX_EVENTS + 5))
    await keeper.tell(*[100_000] * 15)

    assert len(await keeper.log.events(after=0, limit=10**6)) == MAX_EVENTS
    assert len(await keeper.log.events(after=0, limit=7)) == 7
    large = await keeper.log.events(after=MAX_EVENTS + 5)
    assert len(large) == 10
    assert sum(event.ByteSize() for event in large) <= MAX_BYTES


async def test_a_read_never_comes_back_empty_where_there_is_more(keeper: Keeper) -> None:
    await keeper.tell(300_000, 1)

    assert [event.sequence for event in await keeper.log.events(after=0, limit=1)] == [1]


async def test_read_log_tells_how_far_it_answered_and_where_the_log_ends(keeper: Keeper) -> None:
    await keeper.tell(1, 2, 3)

    first = await read_log(keeper, most=2)
    rest = await read_log(keeper, after=first.through_sequence)
    nothing = await read_log(keeper, after=3)

    assert [(len(answer.events), answer.through_sequence) for answer in (first, rest, nothing)] == [
        (2, 2),
        (1, 3),
        (0, 3),
    ]
    assert {answer.last_sequence for answer in (first, rest, nothing)} == {3}
    assert first.epoch == keeper.database.epoch


async def test_a_reader_who_knows_more_than_the_log_is_told_which_log_it_is(keeper: Keeper) -> None:
    await keeper.tell(1)

    with pytest.raises(OutOfRange) as caught:
        await read_log(keeper, after=2**63)

    assert caught.value.reason == "LOG_AHEAD"
    assert caught.value.metadata == {"last_sequence": "1", "epoch": keeper.database.epoch}


# Following.


async def test_a_follow_gives_what_is_there_then_what_comes_and_signs_of_life_between(keeper: Keeper) -> None:
    await keeper.tell(1, 2)
    following = keeper.log.follow(after=0, checkpoint_seconds=0.02)

    assert [event.sequence for event in await anext(following)] == [1, 2]
    assert await anext(following) == ()
    await keeper.tell(3)
    batch = await anext(following)
    while not batch:
        batch = await anext(following)
    assert [event.sequence for event in batch] == [3]
    await following.aclose()  # type: ignore[attr-defined]


async def test_many_followers_all_see_everything_in_order(keeper: Keeper) -> None:
    async def follow() -> list[int]:
        seen: list[int] = []
        async for batch in keeper.log.follow(after=0):
            seen += [event.sequence for event in batch]
            if len(seen) >= 40:
                break
        return seen

    followers = [asyncio.ensure_future(follow()) for _ in range(5)]
    for _ in range(20):
        await keeper.tell(1, 1)

    assert await asyncio.gather(*followers) == [list(range(1, 41))] * 5
