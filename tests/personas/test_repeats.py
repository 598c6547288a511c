"""A call repeated with its request id gets the same answer and does nothing again, whatever it was."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2, personas_pb2

from renkei_chassis.identity import generate, public_text
from renkei_personas.bases import BASIS_TAG
from renkei_personas.settings import Settings
from tests.personas.people import START, a_legend, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from tests.personas.people import People

KEY = generate()


@pytest.fixture
def settings() -> Settings:
    return Settings(clock_seconds=0.02, legal_basis_keys=(public_text(KEY),))


async def twice(people: People, who: str, method: str, **fields: Any) -> Any:  # noqa: ANN401
    """Call twice with one id; returns the answer, which must be the same."""
    once = str(uuid.uuid4())
    first = await people.call(who, method, request_id=once, **fields)
    second = await people.call(who, method, request_id=once, **fields)
    assert first == second, method
    return first


@pytest.mark.on_both
async def test_every_kind_of_call_can_be_repeated(people: People) -> None:
    basis = personas_pb2.LegalBasis(id="law-1", allows=[personas_pb2.LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT])
    basis.valid_from.FromDatetime(START)
    basis.valid_until.FromDatetime(START.replace(year=2027))
    content = basis.SerializeToString()
    await twice(people, "chief", "RegisterLegalBasis", basis=content, signature=KEY.sign(BASIS_TAG + content))
    draft = await twice(people, "sato", "CreatePersona", parent=AGENCY, plan=a_plan(begin=people.clock.now()))
    sent = await twice(people, "sato", "SubmitPersona", name=draft.name)
    await twice(people, "chief", "ApprovePersona", name=draft.name, plan_hash=sent.plan_hash)
    await twice(people, "suzuki", "ReportPersona", name=draft.name)
    await people.acknowledge(draft.name)
    await twice(people, "suzuki", "RecordDeconfliction", name=draft.name, reason="(演習)")
    await twice(people, "suzuki", "ActivatePersona", name=draft.name)
    licence = documents_pb2.Document(kind=documents_pb2.Document.KIND_DRIVING_LICENCE, legend=a_legend())
    asked = await twice(people, "sato", "RequestDocument", parent=draft.name, document=licence)
    await twice(people, "tanaka", "IssueDocument", name=asked.name)
    await twice(people, "sato", "LogContact", parent=draft.name, contact=people.contact())
    await twice(people, "suzuki", "ReviewContacts", parent=draft.name, through_number=1, note="(演習)")
    harm = {"place": "(演習)駅前", "reason": "(演習)", "contact_desk": "(演習)"}
    told = await twice(
        people,
        "sato",
        "PrepareDisclosure",
        contact=f"{draft.name}/contacts/1",
        harm=harm,
        recipients=["agencies/jp-13"],
    )
    noted = await twice(people, "suzuki", "ConfirmDisclosure", name=told.name, record=f"{AGENCY}/harm/1")
    await twice(people, "ito", "ReportDanger", name=draft.name, text="(演習)")
    await twice(people, "chief", "CompleteTask", name=f"{draft.name}/tasks/1", note="(演習)")
    outcome = enums_pb2.OUTCOME_ARREST
    await twice(people, "suzuki", "ClosePersona", name=draft.name, outcome=outcome, reason="(演習)")
    pair = [officer("ito"), officer("abe")]
    await twice(people, "tanaka", "DestroyDocument", name=asked.name, witnesses=pair)
    seen = await twice(people, "ito", "WitnessDestruction", name=asked.name)

    actions = await people.actions(draft.name)
    assert len(actions) == len(set(actions)) + 1  # DISCLOSE twice: prepared and confirmed
    assert told.HasField("harm_request")
    assert not noted.HasField("harm_request")
    assert not seen.HasField("legend")


async def test_one_request_id_for_another_call_is_refused(people: People) -> None:
    once = str(uuid.uuid4())
    plan = a_plan(begin=people.clock.now())
    await people.call("sato", "SubmitPersona", request_id=once, parent=AGENCY, plan=plan)

    refused = await people.refused("sato", "CreatePersona", request_id=once, parent=AGENCY, plan=plan)

    assert refused.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize("field", ["text", "counterpart", "occur_time", "conduct"])
async def test_a_contact_that_lacks_a_part_is_refused(people: People, field: str) -> None:
    active = await people.active()
    contact = people.contact()
    contact.ClearField(field)  # type: ignore[arg-type] # one of its fields

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=contact)

    assert refused.reason == "FIELD_INVALID"
    assert [one.field for one in refused.violations] == [f"contact.{field}"]


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GetPersona", {"name": "agencies/jp-13/personas/0191d5c0-0000-7000-8000-000000000000"}),
        ("GetPersona", {"name": f"{AGENCY}/personas/x"}),
        ("ListPersonas", {"parent": "agencies/jp-13"}),
        ("CompleteTask", {"name": f"{AGENCY}/personas/0191d5c0-0000-7000-8000-000000000000/tasks/01", "note": "x"}),
        ("GetDocument", {"name": f"{AGENCY}/personas/0191d5c0-0000-7000-8000-000000000000/documents/x"}),
    ],
)
async def test_a_name_of_elsewhere_or_of_another_form_looks_like_a_missing_one(
    people: People, method: str, fields: dict[str, str]
) -> None:
    refused = await people.refused("chief", method, **fields)

    assert refused.reason == "DENIED"
