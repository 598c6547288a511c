"""Targets for what comes by lane, by log and by NATS."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Final, cast

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from renkei.event.v1.event_pb2 import Event, EventBatch
from renkei.exchange.v1 import events_pb2 as exchange_events_pb2
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA
from renkei.policy.v1.policy_pb2 import GRADE_FULL
from renkei.tips.v1 import events_pb2

from renkei_chassis.contract import is_known
from renkei_chassis.courier import jetstream, publisher, puller, receiver
from renkei_chassis.follower import apply
from renkei_chassis.log.digest import event_digest
from renkei_exchange import admission, harm, lane
from renkei_exchange.lane import Arrived, Item, Position, Route, Take
from renkei_exchange.store import PURGED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nats.aio.client import Client

_ROUTES: Final = [
    Route(origin="agencies/jp-09", recipient="agencies/jp-12", lane=kind) for kind in (LANE_DATA, LANE_CONTROL)
]
_START: Final = Position(epoch="e1")
_EVENT_ID: Final = uuid.UUID("0191a7b2-0000-7000-8000-000000000001")
_MOST_DIGITS: Final = 20


def _event() -> Event:
    payload = events_pb2.TipWithdrawn(name=f"agencies/jp-09/tips/{_EVENT_ID}", version=1)
    event = Event(id=str(_EVENT_ID), type="renkei.tips.v1.TipWithdrawn", resource=payload.name, salt=bytes(16))
    event.time.FromMicroseconds(1_700_000_000_000_000)
    event.data.Pack(payload)
    event.grade = GRADE_FULL
    event.digest = event_digest(
        salt=event.salt,
        event_id=_EVENT_ID,
        time_us=event.time.ToMicroseconds(),
        type_name=event.type,
        payload=event.data.value,
    )
    return event


def bundle(data: bytes) -> None:
    """Take a bundle at the start of each lane, from NATS and from the sender."""
    for route in _ROUTES:
        for sure in (False, True):
            effect = lane.receive(data, route=route, position=_START, control=_START, sure=sure)
            if isinstance(effect, Take):
                assert effect.position.bundle == 1
                assert effect.position.item == len(effect.items)
    lane.number_of(data)


def bundles() -> Iterator[bytes]:
    items = [Item(body=body, salt=bytes(16)) for body in (_event().SerializeToString(), b"", b"x")]
    for route in _ROUTES:
        for through in (0, 3):
            for made in lane.make_bundles(items, route=route, after=_START, control_through=through, time_us=1):
                yield lane.assemble(made.header, b"", made.items)
                yield lane.assemble(made.header, b"", [*made.items[:-1], None])


def item(data: bytes) -> None:
    """Read an item of a bundle that was taken, and decide whether its lane may carry it."""
    raised = harm.read("agencies/jp-09", data)
    assert raised is None or raised.name.startswith("agencies/jp-09/harm/")
    event = admission._read(Arrived(number=1, body=data))
    if event is None:
        return
    for route in _ROUTES:
        if admission._belongs(event, route):
            take = Take(items=[], position=_START)
            new = admission._new_event(route, take, Arrived(number=1, body=data), event)
            assert new.event_id == uuid.UUID(event.id)
        if event.type in PURGED and admission._purges(event, route):
            assert event.resource.startswith(f"{route.origin}/")


def items() -> Iterator[bytes]:
    event = _event()
    yield event.SerializeToString()
    yield exchange_events_pb2.ImminentHarmRaised(name="agencies/jp-09/harm/1").SerializeToString()
    event.type = "renkei.tips.v1.TipPurged"
    event.data.type_url = "type.googleapis.com/renkei.tips.v1.TipPurged"
    yield event.SerializeToString()
    event.type = "renkei.exchange.v1.LaneReceived"
    event.data.type_url = "type.googleapis.com/renkei.exchange.v1.LaneReceived"
    yield event.SerializeToString()


def batch(data: bytes) -> None:
    """Read a packed message of a log and the payloads in it."""
    try:
        message = EventBatch.FromString(data)
    except DecodeError:
        return
    for event in message.events:
        try:
            apply._payload(event)
        except apply.SetAside as aside:
            reason = aside.reason
        except KeyError:
            reason = apply.UNREADABLE if not is_known(event.type) else ""  # the applier asks before it reads
        else:
            continue
        assert reason in {apply.UNREADABLE, apply.DIGEST_MISMATCH}


def batches() -> Iterator[bytes]:
    yield EventBatch(source="agencies/jp-12/logs/tips", epoch="e", number=1, events=[_event()]).SerializeToString()
    broken = _event()
    broken.id = "x"
    yield EventBatch(source="agencies/jp-12/logs/tips", events=[broken, _event()]).SerializeToString()


def courier(data: bytes) -> None:
    """Read what a NATS server answers: subjects of acknowledgements, headers of status, descriptions of streams."""
    text = data.decode("utf-8", "replace")
    number = receiver._number(text)
    assert number is None or 0 <= number < 10**_MOST_DIGITS
    head, _, body = text.partition("\n")
    message = Msg(
        _client=cast("Client", None),
        subject=text[:40],
        reply=head,
        data=data,
        headers={"Status": body} if body else None,
    )
    pulling = puller.Puller.__new__(puller.Puller)
    pulling._open = 3
    pulling._link = _Link()  # type: ignore[assignment]  # all that is asked of it
    found: list[Msg] = []
    pulling._sort(message, found)
    assert found == ([] if body else [message])
    outcome = publisher._outcome(data)
    assert isinstance(outcome, publisher.Stored | publisher.NotStored)
    try:
        answer = jetstream.read_answer(data)
        jetstream._stream_state(answer)
    except jetstream.JetStreamError:
        pass


class _Link:
    is_lost = False


def replies() -> Iterator[bytes]:
    yield b"$JS.ACK.LOG_tips.leads.1.7.7.1700000000000000000.0"
    yield b"$JS.ACK._.h.LOG_tips.leads.1.7.7.1700000000000000000.0.x"
    yield b"x\n404"
    yield b"x\n100"
    yield b'{"stream":"LOG_tips","seq":1,"duplicate":true}'
    yield b'{"seq":1e999}'
    yield b'{"seq":' + b"[" * 2000
    state = {"first_seq": 1, "last_seq": 2, "messages": 2, "num_deleted": 0, "lost": {"msgs": [1]}}
    yield json.dumps({"state": state, "config": {"first_seq": 1, "name": "LOG_tips"}}).encode()
    yield json.dumps({"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}).encode()
