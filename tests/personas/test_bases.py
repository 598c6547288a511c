"""Legal bases end: by a signed revocation, at once, for what is under way and for what would begin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1 import documents_pb2, enums_pb2
from renkei.personas.v1.personas_pb2 import LegalBasis, LegalBasisRevocation, Persona, Plan
from sqlalchemy import create_engine, inspect, select

from renkei_chassis.database.schema import migrate
from renkei_chassis.database.tables import schema_versions
from renkei_chassis.identity import generate, public_text
from renkei_personas.bases import BASIS_TAG, REVOCATION_TAG
from renkei_personas.settings import Settings
from renkei_personas.store import tables
from renkei_personas.store.tables import SCHEMA
from tests.personas.before import back_to
from tests.personas.people import START
from tests.running import AGENCY

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from tests.personas.people import People

KEY = generate()
BEYOND = {"crime_code": Plan.CRIME_CODE_BY_LEGAL_BASIS, "legal_basis": "law-1"}


@pytest.fixture
def settings() -> Settings:
    return Settings(clock_seconds=0.02, legal_basis_keys=(public_text(generate()), public_text(KEY)))


async def register(people: People, *, days: int = 100) -> None:
    allows = [LegalBasis.ALLOWS_WIDER_CRIME_LIST, LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT]
    basis = LegalBasis(id="law-1", title="(演習)", allows=allows)
    basis.valid_from.FromDatetime(START)
    basis.valid_until.FromDatetime(START + timedelta(days=days))
    content = basis.SerializeToString()
    await people.call("chief", "RegisterLegalBasis", basis=content, signature=KEY.sign(BASIS_TAG + content))


def a_revocation(name: str = "law-1", key: Ed25519PrivateKey = KEY, tag: bytes = REVOCATION_TAG) -> dict[str, Any]:
    content = LegalBasisRevocation(id=name, reason="(演習)判決").SerializeToString()
    return {"revocation": content, "signature": key.sign(tag + content)}


@pytest.mark.on_both
async def test_a_revocation_halts_what_rests_on_the_basis_and_nothing_else(people: People) -> None:
    await register(people)
    beyond, listed = await people.active(**BEYOND), await people.active()

    revoked = await people.call("chief", "RevokeLegalBasis", **a_revocation())
    halted, going = await people.read(beyond.name), await people.read(listed.name)
    resumed = await people.refused("suzuki", "ResumePersona", name=beyond.name, reason="(演習)")
    (shown,) = (await people.call("audit", "ListLegalBases", parent=AGENCY)).legal_bases

    assert (halted.state, halted.suspend_reason) == (Persona.STATE_SUSPENDED, enums_pb2.SUSPEND_REASON_LEGAL_BASIS)
    assert going.state == Persona.STATE_ACTIVE
    assert resumed.reason == "LEGAL_BASIS_MISSING"
    assert shown == revoked
    assert shown.revoke_time.ToDatetime() == people.clock.now().replace(tzinfo=None)
    assert (await people.actions(beyond.name))[-1] == "LEGAL_BASIS_ENDS"


async def test_nothing_begins_on_a_basis_that_was_revoked_meanwhile(people: People) -> None:
    await register(people)
    submitted, ready = await people.submitted(**BEYOND), await people.ready(**BEYOND)
    await people.call("chief", "RevokeLegalBasis", **a_revocation())

    refused = [
        await people.refused("chief", "ApprovePersona", name=submitted.name, plan_hash=submitted.plan_hash),
        await people.refused("suzuki", "ActivatePersona", name=ready.name),
        await people.refused("chief", "RegisterLegalBasis", **_again()),
    ]

    assert [one.reason for one in refused] == ["LEGAL_BASIS_MISSING", "LEGAL_BASIS_MISSING", "LEGAL_BASIS_KNOWN"]


def _again() -> dict[str, Any]:
    basis = LegalBasis(id="law-1", allows=[LegalBasis.ALLOWS_WIDER_CRIME_LIST])
    basis.valid_from.FromDatetime(START)
    basis.valid_until.FromDatetime(START + timedelta(days=900))
    content = basis.SerializeToString()
    return {"basis": content, "signature": KEY.sign(BASIS_TAG + content)}


async def test_an_account_whose_basis_was_revoked_is_neither_handed_out_nor_shown(people: People) -> None:
    await register(people)
    active = await people.active(legal_basis="law-1")
    kind = documents_pb2.Document.KIND_FICTITIOUS_ACCOUNT
    account = documents_pb2.Document(
        kind=kind, legend=documents_pb2.Legend(display_name="演習", account="演習銀行 7654321")
    )
    made = await people.call("sato", "RequestDocument", parent=active.name, document=account)
    await people.call("tanaka", "IssueDocument", name=made.name)
    asked = await people.call("sato", "LogRequest", parent=active.name, contact=people.contact("口座は"))
    await people.call("chief", "RevokeLegalBasis", **a_revocation())

    out = await people.refused("tanaka", "HandOutDocument", name=made.name, holder=active.plan.team[1], reason="x")
    shown = await people.refused(
        "sato",
        "PresentDocument",
        name=made.name,
        request_number=asked.number,
        recipient=asked.counterpart,
        form=documents_pb2.PresentDocumentRequest.FORM_IMAGE,
    )

    assert {out.reason, shown.reason} == {"ACCOUNT_WITHOUT_LEGAL_BASIS"}


async def test_the_end_of_a_basis_halts_by_itself(people: People) -> None:
    await register(people, days=5)
    active = await people.active(**BEYOND)
    people.clock.advance(timedelta(days=5).total_seconds())

    refused = await people.refused("sato", "LogContact", parent=active.name, contact=people.contact())

    assert refused.reason == "STATE_FORBIDS"
    assert refused.metadata["state"] == "SUSPENDED"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (a_revocation(key=generate()), "LEGAL_BASIS_UNSIGNED"),
        (a_revocation(tag=BASIS_TAG), "LEGAL_BASIS_UNSIGNED"),  # signed as something else
        (a_revocation("law-2"), "LEGAL_BASIS_UNKNOWN"),
    ],
    ids=["by another key", "as a basis", "of another id"],
)
async def test_what_revokes_nothing_is_refused_and_recorded(people: People, given: dict[str, Any], reason: str) -> None:
    await register(people)
    active = await people.active(**BEYOND)

    refused = await people.refused("chief", "RevokeLegalBasis", **given)

    assert refused.reason == reason
    assert [(one.method, one.reason) for one in await people.refusals()] == [("RevokeLegalBasis", reason)]
    assert (await people.read(active.name)).state == Persona.STATE_ACTIVE


async def test_nobody_but_the_chief_brings_a_revocation_and_a_second_changes_nothing(people: People) -> None:
    await register(people)
    by_others = await people.refused("suzuki", "RevokeLegalBasis", **a_revocation())
    first = await people.call("chief", "RevokeLegalBasis", **a_revocation())
    people.clock.advance(60)

    second = await people.call("chief", "RevokeLegalBasis", **a_revocation())

    assert by_others.reason == "ROLE_MISSING"
    assert first == second


def test_a_database_of_before_gets_the_table_of_revocations() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, [SCHEMA])
        back_to(connection, 1)

        migrate(connection, [SCHEMA])

        assert tables.revocations.name in inspect(connection).get_table_names()
        assert connection.execute(select(schema_versions.c.version)).scalar_one() == SCHEMA.version


async def test_a_basis_that_was_signed_as_revoked_is_none(people: People) -> None:
    basis = LegalBasis(id="law-1", allows=[LegalBasis.ALLOWS_WIDER_CRIME_LIST])
    for field in (basis.valid_from, basis.valid_until, basis.revoke_time):
        field.FromDatetime(START)
    content = basis.SerializeToString()

    refused = await people.refused(
        "chief", "RegisterLegalBasis", basis=content, signature=KEY.sign(BASIS_TAG + content)
    )

    assert refused.reason == "FIELD_INVALID"
