"""Short stories in which every row of the table is carried out at least once, step by step."""

# ruff: noqa: ANN401 (answers are of many types)

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, events_pb2, personas_pb2
from renkei.tips.v1 import events_pb2 as tip_events

from renkei_personas.bases import BASIS_TAG, REVOCATION_TAG
from tests.personas.people import START, a_legend, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from renkei_chassis.clock import ManualClock
    from tests.personas.bench import Bench

DAY: Final = 24 * 3600.0
REPORTED: Final = f"{AGENCY}/plans/00000000-0000-4000-8000-000000000001"
# The same in every process, so that a step repeated after a kill is the same request.
BASIS_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass(slots=True)
class Stage:
    """What a story is told with: the open service, its clock, and the names that earlier steps made."""

    bench: Bench
    clock: ManualClock
    names: dict[str, str] = field(default_factory=dict)
    request_id: str = ""

    async def call(self, who: str, method: str, **fields: Any) -> Any:
        return await self.bench.call(who, method, self.request_id, **fields)

    @property
    def persona(self) -> str:
        return self.names["persona"]

    @property
    def document(self) -> str:
        return self.names["document"]


Step = Callable[[Stage], Awaitable[None]]


def later(days: float) -> Step:
    async def step(stage: Stage) -> None:
        stage.clock.advance(days * DAY)
        await stage.bench.let_clocks_strike()

    return step


def on_persona(who: str, method: str, **fields: Any) -> Step:
    async def step(stage: Stage) -> None:
        await stage.call(who, method, name=stage.persona, **fields)

    return step


def on_document(who: str, method: str, **fields: Any) -> Step:
    async def step(stage: Stage) -> None:
        await stage.call(who, method, name=stage.document, **fields)

    return step


def deciding(method: str, **fields: Any) -> Step:
    async def step(stage: Stage) -> None:
        await stage.call("chief", method, name=stage.persona, plan_hash=stage.names["hash"], **fields)

    return step


async def draft(stage: Stage) -> None:
    made = await stage.call("sato", "CreatePersona", parent=AGENCY, plan=a_plan(document_count=2))
    stage.names["persona"], stage.names["etag"] = made.name, made.etag


async def update(stage: Stage) -> None:
    plan = a_plan(alternatives="(演習)改", document_count=2)
    await stage.call("sato", "UpdatePersona", name=stage.persona, etag=stage.names["etag"], plan=plan)


async def submit(stage: Stage) -> None:
    sent = await stage.call("sato", "SubmitPersona", name=stage.persona)
    stage.names["hash"] = sent.plan_hash


async def acknowledge(stage: Stage) -> None:
    await stage.bench.acknowledge()


async def extend(stage: Stage) -> None:
    plan = a_plan(days=40, alternatives="(演習)改", document_count=3)
    asked = await stage.call("sato", "ExtendPersona", name=stage.persona, plan=plan)
    stage.names["hash"] = asked.extension.plan_hash


async def request_document(stage: Stage) -> None:
    kind = documents_pb2.Document.KIND_DRIVING_LICENCE
    asked = documents_pb2.Document(kind=kind, legend=a_legend())
    made = await stage.call("sato", "RequestDocument", parent=stage.persona, document=asked)
    stage.names["document"] = made.name


def logging(
    method: str,
    *,
    who: str = "sato",
    conduct: contacts_pb2.Contact.Conduct.ValueType = contacts_pb2.Contact.CONDUCT_OBSERVED,
) -> Step:
    async def step(stage: Stage) -> None:
        contact = contacts_pb2.Contact(counterpart="boss", text="(演習)", conduct=conduct)
        contact.occur_time.FromDatetime(stage.clock.now())
        await stage.call(who, method, parent=stage.persona, contact=contact)

    return step


async def present(stage: Stage) -> None:
    form = documents_pb2.PresentDocumentRequest.FORM_IMAGE
    await stage.call("sato", "PresentDocument", name=stage.document, request_number=1, recipient="boss", form=form)


