"""One inbound lane over a real database: copies from NATS, answers of the peer, and what is acknowledged when."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane, ReadLaneRequest, ReadLaneResponse

from renkei_chassis.courier import Message
from renkei_chassis.errors import OutOfRange, Unavailable
from renkei_exchange.inbound import InboundLane
from renkei_exchange.lane import LaneError, Route
from renkei_exchange.settings import Settings
from tests.exchange.ground import PEER, Ground, event_body
from tests.exchange.lanes import Sender, with_header
from tests.exchange.servers import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class FakePeer:
    """The sending end: answers ReadLane, or not, or badly."""

    def __init__(self) -> None:
        self.sender = Sender()
        self.reachable = True
        self.asked = 0
        self.spoil: Callable[[bytes], bytes] = bytes

    def send(self, count: int = 1, lane: Lane.ValueType = LANE_DATA) -> list[Message]:
        """Make bundles of one event each; returns them as NATS would bring them."""
        raws = [raw for _ in range(count) for raw in self.sender.send(lane, event_body())]
        last = self.sender.positions[lane].bundle
        return [Message(number=last - count + 1 + index, data=raw) for index, raw in enumerate(raws)]

    async def read_lane(self, request: ReadLaneRequest) -> ReadLaneResponse:
        self.asked += 1
        if not self.reachable:
            raise Unavailable("UNKNOWN", "nobody there")
        try:
            epoch, last, raws = self.sender.read(request.lane, epoch=request.epoch, after=request.after_bundle)
        except LaneError as error:
            raise OutOfRange(error.reason.value, "ahead") from None
        return ReadLaneResponse(epoch=epoch, last_bundle=last, bundles=[self.spoil(raw) for raw in raws])


class Pair:
    """The two lanes from one peer, as the wiring joins them."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.peer = FakePeer()
        self.settings = Settings(control_wait_seconds=0.05)
        self.control = self._lane(LANE_CONTROL, None)
        self.data = self._lane(LANE_DATA, self.control)

    def _lane(self, lane: Lane.ValueType, control: InboundLane | None) -> InboundLane:
        return InboundLane(
            route=Route(origin=PEER, recipient="agencies/jp-12", lane=lane),
            database=self.ground.database,
            writer=self.ground.writer,
            admission=self.ground.admission(),
            read_lane=self.peer.read_lane,
            settings=self.settings,
            alarms=self.ground.alarms,
            control=control,
        )

    async def joined(self) -> None:
        """Learn the epochs, as the first question at the start does."""
        await self.control.pull()
        await self.data.pull()
        self.peer.asked = 0

    async def held(self) -> int:
        return len(await self.ground.events())


@pytest.fixture
async def pair(ground: Ground) -> Pair:
    made = Pair(ground)
    await made.joined()
    return made


