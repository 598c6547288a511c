"""The stream becomes equal to its source whatever happens to it, and is never believed blindly."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier import Alarm, Distrust, StreamShape
from renkei_chassis.courier.jetstream import (
    JetStreamError,
    call,
    create_stream,
    delete_stream,
    read_message,
    read_stream,
)
from renkei_chassis.courier.puller import Puller
from tests.chassis.courier.fakes import MemorySource
from tests.chassis.courier.relays import LANE, LOG, relaying
from tests.chassis.courier.servers import BreakableServer, linked, until

if TYPE_CHECKING:
    from renkei_chassis.courier import Link


async def stored(link: Link, shape: StreamShape = LANE) -> dict[int, bytes | None]:
    state = await read_stream(link, shape.name)
    assert state is not None
    return {number: await read_message(link, shape.name, number) for number in range(state.first, state.last + 1)}


async def until_holds(link: Link, numbers: range) -> None:
    async with asyncio.timeout(10):
        while True:
            if list(await stored(link)) == list(numbers):
                return
            await asyncio.sleep(0.05)


async def until_durable_is_back(link: Link) -> None:
    async with asyncio.timeout(10):
        while True:
            if (await call(link, f"CONSUMER.NAMES.{LANE.name}"))["consumers"] == ["feed"]:
                return
            await asyncio.sleep(0.05)


async def acknowledge(link: Link, count: int) -> None:
    """Read and acknowledge that many messages, as a peer would."""
    puller = await Puller(link, stream=LANE.name, durable="feed", batch=count).open()
    async with asyncio.timeout(10):
        while count:
            messages = await puller.next()
            count -= len(messages)
            await link.client.publish(messages[-1].reply)
    await puller.close()
    await link.client.flush()


@pytest.mark.parametrize("shape", [LANE, LOG], ids=["lane", "log"])
async def test_the_stream_sequence_is_the_message_number(server: BreakableServer, shape: StreamShape) -> None:
    source = MemorySource(30)
    async with relaying(server, source, shape) as at_work, linked(server) as link:
        await at_work.caught_up()
        at_work.add(200)
        await at_work.caught_up()

        assert await stored(link, shape) == source.messages


async def test_a_wake_publishes_without_waiting_for_the_tick(server: BreakableServer) -> None:
    async with relaying(server, MemorySource(1)) as at_work:
        await at_work.caught_up()
        loop = asyncio.get_running_loop()
        seconds = []
        for _ in range(20):
            began = loop.time()
            at_work.add(1)
            await at_work.caught_up()
            seconds.append(loop.time() - began)

    assert sorted(seconds)[10] < 0.5  # half of the tick


async def test_a_server_that_is_down_at_the_start_is_caught_up_with(idle_server: BreakableServer) -> None:
    source = MemorySource(10)
    async with relaying(idle_server, source) as at_work:
        await until(lambda: at_work.connection.failures > 0)
        at_work.add(10)

        await idle_server.start()

        await at_work.caught_up()
        async with linked(idle_server) as link:
            assert await stored(link) == source.messages


async def test_a_killed_server_loses_nothing(server: BreakableServer) -> None:
    source = MemorySource(10)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
        for _ in range(3):
            at_work.add(500)
            await server.kill()
            at_work.add(500)
            await server.start()
            await at_work.caught_up()

        async with linked(server) as link:
            assert await stored(link) == source.messages
        assert not at_work.alarms


async def test_a_wiped_lane_begins_after_what_was_acknowledged(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
        async with linked(server) as link:
            await acknowledge(link, 12)
        await until(lambda: source.acknowledged_through == 12)

        await server.kill()
        await server.wipe_store()
        await server.start()

        await until(lambda: at_work.relay.counters.created == 2)
        await at_work.caught_up()
        async with linked(server) as link:
            assert list(await stored(link)) == list(range(13, 21))
        assert at_work.relay.counters.rewinds == 1
        assert not at_work.alarms


async def test_a_new_local_log_begins_with_the_last_few_messages(server: BreakableServer) -> None:
    """Whoever misses older ones reads them from the log; the first message it gets tells it to."""
    source = MemorySource(1000)
    async with relaying(server, source, LOG) as at_work:
        await at_work.caught_up()

        async with linked(server) as link:
            assert list(await stored(link, LOG)) == list(range(937, 1001))


async def test_a_store_that_was_put_back_is_filled_up_with_the_same_bytes(server: BreakableServer) -> None:
    source = MemorySource(10)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
        await server.stop()
        copy = await server.copy_store()
        await server.start()
        at_work.add(30)
        await at_work.caught_up()

        await server.stop()
        await server.put_store_back(copy)
        await server.start()

        await until(lambda: at_work.relay.counters.rewinds == 1)
        await at_work.caught_up()
        async with linked(server) as link:
            assert await stored(link) == source.messages
        assert not at_work.alarms


async def test_a_deleted_stream_comes_back_while_the_relay_runs(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        await delete_stream(link, LANE.name)

        await until(lambda: at_work.relay.counters.created == 2)
        await at_work.caught_up()
        assert await stored(link) == source.messages


async def test_a_deleted_durable_comes_back_while_the_relay_runs(server: BreakableServer) -> None:
    async with relaying(server, MemorySource(5)) as at_work, linked(server) as link:
        await at_work.caught_up()

        await call(link, f"CONSUMER.DELETE.{LANE.name}.feed")

        await until_durable_is_back(link)


async def test_acknowledged_messages_are_purged(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        await acknowledge(link, 15)
        await until(lambda: source.acknowledged_through == 15)

        await until_holds(link, range(16, 21))


async def test_what_was_acknowledged_in_another_way_is_purged_too(server: BreakableServer) -> None:
    """A receipt on the lane back, of a reader that reads over gRPC."""
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        source.acknowledged_through = 18

        await until_holds(link, range(19, 21))


async def test_a_full_lane_waits_and_goes_on_when_its_reader_does(server: BreakableServer) -> None:
    source = MemorySource()
    async with relaying(server, source, replace(LANE, max_bytes=20_000)) as at_work, linked(server) as link:
        source.add(300)
        at_work.relay.wake()
        await until(lambda: at_work.relay.counters.full > 0)
        held = at_work.relay.counters.position
        assert 0 < held < 300

        while at_work.relay.counters.position < 300:
            await acknowledge(link, 1)

        assert at_work.relay.counters.last_error == "StreamFull"
        assert not at_work.alarms
        assert not at_work.relay.counters.recreated


async def test_a_message_too_large_for_the_server_is_named_and_nothing_passes_it(server: BreakableServer) -> None:
    source = MemorySource(3)
    source.messages[2] = bytes(600_000)
    async with relaying(server, source) as at_work, linked(server) as link:
        await until(lambda: at_work.relay.counters.last_error == "MessageTooLarge")

        assert list(await stored(link)) == [1]


async def test_messages_that_the_source_dropped_are_skipped(server: BreakableServer) -> None:
    source = MemorySource(50)
    source.drop_through(30)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        assert list(await stored(link)) == list(range(31, 51))
        assert at_work.relay.counters.skipped == 30


async def test_a_stream_ahead_of_a_rolled_back_source_is_made_anew(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
    source.roll_back(15)

    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        assert await stored(link) == source.messages
        assert at_work.alarms == [
            Alarm(stream=LANE.name, distrust=Distrust.AHEAD, stream_last=20, source_last=15),
        ]


async def test_a_source_rolled_back_and_grown_again_is_noticed_by_its_bytes(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
    source.roll_back(15)
    source.add(10, text="other")

    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        assert await stored(link) == source.messages
        assert [alarm.distrust for alarm in at_work.alarms] == [Distrust.FOREIGN]


async def test_a_stream_of_another_epoch_is_made_anew(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source, epoch="before") as at_work:
        await at_work.caught_up()

    async with relaying(server, source, epoch="after") as at_work:
        await at_work.caught_up()

        assert [alarm.distrust for alarm in at_work.alarms] == [Distrust.EPOCH]
        assert at_work.relay.counters.published == 20


async def test_a_stream_that_is_configured_otherwise_is_made_anew(server: BreakableServer) -> None:
    async with linked(server) as link:
        await create_stream(link, replace(LANE, max_age=timedelta(seconds=1)), "e1", 1)

        async with relaying(server, MemorySource(20)) as at_work:
            await at_work.caught_up()

            assert [alarm.distrust for alarm in at_work.alarms] == [Distrust.CONFIGURATION]
            state = await read_stream(link, LANE.name)
            assert state is not None
            assert not state.differs(LANE.configuration("e1"))


async def test_no_single_message_can_be_deleted(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        with pytest.raises(JetStreamError, match="delete not permitted"):
            await call(link, f"STREAM.MSG.DELETE.{LANE.name}", {"seq": 7})

        assert await stored(link) == source.messages


async def test_a_stream_with_a_hole_is_made_anew(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with linked(server) as link:
        wanted = LANE.configuration("e1")
        await call(link, f"STREAM.CREATE.{LANE.name}", {**wanted, "deny_delete": False})
        for data in source.messages.values():
            await link.client.request(LANE.subject, data, timeout=5)
        await call(link, f"STREAM.MSG.DELETE.{LANE.name}", {"seq": 7})
        await call(link, f"STREAM.UPDATE.{LANE.name}", wanted)

        async with relaying(server, source) as at_work:
            await at_work.caught_up()

            assert [alarm.distrust for alarm in at_work.alarms] == [Distrust.HOLE]
            assert await stored(link) == source.messages


async def test_a_stream_cut_short_by_damage_is_filled_up(server: BreakableServer) -> None:
    source = MemorySource(500)
    async with relaying(server, source) as at_work:
        await at_work.caught_up()
        await server.stop()
        await asyncio.to_thread(server.damage_store)
        await server.start()

        await until(lambda: at_work.relay.counters.rewinds == 1)
        await at_work.caught_up()
        async with linked(server) as link:
            assert await stored(link) == source.messages
        assert not at_work.alarms


async def test_a_foreign_message_that_takes_a_number_is_thrown_out(server: BreakableServer) -> None:
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        await link.client.publish(LANE.subject, b"foreign")
        await link.client.flush()
        at_work.add(20)

        await until(lambda: len(at_work.alarms) == 1)
        await at_work.caught_up()
        assert await stored(link) == source.messages
        assert at_work.alarms[0].distrust in {Distrust.FOREIGN, Distrust.AHEAD}


async def test_a_foreign_message_under_the_next_id_does_not_swallow_the_real_one(server: BreakableServer) -> None:
    """The server answers a repeated id with a friendly acknowledgement and throws the message away."""
    source = MemorySource(20)
    async with relaying(server, source) as at_work, linked(server) as link:
        await at_work.caught_up()

        reply = await link.client.request(LANE.subject, b"foreign", timeout=5, headers={"Nats-Msg-Id": "e1/21"})
        assert json.loads(reply.data)["seq"] == 21
        at_work.add(1)

        await until(lambda: len(at_work.alarms) == 1)
        await at_work.caught_up()
        assert await stored(link) == source.messages


async def test_a_failing_source_is_tried_again(server: BreakableServer, monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource(5)

    async def fail(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(source, "last_number", fail)
    async with relaying(server, source) as at_work:
        await until(lambda: at_work.relay.counters.errors > 2)
        assert at_work.relay.counters.last_error == "OSError"

        monkeypatch.undo()

        await at_work.caught_up()
