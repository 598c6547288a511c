"""A real desk between stand-ins of the services that it asks: real gRPC, invented answers, a real log of leads."""

# ruff: noqa: ANN401 (requests and answers of any method)

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import httpx
from google.protobuf import descriptor_pool
from renkei.arrests.v1.arrests_pb2 import Arrest, ListArrestsResponse, SearchArrestsResponse
from renkei.arrests.v1.clocks_pb2 import AcknowledgeClockRequest, ListClocksResponse, RunningClock
from renkei.arrests.v1.events_pb2 import ClockWarned
from renkei.exchange.v1.exchange_pb2 import ListPeersResponse
from renkei.leads.v1.events_pb2 import LeadFound
from renkei.leads.v1.follow_up_pb2 import (
    BatchFollowUpLeadsRequest,
    BatchFollowUpLeadsResponse,
    FollowUp,
    LeadFollowUpResult,
    LeadStep,
    ListLeadStepsResponse,
)
from renkei.leads.v1.leads_pb2 import Lead, ListLeadsRequest, ListLeadsResponse
from renkei.personas.v1.reports_pb2 import Statistics, StatisticsRow
from renkei.policy.v1.differences_pb2 import FieldDifference, VersionNote
from renkei.tips.v1.differences_pb2 import ListTipDifferencesRequest, ListTipDifferencesResponse
from renkei.tips.v1.tips_pb2 import SearchTipsResponse, Tip
from sqlalchemy import MetaData

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotAllowed,
    NotFoundOrDenied,
    RenkeiError,
    Unimplemented,
    to_status,
)
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.methods import Api, Call, DuplexMethod, Method, ReadMethod, StreamMethod
from renkei_chassis.service import Blueprint, Service, Surroundings, Wiring
from renkei_desk.certificate import ensure_certificate
from renkei_desk.domain.cases import Case
from renkei_desk.settings import Settings
from renkei_desk.wiring import Place, blueprint
from tests.databases import places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_chassis.ports import PortClaims

AGENCY: Final = "agencies/jp-12"
NEIGHBOURS: Final = ("tips", "arrests", "leads", "personas", "exchange")
_DOORS: Final = {
    "tips": ("renkei.tips.v1.TipsService",),
    "arrests": ("renkei.arrests.v1.ArrestsService", "renkei.arrests.v1.ClocksService"),
    "leads": ("renkei.leads.v1.LeadsService", "renkei.leads.v1.FollowUpService"),
    "personas": ("renkei.personas.v1.ReportsService",),
    "exchange": ("renkei.exchange.v1.ExchangeService",),
}


CASES: Final = (
    Case(
        day=date(2024, 8, 27), agency="jp-11", place="演習市", crime="robbery causing injury", detail="", counted=True
    ),
    Case(day=date(2024, 9, 30), agency="jp-14", place="演習町", crime="confinement", detail="x", counted=False),
)


