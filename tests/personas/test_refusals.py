"""What is refused, with its reason in two languages, and that each refusal leaves a record."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, personas_pb2
from renkei.personas.v1.personas_pb2 import Persona

from renkei_chassis.errors import FailedPrecondition, NotAllowed, NotFoundOrDenied, RenkeiError
from tests.personas.people import MARKER, a_legend, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from tests.personas.people import People

IMAGE = documents_pb2.PresentDocumentRequest.FORM_IMAGE
LICENCE = documents_pb2.Document.KIND_DRIVING_LICENCE


async def assert_told_and_recorded(people: People, error: RenkeiError, method: str, who: str, resource: str) -> None:
    """A refusal says its rule in both languages, and the last record is of it and holds nothing else."""
    (last, *_) = await people.refusals()
    assert re.search(r"[ぁ-んァ-ン一-龥]", error.metadata["ja"])
    assert re.search(r"[a-z]{3}", error.message)
    assert (last.method, last.reason, last.caller, last.resource) == (method, error.reason, officer(who), resource)
    assert MARKER not in str(last)


async def test_an_approval_prepared_for_another_plan_is_refused(people: People) -> None:
    first = await people.submitted()
    returned = await people.call("chief", "ReturnPersona", name=first.name, plan_hash=first.plan_hash, reason="(演習)")
    changed = a_plan(begin=people.clock.now(), document_count=5)
    await people.call("sato", "UpdatePersona", name=first.name, etag=returned.etag, plan=changed)
    await people.call("sato", "SubmitPersona", name=first.name)

    refused = await people.refused("chief", "ApprovePersona", name=first.name, plan_hash=first.plan_hash)

    assert refused.reason == "PLAN_HASH_MISMATCH"
    await assert_told_and_recorded(people, refused, "ApprovePersona", "chief", first.name)


@pytest.mark.parametrize("who", ["sato", "suzuki", "tanaka", "kato"])
async def test_whoever_has_a_part_cannot_approve_though_he_is_chief_too(people: People, who: str) -> None:
    found = await people.submitted()

    refused = await people.refused(who, "ApprovePersona", role="HQ_CHIEF", name=found.name, plan_hash=found.plan_hash)

    assert refused.reason == "APPROVER_INVOLVED"
    await assert_told_and_recorded(people, refused, "ApprovePersona", who, found.name)


@pytest.mark.parametrize("role", ["SUPERVISOR", "CUSTODIAN", "OFFICER", "OPERATOR", "AUDITOR"])
async def test_a_delegate_cannot_approve(people: People, role: str) -> None:
    """Nothing but the chief's own role counts; a token has no place for somebody else's."""
    found = await people.submitted()

    refused = await people.refused("mori", "ApprovePersona", role=role, name=found.name, plan_hash=found.plan_hash)

    assert isinstance(refused, NotAllowed)
    assert refused.reason == "ROLE_MISSING"
    (last, *_) = await people.refusals()
    assert (last.method, last.reason, last.caller) == ("ApprovePersona", "ROLE_MISSING", officer("mori"))
    assert (await people.read(found.name)).state == Persona.STATE_SUBMITTED


async def test_a_document_beyond_the_plan_is_refused(people: People) -> None:
    active = await people.active()
    await people.document(active.name)
    another = documents_pb2.Document(kind=LICENCE, legend=a_legend("演習-2"))

    refused = await people.refused("sato", "RequestDocument", parent=active.name, document=another)

    assert refused.reason == "DOCUMENTS_EXHAUSTED"
    await assert_told_and_recorded(people, refused, "RequestDocument", "sato", active.name)


async def test_nothing_is_shown_without_a_logged_request(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    shown: dict[str, Any] = {"name": document.name, "request_number": 1, "recipient": "telegram:x", "form": IMAGE}

    refused = await people.refused("sato", "PresentDocument", **shown)

    assert refused.reason == "NO_REQUEST_LOGGED"
    await assert_told_and_recorded(people, refused, "PresentDocument", "sato", document.name)


async def test_one_request_is_answered_once_to_its_asker_and_never_with_the_original(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    asked = await people.call("sato", "LogRequest", parent=active.name, contact=people.contact("見せろ"))
    shown: dict[str, Any] = {"name": document.name, "request_number": asked.number, "recipient": asked.counterpart}
    original = documents_pb2.PresentDocumentRequest.FORM_ORIGINAL

    with_original = await people.refused("sato", "PresentDocument", **shown, form=original)
    to_another = await people.refused("sato", "PresentDocument", **{**shown, "recipient": "another"}, form=IMAGE)
    await people.call("sato", "PresentDocument", **shown, form=IMAGE)
    again = await people.refused("sato", "PresentDocument", **shown, form=IMAGE)

    assert [one.reason for one in (with_original, to_another, again)] == [
        "IMAGE_ONLY",
        "RECIPIENT_MISMATCH",
        "NO_REQUEST_LOGGED",
    ]
    entries = (await people.call("chief", "ListEntries", parent=active.name)).entries
    (entry,) = [one for one in entries if one.action == "PRESENT_DOCUMENT"]
    assert (entry.account, entry.contact_number) == (asked.counterpart, asked.number)


@pytest.mark.parametrize("text", ["当方から提案した", "車両を 提供した", "We supplied the car", "犯行に加担した"])
async def test_an_entry_that_describes_taking_part_is_refused(people: People, text: str) -> None:
    active = await people.active()

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=people.contact(text + MARKER))

    assert refused.reason == "TAKING_PART"
    await assert_told_and_recorded(people, refused, "LogContact", "sato", active.name)


async def test_what_officers_did_is_an_incident_that_halts(people: People) -> None:
    active = await people.active()
    proposed = people.contact("(演習)", conduct=contacts_pb2.Contact.CONDUCT_PROPOSED)

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=proposed)
    await people.call("sato", "ReportIncident", parent=active.name, contact=proposed)
    later = await people.read(active.name)
    resumed = await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")

    assert refused.reason == "TAKING_PART"
    assert (later.state, later.suspend_reason) == (Persona.STATE_SUSPENDED, enums_pb2.SUSPEND_REASON_INCIDENT)
    assert resumed.reason == "INCIDENT_OPEN"


@pytest.mark.parametrize("hours", [13, 24 * 3, -1])
async def test_a_backdated_or_future_entry_is_refused(people: People, hours: float) -> None:
    active = await people.active()
    contact = people.contact()
    contact.occur_time.FromDatetime(people.clock.now() - timedelta(hours=hours))

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=contact)

    assert refused.reason == "BACKDATED"
    await assert_told_and_recorded(people, refused, "LogContact", "sato", active.name)


async def test_an_entry_before_the_one_before_is_refused(people: People) -> None:
    active = await people.active()
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    earlier = people.contact()
    earlier.occur_time.FromDatetime(people.clock.now() - timedelta(minutes=1))

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=earlier)

    assert refused.reason == "BACKDATED"


@pytest.mark.on_both
async def test_a_node_that_was_cut_off_for_a_month_does_not_begin_with_an_expired_plan(people: People) -> None:
    ready = await people.ready(days=20)
    people.clock.advance(timedelta(days=31).total_seconds())

    refused = await people.refused("suzuki", "ActivatePersona", name=ready.name)

    assert refused.reason == "STATE_FORBIDS"
    assert refused.metadata["state"] == "EXPIRED"
    await assert_told_and_recorded(people, refused, "ActivatePersona", "suzuki", ready.name)


async def test_a_supervisor_who_left_does_nothing_any_more(people: People) -> None:
    ready = await people.ready()
    await people.call("kato", "ReportVacancy", name=ready.name, reason="(演習)異動")

    refused = await people.refused("suzuki", "ActivatePersona", name=ready.name)
    appointed = await people.call(
        "chief", "AppointSupervisor", name=ready.name, supervisor=officer("mori"), rank=personas_pb2.Plan.RANK_INSPECTOR
    )
    gone = await people.refused("suzuki", "ActivatePersona", name=ready.name)
    active = await people.call("mori", "ActivatePersona", name=ready.name)

    assert refused.reason == "SUPERVISOR_VACANT"
    assert appointed.supervisor == officer("mori")
    assert gone.reason == "DENIED"  # not even to be read any more
    assert active.state == Persona.STATE_ACTIVE


async def test_an_archive_with_a_document_left_is_refused(people: People) -> None:
    active = await people.active()
    await people.document(active.name)
    await people.call("chief", "ClosePersona", name=active.name, outcome=enums_pb2.OUTCOME_NOT_USED, reason="(演習)")

    refused = await people.refused("suzuki", "ArchivePersona", name=active.name)

    assert refused.reason == "DOCUMENT_LEFT"
    await assert_told_and_recorded(people, refused, "ArchivePersona", "suzuki", active.name)


@pytest.mark.on_both
async def test_of_two_approvals_at_once_one_is_refused(people: People) -> None:
    found = await people.submitted()

    async def approve() -> str:
        try:
            await people.call("chief", "ApprovePersona", name=found.name, plan_hash=found.plan_hash)
        except FailedPrecondition as error:
            return error.reason
        return ""

    answers = await asyncio.gather(*(approve() for _ in range(4)))

    assert sorted(answers) == ["", "NOT_SUBMITTED", "NOT_SUBMITTED", "NOT_SUBMITTED"]
    assert (await people.actions(found.name)).count("APPROVE") == 1
    assert [one.reason for one in await people.refusals()] == ["NOT_SUBMITTED"] * 3


@pytest.mark.parametrize("how_far", ["submitted", "approved", "ready", "active"])
async def test_nobody_changes_a_plan_that_was_submitted(people: People, how_far: str) -> None:
    found = await getattr(people, how_far)()
    more = a_plan(begin=people.clock.now(), document_count=9)

    refused = await people.refused("sato", "UpdatePersona", name=found.name, etag=found.etag, plan=more)

    assert refused.reason == "PLAN_FROZEN"
    await assert_told_and_recorded(people, refused, "UpdatePersona", "sato", found.name)


async def test_one_person_cannot_issue_a_document(people: People) -> None:
    """The role is not enough: who asked for it is somebody else than who keeps it."""
    active = await people.active()
    asked = await people.call(
        "sato", "RequestDocument", parent=active.name, document=documents_pb2.Document(kind=LICENCE, legend=a_legend())
    )

    by_the_asker = await people.refused("sato", "IssueDocument", role="CUSTODIAN", name=asked.name)
    by_the_supervisor = await people.refused("suzuki", "IssueDocument", role="CUSTODIAN", name=asked.name)

    assert {by_the_asker.reason, by_the_supervisor.reason} == {"NOT_YOUR_PART"}


async def test_an_investigation_of_others_looks_like_a_missing_one(people: People) -> None:
    active = await people.active()
    missing = f"{AGENCY}/personas/0191d5c0-0000-7000-8000-000000000000"

    of_others = await people.refused("ito", "GetPersona", name=active.name)
    of_nobody = await people.refused("ito", "GetPersona", name=missing)

    assert isinstance(of_others, NotFoundOrDenied)
    assert (of_others.reason, of_others.message) == (of_nobody.reason, of_nobody.message)
    assert [one.reason for one in await people.refusals()] == ["DENIED", "DENIED"]


async def test_a_refusal_keeps_a_name_and_nothing_that_might_be_anything(people: People) -> None:
    await people.refused("ito", "GetPersona", name=MARKER)

    (last, *_) = await people.refusals()
    assert (last.method, last.resource) == ("GetPersona", "")


@pytest.mark.parametrize("seconds", [10**15, -(10**12)])
async def test_a_time_that_there_is_not_is_refused_and_breaks_nothing(people: People, seconds: int) -> None:
    active = await people.active()
    contact = people.contact()
    contact.occur_time.seconds = seconds

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=contact)

    assert refused.reason == "FIELD_INVALID"
