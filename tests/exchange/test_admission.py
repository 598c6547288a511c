"""What an item that came does here: into the log once, or refused, and the lane goes on either way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from renkei.event.v1.event_pb2 import Event
from renkei.exchange.v1.events_pb2 import LaneReceived
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Lane
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED
from renkei.tips.v1.events_pb2 import TipReceived, TipRecorded

from renkei_chassis.ids import uuid7
from renkei_exchange.lane import Arrived, Position, Route, Take
from renkei_exchange.outbound import Outbound
from tests.exchange.ground import PEER, Ground, event_body, out_item
from tests.exchange.lanes import header_of

if TYPE_CHECKING:
    from collections.abc import Sequence

RECEIPT: Final = "renkei.exchange.v1.LaneReceived"


async def admit(ground: Ground, *bodies: bytes | None, lane: Lane.ValueType = LANE_DATA) -> Sequence[Event]:
    """Let bodies arrive as the items 5, 6, … of bundle 3; returns what the log holds then."""
    route = Route(origin=PEER, recipient="agencies/jp-12", lane=lane)
    items = [Arrived(number=number, body=body) for number, body in enumerate(bodies, start=5)]
    take = Take(items=items, position=Position(epoch="e1", bundle=3, item=4 + len(items)))
    admission = ground.admission()
    await ground.writer.run(lambda transaction: admission.admit(transaction, route, [take]))
    return await ground.events()


async def test_an_event_is_told_on_with_its_own_id_and_where_it_came_from(ground: Ground) -> None:
    event_id = uuid7()
    body = event_body(event_id=event_id, resource="agencies/jp-09/tips/1", grade=GRADE_INDEX_ONLY)

    (event,) = await admit(ground, body)

    came = Event.FromString(body)
    assert (event.id, event.type, event.data) == (str(event_id), came.type, came.data)
    assert (event.resource, event.grade) == ("agencies/jp-09/tips/1", GRADE_INDEX_ONLY)
    assert (event.origin.agency, event.origin.lane, event.origin.epoch) == (PEER, "data", "e1")
    assert (event.origin.bundle, event.origin.item, event.origin.time) == (3, 5, came.time)
    assert not event.audience


async def test_what_a_sender_says_of_origin_audience_and_trace_is_not_believed(ground: Ground) -> None:
    forged = Event.FromString(event_body())
    forged.origin.agency = "agencies/jp-13"
    forged.audience.add(agency="agencies/jp-13", grade=GRADE_FULL)
    forged.trace_parent = "00-forged-01"
    forged.source = "agencies/jp-12/logs/tips"

    (event,) = await admit(ground, forged.SerializeToString())

    assert event.origin.agency == PEER
    assert not event.audience
    assert event.trace_parent == ""
    assert event.source == "agencies/jp-12/logs/exchange"


async def test_an_event_comes_in_once_however_often_it_is_sent(ground: Ground) -> None:
    body, twin = event_body(), event_body(event_id=uuid7())
    again = event_body(event_id=Event.FromString(body).id, resource="changed")

    await admit(ground, body, body, twin)
    events = await admit(ground, again, twin)

    assert len(events) == 2
    assert ground.alarms.counts == {}


async def test_an_event_of_an_unknown_type_passes_through(ground: Ground) -> None:
    """The exchange of an agency that has not been upgraded must not lose what its services will know one day."""
    body = event_body(type_name="renkei.future.v9.ThingHappened", data=b"\x0a\x03abc")

    (event,) = await admit(ground, body)

    assert (event.type, event.data.value) == ("renkei.future.v9.ThingHappened", b"\x0a\x03abc")


async def test_a_withheld_item_does_nothing(ground: Ground) -> None:
    assert await admit(ground, None) == []
    assert ground.alarms.counts == {}


REFUSED: Final[dict[str, tuple[Lane.ValueType, bytes, str]]] = {
    "no event": (LANE_DATA, b"\xff", "UNREADABLE"),
    "empty": (LANE_DATA, b"", "UNREADABLE"),
    "no id": (LANE_DATA, event_body(event_id="x"), "UNREADABLE"),
    "an id spelled in another way": (LANE_DATA, event_body(event_id=str(uuid7()).upper()), "UNREADABLE"),
    "a type too long": (LANE_DATA, event_body(type_name="x" * 257), "UNREADABLE"),
    "a resource too long": (LANE_DATA, event_body(resource="x" * 201), "UNREADABLE"),
    "NUL in the resource": (LANE_DATA, event_body(resource="x\0"), "UNREADABLE"),
    "a type that must stay home": (LANE_DATA, event_body(TipReceived()), "WRONG_LANE"),
    "a receipt in the data lane": (LANE_DATA, event_body(LaneReceived()), "WRONG_LANE"),
    "no grade": (LANE_DATA, event_body(grade=GRADE_UNSPECIFIED), "WRONG_LANE"),
    "a record in the control lane": (LANE_CONTROL, event_body(TipRecorded()), "WRONG_LANE"),
    "a receipt that is none": (LANE_CONTROL, event_body(type_name=RECEIPT, data=b"\xff"), "UNREADABLE"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_bad_item_is_refused_aloud_and_the_next_one_comes_in(ground: Ground, name: str) -> None:
    lane, body, reason = REFUSED[name]
    good = event_body(type_name="renkei.future.v9.Good", data=b"\x0a\x01a")

    events = await admit(ground, body, good, lane=lane)

    assert [event.type for event in events] == ["renkei.future.v9.Good"]
    assert ground.alarms.counts == {reason: 1}


def mistimed(seconds: int, nanos: int) -> bytes:
    event = Event.FromString(event_body())
    event.time.seconds, event.time.nanos = seconds, nanos
    return event.SerializeToString()


@pytest.mark.parametrize(("seconds", "nanos"), [(-1, 0), (2**62, 0), (1, -1), (1, 1_000_000_000)])
async def test_a_time_that_no_clock_shows_is_refused(ground: Ground, seconds: int, nanos: int) -> None:
    assert await admit(ground, mistimed(seconds, nanos)) == []
    assert ground.alarms.counts == {"UNREADABLE": 1}


_FLIPS: Final = st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=_FLIPS, cut=st.integers(0, 10_000))
async def test_no_bytes_stop_a_lane(ground: Ground, flips: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(event_body())
    for place, flip in flips:
        body[place % len(body)] ^= flip
    before = len(await ground.events())

    events = await admit(ground, bytes(body[: cut % (len(body) + 1)]), event_body())

    assert before < len(events) <= before + 2


class TestReceipts:
    """What a receipt does to the lane that it speaks of."""

    async def sent(self, ground: Ground) -> Position:
        outbound = Outbound(own="agencies/jp-12", peers=[PEER], epoch=ground.database.epoch)
        await ground.put(outbound, out_item("a"))
        await ground.put(outbound, out_item("b"))
        return ground.state().position

    async def test_a_true_receipt_is_noted_and_stands_in_no_log(self, ground: Ground) -> None:
        position = await self.sent(ground)
        receipt = LaneReceived(lane=LANE_DATA, epoch=position.epoch, through_bundle=2, head=position.head)

        events = await admit(ground, event_body(receipt, grade=GRADE_UNSPECIFIED), lane=LANE_CONTROL)

        assert events == []
        assert ground.state().received == 2
        assert ground.state().receive_time_us > 0

    async def test_a_late_receipt_takes_nothing_back(self, ground: Ground) -> None:
        position = await self.sent(ground)
        (first, _) = await ground.bundles()
        late = LaneReceived(lane=LANE_DATA, epoch=position.epoch, through_bundle=1, head=header_of(first).head)
        full = LaneReceived(lane=LANE_DATA, epoch=position.epoch, through_bundle=2, head=position.head)

        await admit(ground, event_body(full), event_body(late), lane=LANE_CONTROL)

        assert ground.state().received == 2
        assert ground.alarms.counts == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"through_bundle": 3},
            {"through_bundle": 2**64 - 1},
            {"through_bundle": 1},
            {"epoch": "another"},
            {"head": bytes(32)},
            {"lane": LANE_CONTROL},
            {"lane": 0, "epoch": "", "through_bundle": 0, "head": b""},
        ],
    )
    async def test_a_receipt_for_what_was_never_sent_is_refused(
        self, ground: Ground, wrong: dict[str, int | str | bytes]
    ) -> None:
        """A head that differs means that the two agencies hold different histories."""
        position = await self.sent(ground)
        receipt = LaneReceived(lane=LANE_DATA, epoch=position.epoch, through_bundle=2, head=position.head)
        for name, value in wrong.items():
            setattr(receipt, name, value)

        await admit(ground, event_body(receipt), lane=LANE_CONTROL)

        assert ground.state().received == 0
        assert ground.alarms.counts == {"RECEIPT_MISMATCH": 1}
