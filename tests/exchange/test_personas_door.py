"""Nothing of a persona passes the one door but the three events of the short list, and of them nothing but facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from unittest import mock

import pytest
from renkei.event.v1.event_pb2 import AudienceEntry, Event
from renkei.exchange.v1.exchange_pb2 import LANE_DATA, Bundle
from renkei.personas.v1 import events_pb2
from renkei.policy.v1 import policy_pb2
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

from renkei_chassis.contract import EVENT_TYPES, event_type
from renkei_chassis.ids import uuid7
from renkei_exchange import release
from renkei_exchange.inbox import Inbox
from renkei_exchange.outbound import Outbound
from tests.exchange.ground import PEER, Ground, event_body
from tests.exchange.test_admission import admit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from renkei_chassis.database.transaction import Transaction

MARKER: Final = "MARKERxLEGEND"
LISTED: Final = (
    "renkei.personas.v1.PersonaReported",
    "renkei.personas.v1.PersonaReportAcknowledged",
    "renkei.personas.v1.PersonaOutcomeReported",
)
EVENTS: Final = sorted(name for name in EVENT_TYPES if name.startswith("renkei.personas.v1."))
AT_HOME: Final = [name for name in EVENTS if name not in LISTED]


def full_of_markers(name: str) -> Message:
    """Make an event in which every text says the marker, and an unknown field says it too."""
    payload = event_type(name)()
    for field in payload.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            setattr(payload, field.name, MARKER)
    payload.MergeFromString(payload.SerializeToString() + b"\xfa\x3e" + bytes([len(MARKER)]) + MARKER.encode())
    return payload


async def tried(ground: Ground, payload: Message, grade: policy_pb2.Grade.ValueType) -> Sequence[Event]:
    """Try to send an event of the personas log to a peer; returns what is in the lane."""
    event = Event(
        source="agencies/jp-12/logs/personas",
        sequence=1,
        id=str(uuid7()),
        type=payload.DESCRIPTOR.full_name,
        resource="agencies/jp-12/plans/1",
        audience=[AudienceEntry(agency=PEER, grade=grade)],
    )
    event.data.value = payload.SerializeToString()
    outbound = Outbound(own="agencies/jp-12", peers=[PEER], epoch=ground.database.epoch)
    inbox = Inbox(own="agencies/jp-12", peers=[PEER], outbound=outbound, alarms=ground.alarms)

    def effect(transaction: Transaction) -> None:
        inbox.handlers()[event.type](transaction, event, payload)

    await ground.writer.run(effect)
    bundles = await ground.bundles(LANE_DATA)
    return [Event.FromString(item.body) for raw in bundles for item in Bundle.FromString(raw).items]


def test_there_is_something_to_be_kept_at_home() -> None:
    assert len(AT_HOME) >= 3
    assert set(LISTED) < set(EVENTS)


@pytest.mark.parametrize("grade", [GRADE_INDEX_ONLY, GRADE_FULL])
@pytest.mark.parametrize("name", AT_HOME)
async def test_an_event_that_is_not_on_the_short_list_does_not_leave(
    ground: Ground, name: str, grade: policy_pb2.Grade.ValueType
) -> None:
    sent = await tried(ground, full_of_markers(name), grade)

    assert sent == []
    assert ground.alarms.counts == {"NOT_RELEASABLE_TYPE": 1}


@pytest.mark.parametrize("name", AT_HOME)
async def test_the_short_list_holds_though_an_event_were_marked_to_travel(ground: Ground, name: str) -> None:
    """Each of the two marks alone keeps it at home."""
    with mock.patch.object(release, "may_travel", return_value=policy_pb2.TRAVEL_RELEASED):
        sent = await tried(ground, full_of_markers(name), GRADE_FULL)

    assert sent == []


@pytest.mark.parametrize("name", LISTED)
async def test_the_mark_holds_though_an_event_were_listed(ground: Ground, name: str) -> None:
    with mock.patch.object(release, "may_travel", return_value=policy_pb2.TRAVEL_HOME):
        sent = await tried(ground, full_of_markers(name), GRADE_FULL)

    assert sent == []


@pytest.mark.parametrize("name", AT_HOME)
def test_a_package_that_lost_its_short_list_lets_nothing_out(name: str) -> None:
    assert not release.is_listed(name)
    with mock.patch.object(release, "event_type", return_value=_Unlisted):
        assert not release.is_listed(name)


class _Options:
    Extensions: Final = {policy_pb2.leaving: ()}


class _File:
    package = "renkei.personas.v1"

    @staticmethod
    def GetOptions() -> _Options:
        return _Options()


class _Unlisted:
    """An event type whose file has no short list any more."""

    class DESCRIPTOR:
        file = _File


@pytest.mark.parametrize("name", LISTED)
async def test_what_is_listed_leaves_without_what_the_contract_does_not_know(ground: Ground, name: str) -> None:
    (sent,) = await tried(ground, full_of_markers(name), GRADE_INDEX_ONLY)

    payload = event_type(name).FromString(sent.data.value)
    fields = {field.name for field, _ in payload.ListFields()}
    assert fields == {"plan", "agency"}
    assert sent.data.value.count(MARKER.encode()) == 2


@pytest.mark.parametrize("name", AT_HOME)
async def test_what_comes_in_of_others_personas_is_refused(ground: Ground, name: str) -> None:
    """A peer that is newer, or hostile, does not make this agency hold what no agency may send."""
    body = event_body(type_name=name, data=full_of_markers(name).SerializeToString(), grade=GRADE_INDEX_ONLY)

    events = await admit(ground, body)

    assert events == []
    assert ground.alarms.counts == {"WRONG_LANE": 1}


async def test_the_minimal_facts_come_in(ground: Ground) -> None:
    report = events_pb2.PersonaReported(plan=f"{PEER}/plans/1", agency=PEER, version=1)
    body = event_body(type_name=LISTED[0], data=report.SerializeToString(), grade=GRADE_INDEX_ONLY)

    (event,) = await admit(ground, body)

    assert event.origin.agency == PEER
