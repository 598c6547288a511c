"""A running node tells a collector what its services do, and never of whom; a dead collector changes nothing."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.event.v1.log_pb2 import ListFollowersRequest
from renkei.event.v1.log_pb2_grpc import FollowerServiceStub

from renkei_chassis.errors import InvalidArgument
from renkei_node.layout import SERVICES
from tests.otlp import CONSUMER, SERVER, Received, Told, receiving
from tests.system.federation import Federation, Member, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CHIBA: Final = "jp-12"
CREATE: Final = "renkei.tips.v1.TipsService/CreateTip"
RECORDED: Final = "renkei.tips.v1.TipRecorded"
PERSON: Final = "RKPERSONMARKER"
PHONE: Final = "090-1777-4242"
# All of them: ports, ids and times hold any four digits by chance.
PHONE_DIGITS: Final = ("09017774242", "819017774242")
SPAN_ATTRIBUTES: Final = {"rpc.grpc.status_code", "error.type"}
LABELS: Final = {"method", "code", "signal", "outcome", "reason", "log", "lane", "peer", "stream", "kind"}


@pytest.fixture
async def federation(tmp_path: Path) -> AsyncIterator[Federation]:
    made = await asyncio.to_thread(Federation, tmp_path, (CHIBA,))
    await asyncio.to_thread(made.set_up)
    yield made
    await made.stop()


@pytest.fixture
async def port(federation: Federation) -> int:
    return await asyncio.to_thread(federation.claims.claim)


def export(member: Member, port: int, **settings: float) -> None:
    """Write the section into node.toml, after all others."""
    lines = [f"{name} = {value}" for name, value in {"trace_ratio": 1, **settings}.items()]
    kept = member.directory.settings.read_text().partition("[telemetry]")[0]
    section = "\n".join(["[telemetry]", f'collector = "127.0.0.1:{port}"', *lines, ""])
    member.directory.settings.write_text(f"{kept}{section}")


async def arrest(member: Member) -> None:
    """Record an arrest of a person whose every field is a marker."""
    client = await member.client("arrests")
    request = arrests_pb2.CreateArrestRequest(request_id=str(uuid.uuid4()), parent=member.name)
    request.arrest.kind = arrests_pb2.Arrest.KIND_WARRANT
    request.arrest.restraint_time.GetCurrentTime()
    request.arrest.offence = request.arrest.text = PERSON
    request.arrest.person.display_name = request.arrest.person.kana = PERSON
    request.arrest.handling.purpose_code = "organised-robbery"
    await client.call(client.stub(ArrestsServiceStub).CreateArrest, request)
    request.request_id = str(uuid.uuid4())
    request.arrest.person.birth_date = PERSON[:10]
    with pytest.raises(InvalidArgument, match="FIELD_INVALID"):
        await client.call(client.stub(ArrestsServiceStub).CreateArrest, request)


async def following(member: Member, service: str) -> dict[str, Any]:
    """Give the followers of a service by the service they follow."""
    client = await member.client(service)
    answer = await client.call(client.stub(FollowerServiceStub).ListFollowers, ListFollowersRequest())
    return {follower.source.rpartition("/")[2]: follower for follower in answer.followers}


async def leads_hold(member: Member, sequence: int) -> bool:
    return bool((await following(member, "leads"))["tips"].sequence >= sequence)


async def nats_brings(member: Member) -> bool:
    return bool((await following(member, "leads"))["tips"].courier_connected)


def span_of(received: Received, name: str, service: str) -> Told | None:
    return next((told for told in received.spans(name) if told.service == f"renkei-{service}"), None)


async def test_a_create_is_one_trace_from_tips_through_nats_to_leads_and_says_nothing_of_anybody(
    federation: Federation, port: int
) -> None:
    member = federation[CHIBA]
    await asyncio.to_thread(export, member, port, metrics_seconds=0.5)
    receiver = receiving(port)
    received = await asyncio.to_thread(receiver.__enter__)
    try:
        await federation.start()
        await until(lambda: nats_brings(member))
        repaired = (await following(member, "leads"))["tips"].repaired
        tip = await federation.record(CHIBA, number=42)
        await until(lambda: leads_hold(member, 1))
        came_by_nats = (await following(member, "leads"))["tips"].repaired == repaired
        await arrest(member)
        for service in SERVICES:
            await following(member, service)
        await member.stop()
    finally:
        await asyncio.to_thread(receiver.__exit__, None, None, None)

    created, handled = span_of(received, CREATE, "tips"), span_of(received, RECORDED, "leads")
    assert created is not None, "the last spans are flushed when the node stops"
    assert handled is not None
    assert came_by_nats
    assert (created.span.kind, handled.span.kind) == (SERVER, CONSUMER)
    assert (handled.span.trace_id, handled.span.parent_span_id) == (created.span.trace_id, created.span.span_id)
    everybody = {f"renkei-{service}" for service in SERVICES}
    assert {told.service for told in received.spans()} == everybody
    numbers = received.numbers()
    assert set(numbers) == everybody
    (position,) = numbers["renkei-tips"]["renkei_log_sequence"].gauge.data_points
    assert position.as_double == 1
    assert numbers["renkei-tips"]["renkei_rpc_seconds"].histogram.data_points
    assert received.attribute_names() <= SPAN_ATTRIBUTES | LABELS
    told = received.everything()
    for secret in (tip.marker, tip.name, PERSON, PHONE, *PHONE_DIGITS, "sato", "organised-robbery"):
        assert secret.encode() not in told, secret


async def test_an_event_that_is_handled_late_links_to_its_trace_and_is_no_part_of_it(
    federation: Federation, port: int
) -> None:
    """The trace of a create is closed, and perhaps deleted, when a restored service reads the whole log again."""
    member = federation[CHIBA]
    await asyncio.to_thread(export, member, port)
    receiver = receiving(port)
    received = await asyncio.to_thread(receiver.__enter__)
    try:
        await federation.start()
        await federation.record(CHIBA)
        await until(lambda: leads_hold(member, 1))
        await member.stop()
        early = len(received.spans(RECORDED))
        await asyncio.to_thread(member.forget, "leads")
        await asyncio.to_thread(export, member, port, late_after_seconds=0.01)
        await asyncio.to_thread(member.start)
        await member.ready()
        await until(lambda: leads_hold(member, 1))
        await member.stop()
    finally:
        await asyncio.to_thread(receiver.__exit__, None, None, None)

    created = span_of(received, CREATE, "tips")
    assert created is not None
    (late,) = [told.span for told in received.spans(RECORDED)[early:]]
    assert not late.parent_span_id
    assert late.trace_id != created.span.trace_id
    assert [(link.trace_id, link.span_id) for link in late.links] == [(created.span.trace_id, created.span.span_id)]


@pytest.mark.parametrize("dead", ["refuses", "swallows"])
async def test_a_dead_collector_costs_no_call_and_no_flood_of_lines(
    federation: Federation, port: int, dead: str
) -> None:
    member = federation[CHIBA]
    await asyncio.to_thread(export, member, port, metrics_seconds=0.2)
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", port)) if dead == "swallows" else None
    try:
        await federation.start()
        took: list[float] = []
        for number in range(100):
            began = loop.time()
            await federation.record(CHIBA, number=number)
            took.append(loop.time() - began)
        await until(lambda: leads_hold(member, 100))
        began = loop.time()
        await member.stop()
        stopping = loop.time() - began
    finally:
        if listener is not None:
            listener.close()

    log = await asyncio.to_thread(member.directory.log.read_text)
    lines = [json.loads(line) for line in log.splitlines()]
    told = [line["message"] for line in lines if "telemetry" in line["logger"] or "opentelemetry" in line["logger"]]
    assert told == ["the collector takes nothing; telemetry is dropped"]
    assert sorted(took)[90] < 2, "no call waits for the three seconds that a batch may take"
    assert stopping < 20
    assert member.process is not None
    assert member.process.returncode == 0
