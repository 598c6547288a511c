"""No line of a log, no number and no span tells a word of what any method of personas was sent, done or refused."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2

from renkei_chassis import contract
from renkei_chassis.errors import RenkeiError
from renkei_chassis.ports import PortClaims
from renkei_chassis.telemetry.collector import Collector
from renkei_chassis.telemetry.exposition import page
from renkei_chassis.telemetry.settings import TelemetrySettings
from renkei_personas.wiring import blueprint
from tests.hostile import proper
from tests.personas.people import MARKER, ROLES, People, a_legend, a_plan
from tests.running import AGENCY, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from google.protobuf.message import Message

    from renkei_chassis.clock import ManualClock
    from renkei_personas.settings import Settings
    from tests.otlp import Received

OWN: Final = "/renkei.personas.v1."
WHY: Final[dict[str, Any]] = {"reason": f"(演習){MARKER}"}
EVERY_ROLE: Final = tuple(sorted({*ROLES.values(), "OFFICER"} - {"NPA_DESK"}))


@asynccontextmanager
async def told_of(directory: Path, clock: ManualClock, settings: Settings) -> AsyncIterator[tuple[People, Received]]:
    """Run the service with a collector that takes every trace and number."""
    ports = await asyncio.to_thread(PortClaims)
    port = await asyncio.to_thread(ports.claim)
    pytest.importorskip("opentelemetry.sdk", reason="renkei-chassis[otlp] is not installed")
    from tests.otlp import receiving  # noqa: PLC0415 (the service alone brings no exporter)

    receiver = receiving(port)
    received = await asyncio.to_thread(receiver.__enter__)
    address = f"127.0.0.1:{port}"
    telemetry = TelemetrySettings(collector=address, trace_ratio=1, metrics_seconds=0.2)
    line = await asyncio.to_thread(Collector, address)
    try:
        async with running(blueprint(settings), directory, clock=clock, collector=line, telemetry=telemetry) as started:
            yield People(started, clock), received
    finally:
        await asyncio.to_thread(line.close)
        await asyncio.to_thread(receiver.__exit__, None, None, None)
        await asyncio.to_thread(ports.close)


async def live(people: People) -> str:
    """Take an investigation to its end with a marker in every text; returns its name."""
    plan = a_plan(begin=people.clock.now(), alternatives=MARKER, unit=MARKER, document_count=3)
    found = await people.call("sato", "SubmitPersona", parent=AGENCY, plan=plan)
    hashed: dict[str, Any] = {"name": found.name, "plan_hash": found.plan_hash}
    await people.call("chief", "ReturnPersona", **hashed, **WHY)
    await people.call("sato", "SubmitPersona", name=found.name)
    await people.call("chief", "ApprovePersona", **hashed)
    await people.call("suzuki", "ReportPersona", name=found.name)
    await people.acknowledge(found.name)
    await people.call("suzuki", "RecordDeconfliction", name=found.name, **WHY)
    await people.call("suzuki", "ActivatePersona", name=found.name)
    document = await people.document(found.name)
    contact = people.contact(MARKER, counterpart=MARKER, channel=MARKER)
    await people.call("sato", "LogRequest", parent=found.name, contact=contact)
    form = documents_pb2.PresentDocumentRequest.FORM_IMAGE
    await people.call("sato", "PresentDocument", name=document.name, request_number=1, recipient=MARKER, form=form)
    incident = people.contact(MARKER, counterpart=MARKER, conduct=contacts_pb2.Contact.CONDUCT_TOOK_PART)
    await people.call("kato", "ReportIncident", parent=found.name, contact=incident)
    await people.call("suzuki", "ReviewContacts", parent=found.name, through_number=2, note=MARKER)
    await people.call("suzuki", "ResumePersona", name=found.name, **WHY)
    await people.call("ito", "ReportDanger", name=found.name, text=MARKER)
    for task in await people.tasks(found.name):
        await people.call("chief", "CompleteTask", name=task.name, note=MARKER)
    outcome = enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID
    await people.call("chief", "ClosePersona", name=found.name, outcome=outcome, **WHY)
    await people.destroyed(document.name)
    await people.call("suzuki", "ArchivePersona", name=found.name)
    return str(found.name)


def planted(kind: type[Message], names: dict[str, str]) -> Iterator[Message]:
    """Give a method's request with the marker in every text of it: with its names as they are, and without."""
    for kept in (
        frozenset({"name", "parent", "contact", "request_id", "etag"}),
        frozenset({"request_id"}),
        frozenset(),
    ):
        request = proper(kind, names)
        _plant(request, kept)
        yield request


def _plant(message: Any, kept: frozenset[str]) -> None:  # noqa: ANN401 (a message of any type)
    for field in message.DESCRIPTOR.fields:
        target = getattr(message, field.name)
        if field.message_type is not None:
            for below in target if field.is_repeated else [target] if message.HasField(field.name) else []:
                _plant(below, kept)
        elif field.name == "etag" and "etag" in kept:
            message.ClearField("etag")
        elif field.type == field.TYPE_STRING and field.name not in kept:
            if field.is_repeated:
                target[:] = [MARKER]
            else:
                setattr(message, field.name, MARKER)
        elif field.type == field.TYPE_BYTES:
            setattr(message, field.name, MARKER.encode())


async def try_everything(people: People, persona: str) -> dict[str, set[str]]:
    """Send every method its planted requests, as people with a part and without; returns how each was answered."""
    answers: dict[str, set[str]] = {}
    names = {"personas": persona}
    for path, method, _ in contract.methods():
        if not path.startswith(OWN) or method.server_streaming:
            continue
        kind = contract.message_type(method.input_type.full_name)
        for who in ("sato", "suzuki", "chief", "abe"):
            for request in planted(kind, names):
                answers.setdefault(method.name, set()).add(await _answer(people, who, method.name, request))
    return answers


async def _answer(people: People, who: str, method: str, request: Message) -> str:
    given = {field.name: value for field, value in request.ListFields()}
    try:
        await people.call(who, method, role=EVERY_ROLE, **given)
    except RenkeiError as error:
        told = f"{error} {error.metadata} {error.violations}"
        reason = error.reason
    else:
        return "OK"
    assert MARKER not in told, method
    return reason


@pytest.mark.slow
async def test_nothing_that_was_sent_is_in_a_line_a_number_or_a_span(
    tmp_path: Path, clock: ManualClock, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with told_of(tmp_path, clock, settings) as (people, received):
        ended = await live(people)
        active = await people.active(necessity=MARKER)
        answers = await try_everything(people, active.name)
        numbers = page([people.running.service.metrics])

    lines = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert len(answers) > 40
    assert "OK" in answers["ReportDanger"]
    assert {"FIELD_INVALID", "DENIED", "NOT_YOUR_PART"} <= set().union(*answers.values())
    for method in answers:  # each is told of, and none of what was sent to it
        assert any(f"/{method}" in line for line in lines), method
    spans = {told.span.name.rpartition("/")[2] for told in received.spans()}
    assert len(spans & set(answers)) > 40
    everything = received.everything()
    for secret in (MARKER, ended.rpartition("/")[2], active.name.rpartition("/")[2], a_legend().number):
        assert [line for line in lines if secret in line] == [], secret
        assert secret.encode() not in numbers, secret
        assert secret.encode() not in everything, secret
    assert b"officers/" not in numbers + everything
