"""Tries to get something done without its guard: at once, again, out of date, as two persons; or to have it told."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2
from renkei.personas.v1.personas_pb2 import Persona

from renkei_chassis.errors import RenkeiError
from tests.personas.people import MARKER, a_legend, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.personas.people import People

IMAGE = documents_pb2.PresentDocumentRequest.FORM_IMAGE
LICENCE = documents_pb2.Document.KIND_DRIVING_LICENCE


async def reasons(call: Callable[[], Awaitable[Any]], times: int = 4) -> list[str]:
    """Call at once, each with an id of its own; returns the reasons of those that were refused."""
    answers = await asyncio.gather(*(call() for _ in range(times)), return_exceptions=True)
    return sorted(one.reason if isinstance(one, RenkeiError) else "" for one in answers)


@pytest.mark.on_both
async def test_of_many_presentations_at_once_one_is_done(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    asked = await people.call("sato", "LogRequest", parent=active.name, contact=people.contact())
    shown: dict[str, Any] = {"name": document.name, "request_number": asked.number, "recipient": asked.counterpart}

    answers = await reasons(lambda: people.call("sato", "PresentDocument", **shown, form=IMAGE))

    assert answers == ["", "NO_REQUEST_LOGGED", "NO_REQUEST_LOGGED", "NO_REQUEST_LOGGED"]


@pytest.mark.on_both
async def test_of_many_documents_at_once_no_more_are_made_than_planned(people: People) -> None:
    active = await people.active(document_count=2)
    asked = documents_pb2.Document(kind=LICENCE, legend=a_legend())

    answers = await reasons(lambda: people.call("sato", "RequestDocument", parent=active.name, document=asked))

    assert answers == ["", "", "DOCUMENTS_EXHAUSTED", "DOCUMENTS_EXHAUSTED"]


@pytest.mark.on_both
async def test_one_witness_at_once_many_times_is_one_witness(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")
    await people.call("tanaka", "DestroyDocument", name=document.name, witnesses=[officer("ito"), officer("abe")])

    answers = await reasons(lambda: people.call("ito", "WitnessDestruction", name=document.name))
    left = await people.call("tanaka", "GetDocument", name=document.name)

    assert answers == ["", "NOT_A_WITNESS", "NOT_A_WITNESS", "NOT_A_WITNESS"]
    assert left.state == documents_pb2.Document.STATE_DESTROY_ORDERED


@pytest.mark.parametrize(
    "witnesses",
    [
        ["ito", "ito"],
        ["ito", "Ito"],
        ["ito", "ito "],
        ["ito abe"],
        ["ito", f"abe {AGENCY}/officers/mori"],
        ["ito", "kato"],
        ["ito", "suzuki"],
        ["ito", "sato"],
    ],
)
async def test_one_person_is_not_two_witnesses_and_nobody_involved_is_one(people: People, witnesses: list[str]) -> None:
    active = await people.active()
    document = await people.document(active.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")
    named = [officer(one) for one in witnesses]

    refused = await people.refused("tanaka", "DestroyDocument", name=document.name, witnesses=named)

    assert refused.reason in {"WITNESSES_INVALID", "FIELD_INVALID"}


@pytest.mark.parametrize(
    "changes",
    [
        {"supervisor": officer("Sato")},
        {"custodian": officer("suzuki ")},
        {"custodian": officer("tanaka/x")},
        {"team": [officer("sato"), officer("ｋａｔｏ")]},
        {"team": [officer("sato") + "\u200b"]},
    ],
)
async def test_one_person_in_another_spelling_has_no_second_duty(people: People, changes: dict[str, Any]) -> None:
    plan = a_plan(begin=people.clock.now(), **changes)

    refused = await people.refused("sato", "SubmitPersona", parent=AGENCY, plan=plan)

    assert refused.reason == "OFFICERS_NOT_DISTINCT"


async def test_what_was_done_is_not_done_again_under_another_request_id(people: People) -> None:
    found = await people.approved()
    name = found.name
    again = [await people.refused("chief", "ApprovePersona", name=name, plan_hash=found.plan_hash)]
    await people.call("suzuki", "ReportPersona", name=name)
    again.append(await people.refused("suzuki", "ReportPersona", name=name))
    await people.acknowledge(name)
    await people.acknowledge(name)
    await people.call("suzuki", "RecordDeconfliction", name=name, reason="(演習)")
    await people.call("suzuki", "ActivatePersona", name=name)
    again.append(await people.refused("suzuki", "ActivatePersona", name=name))

    assert [one.reason for one in again] == ["NOT_SUBMITTED", "STATE_FORBIDS", "STATE_FORBIDS"]
    actions = await people.actions(name)
    assert actions.count("ACKNOWLEDGE") == actions.count("REPORT") == actions.count("ACTIVATE") == 1


async def test_an_acknowledgement_of_another_force_or_version_begins_nothing(people: People) -> None:
    found = await people.approved()
    await people.call("suzuki", "ReportPersona", name=found.name)
    with pytest.raises(Exception, match="FOREIGN_ORIGINATOR"):
        await people.acknowledge(found.name, npa="agencies/jp-13")

    refused = await people.refused("suzuki", "ActivatePersona", name=found.name)

    assert refused.reason == "STATE_FORBIDS"
    assert (await people.read(found.name)).state == Persona.STATE_NPA_REPORTED


@pytest.mark.parametrize(("method", "who"), [("ActivatePersona", "suzuki"), ("ArchivePersona", "suzuki")])
async def test_what_was_read_before_a_change_decides_nothing(people: People, method: str, who: str) -> None:
    ready = await people.ready()
    await people.call("kato", "ReportDanger", name=ready.name, text="(演習)")

    refused = await people.refused(who, method, name=ready.name, etag=ready.etag)

    assert refused.reason == "ETAG_MISMATCH"


async def test_a_clock_turned_back_brings_no_period_back(people: People) -> None:
    ready = await people.ready(days=20)
    people.clock.advance(timedelta(days=21).total_seconds())
    async with asyncio.timeout(20):
        while (await people.read(ready.name)).state != Persona.STATE_EXPIRED:  # noqa: ASYNC110 (no event is set)
            await asyncio.sleep(0)  # the clocks strike by themselves
    people.clock.advance(-timedelta(days=20).total_seconds())

    refused = await people.refused("suzuki", "ActivatePersona", name=ready.name)

    assert refused.reason == "STATE_FORBIDS"
    assert refused.metadata["state"] == "EXPIRED"


async def test_danger_halts_what_is_under_way_until_the_safety_task_is_done(people: People) -> None:
    active = await people.active()
    await people.document(active.name)
    await people.call("ito", "ReportDanger", name=active.name, text="(演習)")
    halted = await people.read(active.name)
    resumed = await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")
    (task,) = await people.tasks(active.name)
    await people.call("suzuki", "CompleteTask", name=task.name, note="(演習)")
    gone_on = await people.call("suzuki", "ResumePersona", name=active.name, reason="(演習)")

    assert (halted.state, halted.suspend_reason) == (Persona.STATE_SUSPENDED, enums_pb2.SUSPEND_REASON_DANGER)
    assert resumed.reason == "OFFICER_IN_DANGER"
    assert gone_on.state == Persona.STATE_ACTIVE


async def test_nothing_is_archived_while_a_contact_waits_for_review(people: People) -> None:
    active = await people.active()
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    outcome = enums_pb2.OUTCOME_ARREST
    await people.call("chief", "ClosePersona", name=active.name, outcome=outcome, reason="(演習)")
    refused = await people.refused("suzuki", "ArchivePersona", name=active.name)
    await people.call("suzuki", "ReviewContacts", parent=active.name, through_number=1, note="(演習)")
    archived = await people.call("suzuki", "ArchivePersona", name=active.name)

    assert refused.reason == "CONTACTS_UNREVIEWED"
    assert archived.state == Persona.STATE_ARCHIVED


async def test_no_refusal_log_or_metric_tells_a_word_of_a_legend(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    """Every way of being refused with a legend in the hand: too long, broken, of no right, at the wrong time."""
    caplog.set_level(logging.DEBUG)
    active = await people.active()
    document = await people.document(active.name)
    long = documents_pb2.Document(kind=LICENCE, legend=documents_pb2.Legend(display_name=MARKER * 500))
    nul = documents_pb2.Document(kind=LICENCE, legend=documents_pb2.Legend(display_name=f"{MARKER}\0"))
    kind = documents_pb2.Document(legend=a_legend())
    unasked = {"name": document.name, "request_number": 1, "recipient": MARKER, "form": IMAGE}
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("sato", "RequestDocument", {"parent": active.name, "document": long}),
        ("sato", "RequestDocument", {"parent": active.name, "document": nul}),
        ("sato", "RequestDocument", {"parent": active.name, "document": kind}),
        ("sato", "RequestDocument", {"parent": MARKER, "document": kind}),
        ("ito", "RequestDocument", {"parent": active.name, "document": documents_pb2.Document(legend=a_legend())}),
        ("sato", "PresentDocument", unasked),
        ("tanaka", "HandOutDocument", {"name": document.name, "holder": MARKER, "reason": MARKER}),
        ("tanaka", "DestroyDocument", {"name": document.name, "witnesses": [MARKER, MARKER]}),
        ("sato", "LogContact", {"parent": active.name, "contact": people.contact(MARKER, counterpart=MARKER * 99)}),
        ("sato", "PrepareDisclosure", {"contact": f"{active.name}/contacts/{MARKER}", "text": MARKER}),
        ("sato", "UpdatePersona", {"name": active.name, "etag": MARKER, "plan": a_plan(unit=MARKER)}),
        ("chief", "ApprovePersona", {"name": active.name, "plan_hash": MARKER}),
        ("chief", "AppointSupervisor", {"name": active.name, "supervisor": MARKER, "rank": 1}),
        ("chief", "RegisterLegalBasis", {"basis": MARKER.encode(), "signature": bytes(64)}),
        ("chief", "RevokeLegalBasis", {"revocation": MARKER.encode(), "signature": bytes(64)}),
    ]

    refused = [await people.refused(who, method, **fields) for who, method, fields in tries]

    told = [f"{one} {one.message} {one.metadata} {one.violations}" for one in refused]
    assert [one for one in told if MARKER in one] == []
    assert MARKER not in caplog.text
    assert MARKER not in str(await people.refusals())