async def disclose(stage: Stage) -> None:
    harm = {"place": "(演習)駅前", "reason": "(演習)", "contact_desk": "(演習)"}
    asked = await stage.call(
        "sato", "PrepareDisclosure", contact=f"{stage.persona}/contacts/1", harm=harm, recipients=["agencies/jp-13"]
    )
    stage.names["disclosure"] = asked.name


async def confirm(stage: Stage) -> None:
    await stage.call("sato", "ConfirmDisclosure", name=stage.names["disclosure"], record=f"{AGENCY}/harm/x")


def reviewing(through: int, *, who: str = "suzuki") -> Step:
    async def step(stage: Stage) -> None:
        await stage.call(who, "ReviewContacts", parent=stage.persona, through_number=through, note="(演習)")

    return step


async def hold(stage: Stage) -> None:
    request = documents_pb2.HoldDocumentRequest(reason="(演習)")
    request.review_time.FromDatetime(stage.clock.now() + timedelta(days=10))
    await stage.call("suzuki", "HoldDocument", name=stage.document, reason="(演習)", review_time=request.review_time)


async def danger(stage: Stage) -> None:
    await stage.call("ito", "ReportDanger", name=stage.persona, text="(演習)")


async def collide(stage: Stage) -> None:
    told = tip_events.TipRecorded()
    told.tip.identifiers.add().identifier.original = a_legend().number
    await stage.bench.bring(told, origin="agencies/jp-13")


def completing(number: int) -> Step:
    async def step(stage: Stage) -> None:
        await stage.call("chief", "CompleteTask", name=f"{stage.persona}/tasks/{number}", note="(演習)")

    return step


def closing(outcome: enums_pb2.Outcome.ValueType) -> Step:
    return on_persona("chief", "ClosePersona", outcome=outcome, reason="(演習)")


async def register_basis(stage: Stage) -> None:
    allows = [personas_pb2.LegalBasis.ALLOWS_FICTITIOUS_ACCOUNT, personas_pb2.LegalBasis.ALLOWS_WIDER_CRIME_LIST]
    basis = personas_pb2.LegalBasis(id="law-1", allows=allows)
    basis.valid_from.FromDatetime(stage.clock.now())
    basis.valid_until.FromDatetime(stage.clock.now() + timedelta(days=5))
    content = basis.SerializeToString()
    await stage.call("chief", "RegisterLegalBasis", basis=content, signature=BASIS_KEY.sign(BASIS_TAG + content))


async def draft_beyond_the_list(stage: Stage) -> None:
    crime = personas_pb2.Plan.CRIME_CODE_BY_LEGAL_BASIS
    plan = a_plan(crime_code=crime, legal_basis="law-1")
    stage.names["persona"] = (await stage.call("sato", "CreatePersona", parent=AGENCY, plan=plan)).name


async def revoke_basis(stage: Stage) -> None:
    content = personas_pb2.LegalBasisRevocation(id="law-1", reason="(演習)").SerializeToString()
    signature = BASIS_KEY.sign(REVOCATION_TAG + content)
    await stage.call("chief", "RevokeLegalBasis", revocation=content, signature=signature)


async def receive_report(stage: Stage) -> None:
    told = events_pb2.PersonaReported(plan=REPORTED, agency=AGENCY, version=1)
    told.period_start.FromDatetime(START)
    told.period_end.FromDatetime(START + timedelta(days=9))
    await stage.bench.bring(told, origin=AGENCY)


async def acknowledge_report(stage: Stage) -> None:
    await stage.call("desk", "AcknowledgeReport", name=REPORTED, version=1)


async def receive_outcome(stage: Stage) -> None:
    told = events_pb2.PersonaOutcomeReported(plan=REPORTED, agency=AGENCY, outcome=enums_pb2.OUTCOME_ARREST)
    await stage.bench.bring(told, origin=AGENCY)