@dataclass(slots=True)
class World:
    """What the stand-ins answer, and who asked them."""

    leads: dict[str, Lead] = field(default_factory=dict)
    records: dict[str, Tip | Arrest] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Names that nobody may see."""
    peers: ListPeersResponse = field(default_factory=ListPeersResponse)
    roles: set[str] = field(default_factory=lambda: {"OFFICER", "SUPERVISOR", "NPA_DESK"})
    """What an officer may still be, when a token is renewed."""
    clocks: list[RunningClock] = field(default_factory=list)
    acknowledged: list[tuple[str, str, str]] = field(default_factory=list)
    """What was acknowledged: the request, the clock and the note."""
    asked: list[ListLeadsRequest] = field(default_factory=list)
    steps: list[LeadStep] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    """Whoever looked at a lead."""
    acts: list[BatchFollowUpLeadsRequest] = field(default_factory=list)
    refusing: dict[str, RenkeiError] = field(default_factory=dict)
    """Leads that are not to be followed up, by name, and why."""
    undercover: list[StatisticsRow] = field(default_factory=list)
    searches: list[Any] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)

    def apis(self) -> Mapping[str, Api]:
        """Give the methods of every stand-in; those that the desk does not use answer that they are not there."""
        answers: dict[str, Callable[[Any], Any]] = {
            "GetTip": self._record,
            "GetArrest": self._record,
            "GetLead": self._lead,
            "ListLeads": self._list_leads,
            "MarkLeadSeen": lambda _: FollowUp(),
            "ListLeadSteps": lambda _: ListLeadStepsResponse(steps=self.steps),
            "BatchFollowUpLeads": self._follow_up,
            "SearchTips": lambda request: SearchTipsResponse(
                tips=[each for each in self._searched(request) if isinstance(each, Tip)]
            ),
            "SearchArrests": lambda request: SearchArrestsResponse(
                arrests=[each for each in self._searched(request) if isinstance(each, Arrest)]
            ),
            "ListPeers": lambda _: self.peers,
            "ListArrests": lambda _: ListArrestsResponse(
                arrests=[each for each in self._seen() if isinstance(each, Arrest)]
            ),
            "GetStatistics": lambda request: Statistics(
                year=request.year,
                investigations=sum(row.investigations for row in self.undercover),
                rows=self.undercover,
            ),
            "ListTipDifferences": self._differences,
            "ListClocks": lambda _: ListClocksResponse(clocks=self.clocks),
            "AcknowledgeClock": self._acknowledge,
        }
        return {
            name: {
                door: {
                    method.name: _method(method, self._noting(answers[method.name]) if method.name in answers else None)
                    for method in descriptor_pool.Default().FindServiceByName(door).methods
                }
                for door in doors
            }
            for name, doors in _DOORS.items()
        }

    def _list_leads(self, request: ListLeadsRequest) -> ListLeadsResponse:
        self.asked.append(request)
        listed = [
            lead
            for lead in self.leads.values()
            if not request.record or request.record in {record.name for record in lead.records}
        ]
        wanted = set(request.follow_up_states)
        return ListLeadsResponse(leads=[each for each in listed if not wanted or each.follow_up.state in wanted])

    def _follow_up(self, request: BatchFollowUpLeadsRequest) -> BatchFollowUpLeadsResponse:
        if request.step == request.STEP_DISMISS and not request.reason:
            raise InvalidArgument("FIELD_INVALID", "reason: is needed")
        self.acts.append(request)
        results = []
        for lead in request.leads:
            refusal = self.refusing.get(lead.name)
            result = LeadFollowUpResult(name=lead.name)
            if refusal is None:
                result.follow_up.SetInParent()
            else:
                result.error.CopyFrom(to_status(refusal))
            results.append(result)
        return BatchFollowUpLeadsResponse(results=results)

    def _acknowledge(self, request: AcknowledgeClockRequest) -> RunningClock:
        clock = next(each for each in self.clocks if each.name == request.name)
        if clock.warned_level != request.level:
            raise FailedPrecondition("NOTHING_TO_ACKNOWLEDGE", "another warning came meanwhile")
        self.acknowledged.append((request.request_id, request.name, request.note))
        return clock

    def _differences(self, request: ListTipDifferencesRequest) -> ListTipDifferencesResponse:
        told = "本文が「旧」から「新」に変わった"
        answer = ListTipDifferencesResponse(differences=[FieldDifference(text_ja=told, text_en="changed")])
        answer.to.MergeFrom(VersionNote(version=request.to_version, reason="誤記", recorder="x/officers/abe"))
        return answer

    def _searched(self, request: Any) -> list[Tip | Arrest]:
        self.searches.append(request)
        if len(request.identifier or request.text) < (4 if request.identifier else 2):
            raise InvalidArgument("FIELD_INVALID", "too short")
        return self._seen()

    def _seen(self) -> list[Tip | Arrest]:
        return [record for name, record in self.records.items() if name not in self.hidden]

    def _record(self, request: Any) -> Tip | Arrest:
        if request.name not in self.records or request.name in self.hidden:
            raise NotFoundOrDenied("DENIED", "the record may not be seen by this caller")
        return self.records[request.name]

    def _lead(self, request: Any) -> Lead:
        if request.name not in self.leads or request.name in self.hidden:
            raise NotFoundOrDenied("DENIED", "the lead may not be seen by this caller")
        return self.leads[request.name]

    def _noting(self, answer: Callable[[Any], Any]) -> Callable[[Any, Call], Any]:
        async def noting(request: Any, call: Call) -> Any:
            self.callers.append(call.caller.subject)
            if call.path.endswith("/MarkLeadSeen"):
                self.looked.append(request.name)
            return answer(request)

        return noting


@dataclass(slots=True, kw_only=True)
class House:
    """A running desk, what stands around it, and a browser."""

    world: World
    clock: ManualClock
    browser: httpx.AsyncClient
    key: Ed25519PrivateKey
    service_key: Ed25519PrivateKey
    services: dict[str, Service]
    start_desk: Callable[[], Any]
    stop_desk: Callable[[], Any]

    def token(self, *roles: str, officer: str = "sato") -> str:
        """Make an officer's token."""
        return mint(
            self.key,
            issuer=AGENCY,
            subject=f"{AGENCY}/officers/{officer}",
            audience=AGENCY,
            roles=roles or ("OFFICER",),
            now_us=self.clock.now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )

    async def link(self, *roles: str, officer: str = "sato") -> str:
        """Get the path of a one-time link."""
        token = self.token(*roles, officer=officer)
        answer = await self.browser.post("/links", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        path: str = answer.json()["path"]
        return path

    async def enter(self, *roles: str, officer: str = "sato") -> None:
        """Sign in."""
        code = (await self.link(*roles, officer=officer)).partition("=")[2]
        answer = await self.browser.post("/enter", data={"code": code})
        assert answer.status_code == 303, answer.text

    async def form_key(self) -> str:
        """Read the key of a visitor's forms off a page."""
        return (await self.browser.get("/notes")).text.partition('name="form_key" value="')[2].partition('"')[0]

    async def say_purpose(self, case: str = "演習1号", reason: str = "演習の照会", **more: str) -> httpx.Response:
        """Say why the visitor asks from now on."""
        form = {"form": str(uuid7()), "case": case, "reason": reason, "place": "/search?q=1234", **more}
        return await self.browser.post("/purpose", data={"form_key": await self.form_key(), **form})

    async def find_lead(self, lead: Lead) -> None:
        """Let a lead be found, and the log of the leads tell it."""
        self.world.leads[lead.name] = lead
        event = NewEvent(payload=LeadFound(name=lead.name, state=lead.state), resource=lead.name)
        await self.services["leads"].writer.run(lambda transaction: transaction.emit(event))

    async def warn_of(self, clock: RunningClock) -> None:
        """Let a clock warn, and the log of the arrests tell it."""
        event = NewEvent(payload=ClockWarned(name=clock.arrest, kind=clock.kind), resource=clock.arrest)
        await self.services["arrests"].writer.run(lambda transaction: transaction.emit(event))


@asynccontextmanager
async def run_house(
    directory: Path, ports: PortClaims, *, settings: Mapping[str, Any] | None = None, renews: bool = True
) -> AsyncIterator[House]:
    """Run a desk, without NATS."""
    names = (*NEIGHBOURS, "desk")
    keys = {name: generate() for name in ("node", *names)}
    trust = TrustFile(
        issuers=tuple(
            Issuer(
                issuer=AGENCY if name == "node" else f"{AGENCY}/services/{name}",
                kind=IssuerKind.NODE if name == "node" else IssuerKind.SERVICE,
                public_key=public_text(key),
            )
            for name, key in keys.items()
        )
    )
    # It stands where the machine's clock stood: a browser compares that with the certificate.
    world, clock = World(), ManualClock(datetime.now(UTC).replace(microsecond=0))
    claimed = dict(zip((*names, "web"), await asyncio.to_thread(ports.claim_many, len(names) + 1), strict=True))
    addresses = {name: f"127.0.0.1:{port}" for name, port in claimed.items() if name != "web"}
    apis = world.apis()

    async def renew(officer: str, roles: Sequence[str]) -> str:
        if not set(roles) <= world.roles:
            raise NotAllowed("ROLE_MISSING", "not any more")
        return mint(
            keys["node"],
            issuer=AGENCY,
            subject=officer,
            audience=AGENCY,
            roles=roles,
            # The services that believe it go by the machine's clock.
            now_us=WallClock().now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )

    place = Place(addresses=addresses, trust=trust, folder=directory, renew=renew if renews else None, cases=CASES)
    shown = Settings(**{"port": claimed["web"], "agency_name": "演習県警察", "training": True, **(settings or {})})
    # Before a browser needs it.
    certificate, _ = await asyncio.to_thread(ensure_certificate, directory, now=clock.now())
    services: dict[str, Service] = {}

    def make(described: Blueprint) -> Service:
        return Service(
            blueprint=described,
            surroundings=Surroundings(
                agency=AGENCY,
                data_directory=directory,
                databases=places(directory),
                addresses=addresses,
                key=keys[described.name],
                trust=trust,
                clock=clock,
            ),
        )

    async def start_desk() -> None:
        services["desk"] = make(blueprint(shown, place))
        await services["desk"].start()
        await _until_it_serves(claimed["web"])

    async def stop_desk() -> None:
        if "desk" in services:
            await services.pop("desk").stop()

    async with AsyncExitStack() as stack:
        for port in claimed.values():
            stack.push_async_callback(asyncio.to_thread, ports.release, port)
        for name in NEIGHBOURS:
            services[name] = make(
                Blueprint(
                    name=name,
                    schema=Schema(component=name, metadata=MetaData()),
                    wire=partial(lambda api, _: Wiring(api=api), apis[name]),
                )
            )
            stack.push_async_callback(services[name].stop)
        await asyncio.gather(*(services[name].start() for name in NEIGHBOURS))
        stack.push_async_callback(stop_desk)
        await start_desk()
        context = await asyncio.to_thread(ssl.create_default_context, cafile=certificate)
        browser = httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{claimed['web']}", http1=False, http2=True, verify=context, trust_env=False
        )
        await stack.enter_async_context(browser)
        yield House(
            world=world,
            clock=clock,
            browser=browser,
            key=keys["node"],
            service_key=keys["leads"],
            services=services,
            start_desk=start_desk,
            stop_desk=stop_desk,
        )


async def _until_it_serves(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.005)
            else:
                writer.close()
                return


def _method(descriptor: Any, answer: Callable[[Any, Call], Any] | None) -> Method:
    async def absent(_request: Any, _call: Call) -> Any:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    def absent_stream(_request: Any, _call: Call) -> AsyncIterator[Any]:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    def absent_rule(_transaction: Any, _request: Any, _caller: Any) -> Any:
        raise Unimplemented("INTERNAL", "a stand-in does not do this")

    if descriptor.client_streaming:
        return DuplexMethod(answers=absent_stream)
    if descriptor.server_streaming:
        return StreamMethod(answers=absent_stream)
    if "request_id" in descriptor.input_type.fields_by_name and answer is None:
        return WriteMethod(rule=absent_rule, rebuild=absent_rule)
    return ReadMethod(answer=answer or absent)
