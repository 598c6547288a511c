"""Who plays in the tests of personas, and what they call: an investigation from draft to archive."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from renkei.event.v1.event_pb2 import Event, Origin
from renkei.personas.v1 import contacts_pb2, documents_pb2, events_pb2, personas_pb2, reports_pb2
from renkei.personas.v1.contacts_pb2_grpc import ContactsServiceStub
from renkei.personas.v1.documents_pb2_grpc import DocumentsServiceStub
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from renkei.personas.v1.reports_pb2_grpc import ReportsServiceStub

from renkei_chassis.errors import RenkeiError
from tests.running import AGENCY, HASTY, PATIENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from renkei_chassis.clock import ManualClock
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.rpc.calling import Patience
    from tests.running import Running

MARKER: Final = "MARKERxLEGEND"
START: Final = datetime(2026, 1, 5, tzinfo=UTC)
ROLES: Final = {
    "sato": "OFFICER",
    "kato": "OFFICER",
    "suzuki": "SUPERVISOR",
    "mori": "SUPERVISOR",
    "tanaka": "CUSTODIAN",
    "chief": "HQ_CHIEF",
    "ito": "OFFICER",
    "abe": "OFFICER",
    "audit": "AUDITOR",
    "desk": "NPA_DESK",
}
"""sato drafts and acts, kato acts too, suzuki supervises, tanaka keeps documents; ito and abe have no part."""
_STUBS: Final[Mapping[Any, Any]] = {
    personas_pb2: PersonasServiceStub,
    documents_pb2: DocumentsServiceStub,
    contacts_pb2: ContactsServiceStub,
    reports_pb2: ReportsServiceStub,
}


def officer(name: str) -> str:
    """Name an officer."""
    return f"{AGENCY}/officers/{name}"


def a_plan(*, days: int = 30, begin: datetime = START, **changes: Any) -> personas_pb2.Plan:  # noqa: ANN401
    """Write a whole plan."""
    plan = personas_pb2.Plan(
        crime_code=personas_pb2.Plan.CRIME_CODE_ROBBERY,
        necessity=f"(演習データ){MARKER}",
        alternatives="(演習データ)",
        unit="(演習データ)",
        supervisor=officer("suzuki"),
        supervisor_rank=personas_pb2.Plan.RANK_INSPECTOR,
        custodian=officer("tanaka"),
        team=[officer("sato"), officer("kato")],
        document_count=1,
        officers_consent=True,
    )
    plan.period_start.FromDatetime(begin)
    plan.period_end.FromDatetime(begin + timedelta(days=days))
    for name, value in changes.items():
        if isinstance(value, list):
            del getattr(plan, name)[:]
            getattr(plan, name).extend(value)
        else:
            setattr(plan, name, value)
    return plan


def a_legend(number: str = "演習-0000-1111") -> documents_pb2.Legend:
    """Write what a document says."""
    return documents_pb2.Legend(display_name=f"演習 花子{MARKER}", address=f"(演習){MARKER}", number=number)


@dataclass(slots=True)
class People:
    """Everybody who calls one service."""

    running: Running
    clock: ManualClock

    async def call(
        self,
        who: str,
        method: str,
        /,
        *,
        role: str | tuple[str, ...] = "",
        patience: Patience = PATIENT,
        **fields: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Call a method as somebody: the request's fields by name; `request_id` is made."""
        module = next(m for m in _STUBS if hasattr(m, f"{method}Request"))
        kind = getattr(module, f"{method}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            fields.setdefault("request_id", str(uuid.uuid4()))
        roles = (role,) if isinstance(role, str) else role
        client = self.running.client(who, *(roles if any(roles) else (ROLES[who],)), patience=patience)
        try:
            return await client.call(getattr(client.stub(_STUBS[module]), method), kind(**fields))
        finally:
            await client.close()

    async def refused(self, who: str, method: str, /, **fields: Any) -> RenkeiError:  # noqa: ANN401
        """Call a method that must be refused, and return the refusal: the first, where a second try might be made."""
        try:
            await self.call(who, method, patience=HASTY, **fields)
        except RenkeiError as error:
            return error
        raise AssertionError(f"{method} was not refused")

    async def submitted(self, **changes: Any) -> Any:  # noqa: ANN401
        return await self.call("sato", "SubmitPersona", parent=AGENCY, plan=a_plan(begin=self.clock.now(), **changes))

    async def approved(self, **changes: Any) -> Any:  # noqa: ANN401
        found = await self.submitted(**changes)
        return await self.call("chief", "ApprovePersona", name=found.name, plan_hash=found.plan_hash)

    async def ready(self, **changes: Any) -> Any:  # noqa: ANN401
        found = await self.approved(**changes)
        await self.call("suzuki", "ReportPersona", name=found.name)
        await self.acknowledge(found.name)
        return await self.call("suzuki", "RecordDeconfliction", name=found.name, reason="(演習)照会済み")

    async def active(self, **changes: Any) -> Any:  # noqa: ANN401
        found = await self.ready(**changes)
        return await self.call("suzuki", "ActivatePersona", name=found.name)

    async def document(self, persona: str, **legend: Any) -> Any:  # noqa: ANN401
        """Have a document issued by two people."""
        asked = documents_pb2.Document(kind=documents_pb2.Document.KIND_DRIVING_LICENCE, legend=a_legend(**legend))
        entered = await self.call("sato", "RequestDocument", parent=persona, document=asked)
        return await self.call("tanaka", "IssueDocument", name=entered.name)

    def contact(self, text: str = "(演習)相手方からの連絡", **changes: Any) -> contacts_pb2.Contact:  # noqa: ANN401
        """Write a contact that happens now."""
        contact = contacts_pb2.Contact(
            counterpart="telegram:renkei_demo_boss",
            channel="Telegram",
            text=text,
            conduct=contacts_pb2.Contact.CONDUCT_OBSERVED,
        )
        contact.occur_time.FromDatetime(self.clock.now())
        for name, value in changes.items():
            setattr(contact, name, value)
        return contact

    async def destroyed(self, document: str) -> Any:  # noqa: ANN401
        """Have a document destroyed before two witnesses."""
        await self.call("tanaka", "DestroyDocument", name=document, witnesses=[officer("ito"), officer("abe")])
        await self.call("ito", "WitnessDestruction", name=document)
        return await self.call("abe", "WitnessDestruction", name=document)

    async def read(self, persona: str) -> Any:  # noqa: ANN401
        return await self.call("chief", "GetPersona", name=persona)

    async def actions(self, persona: str) -> list[str]:
        found = await self.call("chief", "ListEntries", parent=persona, page_size=100)
        return [entry.action for entry in found.entries]

    async def tasks(self, persona: str) -> list[personas_pb2.Task]:
        return list((await self.call("chief", "ListTasks", parent=persona)).tasks)

    async def refusals(self) -> list[personas_pb2.Refusal]:
        return list((await self.call("audit", "ListRefusals", parent=AGENCY)).refusals)

    async def acknowledge(self, persona: str, *, npa: str = "agencies/jp-npa", of: Event | None = None) -> None:
        """Bring in the NPA's acknowledgement of what was reported last, or then, as the exchange's log would."""
        events = await self.running.service.log.events(after=0)
        name = events_pb2.PersonaReported.DESCRIPTOR.full_name
        found = of if of is not None else [e for e in events if e.type == name][-1]
        reported = events_pb2.PersonaReported.FromString(found.data.value)
        told = events_pb2.PersonaReportAcknowledged(
            plan=reported.plan, agency=reported.agency, version=reported.version
        )
        del persona
        await self.bring(told, origin=npa)

    async def bring(self, payload: Any, *, origin: str) -> None:  # noqa: ANN401
        """Have an event of another agency applied, by the handlers that the service was wired with."""
        await self.running.service.writer.run(lambda transaction: self._handle(transaction, payload, origin))

    def _handle(self, transaction: Transaction, payload: Any, origin: str) -> None:  # noqa: ANN401
        name = payload.DESCRIPTOR.full_name
        self._handlers()[name](transaction, Event(type=name, origin=Origin(agency=origin)), payload)

    def _handlers(self) -> Mapping[str, Any]:
        follower = self.running.service.followers[f"{self.running.agency}/logs/exchange"]
        return follower._applier._handlers
