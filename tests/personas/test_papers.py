"""Documents, legal bases, contacts and what of them is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, personas_pb2
from renkei.personas.v1.personas_pb2 import LegalBasis, Persona, Plan
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.identity import generate, public_text
from renkei_personas.bases import BASIS_TAG
from renkei_personas.domain.contacts import NO_HEAD, chained
from renkei_personas.settings import Settings
from tests.personas.people import MARKER, START, a_legend, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from tests.personas.people import People

ACCOUNT = documents_pb2.Document.KIND_FICTITIOUS_ACCOUNT
KEY = generate()


@pytest.fixture
def settings() -> Settings:
    return Settings(clock_seconds=0.02, legal_basis_keys=(public_text(KEY),))


def a_basis(*allows: LegalBasis.Allows.ValueType, name: str = "law-1", days: int = 100) -> dict[str, Any]:
    basis = LegalBasis(id=name, title="(演習)", allows=allows)
    basis.valid_from.FromDatetime(START)
    basis.valid_until.FromDatetime(START + timedelta(days=days))
    content = basis.SerializeToString()
    return {"basis": content, "signature": KEY.sign(BASIS_TAG + content)}


async def test_an_offence_beyond_the_list_needs_a_registered_legal_basis(people: People) -> None:
    asked: dict[str, Any] = {"crime_code": Plan.CRIME_CODE_BY_LEGAL_BASIS, "legal_basis": "law-1"}
    plan = a_plan(begin=people.clock.now(), **asked)

    without = await people.refused("sato", "SubmitPersona", parent=AGENCY, plan=plan)
    await people.call("chief", "RegisterLegalBasis", **a_basis(LegalBasis.ALLOWS_WIDER_CRIME_LIST))
    with_it = await people.call("sato", "SubmitPersona", parent=AGENCY, plan=plan)

    assert without.reason == "LEGAL_BASIS_MISSING"
    assert with_it.state == Persona.STATE_SUBMITTED
    (recorded,) = await people.refusals()
    assert (recorded.method, recorded.reason, recorded.resource) == ("SubmitPersona", "LEGAL_BASIS_MISSING", AGENCY)


async def test_a_fictitious_account_needs_one_too_and_another_does_not_do(people: People) -> None:
    await people.call("chief", "RegisterLegalBasis", **a_basis(LegalBasis.ALLOWS_WIDER_CRIME_LIST))
    active = await people.active(legal_basis="law-1", document_count=3)
    account = documents_pb2.Document(
        kind=ACCOUNT, legend=documents_pb2.Legend(display_name="演習", account="演習銀行 1234567")
    )
    hidden = documents_pb2.Document(kind=documents_pb2.Document.KIND_OTHER, legend=account.legend)

    refused = await people.refused("sato", "RequestDocument", parent=active.name, document=account)
    as_another_kind = await people.refused("sato", "RequestDocument", parent=active.name, document=hidden)

    assert {refused.reason, as_another_kind.reason} == {"ACCOUNT_WITHOUT_LEGAL_BASIS"}
    assert [one.reason for one in await people.refusals()] == ["ACCOUNT_WITHOUT_LEGAL_BASIS"] * 2


async def test_a_legal_basis_that_ended_allows_nothing_any_more(people: People) -> None:
    await people.call("chief", "RegisterLegalBasis", **a_basis(LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT, days=5))
    active = await people.active(legal_basis="law-1")
    account = documents_pb2.Document(
        kind=ACCOUNT, legend=documents_pb2.Legend(display_name="演習", account="演習銀行 1234567")
    )
    made = await people.call("sato", "RequestDocument", parent=active.name, document=account)
    people.clock.advance(timedelta(days=6).total_seconds())

    refused = await people.refused("tanaka", "IssueDocument", name=made.name)

    assert refused.reason == "ACCOUNT_WITHOUT_LEGAL_BASIS"


async def test_a_legal_basis_with_another_signature_or_changed_bytes_is_refused_and_recorded(people: People) -> None:
    signed = a_basis(LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT)
    widened = a_basis(LegalBasis.ALLOWS_WIDER_CRIME_LIST, LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT)

    changed = await people.refused("chief", "RegisterLegalBasis", basis=widened["basis"], signature=signed["signature"])
    by_another = await people.refused(
        "chief",
        "RegisterLegalBasis",
        basis=signed["basis"],
        signature=generate().sign(BASIS_TAG + signed["basis"]),
    )

    assert {changed.reason, by_another.reason} == {"LEGAL_BASIS_UNSIGNED"}
    assert [one.reason for one in await people.refusals()] == ["LEGAL_BASIS_UNSIGNED"] * 2
    assert not (await people.call("audit", "ListLegalBases", parent=AGENCY)).legal_bases


async def test_a_registered_basis_is_never_replaced(people: People) -> None:
    await people.call("chief", "RegisterLegalBasis", **a_basis(LegalBasis.ALLOWS_WIDER_CRIME_LIST, days=5))

    refused = await people.refused(
        "chief", "RegisterLegalBasis", **a_basis(LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT, days=500)
    )

    assert refused.reason == "LEGAL_BASIS_KNOWN"


@pytest.mark.parametrize("allows", [(), (0,)])
async def test_a_basis_that_allows_nothing_cannot_stand_in_the_way_of_everything(
    people: People, allows: tuple[Any, ...]
) -> None:
    """A value that the rules do not know would make every later act fail."""
    refused = await people.refused("chief", "RegisterLegalBasis", **a_basis(*allows))

    assert refused.reason == "FIELD_INVALID"
    assert (await people.submitted()).state == Persona.STATE_SUBMITTED


@pytest.mark.on_both
async def test_contacts_and_entries_hang_on_chains_that_anybody_can_count_again(people: People) -> None:
    active = await people.active()
    for text in ("一", "二", "三"):
        await people.call("sato", "LogContact", parent=active.name, contact=people.contact(text))
    await people.call("suzuki", "ReviewContacts", parent=active.name, through_number=2, note="(演習)")

    contacts = (await people.call("suzuki", "ListContacts", parent=active.name)).contacts
    entries = (await people.call("suzuki", "ListEntries", parent=active.name)).entries

    head = NO_HEAD
    for contact in contacts:
        told, bare = contact.head, contacts_pb2.Contact()
        bare.CopyFrom(contact)
        for field in ("head", "reviewer", "review_time"):
            bare.ClearField(field)
        head = chained(head, bare.SerializeToString(deterministic=True))
        assert told == head
    head = NO_HEAD
    for entry in entries:
        told, alone = entry.head, personas_pb2.Entry()
        alone.CopyFrom(entry)
        alone.ClearField("head")
        head = chained(head, alone.SerializeToString(deterministic=True))
        assert told == head
    assert [one.number for one in contacts] == [1, 2, 3]
    assert [bool(one.reviewer) for one in contacts] == [True, True, False]


@pytest.mark.on_both
async def test_an_identifier_becomes_a_tip_that_names_no_persona(people: People) -> None:
    active = await people.active()
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    phone = identifiers_pb2.Identifier(type=identifiers_pb2.IDENTIFIER_TYPE_PHONE, original="090-8765-4321")

    told = await people.call(
        "sato", "PrepareDisclosure", contact=f"{active.name}/contacts/1", identifiers=[phone], text="(演習)指示役の番号"
    )
    await people.call("sato", "ConfirmDisclosure", name=told.name, record=f"{AGENCY}/tips/1")
    other = await people.refused("sato", "ConfirmDisclosure", name=told.name, record=f"{AGENCY}/tips/2")
    of_audit = (await people.call("audit", "ListDisclosures", parent=AGENCY)).disclosures
    of_handler = await people.refused("sato", "ListDisclosures", role="SUPERVISOR", parent=active.name)

    tip = told.tip_request.tip
    assert tip.source == tips_pb2.Tip.SOURCE_OTHER
    assert tip.identifiers[0].provenance == identifiers_pb2.PROVENANCE_WITHHELD_ASK_ORIGINATOR
    assert tip.handling.judicial_use == handling_pb2.JUDICIAL_USE_ASK
    assert active.name.rpartition("/")[2].encode() not in told.tip_request.SerializeToString()
    assert other.reason == "DISCLOSURE_CONFIRMED"
    assert [(one.record, one.HasField("tip_request")) for one in of_audit] == [(f"{AGENCY}/tips/1", False)]
    assert of_handler.reason == "DENIED"


@pytest.mark.parametrize(
    "text",
    [
        "090 8765 0001 です",
        "+81 90-8765-0001",
        "８１９０８７６５０００１",
        "市場町１丁目２番３号",
        "住所は 市場町1-2-3",
        "濱﨑 修と会う",
        "修・浜崎の名で",
    ],
)
async def test_a_legend_told_in_another_spelling_is_not_told_either(people: People, text: str) -> None:
    active = await people.active()
    legend = documents_pb2.Legend(
        display_name="濱崎 修", address="千葉県千葉市中央区市場町1-2-3", phone="090-8765-0001", number="演習-9"
    )
    kind = documents_pb2.Document.KIND_STUDENT_CARD
    document = documents_pb2.Document(kind=kind, legend=legend)
    await people.call("sato", "RequestDocument", parent=active.name, document=document)
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())

    handle = identifiers_pb2.Identifier(type=identifiers_pb2.IDENTIFIER_TYPE_HANDLE, original="x")
    refused = await people.refused(
        "sato", "PrepareDisclosure", contact=f"{active.name}/contacts/1", identifiers=[handle], text=text
    )

    assert refused.reason == "LEGEND_TOLD"


@pytest.mark.parametrize("field", ["text", "purpose_code", "identifiers[0].original", "harm.place", "harm.reason"])
async def test_what_names_a_legend_is_not_told(people: People, field: str) -> None:
    active = await people.active()
    await people.document(active.name, number="演習-0000-1111")
    await people.call("sato", "LogContact", parent=active.name, contact=people.contact())
    named = "番号は 演習００００１１１１ です"
    words = {"text": "(演習)", "original": "x", "purpose_code": ""} | {field.rpartition(".")[2] or field: named}
    asked: dict[str, Any] = {"contact": f"{active.name}/contacts/1"}
    if field.startswith("harm"):
        asked["harm"] = {"place": "駅", "reason": "(演習)", "contact_desk": "(演習)"} | {field[5:]: named}
        asked["recipients"] = ["agencies/jp-13"]
    else:
        kind = identifiers_pb2.IDENTIFIER_TYPE_HANDLE
        asked["identifiers"] = [identifiers_pb2.Identifier(type=kind, original=words["original"])]
        asked["text"], asked["purpose_code"] = words["text"], words["purpose_code"]

    refused = await people.refused("sato", "PrepareDisclosure", **asked)

    assert refused.reason == "LEGEND_TOLD"
    assert [one.field for one in refused.violations] == [field]


@pytest.mark.on_both
async def test_danger_is_never_refused_only_flagged(people: People) -> None:
    active = await people.active()
    request = personas_pb2.ReportDangerRequest()
    request.occur_time.seconds = 10**15
    flags = enums_pb2.DangerFlag.Name

    known = await people.call(
        "sato", "ReportDanger", name=active.name, text="(演習)", kind=enums_pb2.DANGER_KIND_THREAT
    )
    strange = await people.call("ito", "ReportDanger", name="何か", occur_time=request.occur_time)
    desk = await people.call("desk", "ReportDanger", name=active.name, text="(演習)" * 2000)
    later = await people.read(active.name)
    resumed = await people.refused("suzuki", "ActivatePersona", name=active.name)

    assert list(known.flags) == []
    assert [flags(one) for one in strange.flags] == ["DANGER_FLAG_UNKNOWN_INVESTIGATION", "DANGER_FLAG_WITHOUT_WORDS"]
    assert [flags(one) for one in desk.flags] == ["DANGER_FLAG_OUTSIDER"]
    assert later.in_danger
    assert [task.kind for task in await people.tasks(active.name)] == [enums_pb2.TASK_KIND_SAFETY] * 2
    assert len((await people.call("chief", "ListDangers", parent=AGENCY)).dangers) == 3
    assert resumed.reason == "STATE_FORBIDS"


@pytest.mark.on_both
async def test_a_compromise_stops_everything_and_only_closing_is_left(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)

    stopped = await people.call("kato", "CompromisePersona", name=active.name, reason="(演習)")
    left = [
        (await people.refused("suzuki", "ResumePersona", name=active.name, reason="(演習)")).reason,
        (await people.refused("sato", "LogContact", parent=active.name, contact=people.contact())).reason,
        (
            await people.refused(
                "suzuki", "ClosePersona", name=active.name, outcome=enums_pb2.OUTCOME_ARREST, reason="(演習)"
            )
        ).reason,
    ]
    outcome = enums_pb2.OUTCOME_SUSPENDED_COMPROMISED
    await people.call("suzuki", "ClosePersona", name=active.name, outcome=outcome, reason="(演習)")
    await people.destroyed(document.name)
    in_danger = await people.refused("suzuki", "ArchivePersona", name=active.name)
    (task,) = await people.tasks(active.name)
    await people.call("suzuki", "CompleteTask", name=task.name, note="(演習)保護した")
    archived = await people.call("suzuki", "ArchivePersona", name=active.name)

    assert stopped.state == Persona.STATE_COMPROMISED
    assert left == ["STATE_FORBIDS", "STATE_FORBIDS", "OUTCOME_CONTRADICTED"]
    assert in_danger.reason == "OFFICER_IN_DANGER"
    assert archived.state == Persona.STATE_ARCHIVED


async def test_custody_is_a_chain_of_hands_that_can_be_read(people: People) -> None:
    active = await people.active()
    document = await people.document(active.name)
    stranger = await people.refused("tanaka", "HandOutDocument", name=document.name, holder=officer("ito"), reason="x")
    out = await people.call("tanaka", "HandOutDocument", name=document.name, holder=officer("kato"), reason="撮影")
    back = await people.call("tanaka", "ReturnDocument", name=document.name)
    await people.call("suzuki", "SuspendPersona", name=active.name, reason="(演習)")
    pair = [officer("ito"), officer("tanaka")]
    involved = await people.refused("tanaka", "DestroyDocument", name=document.name, witnesses=pair)
    gone = await people.destroyed(document.name)
    entries = (await people.call("suzuki", "ListEntries", parent=active.name)).entries

    assert stranger.reason == "HOLDER_INVALID"
    assert (out.holder, back.holder, gone.holder) == (officer("kato"), officer("tanaka"), "")
    assert involved.reason == "WITNESSES_INVALID"
    told = {entry.action: list(entry.officers) for entry in entries if entry.officers}
    assert told["HAND_OUT_DOCUMENT"] == [officer("kato")]
    assert sorted(told["DESTROY_DOCUMENT"]) == [officer("abe"), officer("ito")]


@pytest.mark.on_both
async def test_one_request_id_records_one_contact(people: People) -> None:
    active = await people.active()
    once = "6f1c0a52-6b1f-4b9e-9f0e-0d9d2f3f5a01"
    contact = people.contact()

    answers = [
        await people.call("sato", "LogContact", parent=active.name, contact=contact, request_id=once) for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert len((await people.call("sato", "ListContacts", parent=active.name)).contacts) == 1
    assert MARKER in a_legend().display_name
