"""Imminent harm: pushed over the control lane without an instrument, listed by who gets it, reviewed by an outsider."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.events_pb2 import ImminentHarmRaised
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, ImminentHarm
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_chassis.clock import WallClock
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotAllowed, RenkeiError
from renkei_chassis.identity import mint
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.client import Client
from renkei_exchange import harm
from tests.exchange.forces import Force, forces
from tests.exchange.ground import PEER, Ground, event_body
from tests.exchange.test_admission import admit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from renkei_chassis.ports import PortClaims

TYPE = ImminentHarmRaised.DESCRIPTOR.full_name


def a_harm() -> ImminentHarm:
    told = ImminentHarm(place="(演習)駅前", reason="(演習)集合の指示", contact_desk="(演習)")
    told.harm_time.FromDatetime(datetime(2026, 1, 5, tzinfo=UTC))
    return told


@pytest.fixture
async def pair(tmp_path: Path, ports: PortClaims) -> AsyncIterator[list[Force]]:
    async with forces(tmp_path, ports, "jp-12", "jp-09", nats=False) as made:
        yield made


async def call(force: Force, method: str, *, who: str = "sato", role: str = "OFFICER", **fields: Any) -> Any:  # noqa: ANN401
    """Call the exchange as an officer of the agency."""
    token = mint(
        force.node_key,
        issuer=force.name,
        subject=f"{force.name}/officers/{who}",
        audience=force.name,
        roles=(role,),
        now_us=WallClock().now_us(),
        life_seconds=300,
        token_id=uuid7(),
    )
    request = getattr(exchange_pb2, f"{method}Request")(**fields)
    if "request_id" in request.DESCRIPTOR.fields_by_name:
        request.request_id = request.request_id or str(uuid.uuid4())
    client = Client(force.address, token=lambda: token)
    try:
        return await client.call(getattr(client.stub(ExchangeServiceStub), method), request)
    finally:
        await client.close()


async def refused(force: Force, method: str, **fields: Any) -> RenkeiError:  # noqa: ANN401
    with pytest.raises(RenkeiError) as error:
        await call(force, method, **fields)
    return error.value


async def test_a_message_is_with_the_other_force_without_any_label_or_instrument(pair: list[Force]) -> None:
    chiba, tochigi = pair

    raised = await call(chiba, "RaiseImminentHarm", harm=a_harm(), recipients=["agencies/jp-09"])
    async with asyncio.timeout(20):
        while not (found := (await call(tochigi, "ListImminentHarm")).messages):  # noqa: ASYNC110 (no event is set)
            await asyncio.sleep(0.02)

    assert (found[0].name, found[0].harm) == (raised.name, a_harm())
    assert found[0].sender == ""  # who raised it is the sender's own business
    assert raised.sender == "agencies/jp-12/officers/sato"
    assert not found[0].HasField("review_due_time")
    assert raised.review_due_time.seconds - raised.create_time.seconds == 72 * 3600


async def test_it_goes_to_members_alone(pair: list[Force]) -> None:
    error = await refused(pair[0], "RaiseImminentHarm", harm=a_harm(), recipients=["agencies/jp-09", "agencies/jp-99"])

    assert isinstance(error, InvalidArgument)
    assert error.reason == "RECIPIENT_UNKNOWN"
    assert (await call(pair[0], "ListImminentHarm")).messages == []


async def test_an_auditor_who_did_not_raise_it_reviews_it_once(pair: list[Force]) -> None:
    chiba, tochigi = pair
    raised = await call(chiba, "RaiseImminentHarm", harm=a_harm(), recipients=["agencies/jp-09"])

    by_officer = await refused(chiba, "ReviewImminentHarm", name=raised.name, note="(演習)")
    by_sender = await refused(chiba, "ReviewImminentHarm", role="AUDITOR", name=raised.name, note="(演習)")
    elsewhere = await refused(
        tochigi, "ReviewImminentHarm", who="audit", role="AUDITOR", name=raised.name, note="(演習)"
    )
    reviewed = await call(chiba, "ReviewImminentHarm", who="audit", role="AUDITOR", name=raised.name, note="(演習)適切")
    again = await refused(chiba, "ReviewImminentHarm", who="audit", role="AUDITOR", name=raised.name, note="x")

    assert isinstance(by_officer, NotAllowed)
    assert by_officer.reason == "ROLE_MISSING"
    assert by_sender.reason == "REVIEW_REFUSED"
    assert elsewhere.reason == "DENIED"
    assert (reviewed.reviewer, reviewed.review_note) == ("agencies/jp-12/officers/audit", "(演習)適切")
    assert isinstance(again, FailedPrecondition)


async def test_one_request_raises_one_message(pair: list[Force]) -> None:
    once = str(uuid.uuid4())
    asked: dict[str, Any] = {"harm": a_harm(), "recipients": ["agencies/jp-09"], "request_id": once}

    names = {(await call(pair[0], "RaiseImminentHarm", **asked)).name for _ in range(3)}

    assert len(names) == 1
    assert len((await call(pair[0], "ListImminentHarm")).messages) == 1


@pytest.mark.parametrize(
    ("name", "came"),
    [(f"{PEER}/harm/1", 1), ("agencies/jp-13/harm/1", 0), (f"{PEER}/tips/1", 0), ("", 0)],
)
async def test_a_message_that_speaks_for_another_agency_is_refused(ground: Ground, name: str, came: int) -> None:
    data = ImminentHarmRaised(name=name, harm=a_harm()).SerializeToString()

    events = await admit(ground, event_body(type_name=TYPE, data=data), lane=LANE_CONTROL)

    assert len(events) == came
    assert ground.alarms.counts == ({} if came else {"UNREADABLE": 1})


async def test_by_the_data_lane_it_does_not_come(ground: Ground) -> None:
    data = ImminentHarmRaised(name=f"{PEER}/harm/1", harm=a_harm()).SerializeToString()

    events = await admit(ground, event_body(type_name=TYPE, data=data, grade=GRADE_FULL), lane=LANE_DATA)

    assert events == []
    assert ground.alarms.counts == {"WRONG_LANE": 1}


async def test_a_review_that_does_not_come_is_overdue_after_three_days(ground: Ground) -> None:
    data = ImminentHarmRaised(name="agencies/jp-12/harm/1", harm=a_harm()).SerializeToString()
    hours = 3_600_000_000

    class Row:
        name, content, recipients, sender = "agencies/jp-12/harm/1", data, PEER, "agencies/jp-12/officers/sato"
        time_us, review_us, reviewer, review_note = 1, 0, "", ""

    row: Any = Row()
    assert not harm._message(row, 1 + 72 * hours).review_overdue
    assert harm._message(row, 2 + 72 * hours).review_overdue
    row.review_us = 5
    assert not harm._message(row, 2 + 72 * hours).review_overdue
