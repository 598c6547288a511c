"""A record that is purged leaves nothing in the lanes out and nothing in the log of what came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from renkei.event.v1.event_pb2 import Event
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, Bundle
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from renkei.tips.v1.events_pb2 import TipDeleted, TipPurged, TipRecorded
from renkei.tips.v1.tips_pb2 import Tip

from renkei_chassis.ids import uuid7
from renkei_exchange.lane import Position, Route, Take, receive
from tests.exchange.ground import PEER, Ground, event_body
from tests.exchange.test_admission import admit
from tests.exchange.test_inbox import OTHER, Door, local_event, recorded

if TYPE_CHECKING:
    from google.protobuf.message import Message

OURS: Final = "agencies/jp-12/tips/1"
THEIRS: Final = f"{PEER}/tips/1"
PURGED: Final = TipPurged(name=OURS, version=1)


def kinds(events: list[Event]) -> list[str]:
    return [event.type.rpartition(".")[2] for event in events]


def of_theirs(payload: Message, *, event_id: object = None, resource: str = THEIRS) -> bytes:
    return event_body(payload, event_id=str(event_id or uuid7()), resource=resource)


def told(text: str) -> TipRecorded:
    return TipRecorded(tip=Tip(name=THEIRS, version=1, text=text))


async def test_a_purge_empties_every_item_of_the_record_and_of_no_other(ground: Ground) -> None:
    door = Door(ground)
    audience = {PEER: GRADE_FULL, OTHER: GRADE_INDEX_ONLY}
    await door.release(recorded("RKGONE"), audience)
    other = local_event(recorded("RKSTAYS"), audience)
    other.resource = "agencies/jp-12/tips/2"
    await door.take((other, recorded("RKSTAYS")))

    await door.release(PURGED, audience)

    for peer, text in ((PEER, b"RKSTAYS"), (OTHER, b"")):
        raw = b"".join(await ground.bundles(LANE_DATA, peer=peer))
        items = [item for each in await ground.bundles(LANE_DATA, peer=peer) for item in Bundle.FromString(each).items]
        assert [item.withheld for item in items] == [True, False, False]
        assert Event.FromString(items[2].body).type == "renkei.tips.v1.TipPurged"
        assert b"RKGONE" not in raw
        assert text in raw
    assert ground.writer.erasures == 1


async def test_a_lane_whose_items_were_emptied_still_verifies(ground: Ground) -> None:
    door = Door(ground)
    await door.release(recorded(), {PEER: GRADE_FULL})
    await door.release(PURGED, {PEER: GRADE_FULL})
    route = Route(origin="agencies/jp-12", recipient=PEER, lane=LANE_DATA)
    position = Position(epoch=ground.database.epoch)

    taken: list[bool] = []
    for raw in await ground.bundles():
        effect = receive(raw, route=route, position=position, control=position, sure=True)
        assert isinstance(effect, Take)
        position = effect.position
        taken += [item.body is None for item in effect.items]

    assert taken == [True, False]


async def test_a_purge_empties_the_lanes_though_nobody_is_to_hear_of_it(ground: Ground) -> None:
    door = Door(ground)
    await door.release(recorded("RKGONE"), {PEER: GRADE_FULL})

    await door.release(PURGED, {})

    assert b"RKGONE" not in b"".join(await ground.bundles())


async def test_what_is_purged_in_the_batch_that_brought_it_never_gets_into_a_lane(ground: Ground) -> None:
    door = Door(ground)
    payload = recorded("RKGONE")
    told_of = [(local_event(each, {PEER: GRADE_FULL}), each) for each in (payload, PURGED)]

    await door.take(*told_of)

    assert kinds(await door.sent()) == ["TipPurged"]
    assert kinds(await door.sent(OTHER)) == []


async def test_a_purge_that_came_from_elsewhere_empties_nothing_of_ours(ground: Ground) -> None:
    door = Door(ground)
    await door.release(recorded("RKSTAYS"), {PEER: GRADE_FULL})
    foreign = local_event(PURGED, {})
    foreign.origin.agency = PEER

    await door.take((foreign, PURGED))

    assert b"RKSTAYS" in b"".join(await ground.bundles())


async def test_a_purge_of_a_peer_erases_what_our_log_holds_of_its_record(ground: Ground) -> None:
    await admit(ground, of_theirs(told("RKGONE")), of_theirs(TipDeleted(name=THEIRS, version=1)))

    events = await admit(ground, of_theirs(TipPurged(name=THEIRS, version=1)))

    assert kinds(list(events)) == ["TipRecorded", "TipDeleted", "TipPurged"]
    assert [event.erased for event in events] == [True, True, False]
    assert ground.writer.erasures == 1


async def test_late_duplicates_of_a_purged_record_do_not_get_into_the_log(ground: Ground) -> None:
    first, second = of_theirs(told("RKGONE")), of_theirs(told("RKGONE"))

    await admit(ground, first, of_theirs(TipPurged(name=THEIRS, version=1)))
    events = await admit(ground, first, second, of_theirs(told("RKSTAYS"), resource=f"{PEER}/tips/2"))

    assert kinds(list(events)) == ["TipPurged", "TipRecorded"]
    assert events[1].resource == f"{PEER}/tips/2"


@pytest.mark.parametrize(
    ("resource", "name"),
    [("agencies/jp-13/tips/1", "agencies/jp-13/tips/1"), (THEIRS, f"{PEER}/tips/2"), (THEIRS, "")],
    ids=["of a third agency", "of another name", "of no name"],
)
async def test_a_purge_that_is_not_the_senders_to_tell_erases_nothing(ground: Ground, resource: str, name: str) -> None:
    await admit(ground, of_theirs(told("RKSTAYS")), of_theirs(told("RKSTAYS"), resource=resource))

    events = await admit(ground, of_theirs(TipPurged(name=name, version=1), resource=resource))

    assert not any(event.erased for event in events)
    assert len(events) == 3


async def test_a_purge_that_cannot_be_read_erases_nothing_and_stops_no_lane(ground: Ground) -> None:
    await admit(ground, of_theirs(told("RKSTAYS")))
    broken = event_body(type_name="renkei.tips.v1.TipPurged", data=b"\xff", resource=THEIRS)

    events = await admit(ground, broken, of_theirs(told("RKSTAYS"), resource=f"{PEER}/tips/2"))

    assert len(events) == 3
    assert not any(event.erased for event in events)
