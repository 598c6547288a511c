"""Exchanges over real gRPC and real nats-servers: what one releases, the others have, once and in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Delivery, LaneStatus, ReadLaneRequest
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1.events_pb2 import TipReceived

from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import Unauthenticated
from renkei_chassis.ids import uuid7
from renkei_exchange.outbound import Outbound
from renkei_exchange.store import OutItem
from tests.exchange.forces import Force, forces, linked, payload_of, to
from tests.exchange.ground import event_body
from tests.exchange.servers import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.ports import PortClaims

CHIBA: Final = "agencies/jp-12"
TOCHIGI: Final = "agencies/jp-09"
BOTH: Final = pytest.mark.parametrize("nats", [True, False], ids=["with NATS", "without NATS"])

pytestmark = pytest.mark.usefixtures("kind")


async def lane_of(force: Force, peer: str, *, outbound: bool) -> LaneStatus:
    lanes = (await force.peers())[peer].lanes
    return next(lane for lane in lanes if lane.lane == LANE_DATA and lane.outbound == outbound)


async def send_raw(force: Force, *bodies: bytes) -> None:
    """Put bodies into the data lane to Chiba as an exchange does that is newer, or hostile."""
    outbound = Outbound(own=force.name, peers=[CHIBA], epoch=force.exchange.database.epoch)
    for body in bodies:
        item = OutItem(
            peer=CHIBA,
            lane=LANE_DATA,
            body=body,
            event_id=uuid7(),
            type_name="x",
            resource="",
            grade=GRADE_FULL,
        )
        await force.exchange.writer.run(partial(outbound.put, item=item))


def texts_of(events: Sequence[Event]) -> list[str]:
    return [payload_of(event).tip.text for event in events]


@BOTH
async def test_what_is_released_arrives_in_order(tmp_path: Path, ports: PortClaims, nats: bool) -> None:  # noqa: FBT001
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=nats) as (tochigi, chiba):
        await linked(tochigi, chiba)
        ids = await tochigi.record("a", "b", to=to("jp-12"))
        ids += await tochigi.record("c", to=to("jp-12"))

        events = await chiba.has(3)

        assert [event.id for event in events] == [str(event_id) for event_id in ids]
        assert texts_of(events) == ["text-a", "text-b", "text-c"]
        assert {event.origin.agency for event in events} == {TOCHIGI}
        (first, *_) = await tochigi.tips.log.events(after=0)
        assert events[0].origin.time == first.time


async def test_nats_alone_brings_what_is_released(tmp_path: Path, ports: PortClaims) -> None:
    """Once a lane is known, the sender can refuse every question: NATS needs none of them."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await linked(tochigi, chiba)
        await tochigi.stop_exchange()
        tochigi.trusts = tochigi.own_trust()
        await tochigi.start_exchange()
        peer = chiba.peer_client(tochigi)
        with pytest.raises(Unauthenticated):
            await peer.call(peer.stub(ExchangeServiceStub).ReadLane, ReadLaneRequest(lane=LANE_DATA))

        for number in range(5):
            await tochigi.record(str(number), to=to("jp-12"))
            await chiba.has(number + 1)

        lane = await lane_of(chiba, TOCHIGI, outbound=False)
    assert (lane.received_bundle, lane.repaired, lane.blocked_reason) == (5, 0, "")


@BOTH
async def test_the_sender_learns_what_arrived(tmp_path: Path, ports: PortClaims, nats: bool) -> None:  # noqa: FBT001
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=nats) as (tochigi, chiba):
        await tochigi.record("a", to=to("jp-12"))
        await chiba.has(1)
        await until(lambda: tochigi.received("jp-12") == 1)

        (delivery,) = await tochigi.deliveries()
        assert delivery.state == Delivery.STATE_DELIVERED
        # The receipt took the control lane, and is nobody else's business.
        assert len(await tochigi.log()) == 0
        lane = next(
            lane for lane in (await tochigi.peers())[CHIBA].lanes if lane.lane == LANE_CONTROL and not lane.outbound
        )
        await until(lambda: tochigi.exchange.log.position.sequence == 0)
        assert lane.blocked_reason == ""


