"""An investigation from the first draft to the archive, over a real connection."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from renkei.personas.v1 import documents_pb2, enums_pb2, events_pb2, personas_pb2
from renkei.personas.v1.personas_pb2 import Persona, Plan

from renkei_personas.domain.plan import plan_hash
from tests.personas.people import MARKER, a_plan
from tests.running import AGENCY

if TYPE_CHECKING:
    from tests.personas.people import People


async def test_a_plan_goes_from_a_returned_draft_to_the_archive(people: People) -> None:
    """The whole of domain §8 in one piece."""
    draft = await people.call("sato", "CreatePersona", parent=AGENCY, plan=a_plan(alternatives=""))
    refused = await people.refused("sato", "SubmitPersona", name=draft.name)
    first = await people.call("sato", "UpdatePersona", name=draft.name, etag=draft.etag, plan=a_plan())
    sent = await people.call("sato", "SubmitPersona", name=draft.name)
    returned = await people.call(
        "chief", "ReturnPersona", name=draft.name, plan_hash=sent.plan_hash, reason="(演習)代替手段が不足"
    )
    mended = await people.call(
        "sato", "UpdatePersona", name=draft.name, etag=returned.etag, plan=a_plan(alternatives="(演習)他に手段なし")
    )
    again = await people.call("sato", "SubmitPersona", name=draft.name)
    approved = await people.call("chief", "ApprovePersona", name=draft.name, plan_hash=again.plan_hash)
    reported = await people.call("suzuki", "ReportPersona", name=draft.name)
    await people.acknowledge(draft.name)
    await people.call("suzuki", "RecordDeconfliction", name=draft.name, reason="(演習)")
    active = await people.call("suzuki", "ActivatePersona", name=draft.name)
    document = await people.document(draft.name)
    request = await people.call("sato", "LogRequest", parent=draft.name, contact=people.contact("身分証を見せろ"))
    shown = await people.call(
        "sato",
        "PresentDocument",
        name=document.name,
        request_number=request.number,
        recipient=request.counterpart,
        form=documents_pb2.PresentDocumentRequest.FORM_IMAGE,
    )
    await people.call("sato", "LogContact", parent=draft.name, contact=people.contact())
    reviewed = await people.call("suzuki", "ReviewContacts", parent=draft.name, through_number=2, note="(演習)")
    people.clock.advance(timedelta(days=31).total_seconds())
    closed = await people.call(
        "suzuki", "ClosePersona", name=draft.name, outcome=enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID, reason="(演習)"
    )
    left = await people.refused("suzuki", "ArchivePersona", name=draft.name)
    gone = await people.destroyed(document.name)
    archived = await people.call("suzuki", "ArchivePersona", name=draft.name)

    assert refused.reason == "PLAN_INCOMPLETE"
    assert returned.state == Persona.STATE_RETURNED
    assert len({first.plan_hash, draft.plan_hash, mended.plan_hash}) == 3
    assert approved.state == Persona.STATE_APPROVED
    assert approved.approver.endswith("/chief")
    assert reported.state == Persona.STATE_NPA_REPORTED
    assert active.state == Persona.STATE_ACTIVE
    assert shown.presented == 1
    assert reviewed.reviewed == 2
    assert closed.outcome == enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID
    assert left.reason == "DOCUMENT_LEFT"
    assert gone.state == documents_pb2.Document.STATE_DESTROYED
    assert archived.state == Persona.STATE_ARCHIVED
    assert "PERIOD_ENDS" in await people.actions(draft.name)


async def test_no_byte_of_a_legend_is_in_the_log_and_the_npa_gets_the_minimal_facts(people: People) -> None:
    active = await people.active()
    await people.document(active.name)
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact(MARKER))
    await people.call(
        "chief", "ClosePersona", name=active.name, outcome=enums_pb2.OUTCOME_ARREST, reason=f"(演習){MARKER}"
    )

    events = await people.running.service.log.events(after=0)

    out = [event for event in events if event.audience]
    assert MARKER.encode() not in b"".join(event.SerializeToString() for event in events)
    assert [event.type.rpartition(".")[2] for event in out] == ["PersonaReported", "PersonaOutcomeReported"]
    assert all([entry.agency for entry in event.audience] == ["agencies/jp-npa"] for event in out)
    reported = events_pb2.PersonaReported.FromString(out[0].data.value)
    assert reported.plan != active.name
    assert reported.crime_code == personas_pb2.Plan.CRIME_CODE_ROBBERY
    assert (reported.document_count, reported.version) == (1, 1)
    assert active.name.rpartition("/")[2].encode() not in out[0].SerializeToString()


async def test_an_update_changes_what_its_mask_names_and_nothing_else(people: People) -> None:
    draft = await people.call("sato", "CreatePersona", parent=AGENCY, plan=a_plan(document_count=2))
    change = Plan(alternatives="(演習)改", unit="not named")
    mask = FieldMask(paths=["alternatives", "team"])

    changed = await people.call(
        "sato", "UpdatePersona", name=draft.name, etag=draft.etag, plan=change, update_mask=mask
    )
    whole = await people.call("sato", "UpdatePersona", name=draft.name, etag=changed.etag, plan=change)

    expected = a_plan(document_count=2, alternatives="(演習)改", team=[])
    assert changed.plan == expected
    assert changed.plan_hash == plan_hash(expected.SerializeToString(deterministic=True)).hex()
    assert whole.plan == change


@pytest.mark.parametrize("path", ["unknown", "period_start.seconds", "", "*", "plan.unit"])
async def test_a_mask_that_names_nothing_to_change_is_refused(people: People, path: str) -> None:
    draft = await people.call("sato", "CreatePersona", parent=AGENCY, plan=a_plan())

    refused = await people.refused(
        "sato",
        "UpdatePersona",
        name=draft.name,
        etag=draft.etag,
        plan=a_plan(unit="(演習)改"),
        update_mask=FieldMask(paths=[path]),
    )

    assert refused.reason == "INVALID_UPDATE_MASK"
    assert (await people.read(draft.name)).etag == draft.etag
