"""What an event of a local service does here: to whom it goes, how much of it, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.event.v1.event_pb2 import AudienceEntry, Event
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, Bundle
from renkei.identifiers.v1 import identifiers_pb2
from renkei.leads.v1.events_pb2 import LeadFound
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY, GRADE_UNSPECIFIED, Grade
from renkei.tips.v1.events_pb2 import TipReceived, TipRecorded

from renkei_chassis.contract import EVENT_TYPES
from renkei_chassis.ids import uuid7
from renkei_exchange import store
from renkei_exchange.inbox import Inbox
from renkei_exchange.outbound import Outbound
from renkei_exchange.release import released_body
from tests.exchange.forces import a_tip
from tests.exchange.ground import PEER, Ground

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from renkei_chassis.database.transaction import Transaction

OTHER = "agencies/jp-13"


def local_event(payload: Message, audience: dict[str, Grade.ValueType]) -> Event:
    """Make an event as the log of a local service holds it."""
    event = Event(
        source="agencies/jp-12/logs/tips",
        sequence=7,
        id=str(uuid7()),
        type=payload.DESCRIPTOR.full_name,
        digest=b"d" * 32,
        salt=b"s" * 16,
        resource="agencies/jp-12/tips/1",
        audience=[AudienceEntry(agency=agency, grade=grade) for agency, grade in audience.items()],
        trace_parent="00-trace-parent-01",
    )
    event.time.FromMicroseconds(1_700_000_000_000_001)
    event.data.type_url = f"type.googleapis.com/{event.type}"
    event.data.value = payload.SerializeToString()
    return event


def recorded(text: str = "x") -> TipRecorded:
    return TipRecorded(tip=a_tip("jp-12", uuid7(), text))


class Door:
    """The inbox at work over a real database."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.outbound = Outbound(own="agencies/jp-12", peers=[PEER, OTHER], epoch=ground.database.epoch)
        inbox = Inbox(own="agencies/jp-12", peers=[PEER, OTHER], outbound=self.outbound, alarms=ground.alarms)
        self.handlers = inbox.handlers()

    async def take(self, *told: tuple[Event, Any]) -> None:
        def effect(transaction: Transaction) -> None:
            for event, payload in told:
                self.handlers[event.type](transaction, event, payload)

        await self.ground.writer.run(effect)

    async def release(self, payload: Message, audience: dict[str, Grade.ValueType]) -> Event:
        event = local_event(payload, audience)
        await self.take((event, payload))
        return event

    async def sent(self, peer: str = PEER) -> list[Event]:
        bundles = await self.ground.bundles(LANE_DATA, peer=peer)
        return [Event.FromString(item.body) for raw in bundles for item in Bundle.FromString(raw).items]


@pytest.fixture
def door(ground: Ground) -> Door:
    return Door(ground)


async def test_a_released_event_carries_nothing_of_the_log_it_stood_in(door: Door) -> None:
    event = await door.release(recorded(), {PEER: GRADE_FULL})

    (sent,) = await door.sent()
    expected = Event(id=event.id, type=event.type, resource=event.resource, grade=GRADE_FULL)
    expected.time.CopyFrom(event.time)
    sent.ClearField("data")
    assert sent == expected


async def test_each_agency_gets_its_own_grade_and_nothing_more(door: Door) -> None:
    await door.release(recorded("word"), {PEER: GRADE_INDEX_ONLY, OTHER: GRADE_FULL})

    (index,), (full,) = await door.sent(PEER), await door.sent(OTHER)
    assert (index.grade, full.grade) == (GRADE_INDEX_ONLY, GRADE_FULL)
    assert b"text-word" not in index.data.value
    assert b"subject-original-word" not in index.data.value
    assert b"subject-word" in index.data.value
    assert b"text-word" in full.data.value
    for sent in (index, full):
        assert b"bystander" not in sent.data.value
        assert b"etag-word" not in sent.data.value
        assert sent.data.type_url == f"type.googleapis.com/{sent.type}"


async def test_an_event_without_an_audience_goes_nowhere(door: Door) -> None:
    await door.release(recorded(), {})

    assert await door.sent() == []
    assert door.ground.alarms.counts == {}