@BOTH
async def test_a_marker_is_in_no_byte_of_whoever_may_not_have_it(
    tmp_path: Path,
    ports: PortClaims,
    nats: bool,  # noqa: FBT001
) -> None:
    """Databases, write-ahead logs, streams and server logs, read as bytes: in full, by index, not at all."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=nats) as (tochigi, chiba, tokyo):
        await linked(tochigi, chiba, tokyo)
        await tochigi.record("fullmarker", to={**to("jp-12"), **to("jp-13", grade=GRADE_INDEX_ONLY)})
        await tochigi.record("homemarker")
        await tochigi.record("last", to=to("jp-12", "jp-13"))
        await chiba.has(2)
        await tokyo.has(2)
        own, full, index = [await force.files() for force in (tochigi, chiba, tokyo)]

    assert own.count(b"text-fullmarker") > 0  # what is looked for can be found
    assert b"text-homemarker" in own
    assert b"text-fullmarker" in full
    assert b"subject-fullmarker" in index
    for files, forbidden in (
        (full, [b"homemarker", b"bystander-", b"etag-"]),
        (index, [b"homemarker", b"bystander-", b"etag-", b"text-fullmarker", b"subject-original-fullmarker"]),
    ):
        assert [word for word in forbidden if word in files] == []


async def test_no_agency_learns_what_another_one_gets(tmp_path: Path, ports: PortClaims) -> None:
    """Its own lane has its own numbers, and no audience is in it."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", "jp-13", nats=False) as (tochigi, chiba, tokyo):
        for number in range(3):
            await tochigi.record(str(number), to=to("jp-13"))
        await tochigi.record("both", to=to("jp-12", "jp-13"))
        (event,) = await chiba.has(1)
        await tokyo.has(4)
        files = await chiba.files()

    assert (event.origin.bundle, event.origin.item) == (1, 1)
    assert not event.audience
    # Chiba's own federation knows Tokyo by name, but nothing that came in says it.
    assert b"agencies/jp-13" not in event.SerializeToString()
    assert files.count(b"text-both") > 0


async def test_an_event_of_a_newer_program_passes_through(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        await send_raw(tochigi, event_body(type_name="renkei.future.v9.ThingHappened", data=b"\x0a\x01x"))

        (event,) = await chiba.has(1)

    assert (event.type, event.data.value) == ("renkei.future.v9.ThingHappened", b"\x0a\x01x")


async def test_a_lane_does_not_stop_for_what_an_item_holds(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await send_raw(tochigi, b"\xff garbage", event_body(TipReceived(name="x")), event_body(event_id="no id"))
        await tochigi.record("good", to=to("jp-12"))

        events = await chiba.has(1)

        assert texts_of(events) == ["text-good"]
        assert (await lane_of(chiba, TOCHIGI, outbound=False)).blocked_reason == ""
        alarms = chiba.exchange.metrics.registry
        for reason, count in (("UNREADABLE", 2), ("WRONG_LANE", 1)):
            assert alarms.get_sample_value("renkei_alarms_total", {"reason": reason}) == count


async def test_an_event_that_must_stay_home_stays_whatever_its_audience_says(tmp_path: Path, ports: PortClaims) -> None:
    """The mistake would be the local service's, and the exchange is the door."""
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=False) as (tochigi, chiba):
        wrong = NewEvent(
            payload=TipReceived(name="agencies/jp-09/tips/homemarker"), resource="r", audience={CHIBA: GRADE_FULL}
        )
        await tochigi.emit(wrong)
        await tochigi.record("after", to=to("jp-12"))
        events = await chiba.has(1)
        files = await chiba.files()

        assert texts_of(events) == ["text-after"]
        assert b"homemarker" not in files
        refused = {"reason": "NOT_RELEASABLE_TYPE"}
        assert tochigi.exchange.metrics.registry.get_sample_value("renkei_alarms_total", refused) == 1


async def test_many_events_travel_in_few_bundles(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        await linked(tochigi, chiba)
        words = [f"word-{number}" for number in range(2000)]
        for start in range(0, len(words), 500):
            await tochigi.record(*words[start : start + 500], to=to("jp-12"))

        events = await chiba.has(len(words))

        assert texts_of(events) == [f"text-{word}" for word in words]
        assert (await lane_of(chiba, TOCHIGI, outbound=False)).received_bundle < 50


async def test_both_directions_work_at_once(tmp_path: Path, ports: PortClaims) -> None:
    async with forces(tmp_path, ports, "jp-09", "jp-12", nats=True) as (tochigi, chiba):
        for number in range(20):
            await tochigi.record(f"t{number}", to=to("jp-12"))
            await chiba.record(f"c{number}", to=to("jp-09"))

        assert texts_of(await chiba.has(20)) == [f"text-t{number}" for number in range(20)]
        assert texts_of(await tochigi.has(20)) == [f"text-c{number}" for number in range(20)]
