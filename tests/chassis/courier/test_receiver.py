"""Whatever is applied was in order and once; whatever is not acknowledged comes again."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier import Connection, DurableShape, Message, Receiver, StreamShape
from renkei_chassis.courier.jetstream import call, delete_stream
from renkei_chassis.courier.receiver import _number
from tests.chassis.courier.fakes import GapFollower, MemorySource
from tests.chassis.courier.relays import LANE, LOG, relaying
from tests.chassis.courier.servers import BreakableServer, linked, running, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

READER = DurableShape(name="leads")


@asynccontextmanager
async def receiving(
    server: BreakableServer,
    on_messages: Callable[[Sequence[Message]], Awaitable[int | None]],
    shape: StreamShape = LANE,
    durable: DurableShape | None = None,
) -> AsyncIterator[Receiver]:
    """A receiver at work: a peer's of a lane, the agency's own of a log."""
    async with running(Connection(server.endpoint())) as connection:
        receiver = Receiver(
            connection,
            stream=shape.name,
            durable=durable or shape.durable or READER,
            on_messages=on_messages,
            may_create=shape.durable is None,
        )
        task = asyncio.create_task(receiver.run())
        try:
            yield receiver
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.mark.parametrize("shape", [LANE, LOG], ids=["lane", "log"])
async def test_everything_arrives_in_order_and_once(server: BreakableServer, shape: StreamShape) -> None:
    source = MemorySource(50)
    follower = GapFollower(source)
    async with relaying(server, source, shape) as at_work, receiving(server, follower.on_messages, shape):
        for _ in range(10):
            at_work.add(50)
        await until(lambda: follower.cursor == 550)

        assert follower.applied == list(source.messages.values())
        assert not follower.repeated


async def test_an_idle_receiver_hears_at_once(server: BreakableServer) -> None:
    follower = GapFollower()
    async with relaying(server, MemorySource(1)) as at_work, receiving(server, follower.on_messages):
        await until(lambda: follower.cursor == 1)
        seconds = []
        for _ in range(20):
            began = time.perf_counter()
            at_work.add(1)
            await until(lambda: follower.cursor == at_work.source.last)
            seconds.append(time.perf_counter() - began)

    assert sorted(seconds)[10] < 0.5  # no tick and no heartbeat has to come round first


async def test_a_lane_is_acknowledged_through_what_was_applied(server: BreakableServer) -> None:
    source = MemorySource(30)
    follower = GapFollower()
    async with relaying(server, source), receiving(server, follower.on_messages) as receiver:
        await until(lambda: source.acknowledged_through == 30)

        assert receiver.counters.acknowledged_through == 30


@pytest.mark.slow
async def test_what_was_not_applied_comes_again(server: BreakableServer) -> None:
    source = MemorySource(30)
    seen: list[int] = []

    async def apply_only_ten(messages: Sequence[Message]) -> int:
        seen.extend(message.number for message in messages)
        return 10

    async with relaying(server, source), receiving(server, apply_only_ten):
        await until(lambda: seen.count(11) > 1)

    assert seen.count(10) == 1
    assert source.acknowledged_through == 10


async def test_a_failing_follower_gets_the_same_messages_again_before_later_ones(server: BreakableServer) -> None:
    source = MemorySource(5)
    follower = GapFollower()
    follower.fail_times = 3
    async with relaying(server, source) as at_work, receiving(server, follower.on_messages) as receiver:
        await until(lambda: receiver.counters.errors == 3)
        at_work.add(5)
        await until(lambda: follower.cursor == 10)

    assert follower.applied == list(source.messages.values())
    assert receiver.counters.last_error == "OSError"


@pytest.mark.slow
async def test_a_slow_follower_is_not_sent_the_same_messages_again(server: BreakableServer) -> None:
    """Longer than the acknowledgement timer, kept alive by saying so."""
    follower = GapFollower()

    async def apply_slowly(messages: Sequence[Message]) -> int:
        await asyncio.sleep(7)
        return await follower.on_messages(messages)

    async with relaying(server, MemorySource(5)), receiving(server, apply_slowly) as receiver:
        await until(lambda: receiver.counters.acknowledged_through == 5)

        assert receiver.counters.received == 5


async def test_a_reader_of_a_log_makes_its_durable_before_there_is_a_stream(server: BreakableServer) -> None:
    follower = GapFollower()
    async with receiving(server, follower.on_messages, LOG) as receiver:
        await until(lambda: receiver.counters.refused > 0)

        async with relaying(server, MemorySource(3), LOG):
            await until(lambda: follower.cursor == 3)

    assert not receiver.counters.errors


async def test_a_peer_never_makes_a_durable(server: BreakableServer) -> None:
    follower = GapFollower()
    stranger = DurableShape(name="stranger")
    async with (
        relaying(server, MemorySource(3)) as at_work,
        receiving(server, follower.on_messages, durable=stranger) as receiver,
        linked(server) as link,
    ):
        await at_work.caught_up()
        await until(lambda: receiver.counters.refused > 2)

        assert (await call(link, f"CONSUMER.NAMES.{LANE.name}"))["consumers"] == ["feed"]


@pytest.mark.parametrize("shape", [LANE, LOG], ids=["lane", "log"])
async def test_a_deleted_stream_does_not_stop_a_reader(server: BreakableServer, shape: StreamShape) -> None:
    source = MemorySource(30)
    follower = GapFollower(source)
    async with relaying(server, source, shape) as at_work, receiving(server, follower.on_messages, shape):
        await until(lambda: follower.cursor == 30)
        async with linked(server) as link:
            await delete_stream(link, shape.name)
            at_work.add(30)
        await until(lambda: follower.cursor == 60)

        assert follower.applied == list(source.messages.values())


@pytest.mark.parametrize("shape", [LANE, LOG], ids=["lane", "log"])
async def test_a_deleted_durable_does_not_stop_a_reader(server: BreakableServer, shape: StreamShape) -> None:
    source = MemorySource(30)
    follower = GapFollower(source)
    durable = (shape.durable or READER).name
    async with relaying(server, source, shape) as at_work, receiving(server, follower.on_messages, shape):
        await until(lambda: follower.cursor == 30)
        async with linked(server) as link:
            await call(link, f"CONSUMER.DELETE.{shape.name}.{durable}")
            at_work.add(30)
        await until(lambda: follower.cursor == 60)

        assert follower.applied == list(source.messages.values())


async def test_a_killed_and_wiped_server_does_not_stop_a_reader(server: BreakableServer) -> None:
    source = MemorySource(10)
    follower = GapFollower(source)
    async with relaying(server, source) as at_work, receiving(server, follower.on_messages):
        for wipe in (False, True, False, True):
            at_work.add(200)
            await server.kill()
            if wipe:
                await server.wipe_store()
            at_work.add(200)
            await server.start()
            await until(lambda: follower.cursor == source.last)

        assert follower.applied == list(source.messages.values())
        assert not at_work.alarms


@pytest.mark.slow
async def test_a_silence_longer_than_every_timer_is_outlived(server: BreakableServer) -> None:
    source = MemorySource(10)
    follower = GapFollower(source)
    async with relaying(server, source) as at_work, receiving(server, follower.on_messages):
        await until(lambda: follower.cursor == 10)

        server.freeze()
        at_work.add(100)
        await until(lambda: not at_work.connection.connected)
        at_work.add(100)
        server.thaw()

        await until(lambda: follower.cursor == source.last)
        assert follower.applied == list(source.messages.values())


async def test_a_reader_that_comes_back_goes_on_where_it_acknowledged(server: BreakableServer) -> None:
    source = MemorySource(30)
    follower = GapFollower()
    async with relaying(server, source) as at_work:
        async with receiving(server, follower.on_messages):
            await until(lambda: source.acknowledged_through == 30)
        at_work.add(5)
        async with receiving(server, follower.on_messages):
            await until(lambda: follower.cursor == 35)

    assert not follower.repeated


async def test_a_durable_of_another_shape_is_replaced_by_its_own_agencys_reader(server: BreakableServer) -> None:
    follower = GapFollower()
    other = replace(READER, ack_wait=timedelta(seconds=60)).configuration()
    async with relaying(server, MemorySource(3), LOG) as at_work, linked(server) as link:
        await at_work.caught_up()
        await call(link, f"CONSUMER.CREATE.{LOG.name}.leads", {"stream_name": LOG.name, "config": other})

        async with receiving(server, follower.on_messages, LOG):
            await until(lambda: follower.cursor == 3)

        found = await call(link, f"CONSUMER.INFO.{LOG.name}.leads")
        assert found["config"]["ack_wait"] == READER.configuration()["ack_wait"]


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("$JS.ACK.OUT_jp_12_data.feed.1.7.8.1700000000.0", 7),
        ("$JS.ACK.domain.hash.OUT_jp_12_data.feed.1.7.8.1700000000.0", 7),
        ("$JS.ACK.domain.hash.OUT_jp_12_data.feed.1.7.8.1700000000.0.random", 7),
        ("$JS.ACK.OUT_jp_12_data.feed.1.-7.8.1700000000.0", None),
        ("$JS.ACK.OUT_jp_12_data.feed.1.７.8.1700000000.0", None),
        ("$JS.ACK.OUT_jp_12_data.feed.1." + "9" * 5000 + ".8.1700000000.0", None),
        ("$JS.ACK.short", None),
        ("_INBOX.a.b.c.d.e.f.g.h", None),
        ("", None),
    ],
)
def test_a_number_is_read_from_a_reply_subject_or_nothing_is(reply: str, number: int | None) -> None:
    """A hostile server chooses this text."""
    assert _number(reply) == number
