"""The act about undercover work by the book: from a returned plan to the row in the NPA's statistics.

The period is real and short, so that it ends while somebody watches; on a machine that is too busy for it the act is
played again with a longer one. No byte of the legend may be anywhere but in the personas service of its own agency:
here every file of that node is searched, and the demo's last check searches every byte of every node.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from renkei.personas.v1 import contacts_pb2, documents_pb2, enums_pb2, personas_pb2, reports_pb2
from renkei.personas.v1.contacts_pb2_grpc import ContactsServiceStub
from renkei.personas.v1.documents_pb2_grpc import DocumentsServiceStub
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub
from renkei.personas.v1.reports_pb2_grpc import ReportsServiceStub

from renkei_chassis.errors import FailedPrecondition, RenkeiError
from renkei_files import JAPAN
from renkei_node.demo.agencies import label
from renkei_node.demo.columns import NOTE
from renkei_node.demo.play import ClaimError
from renkei_node.demo.told import CHIBA, NPA, TOKYO

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from renkei_node.demo.markers import Markers
    from renkei_node.demo.play import Play
    from renkei_node.demo.told import Told

_PERIODS_SECONDS: Final = (6.0, 20.0, 60.0)
_ENDED_TOO_SOON: Final = frozenset({"OUT_OF_PERIOD", "STATE_FORBIDS", "PERIOD_INVALID"})
_HOME: Final = frozenset({"personas.db", "personas.db-wal", "personas.db-shm"})
_BOSS: Final = "telegram:renkei_demo_boss"
_SERVICES: Final[tuple[tuple[Any, Any], ...]] = (
    (personas_pb2, PersonasServiceStub),
    (documents_pb2, DocumentsServiceStub),
    (contacts_pb2, ContactsServiceStub),
    (reports_pb2, ReportsServiceStub),
)
_ROLES: Final = {
    "sato": "OFFICER",
    "suzuki": "SUPERVISOR",
    "tanaka": "CUSTODIAN",
    "chief": "HQ_CHIEF",
    "ito": "OFFICER",
    "abe": "OFFICER",
    "desk": "NPA_DESK",
}


async def undercover(play: Play, told: Told) -> None:
    """Claim that undercover work goes by the book from plan to statistics. Raises ClaimError where it does not."""
    told.say("8. Undercover work by the book: approved, reported, shown once when asked, ended, destroyed, counted")
    seen: set[str] = set()
    for seconds in _PERIODS_SECONDS:
        act = _Act(play=play, told=told, markers=play.markers(), seen=seen)
        try:
            await act.begin(seconds)
            await act.operate()
        except RenkeiError as error:
            if error.reason not in _ENDED_TOO_SOON or seconds == _PERIODS_SECONDS[-1]:
                raise ClaimError(f"the investigation was refused: {error.reason}") from error
            told.say(f"   its period of {seconds:.0f} s was too short for this machine: once more, with a longer one")
            await act.give_up()
            continue
        await act.end()
        await act.count()
        return


@dataclass(slots=True, kw_only=True)
class _Act:
    """One investigation on its way."""

    play: Play
    told: Told
    markers: Markers
    seen: set[str]
    """Reports that were acknowledged in an earlier try."""
    name: str = ""
    document: str = ""
    shown: bool = False

    async def begin(self, seconds: float) -> None:
        """Return it once for a missing alternative; then approve, report, acknowledge, begin."""
        draft = await self._call("sato", "CreatePersona", parent=f"agencies/{CHIBA}", plan=self._plan(60.0, ""))
        self.name = draft.name
        self.play.journal.plans[draft.name] = self.markers
        plan = self._plan(60.0, f"({NOTE})")
        await self._call("sato", "UpdatePersona", name=self.name, etag=draft.etag, plan=plan)
        sent = await self._call("sato", "SubmitPersona", name=self.name)
        why = f"({NOTE})代替手段の検討が足りない"
        returned = await self._call("chief", "ReturnPersona", name=self.name, plan_hash=sent.plan_hash, reason=why)
        plan = self._plan(seconds, f"({NOTE})募集元への照会は回答なし {self.markers.home}")
        await self._call("sato", "UpdatePersona", name=self.name, etag=returned.etag, plan=plan)
        again = await self._call("sato", "SubmitPersona", name=self.name)
        await self._refused("PLAN_HASH_MISMATCH", "chief", "ApprovePersona", name=self.name, plan_hash=sent.plan_hash)
        await self._call("chief", "ApprovePersona", name=self.name, plan_hash=again.plan_hash)
        self.told.say(
            f"   {label(CHIBA)}: returned once for its alternatives, approved by its hash {again.plan_hash[:12]}…"
        )
        await self._call("suzuki", "ReportPersona", name=self.name)
        report = await self._reported()
        await self._call("desk", "AcknowledgeReport", code=NPA, name=report.name, version=report.version)
        await self._state(personas_pb2.Persona.STATE_READY)
        self.told.say(
            f"   {label(NPA)}: reported and acknowledged: plan id, crime, period and counts, and nothing else"
        )
        await self._call("suzuki", "RecordDeconfliction", name=self.name, reason=f"({NOTE})照会済み")
        await self._call("suzuki", "ActivatePersona", name=self.name)

    async def operate(self) -> None:
        """Have one document issued by two people, show its image when asked, and warn of the meeting place."""
        legend = documents_pb2.Legend(
            display_name=f"演習 花子{self.markers.text}",
            address=f"({NOTE}){self.markers.home}",
            number=f"{NOTE}-{self.markers.text}",
        )
        asked = documents_pb2.Document(kind=documents_pb2.Document.KIND_DRIVING_LICENCE, legend=legend)
        entered = await self._call("sato", "RequestDocument", parent=self.name, document=asked)
        self.document = (await self._call("tanaka", "IssueDocument", name=entered.name)).name
        image = documents_pb2.PresentDocumentRequest.FORM_IMAGE
        shown: dict[str, Any] = {"name": self.document, "request_number": 1, "recipient": _BOSS, "form": image}
        await self._refused("NO_REQUEST_LOGGED", "sato", "PresentDocument", **shown)
        await self._log("LogRequest", f"({NOTE})身分証を見せろと言われた {self.markers.text}")
        await self._call("sato", "PresentDocument", **shown)
        self.shown = True
        contact = await self._log("LogContact", f"({NOTE})集合場所と時刻の指示 {self.markers.home}")
        self.told.say(
            "   one document issued by two people; refused to be shown before it was asked for, shown once after"
        )
        await self._warn(contact)
        await self._call("suzuki", "ReviewContacts", parent=self.name, through_number=contact.number, note=f"({NOTE})")

    async def _warn(self, contact: contacts_pb2.Contact) -> None:
        harm = exchange_pb2.ImminentHarm(
            place=f"({NOTE})駅前の広場", reason=f"({NOTE})集合の指示", contact_desk=f"({NOTE})捜査第一課"
        )
        harm.harm_time.FromDatetime(datetime.now(JAPAN) + timedelta(hours=2))
        prepared = await self._call(
            "sato", "PrepareDisclosure", contact=contact.name, harm=harm, recipients=[f"agencies/{TOKYO}"]
        )
        began = time.monotonic()
        exchange = self.play.federation.client(CHIBA, "exchange")
        raised = await exchange.call(exchange.stub(ExchangeServiceStub).RaiseImminentHarm, prepared.harm_request)
        await self._call("sato", "ConfirmDisclosure", name=prepared.name, record=raised.name)
        tokyo = self.play.federation.client(TOKYO, "exchange")

        async def look() -> exchange_pb2.ImminentHarmMessage | None:
            request = exchange_pb2.ListImminentHarmRequest()
            messages = (await tokyo.call(tokyo.stub(ExchangeServiceStub).ListImminentHarm, request)).messages
            return next((message for message in messages if message.name == raised.name), None)

        _, seconds = await self.play.wait("the meeting place is with Tokyo", look, since=began)
        self.told.say(
            f"   {label(TOKYO)}: warned of the meeting place after {seconds:.2f} s, and not told how it is known"
        )

    async def end(self) -> None:
        """Let the period end by itself, then close, destroy before two witnesses, archive."""
        halted = await self._state(personas_pb2.Persona.STATE_SUSPENDED)
        if halted.suspend_reason != enums_pb2.SUSPEND_REASON_PERIOD_ENDED:
            raise ClaimError("the operation was not halted by the end of its period")
        await self._close(enums_pb2.OUTCOME_INSTRUCTED_NO_CONTACT_HARM_PREVENTED)
        await self._refused("DOCUMENT_LEFT", "suzuki", "ArchivePersona", name=self.name)
        pair = [f"agencies/{CHIBA}/officers/{who}" for who in ("ito", "abe")]
        await self._call("tanaka", "DestroyDocument", name=self.document, witnesses=pair)
        for who in ("ito", "abe"):
            await self._call(who, "WitnessDestruction", name=self.document)
        await self._call("suzuki", "ArchivePersona", name=self.name)
        self.told.say("   the period ended by itself; the document was destroyed before two witnesses; archived")

    async def count(self) -> None:
        """Find the row at the NPA, and the legend nowhere but in the personas service."""
        row = await self._row()
        crime = personas_pb2.Plan.CrimeCode.Name(row.crime_code).removeprefix("CRIME_CODE_")
        outcome = enums_pb2.Outcome.Name(row.outcome).removeprefix("OUTCOME_")
        self.told.say(f"   {label(NPA)}: statistics: {crime}, {outcome}: {row.investigations}")
        await self.play.at_rest()
        folder = self.play.federation.members[CHIBA].directory.path
        marks = [self.markers.text.encode(), self.markers.home.encode()]
        strays = await asyncio.to_thread(places_with, folder, marks)
        if strays - _HOME:
            raise ClaimError(f"words of a legend are in {', '.join(sorted(strays - _HOME))}")
        if not strays:
            raise ClaimError("the words of the legend were not found where they belong")
        self.told.say("   no byte of the legend is anywhere but in the personas service")

    async def give_up(self) -> None:
        """Close what came too late."""
        if self.name:
            await self._close(enums_pb2.OUTCOME_LOST_CONTACT_AFTER_ID if self.shown else enums_pb2.OUTCOME_NOT_USED)

    async def _close(self, outcome: enums_pb2.Outcome.ValueType) -> None:
        await self._call("suzuki", "ClosePersona", name=self.name, outcome=outcome, reason=f"({NOTE})")

    async def _state(self, state: personas_pb2.Persona.State.ValueType) -> personas_pb2.Persona:
        async def look() -> personas_pb2.Persona | None:
            found: personas_pb2.Persona = await self._call("suzuki", "GetPersona", name=self.name)
            if found.state == personas_pb2.Persona.STATE_EXPIRED:
                raise FailedPrecondition("OUT_OF_PERIOD", "the period ended before the beginning")
            return found if found.state == state else None

        what = f"the investigation is {personas_pb2.Persona.State.Name(state)}"
        found: personas_pb2.Persona
        found, _ = await self.play.wait(what, look, since=time.monotonic())
        return found

    async def _reported(self) -> reports_pb2.Report:
        async def look() -> reports_pb2.Report | None:
            answer = await self._call("desk", "ListReports", code=NPA, parent=f"agencies/{NPA}", only_open=True)
            fresh = [one for one in answer.reports if one.name not in self.seen]
            return next((one for one in fresh if one.name.startswith(f"agencies/{CHIBA}/")), None)

        report: reports_pb2.Report
        report, _ = await self.play.wait("the report is at the NPA", look, since=time.monotonic())
        self.seen.add(report.name)
        return report

    async def _row(self) -> reports_pb2.StatisticsRow:
        year = datetime.now(JAPAN).year
        outcome = enums_pb2.OUTCOME_INSTRUCTED_NO_CONTACT_HARM_PREVENTED

        async def look() -> reports_pb2.StatisticsRow | None:
            answer = await self._call("desk", "GetStatistics", code=NPA, parent=f"agencies/{NPA}", year=year)
            return next((row for row in answer.rows if row.outcome == outcome), None)

        row: reports_pb2.StatisticsRow
        row, _ = await self.play.wait("the outcome is counted at the NPA", look, since=time.monotonic())
        return row

    async def _log(self, method: str, text: str) -> contacts_pb2.Contact:
        contact = contacts_pb2.Contact(
            counterpart=_BOSS, channel="Telegram", text=text, conduct=contacts_pb2.Contact.CONDUCT_OBSERVED
        )
        contact.occur_time.FromDatetime(datetime.now(JAPAN))
        logged: contacts_pb2.Contact = await self._call("sato", method, parent=self.name, contact=contact)
        return logged

    async def _refused(self, reason: str, who: str, method: str, **fields: Any) -> None:  # noqa: ANN401 (any request)
        """Claim that something is refused, for this reason."""
        try:
            await self._call(who, method, **fields)
        except RenkeiError as error:
            if error.reason == reason:
                return
            raise
        raise ClaimError(f"{method} was not refused with {reason}")

    async def _call(self, who: str, method: str, *, code: str = CHIBA, **fields: Any) -> Any:  # noqa: ANN401 (any method)
        file, stub = next(pair for pair in _SERVICES if hasattr(pair[0], f"{method}Request"))
        request = getattr(file, f"{method}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = str(uuid.uuid4())
        client = self.play.federation.client(code, "personas", officer=who, role=_ROLES[who])
        return await client.call(getattr(client.stub(stub), method), request)

    def _plan(self, seconds: float, alternatives: str) -> personas_pb2.Plan:
        own = f"agencies/{CHIBA}/officers"
        plan = personas_pb2.Plan(
            crime_code=personas_pb2.Plan.CRIME_CODE_ROBBERY,
            necessity=f"({NOTE}){self.markers.text}",
            alternatives=alternatives,
            unit=f"({NOTE})捜査第一課",
            supervisor=f"{own}/suzuki",
            supervisor_rank=personas_pb2.Plan.RANK_INSPECTOR,
            custodian=f"{own}/tanaka",
            team=[f"{own}/sato"],
            document_count=1,
            officers_consent=True,
        )
        now = datetime.now(JAPAN)
        plan.period_start.FromDatetime(now)
        plan.period_end.FromDatetime(now + timedelta(seconds=seconds))
        return plan


def places_with(folder: Path, marks: Iterable[bytes]) -> set[str]:
    """Name the files below a folder in which any of the marks stands."""
    wanted = list(marks)
    found = set()
    for path in folder.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # a file of the moment
            continue
        if any(mark in content for mark in wanted):
            found.add(path.name)
    return found
