from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from renkei.personas.v1 import personas_pb2
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from renkei.policy.v1.policy_pb2 import GRADE_FULL

from renkei_chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotAllowed, NotFoundOrDenied
from renkei_chassis.release import strip
from renkei_personas.settings import Settings
from renkei_personas.wiring import blueprint
from tests.running import AGENCY, Running, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MARKER = "MARKERxLEGEND"


@pytest.fixture
async def service(tmp_path: Path, kind: str) -> AsyncIterator[Running]:
    async with running(blueprint(Settings()), tmp_path) as started:
        yield started


def a_plan(**changes: object) -> personas_pb2.Plan:
    plan = personas_pb2.Plan(
        crime_code=personas_pb2.Plan.CRIME_CODE_ROBBERY,
        necessity=f"(演習データ){MARKER}",
        alternatives="(演習データ)",
        unit="(演習データ)",
        supervisor=f"{AGENCY}/officers/suzuki",
        custodian=f"{AGENCY}/officers/tanaka",
        document_count=1,
        officers_consent=True,
    )
    now = datetime.now(UTC)
    plan.period_start.FromDatetime(now)
    plan.period_end.FromDatetime(now + timedelta(days=30))
    for name, value in changes.items():
        setattr(plan, name, value)
    return plan


def a_request(**changes: object) -> personas_pb2.SubmitPersonaRequest:
    return personas_pb2.SubmitPersonaRequest(request_id=str(uuid.uuid4()), parent=AGENCY, plan=a_plan(**changes))


async def submit(service: Running, request: personas_pb2.SubmitPersonaRequest | None = None) -> personas_pb2.Persona:
    client = service.client("sato", "OFFICER")
    return await client.call(client.stub(PersonasServiceStub).SubmitPersona, request or a_request())


async def approve(
    service: Running,
    persona: personas_pb2.Persona,
    *,
    officer: str = "chief",
    role: str = "HQ_CHIEF",
    plan_hash: str = "",
) -> personas_pb2.Persona:
    client = service.client(officer, role)
    request = personas_pb2.ApprovePersonaRequest(
        request_id=str(uuid.uuid4()), name=persona.name, plan_hash=plan_hash or persona.plan_hash
    )
    return await client.call(client.stub(PersonasServiceStub).ApprovePersona, request)


async def read(service: Running, name: str, officer: str, role: str) -> personas_pb2.Persona:
    client = service.client(officer, role)
    return await client.call(client.stub(PersonasServiceStub).GetPersona, personas_pb2.GetPersonaRequest(name=name))


async def test_an_officer_without_the_chiefs_role_cannot_approve(service: Running) -> None:
    persona = await submit(service)

    with pytest.raises(NotAllowed) as refused:
        await approve(service, persona, officer="yamada", role="SUPERVISOR")

    assert refused.value.reason == "ROLE_MISSING"


async def test_the_drafter_cannot_approve_even_as_chief(service: Running) -> None:
    persona = await submit(service)

    with pytest.raises(NotAllowed) as refused:
        await approve(service, persona, officer="sato")

    assert refused.value.reason == "APPROVER_INVOLVED"
    assert (await read(service, persona.name, "sato", "OFFICER")).state == personas_pb2.Persona.STATE_SUBMITTED


async def test_a_plan_is_approved_by_its_hash_and_only_once(service: Running) -> None:
    persona = await submit(service)

    with pytest.raises(FailedPrecondition) as other:
        await approve(service, persona, plan_hash="0" * 64)
    approved = await approve(service, persona)
    with pytest.raises(FailedPrecondition) as again:
        await approve(service, persona)

    assert other.value.reason == "PLAN_HASH_MISMATCH"
    assert approved.state == personas_pb2.Persona.STATE_APPROVED
    assert approved.approver == f"{AGENCY}/officers/chief"
    assert approved.etag != persona.etag
    assert again.value.reason == "NOT_SUBMITTED"
    assert again.value.metadata == {"state": "APPROVED"}


async def test_a_plan_looks_missing_to_whoever_has_no_part_in_it(service: Running) -> None:
    persona = await submit(service)
    missing = f"{AGENCY}/personas/{uuid.uuid4()}"

    answers = []
    for name in (persona.name, missing, persona.name.replace("jp-12", "jp-13"), f"{AGENCY}/personas/slug"):
        with pytest.raises(NotFoundOrDenied) as refused:
            await read(service, name, "yamada", "OFFICER")
        answers.append((refused.value.reason, refused.value.message, dict(refused.value.metadata)))

    assert len({str(answer) for answer in answers}) == 1


@pytest.mark.parametrize(
    ("officer", "role"),
    [("sato", "OFFICER"), ("suzuki", "SUPERVISOR"), ("tanaka", "CUSTODIAN"), ("chief", "HQ_CHIEF")],
)
async def test_whoever_has_a_part_in_a_plan_reads_it(service: Running, officer: str, role: str) -> None:
    persona = await submit(service)

    assert (await read(service, persona.name, officer, role)).plan_hash == persona.plan_hash


async def test_pages_give_each_plan_once_and_only_ones_own(service: Running) -> None:
    own = [await submit(service) for _ in range(5)]
    other = service.client("kato", "OFFICER")
    await other.call(other.stub(PersonasServiceStub).SubmitPersona, a_request())
    client = service.client("sato", "OFFICER")
    chief = service.client("chief", "HQ_CHIEF")
    request = personas_pb2.ListPersonasRequest(parent=AGENCY, page_size=2)

    seen = [p.name async for p in client.items(client.stub(PersonasServiceStub).ListPersonas, request, "personas")]
    all_of_them = [p async for p in chief.items(chief.stub(PersonasServiceStub).ListPersonas, request, "personas")]

    assert seen == [persona.name for persona in reversed(own)]
    assert len(all_of_them) == 6


async def test_a_changed_page_token_is_refused(service: Running) -> None:
    for _ in range(3):
        await submit(service)
    client = service.client("sato", "OFFICER")
    stub = client.stub(PersonasServiceStub)
    page = await client.call(stub.ListPersonas, personas_pb2.ListPersonasRequest(parent=AGENCY, page_size=1))
    token = ("A" if page.next_page_token[0] != "A" else "B") + page.next_page_token[1:]

    with pytest.raises(InvalidArgument) as refused:
        await client.call(stub.ListPersonas, personas_pb2.ListPersonasRequest(parent=AGENCY, page_token=token))

    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_a_repeated_request_id_makes_one_plan_and_another_content_is_refused(service: Running) -> None:
    request = a_request()
    first, second = await submit(service, request), await submit(service, request)
    request.plan.unit = "(演習データ)another"

    with pytest.raises(AlreadyExists) as refused:
        await submit(service, request)

    assert first == second
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_plan_without_alternatives_says_which_field_is_missing(service: Running) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await submit(service, a_request(alternatives=""))

    assert refused.value.reason == "PLAN_INCOMPLETE"
    assert [violation.field for violation in refused.value.violations] == ["plan.alternatives"]


async def test_the_log_says_that_a_plan_was_approved_and_nothing_of_the_plan(service: Running) -> None:
    persona = await submit(service)
    await approve(service, persona)

    events = await service.service.log.events(after=0)

    assert [event.type.rpartition(".")[2] for event in events] == ["PersonaSubmitted", "PersonaApproved"]
    assert MARKER.encode() not in b"".join(event.SerializeToString() for event in events)


async def test_nothing_of_a_plan_has_a_way_out_of_the_agency(service: Running) -> None:
    persona = await submit(service)

    assert strip(persona, GRADE_FULL).ByteSize() == 0