def spoiled(message: Message) -> Message:
    changed = bytearray(message.data)
    changed[len(changed) // 2] ^= 0xFF
    return Message(number=message.number, data=bytes(changed))


async def test_bundles_that_nats_brings_in_order_need_no_question(pair: Pair) -> None:
    messages = pair.peer.send(3)

    assert await pair.data.on_messages(messages) == 3
    assert await pair.held() == 3
    assert (pair.peer.asked, pair.data.repaired) == (0, 0)


async def test_bundles_of_one_delivery_are_one_commit(pair: Pair) -> None:
    groups = pair.ground.writer.groups
    await pair.data.on_messages(pair.peer.send(20))

    assert pair.ground.writer.groups == groups + 1


async def test_a_gap_is_read_from_the_peer(pair: Pair) -> None:
    messages = pair.peer.send(5)

    assert await pair.data.on_messages(messages[3:]) == 5
    assert await pair.held() == 5
    assert pair.data.repaired == 5


async def test_copies_in_any_order_and_number_do_no_harm(pair: Pair) -> None:
    messages = pair.peer.send(4)
    for index in (2, 0, 3, 3, 1, 0):
        await pair.data.on_messages([messages[index]])

    assert await pair.held() == 4


async def test_a_spoiled_copy_is_read_from_the_peer_and_told_of(pair: Pair) -> None:
    first, second = pair.peer.send(2)

    assert await pair.data.on_messages([first, spoiled(second)]) == 2
    assert await pair.held() == 2
    assert pair.data.blocked == ""
    assert pair.ground.alarms.counts == {"BAD_COPY": 1}


async def test_what_cannot_be_repaired_now_is_not_acknowledged(pair: Pair) -> None:
    first, _, third = pair.peer.send(3)
    pair.peer.reachable = False

    assert await pair.data.on_messages([first, third]) == 1
    assert await pair.held() == 1


async def test_a_lane_whose_sender_has_no_good_copy_says_why_until_it_has_one(pair: Pair) -> None:
    messages = pair.peer.send(2)
    pair.peer.spoil = lambda raw: with_header(raw, previous_head=b"x" * 32)

    assert await pair.data.on_messages([spoiled(message) for message in messages]) is None
    assert pair.data.blocked == "CHAIN_BROKEN"
    assert pair.ground.state(outbound=False).blocked == "CHAIN_BROKEN"
    assert pair.ground.alarms.counts["BLOCKED"] == 1
    await pair.data.pull()
    assert pair.ground.alarms.counts["BLOCKED"] == 1  # told of once

    pair.peer.spoil = bytes
    await pair.data.pull()

    assert (pair.data.blocked, pair.ground.state(outbound=False).blocked) == ("", "")
    assert await pair.held() == 2


async def test_a_blocked_lane_is_asked_for_once_a_delivery(pair: Pair) -> None:
    """Not once a message: a peer in trouble is not helped by being asked in a loop."""
    messages = [spoiled(message) for message in pair.peer.send(10)]
    pair.peer.spoil = lambda raw: with_header(raw, recipient="agencies/jp-01")

    await pair.data.on_messages(messages)

    assert pair.data.blocked == "WRONG_RECIPIENT"
    assert pair.peer.asked == 1


async def test_a_copy_from_nats_alone_blocks_no_lane(pair: Pair) -> None:
    """Whoever can write to the stream could else stop a lane for good."""
    (message,) = pair.peer.send(1)
    forged = Message(number=1, data=with_header(message.data, recipient="agencies/jp-01"))

    assert await pair.data.on_messages([forged]) == 1
    assert pair.data.blocked == ""
    assert await pair.held() == 1


async def test_data_waits_for_its_control_lane(pair: Pair) -> None:
    pair.peer.send(2, LANE_CONTROL)
    messages = pair.peer.send(1)

    assert await pair.data.on_messages(messages) == 1
    assert pair.control.position.bundle == 2
    assert [event.origin.lane for event in await pair.ground.events()] == ["data"]


async def test_data_gives_nats_a_moment_to_bring_the_control_lane(pair: Pair) -> None:
    """Both come by NATS, each in its own stream: to ask at once would count every receipt as a repair."""
    control = pair.peer.send(1, LANE_CONTROL)
    data = pair.peer.send(1)
    pair.data.courier_connected = lambda: True
    pair.data._settings = Settings(control_wait_seconds=10)

    taking = asyncio.create_task(pair.data.on_messages(data))
    await asyncio.sleep(0)
    await pair.control.on_messages(control)

    assert await taking == 1
    assert pair.peer.asked == 0


async def test_data_does_not_pass_a_control_lane_that_stands_still(pair: Pair) -> None:
    pair.peer.send(1, LANE_CONTROL)
    data = pair.peer.send(1)
    pair.peer.spoil = lambda raw: with_header(raw, head=b"x" * 32)

    assert await pair.data.on_messages(data) is None
    assert (pair.control.blocked, pair.data.blocked) == ("CHAIN_BROKEN", "")
    assert await pair.held() == 0


async def test_data_that_names_control_which_was_never_made_blocks(pair: Pair) -> None:
    pair.peer.send(1)
    pair.peer.spoil = lambda raw: with_header(raw, control_through=9)

    await pair.data.pull()

    assert pair.data.blocked == "CHAIN_BROKEN"


async def test_a_new_epoch_is_read_from_its_start_and_nothing_comes_in_twice(pair: Pair) -> None:
    await pair.data.on_messages(pair.peer.send(3))
    pair.peer.sender.begin("e2")
    pair.peer.send(1)

    await pair.data.pull()

    assert await pair.held() == 4
    assert pair.data.position.epoch == "e2"
    assert pair.ground.alarms.counts == {"NEW_EPOCH": 1}


async def test_numbers_of_another_epoch_are_not_acknowledged(pair: Pair) -> None:
    """Bundle 1 of a new stream is not done because bundle 3 of the old one was."""
    await pair.data.on_messages(pair.peer.send(3))
    pair.peer.sender.begin("e2")
    pair.peer.reachable = False
    first = Message(number=1, data=pair.peer.sender.bundles[LANE_DATA][0])

    assert await pair.data.on_messages([first]) is None

    pair.peer.reachable = True
    assert await pair.data.on_messages([first]) == 1


async def test_bytes_that_are_no_bundle_are_done_with_once_the_lane_is_beyond_them(pair: Pair) -> None:
    pair.peer.send(2)
    garbage = [Message(number=number, data=b"\xff garbage") for number in (1, 2, 3)]

    assert await pair.data.on_messages(garbage) == 2


async def test_a_sender_that_lost_bundles_is_told_of_and_not_believed(pair: Pair) -> None:
    await pair.data.on_messages(pair.peer.send(3))
    pair.peer.sender = Sender()  # the same epoch, and empty

    with pytest.raises(OutOfRange):
        await pair.data.pull()

    assert pair.data.blocked == "LANE_AHEAD"
    assert pair.data.position.bundle == 3


async def test_a_lane_goes_on_where_its_database_stood(pair: Pair) -> None:
    await pair.data.on_messages(pair.peer.send(2))
    messages = pair.peer.send(2)

    again = Pair(pair.ground)
    again.peer.sender = pair.peer.sender
    assert await again.data.on_messages(messages) == 4

    assert again.peer.asked == 0
    assert await again.held() == 4


async def test_a_long_lane_comes_in_slices(pair: Pair) -> None:
    pair.peer.send(40)

    await pair.data.pull()

    assert await pair.held() == 40
    assert pair.peer.asked > 10


@asynccontextmanager
async def ticking(lane: InboundLane) -> AsyncIterator[None]:
    task = asyncio.create_task(lane.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_without_nats_the_peer_is_asked_all_the_time(pair: Pair) -> None:
    pair.data._settings = Settings(tick_seconds_without_courier=0.01)
    async with ticking(pair.data):
        await until(lambda: pair.peer.asked >= 3)


async def test_with_nats_the_peer_is_asked_at_the_start_and_then_seldom(pair: Pair) -> None:
    pair.data._settings = Settings(tick_seconds=300, tick_seconds_without_courier=0.01)
    pair.data.courier_connected = lambda: True
    async with ticking(pair.data):
        await until(lambda: pair.peer.asked > 0)
        await asyncio.sleep(0.1)  # ten ticks, if there were any

    assert pair.peer.asked == 1


async def test_a_peer_that_is_down_is_asked_again_at_once_when_the_way_to_it_changes(pair: Pair) -> None:
    pair.peer.reachable = False
    pair.data._settings = Settings(longest_pause_seconds=300)
    async with ticking(pair.data):
        await until(lambda: pair.data._failures == 1)
        pair.data._failures = 20  # the pause before the next try is five minutes by now
        pair.data.hurry()
        await until(lambda: pair.peer.asked == 2)
        pair.peer.reachable = True
        pair.peer.send(1)
        pair.data.hurry()
        await until(lambda: pair.data.position.bundle == 1)

    assert await pair.held() == 1
