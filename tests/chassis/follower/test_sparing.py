"""A follower spares commits: what comes at once is one, what does nothing waits, and a pace is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from renkei.personas.v1.events_pb2 import PersonaApproved

from tests.chassis.courier.servers import until

if TYPE_CHECKING:
    from tests.chassis.follower.following import Following


async def idle(following: Following, count: int) -> None:
    """Let the source tell of what has no handler here."""
    for number in range(count):
        await following.emit(PersonaApproved(plan_hash=f"{number}"))


async def test_messages_that_come_together_are_one_commit(following: Following) -> None:
    await following.tick()
    for word in "abcdefgh":
        await following.tell(word)
    before = following.reader.writer.groups

    assert await following.follower.on_messages(await following.messages()) == 8

    assert following.reader.writer.groups == before + 1
    assert await following.words() == [*"abcdefgh"]


async def test_a_poisonous_event_among_them_costs_only_itself(following: Following) -> None:
    await following.tick()
    for word in ("a", "poison", "b"):
        await following.tell(word)
    following.failures["poison"] = ValueError()

    assert await following.follower.on_messages(await following.messages()) == 3

    assert await following.words() == ["a", "b"]
    assert await following.aside() == {2: "HANDLER_FAILED"}


async def test_what_does_nothing_here_costs_no_commit_and_is_acknowledged(following: Following) -> None:
    await following.tick()
    await idle(following, 5)
    before = following.reader.writer.groups

    assert await following.follower.on_messages(await following.messages()) == 5

    assert following.reader.writer.groups == before
    assert following.follower.position == 5
    await following.follower.caught_up(5)


async def test_the_next_effect_takes_what_was_held_along(following: Following) -> None:
    await following.tick()
    await idle(following, 3)
    await following.follower.on_messages(await following.messages())
    await following.tell("a")

    await following.follower.on_messages((await following.messages())[3:])

    assert await following.words() == ["a"]
    assert following.follower.cursor.sequence == following.follower.position == 4
    assert following.follower.repaired == 0


async def test_what_was_held_is_read_again_after_a_crash_and_nothing_is_lost(following: Following) -> None:
    await following.tick()
    await following.tell("a")
    await idle(following, 3)
    await following.follower.on_messages(await following.messages())
    await following.tell("b")

    again = following.restarted()
    await again.on_messages((await following.messages())[4:])

    assert await following.words() == ["a", "b"]
    assert again.position == 5


async def test_the_tick_stores_what_is_held(following: Following) -> None:
    await idle(following, 3)
    running = asyncio.create_task(following.follower.run())
    try:
        await until(lambda: following.follower.cursor.sequence == 3)
    finally:
        running.cancel()

    assert following.restarted().cursor.sequence == 3


async def test_no_more_is_held_than_a_batch(following: Following) -> None:
    await following.tick()
    await following.emit(*(PersonaApproved(plan_hash=f"{number}") for number in range(300)))

    await following.follower.on_messages(await following.messages())

    assert following.follower.position == 300
    assert following.follower.cursor.sequence >= 256


async def test_a_pace_is_kept_between_messages(following: Following) -> None:
    follower = following.restarted(pace_seconds=0.05)
    await following.tell("a")
    loop = asyncio.get_running_loop()
    began = loop.time()

    taking = asyncio.create_task(follower.on_messages(await following.messages()))
    async with asyncio.timeout(10):
        await follower.caught_up(1)
    at_once = taking.done()

    assert not at_once, "the first is in effect before its message is done with"
    assert await taking == 1
    assert loop.time() - began >= 0.05
