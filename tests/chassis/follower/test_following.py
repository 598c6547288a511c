"""Following: each event once and in order, whatever NATS brings, and the cursor never apart from the effect."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from renkei.event.v1.event_pb2 import EventBatch
from renkei.event.v1.log_pb2 import ReadLogRequest, ReadLogResponse
from renkei.personas.v1.events_pb2 import PersonaSubmitted
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from renkei_chassis.courier import Message
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import OutOfRange, Unavailable
from renkei_chassis.follower.state import Cursor
from renkei_chassis.log.append import erase
from tests.chassis.courier.servers import until
from tests.chassis.follower.following import Following
from tests.chassis.keeper import keeping
from tests.databases import POSTGRESQL, binary, copy, edit, forget, on, restore

if TYPE_CHECKING:
    from tests.chassis.keeper import Keeper


# The log alone.


async def test_without_nats_everything_comes_from_the_log(following: Following) -> None:
    await following.tell("a", "b")
    running = asyncio.create_task(following.follower.run())
    await following.follower.caught_up(2)
    await following.tell("c")
    async with asyncio.timeout(10):
        await following.follower.caught_up(3)
    running.cancel()

    assert await following.words() == ["a", "b", "c"]
    assert following.follower.repaired == 3
    assert following.follower.reachable


async def test_a_log_that_cannot_be_reached_is_waited_for(following: Following) -> None:
    following.cut = True
    await following.tell("a")
    running = asyncio.create_task(following.follower.run())
    await until(lambda: following.asked >= 2)
    assert not following.follower.reachable

    following.cut = False
    async with asyncio.timeout(10):
        await following.follower.caught_up(1)
    running.cancel()

    assert await following.words() == ["a"]


async def test_a_courier_that_is_lost_does_not_cost_the_long_tick_of_when_it_worked(following: Following) -> None:
    follower = following.follower
    follower.courier_connected = lambda: True
    follower._tick_seconds = 300
    running = asyncio.create_task(follower.run())
    await until(lambda: following.asked == 1)

    follower.courier_connected = lambda: False
    await following.tell("a")
    follower.courier_changed(connected=False)
    async with asyncio.timeout(10):
        await follower.caught_up(1)
    running.cancel()

    assert await following.words() == ["a"]


async def test_an_answer_with_a_hole_is_used_up_to_the_hole_and_no_further(following: Following) -> None:
    """A broken log must neither lose events nor turn us in a circle."""
    await following.tell("a", "b", "c", "d")
    whole = await following.read_log(ReadLogRequest())
    del whole.events[2]

    async def with_hole(request: ReadLogRequest) -> ReadLogResponse:
        answer = ReadLogResponse()
        answer.CopyFrom(whole)
        return answer

    following.follower._read_log = with_hole
    async with asyncio.timeout(5):
        await following.tick()

    assert await following.words() == ["a", "b"]
    assert following.follower.cursor.sequence == 2


# Messages.


async def test_messages_in_order_need_no_reading(following: Following) -> None:
    await following.tick()
    for word in "abc":
        await following.tell(word)

    done = await following.follower.on_messages(await following.messages())

    assert done == 3
    assert await following.words() == ["a", "b", "c"]
    assert following.follower.repaired == 0


async def test_a_repeated_message_has_no_second_effect(following: Following) -> None:
    await following.tell("a", "b")
    messages = await following.messages()

    for _ in range(3):
        assert await following.follower.on_messages(messages) == 1

    assert following.handled == ["a", "b"]


async def test_a_gap_is_read_from_the_log_and_order_is_kept(following: Following) -> None:
    await following.tick()
    for word in "abcde":
        await following.tell(word)
    messages = await following.messages()

    assert await following.follower.on_messages([messages[0], messages[3]]) == 4

    assert following.handled[:4] == ["a", "b", "c", "d"]
    assert await following.words() == following.handled


async def test_behind_a_gap_that_cannot_be_read_nothing_is_acknowledged(following: Following) -> None:
    await following.tick()
    for word in "abc":
        await following.tell(word)
    messages = await following.messages()
    following.cut = True

    assert await following.follower.on_messages([messages[0], messages[2]]) == 1
    assert await following.words() == ["a"]

    following.cut = False
    assert await following.follower.on_messages([messages[2]]) == 3
    assert await following.words() == ["a", "b", "c"]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_any_order_with_losses_and_repeats_ends_the_same(seed: int) -> None:
    """A restart at any place too: the cursor is in the database."""
    asyncio.run(_play(random.Random(seed)))


@on(POSTGRESQL)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_any_order_with_losses_and_repeats_ends_the_same_on_a_server(seed: int, kind: str) -> None:
    asyncio.run(_play(random.Random(seed)))


async def _play(chance: random.Random) -> None:
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp))
    try:
        async with keeping(directory / "source.db") as source, keeping(directory / "reader.db") as reader:
            following = Following(source=source, reader=reader)
            words = [f"word {number}" for number in range(20)]
            left = list(words)
            while left:
                count = chance.randint(1, 4)
                await following.tell(*left[:count])
                left = left[count:]
            messages = await following.messages()
            arriving = [chance.choice(messages) for _ in range(chance.randint(0, 15))]
            for message in arriving:
                following.cut = chance.random() < 0.3
                await following.follower.on_messages([message])
                if chance.random() < 0.2:
                    following.restarted()
            following.cut = False
            await following.tick()

            assert following.handled == words
            assert await following.words() == words
    finally:
        for name in ("source.db", "reader.db"):
            await asyncio.to_thread(forget, directory / name)
        await asyncio.to_thread(shutil.rmtree, directory)


async def test_messages_of_others_and_garbage_are_passed_over(following: Following) -> None:
    await following.tell("a")
    (good,) = await following.messages()
    foreign = EventBatch.FromString(good.data)
    foreign.source = "agencies/jp-12/logs/tips"

    done = await following.follower.on_messages(
        [
            Message(number=7, data=b"\xff\xff\xff"),
            Message(number=8, data=foreign.SerializeToString()),
            Message(number=9, data=b""),
            Message(number=10, data=good.data),
        ]
    )

    assert done == 10
    assert following.handled == ["a"]


# The cursor and the effect.


async def test_cursor_and_effect_are_stored_together_or_not_at_all(following: Following) -> None:
    await following.tell("a")
    await following.tick()
    await following.tell("b")
    failing = [1]

    def crash(connection: object) -> None:
        if failing:
            failing.pop()
            raise OperationalError("COMMIT", {}, OSError())

    event.listen(following.reader.database.writing, "commit", crash)
    with pytest.raises(Unavailable):
        await following.tick()
    assert following.stored().sequence == 1
    assert await following.words() == ["a"]

    following.restarted()
    await following.tick()

    assert following.stored().sequence == 2
    assert await following.words() == ["a", "b"]
    assert following.handled == ["a", "b", "b"]


async def test_a_restarted_follower_goes_on_behind_its_cursor(following: Following) -> None:
    await following.tell("a", "b")
    await following.tick()

    again = following.restarted()
    assert again.cursor.sequence == 2
    await following.tell("c")
    await following.tick()

    assert following.handled == ["a", "b", "c"]


async def test_the_cursor_says_when_it_moved(following: Following) -> None:
    following.reader.clock.advance(60)
    await following.tell("a")
    await following.tick()

    assert replace(following.stored(), chain=b"") == Cursor(
        epoch=following.source.database.epoch, sequence=1, apply_time_us=following.reader.clock.now_us()
    )


async def test_an_erased_event_counts_as_applied(following: Following) -> None:
    await following.tell("a", "b")
    await following.source.writer.run(lambda transaction: erase(transaction, [1]))
    await following.tick()

    assert following.handled == ["b"]
    assert following.follower.cursor.sequence == 2
    assert await following.aside() == {}


# A log that was restored.


def restore_with_new_epoch(path: Path, backup: Path) -> None:
    restore(path, backup)
    edit(path, f"UPDATE renkei_fact SET value = {binary('a new epoch')} WHERE key = 'epoch'")  # noqa: S608 (the test's own words)


@pytest.mark.parametrize("told_since", [0, 1, 5])
async def test_a_restored_log_is_read_again_and_nothing_happens_twice(
    tmp_path: Path, reader: Keeper, told_since: int
) -> None:
    """Whether it has fewer events than before by now, as many, or more."""
    path, backup = tmp_path / "source.db", tmp_path / "backup.db"
    async with keeping(path) as source:
        following = Following(source=source, reader=reader)
        await following.tell("a", "b")
    await asyncio.to_thread(copy, path, backup)
    async with keeping(path) as source:
        following.source = source
        await following.tell("lost")
        await following.tick()
    await asyncio.to_thread(restore_with_new_epoch, path, backup)

    async with keeping(path) as source:
        following.source = source
        since = [f"since {number}" for number in range(told_since)]
        if since:
            await following.tell(*since)
        await following.tick()

        assert following.handled == ["a", "b", "lost", *since]
        assert following.follower.cursor.epoch == "a new epoch"
        assert following.follower.cursor.sequence == 2 + told_since


async def test_a_message_of_a_restored_log_is_believed_only_when_the_log_says_so(following: Following) -> None:
    await following.tell("a")
    await following.tick()
    forged = EventBatch.FromString((await following.messages())[0].data)
    forged.epoch = "another epoch"

    await following.follower.on_messages([Message(number=2, data=forged.SerializeToString())])

    assert following.follower.cursor.epoch == following.source.database.epoch
    assert following.handled == ["a"]


async def test_a_log_that_was_rolled_back_in_silence_is_not_followed(following: Following) -> None:
    """Without a new epoch nobody can tell what the missing events were: somebody has to look."""
    await following.tell("a", "b")
    await following.tick()
    following.follower.cursor = Cursor(epoch=following.source.database.epoch, sequence=9)

    with pytest.raises(OutOfRange):
        await following.tick()

    assert following.handled == ["a", "b"]


async def test_what_was_set_aside_is_found_where_a_restored_log_has_it(tmp_path: Path, reader: Keeper) -> None:
    """The same event has another sequence there, and its old sequence belongs to another event."""
    async with keeping(tmp_path / "before.db") as source:
        following = Following(source=source, reader=reader)
        following.failures["bad"] = LookupError()
        await following.tell("a", "bad")
        await following.tick()
        bad = (await source.events())[1]
    async with keeping(tmp_path / "after.db") as source:
        following.source = source
        await following.tell("x", "y", "z", resource="another")
        same = NewEvent(payload=PersonaSubmitted(plan_hash="bad"), resource=bad.resource, event_id=uuid.UUID(bad.id))
        await source.writer.run(lambda transaction: transaction.emit(same))
        await following.tick()
        assert await following.aside() == {4: "HANDLER_FAILED"}

        following.failures.clear()
        assert await following.retrier.retry() == (1, 0)

    assert sorted(await following.words()) == ["a", "bad", "x", "y", "z"]