async def test_we_ourselves_and_who_gets_nothing_are_passed_over(door: Door) -> None:
    await door.release(recorded(), {"agencies/jp-12": GRADE_FULL, PEER: GRADE_UNSPECIFIED})

    assert await door.sent() == []
    assert door.ground.alarms.counts == {}


async def test_an_agency_outside_the_federation_is_told_of_and_gets_nothing(door: Door) -> None:
    await door.release(recorded(), {"agencies/jp-99": GRADE_FULL, PEER: GRADE_FULL})

    assert len(await door.sent()) == 1
    assert door.ground.state(peer="agencies/jp-99").position.bundle == 0
    assert door.ground.alarms.counts == {"UNKNOWN_AGENCY": 1}


async def test_an_agency_that_is_named_twice_gets_the_lower_grade_once(door: Door) -> None:
    """It may be narrowed here and never widened."""
    payload = recorded()
    event = local_event(payload, {PEER: GRADE_FULL})
    event.audience.add(agency=PEER, grade=GRADE_INDEX_ONLY)
    await door.take((event, payload))

    assert [sent.grade for sent in await door.sent()] == [GRADE_INDEX_ONLY]


async def test_a_grade_that_nobody_knows_releases_nothing(door: Door) -> None:
    unknown: Any = 7
    await door.release(recorded(), {PEER: unknown})

    assert await door.sent() == []
    assert door.ground.alarms.counts == {"UNKNOWN_GRADE": 1}


@pytest.mark.parametrize("payload", [TipReceived(name="agencies/jp-12/tips/1"), LeadFound()])
async def test_an_event_that_must_stay_home_stays_whatever_its_audience(door: Door, payload: Message) -> None:
    await door.release(payload, {PEER: GRADE_FULL})

    assert await door.sent() == []
    assert door.ground.alarms.counts == {"NOT_RELEASABLE_TYPE": 1}


async def test_what_another_agency_released_to_us_is_not_passed_on(door: Door) -> None:
    payload = recorded()
    event = local_event(payload, {PEER: GRADE_FULL})
    event.origin.agency = OTHER
    await door.take((event, payload))

    assert await door.sent() == []
    assert door.ground.alarms.counts == {"NOT_OURS": 1}


async def test_an_event_too_large_for_a_bundle_is_told_of_and_holds_up_nobody(door: Door) -> None:
    large = recorded("x" * 500_000)
    small = recorded("small")
    await door.take(
        (local_event(large, {PEER: GRADE_FULL}), large),
        (local_event(small, {PEER: GRADE_FULL}), small),
    )

    assert len(await door.sent()) == 1
    assert door.ground.alarms.counts == {"TOO_LARGE": 1}


async def test_a_batch_of_events_makes_one_bundle_for_each_peer(door: Door) -> None:
    payloads = [recorded(str(number)) for number in range(20)]
    await door.take(*((local_event(payload, {PEER: GRADE_FULL, OTHER: GRADE_FULL}), payload) for payload in payloads))

    states = [door.ground.state(peer=peer).position for peer in (PEER, OTHER)]
    assert [(position.bundle, position.item) for position in states] == [(1, 20), (1, 20)]


async def test_every_event_of_the_contract_has_a_handler(door: Door) -> None:
    """So that one which must not leave is refused aloud, and none is overlooked."""
    assert door.handlers.keys() == EVENT_TYPES.keys()


async def test_the_ledger_says_what_was_sent_of_which_record(door: Door) -> None:
    event = await door.release(recorded(), {PEER: GRADE_INDEX_ONLY})

    (row,) = await door.ground.database.read(lambda connection: store.list_deliveries(connection, limit=9))
    assert (row.resource, row.type, row.peer) == (event.resource, event.type, PEER)
    assert (row.grade, row.bundle) == (GRADE_INDEX_ONLY, 1)


@given(st.sampled_from(list(identifiers_pb2.Relation.values())), st.sampled_from([GRADE_FULL, GRADE_INDEX_ONLY]))
def test_an_address_book_leaves_at_no_grade(
    relation: identifiers_pb2.Relation.ValueType, grade: Grade.ValueType
) -> None:
    payload = TipRecorded()
    found = payload.tip.identifiers.add(relation=relation)
    found.identifier.normal_form = "planted"

    body = released_body(local_event(payload, {}), payload, grade)

    assert (b"planted" in body) == (relation != identifiers_pb2.RELATION_ADDRESS_BOOK)