WHY: Final = {"reason": "(演習)"}
BEGIN: Final[tuple[Step, ...]] = (
    draft,
    update,
    submit,
    deciding("ReturnPersona", **WHY),
    submit,
    deciding("ApprovePersona"),
    on_persona("suzuki", "ReportPersona"),
    acknowledge,
    on_persona("suzuki", "RecordDeconfliction", **WHY),
    on_persona("suzuki", "ActivatePersona"),
)
STORIES: Final[dict[str, tuple[tuple[Step, ...], tuple[Step, ...]]]] = {
    # name: what comes before and is not looked at, what is
    "plan": ((), BEGIN),
    "rejected": (BEGIN[:3], (deciding("RejectPersona", **WHY), closing(enums_pb2.OUTCOME_NOT_USED))),
    "documents": (
        BEGIN,
        (
            request_document,
            on_document("tanaka", "CancelDocument", **WHY),
            request_document,
            on_document("tanaka", "IssueDocument"),
            on_document("tanaka", "HandOutDocument", holder=officer("kato"), **WHY),
            on_document("tanaka", "ReturnDocument"),
            logging("LogRequest"),
            present,
            hold,
            on_document("suzuki", "ReleaseDocument", **WHY),
            closing(enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID),
            hold,
            later(11),
            on_document("tanaka", "DestroyDocument", witnesses=[officer("ito"), officer("abe")]),
            on_document("ito", "WitnessDestruction"),
            on_document("abe", "WitnessDestruction"),
            reviewing(1),
            on_persona("chief", "ArchivePersona"),
        ),
    ),
    "contacts": (
        BEGIN,
        (
            logging("LogContact"),
            disclose,
            confirm,
            logging("ReportIncident", conduct=contacts_pb2.Contact.CONDUCT_PROPOSED),
            reviewing(2),
        ),
    ),
    "operation": (
        BEGIN,
        (
            on_persona("sato", "SuspendPersona", **WHY),
            on_persona("suzuki", "ResumePersona", **WHY),
            danger,
            completing(1),
            on_persona("suzuki", "ResumePersona", **WHY),
            on_persona("sato", "ReportVacancy", **WHY),
            completing(2),
            on_persona("chief", "AppointSupervisor", supervisor=officer("mori"), rank=personas_pb2.Plan.RANK_INSPECTOR),
            on_persona("kato", "CompromisePersona", **WHY),
            closing(enums_pb2.OUTCOME_SUSPENDED_COMPROMISED),
        ),
    ),
    "extension": (
        BEGIN,
        (
            extend,
            deciding("ReturnPersona", **WHY),
            extend,
            deciding("ApprovePersona"),
            on_persona("suzuki", "ReportPersona"),
            acknowledge,
            later(41),
            later(15),
        ),
    ),
    "lapsed extension": (
        BEGIN,
        (
            on_persona("sato", "SuspendPersona", **WHY),
            extend,
            deciding("ApprovePersona"),
            on_persona("suzuki", "ReportPersona"),
            later(30),
            extend,
        ),
    ),
    "own incident": (
        BEGIN,
        (
            logging("ReportIncident", who="suzuki", conduct=contacts_pb2.Contact.CONDUCT_PROPOSED),
            reviewing(1, who="chief"),
        ),
    ),
    "legal basis": ((register_basis, draft_beyond_the_list, *BEGIN[2:]), (revoke_basis,)),
    "clocks": (BEGIN[:8], (later(31),)),
    "overdue": (BEGIN, (logging("LogContact"), later(4))),
    "at the NPA": ((), (receive_report, acknowledge_report, receive_outcome, register_basis)),
    "later record": (
        (*BEGIN, request_document, on_document("tanaka", "IssueDocument")),
        (collide, completing(1)),
    ),
    "refused extension": (BEGIN, (extend, deciding("RejectPersona", **WHY))),
}
