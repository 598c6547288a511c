"""The small pieces that records are made of: times, labels, wrapped bytes, names of rows, and who is cut off."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from renkei.exchange.v1.exchange_pb2 import ListPeersResponse
from renkei.policy.v1.handling_pb2 import Handling
from renkei.tips.v1.events_pb2 import TipRecorded
from renkei.tips.v1.tips_pb2 import ListTipsRequest, Tip

from renkei_chassis.errors import FailedPrecondition, InvalidArgument, Unavailable
from renkei_chassis.records.kind import Policy
from renkei_chassis.records.label import check_label
from renkei_chassis.records.loading import row_request_id
from renkei_chassis.records.reach import Reach
from renkei_chassis.records.rules import as_first_field
from renkei_chassis.records.times import EARLIEST, LATEST, broken_times, check_times, set_us, to_us

if TYPE_CHECKING:
    from renkei_chassis.rpc.client import Client

OWN, PEER = "agencies/jp-12", "agencies/jp-13"


def a_policy(*, release: bool = True) -> Policy:
    return Policy(
        agency=OWN,
        members=frozenset({OWN, PEER}),
        release_without_instrument=release,
        contact_desk="",
        handle_span=timedelta(days=90),
        undelete=timedelta(days=30),
    )


@given(st.text(max_size=40_000))
def test_wrapped_bytes_are_the_event_that_carries_the_record(text: str) -> None:
    tip = Tip(name="n", text=text)

    assert TipRecorded.FromString(as_first_field(tip.SerializeToString())) == TipRecorded(tip=tip)


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 300_000])
def test_wrapped_bytes_are_the_very_bytes_of_the_event(length: int) -> None:
    tip = Tip(text="x" * length)

    assert as_first_field(tip.SerializeToString()) == TipRecorded(tip=tip).SerializeToString()


@given(st.integers(EARLIEST * 1_000_000, LATEST * 1_000_000 - 1))
def test_microseconds_survive_a_timestamp(microseconds: int) -> None:
    time = Timestamp()

    set_us(time, microseconds)

    assert to_us(time) == microseconds
    assert time.ToMicroseconds() == microseconds
    assert not list(broken_times(ListTipsRequest(min_create_time=time), ""))


@pytest.mark.parametrize(("seconds", "nanos"), [(EARLIEST - 1, 0), (LATEST, 0), (0, -1), (0, 10**9), (2**62, 0)])
def test_a_time_out_of_bounds_is_named_at_every_depth(seconds: int, nanos: int) -> None:
    bad = Timestamp(seconds=seconds, nanos=nanos)
    tip = Tip(observe_time=bad, handling=Handling(review_by=bad))
    tip.identifiers.add()
    tip.identifiers.add(valid_until=bad)

    with pytest.raises(InvalidArgument) as refused:
        check_times(tip, "tip")

    assert sorted(violation.field for violation in refused.value.violations) == [
        "tip.handling.review_by",
        "tip.identifiers[1].valid_until",
        "tip.observe_time",
    ]


def test_the_bounds_of_time_leave_room_for_spans() -> None:
    first, last = (datetime.fromtimestamp(bound, UTC) for bound in (EARLIEST, LATEST))

    assert first - timedelta(days=3650) > datetime.min.replace(tzinfo=UTC)
    assert last + timedelta(days=3650) < datetime.max.replace(tzinfo=UTC)


def test_an_empty_label_stands_where_nothing_may_be_released() -> None:
    check_label(Handling(purpose_code="x"), a_policy(release=False), field="tip.handling")


def test_a_releasing_label_needs_the_nodes_consent() -> None:
    with pytest.raises(FailedPrecondition) as refused:
        check_label(Handling(releasable_to=[PEER]), a_policy(release=False), field="tip.handling")

    assert refused.value.reason == "RELEASE_WITHOUT_INSTRUMENT"


@pytest.mark.parametrize("release", [True, False])
def test_an_instrument_is_refused_before_all(*, release: bool) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        check_label(Handling(instrument="x", releasable_to=[PEER]), a_policy(release=release), field="tip.handling")

    assert refused.value.reason == "INSTRUMENT_UNSUPPORTED"


def test_the_name_of_a_row_is_frozen() -> None:
    """A load that was begun under one version of this program goes on under the next."""
    load_id = "0191a3c4-0000-7000-8000-000000000001"

    assert row_request_id(load_id, 1) == row_request_id(load_id.upper(), 1) == "8a05ff26-e95f-8c53-b5df-d0dce1db3c9f"
    assert uuid.UUID(row_request_id(load_id, 1)).version == 8
    assert len({row_request_id(load_id, row) for row in range(1, 100)}) == 99


class ScriptedExchange:
    """Answers ListPeers as told, then waits."""

    def __init__(self, *answers: ListPeersResponse | Unavailable) -> None:
        self._answers = list(answers)
        self.finished = asyncio.Event()

    def stub(self, _kind: object) -> ScriptedExchange:
        return self

    ListPeers = None

    async def call(self, *_call: object, **_options: object) -> ListPeersResponse:
        if not self._answers:
            self.finished.set()
            await asyncio.Event().wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer


async def reach_after(*answers: ListPeersResponse | Unavailable) -> list[str]:
    exchange = ScriptedExchange(*answers)
    reach = Reach(cast("Client", exchange), peers=["agencies/jp-13", "agencies/jp-01"], tick_seconds=0)
    asking = asyncio.create_task(reach.run())
    async with asyncio.timeout(10):
        await exchange.finished.wait()
    asking.cancel()
    return list(reach.unreachable)


async def test_until_the_exchange_says_otherwise_nobody_is_reachable() -> None:
    assert await reach_after() == ["agencies/jp-01", "agencies/jp-13"]


async def test_what_the_exchange_said_last_counts() -> None:
    both = ListPeersResponse(unreachable=["agencies/jp-13", "agencies/jp-01"])

    assert await reach_after(both, ListPeersResponse(unreachable=["agencies/jp-13"])) == ["agencies/jp-13"]


async def test_an_exchange_that_is_gone_makes_nobody_reachable() -> None:
    gone = Unavailable("SHUTTING_DOWN", "gone")

    assert await reach_after(ListPeersResponse(), gone) == ["agencies/jp-01", "agencies/jp-13"]
