"""The service as a process of its own, killed at a named place and started again: what its callers see."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from renkei.personas.v1 import personas_pb2
from renkei.personas.v1.personas_pb2 import Persona
from renkei.personas.v1.personas_pb2_grpc import PersonasServiceStub

from renkei_chassis.clock import WallClock
from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.failpoints import VARIABLE
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text, save_private, save_trust
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.client import Client
from tests.personas.people import ROLES, a_plan, officer
from tests.running import AGENCY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NOBODY: Final = "127.0.0.1:1"


@dataclass(slots=True, kw_only=True)
class Alone:
    """What a process needs, and a way to call it."""

    file: Path
    address: str
    issuer: Ed25519PrivateKey

    @asynccontextmanager
    async def running(self, *, armed: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {**os.environ, VARIABLE: armed}
        command = (sys.executable, "-m", "renkei_personas", str(self.file))
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(40):
                while not await self._serves():  # noqa: ASYNC110 (another process sets no event)
                    await asyncio.sleep(0.05)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def call(self, who: str, method: str, **fields: Any) -> Any:  # noqa: ANN401
        request = getattr(personas_pb2, f"{method}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name:
            request.request_id = request.request_id or str(uuid.uuid4())
        client = Client(self.address, token=lambda: self._token(who))
        try:
            return await client.call(getattr(client.stub(PersonasServiceStub), method), request, seconds=2)
        finally:
            await client.close()

    async def _serves(self) -> bool:
        try:
            await self.call("chief", "ListPersonas", parent=AGENCY)
        except RenkeiError:
            return False
        return True

    def _token(self, who: str) -> str:
        return mint(
            self.issuer,
            issuer=AGENCY,
            subject=officer(who),
            audience=AGENCY,
            roles=(ROLES[who],),
            now_us=WallClock().now_us(),
            life_seconds=300,
            token_id=uuid7(),
        )


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    claims = PortClaims()
    try:
        made = Alone(file=tmp_path / "personas.toml", address=f"127.0.0.1:{claims.claim()}", issuer=generate())
        set_up(tmp_path, made)
        yield made
    finally:
        claims.close()


def set_up(directory: Path, alone: Alone) -> None:
    """Write key, trust file and settings."""
    key = generate()
    save_private(directory / "key", key)
    own = f"{AGENCY}/services/personas"
    issuers = (
        Issuer(issuer=AGENCY, kind=IssuerKind.NODE, public_key=public_text(alone.issuer)),
        Issuer(issuer=own, kind=IssuerKind.SERVICE, public_key=public_text(key)),
    )
    save_trust(directory / "trust.json", TrustFile(issuers=issuers))
    alone.file.write_text(
        f'[process]\nagency = "{AGENCY}"\ndata_directory = "{directory}"\nkey = "{directory}/key"\n'
        f'trust = "{directory}/trust.json"\n[process.addresses]\npersonas = "{alone.address}"\n'
        f'tips = "{NOBODY}"\narrests = "{NOBODY}"\nexchange = "{NOBODY}"\n'
    )


async def test_a_caller_who_heard_nothing_repeats_the_call_and_the_plan_is_approved_once(alone: Alone) -> None:
    """Killed before the commit it was not approved, killed after it was; the caller cannot tell, and need not."""
    approval: dict[str, Any] = {"request_id": str(uuid.uuid4())}
    async with alone.running(armed="personas.APPROVE.stored") as process:
        plan = a_plan(begin=datetime.now(UTC))
        sent = await alone.call("sato", "SubmitPersona", parent=AGENCY, plan=plan)
        approval |= {"name": sent.name, "plan_hash": sent.plan_hash}
        with pytest.raises(Unavailable):
            await alone.call("chief", "ApprovePersona", **approval)
        before_the_commit = await process.wait()
    async with alone.running(armed="personas.APPROVE.committed") as process:
        still = await alone.call("chief", "GetPersona", name=sent.name)
        with pytest.raises(Unavailable):
            await alone.call("chief", "ApprovePersona", **approval)
        after_the_commit = await process.wait()
    async with alone.running():
        there = await alone.call("chief", "GetPersona", name=sent.name)
        repeated = await alone.call("chief", "ApprovePersona", **approval)
        entries = (await alone.call("chief", "ListEntries", parent=sent.name)).entries

    assert (before_the_commit, after_the_commit) == (-signal.SIGKILL, -signal.SIGKILL)
    assert still.state == Persona.STATE_SUBMITTED
    assert there.state == repeated.state == Persona.STATE_APPROVED
    assert [entry.action for entry in entries] == ["SUBMIT", "APPROVE"]
