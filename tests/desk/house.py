"""A real desk between stand-ins of the services that it asks, each with a real log, and a browser."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from renkei.arrests.v1.events_pb2 import ClockWarned
from renkei.leads.v1.events_pb2 import LeadFound
from sqlalchemy import MetaData

from renkei_chassis.clock import ManualClock, WallClock
from renkei_chassis.database.schema import Schema
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import (
    NotAllowed,
)
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text
from renkei_chassis.ids import uuid7
from renkei_chassis.service import Blueprint, Service, Surroundings, Wiring
from renkei_desk.certificate import ensure_certificate
from renkei_desk.settings import Settings
from renkei_desk.wiring import Place, blueprint
from tests.databases import places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from renkei.arrests.v1.clocks_pb2 import RunningClock
    from renkei.leads.v1.leads_pb2 import Lead

    from renkei_chassis.ports import PortClaims

from tests.desk.fakes import AGENCY, CASES, NEIGHBOURS, World


@dataclass(slots=True, kw_only=True)
class House:
    """A running desk, what stands around it, and a browser."""

    world: World
    clock: ManualClock
    browser: httpx.AsyncClient
    key: Ed25519PrivateKey
    service_key: Ed25519PrivateKey
    services: dict[str, Service]
    directory: Path
    addresses: Mapping[str, str]
    start: Callable[[str], Awaitable[None]]
    stop: Callable[[str], Awaitable[None]]

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

    async def restart_leads(self, *, anew: bool = False) -> None:
        """End the leads service and begin it again; `anew`: with a log that it never had before."""
        await self.stop("leads")
        if anew:
            await asyncio.to_thread(self._forget_leads)
        await self.start("leads")

    def _forget_leads(self) -> None:
        for path in self.directory.glob("leads.db*"):
            path.unlink()

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

    described = {
        name: Blueprint(
            name=name,
            schema=Schema(component=name, metadata=MetaData()),
            wire=partial(lambda api, _: Wiring(api=api), apis[name]),
        )
        for name in NEIGHBOURS
    }
    described["desk"] = blueprint(shown, place)

    async def start(name: str) -> None:
        services[name] = make(described[name])
        await services[name].start()
        if name == "desk":
            await _until_it_serves(claimed["web"])

    async def stop(name: str) -> None:
        if name in services:
            await services.pop(name).stop()

    async with AsyncExitStack() as stack:
        for port in claimed.values():
            stack.push_async_callback(asyncio.to_thread, ports.release, port)
        for name in (*NEIGHBOURS, "desk"):
            stack.push_async_callback(stop, name)
        await asyncio.gather(*(start(name) for name in NEIGHBOURS))
        await start("desk")
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
            directory=directory,
            addresses=addresses,
            start=start,
            stop=stop,
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
