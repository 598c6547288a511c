"""Leads as a process of its own that is killed at its commits: what an officer was told is there, and there once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from renkei.tips.v1.events_pb2 import TipRecorded

from renkei_chassis.clock import WallClock
from renkei_chassis.errors import RenkeiError, Unavailable
from renkei_chassis.failpoints import VARIABLE
from renkei_chassis.failpoints import Place as Failpoint
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text, save_private, save_trust
from renkei_chassis.ids import uuid7
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.client import Client
from renkei_leads.settings import Settings
from renkei_leads.wiring import blueprint
from tests.databases import places
from tests.leads.house import AGENCY, run_house
from tests.leads.officers import Officer, kinds, name_of
from tests.leads.records import phone, tip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from renkei.leads.v1.follow_up_pb2 import FollowUp

    from renkei_chassis.ports import PortClaims

    Call = tuple[str, str, dict[str, Any]]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NOBODY: Final = "127.0.0.1:1"
LEADS: Final = 4
NAMES: Final = [name_of(10 * number + 1) for number in range(LEADS)]
STEPS: Final = ("MarkLeadSeen", "AcknowledgeLead", "TakeLead", "SnoozeLead")
KINDS: Final = ["SEEN", "ACKNOWLEDGED", "TAKEN", "SNOOZED"]
# The service itself writes a little when it begins; the rest are calls.
PASSED: Final = 9


@dataclass(slots=True, kw_only=True)
class Alone:
    """What a process needs, and a way to call it."""

    file: Path
    address: str
    issuer: Ed25519PrivateKey
    clients: list[Client] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, *, armed: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
        command = (sys.executable, "-m", "renkei_leads", str(self.file))
        nothing = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, VARIABLE: armed}, stdout=nothing, stderr=nothing
        )
        try:
            async with asyncio.timeout(40):
                while not await self._serves():  # noqa: ASYNC110 (another process sets no event)
                    await asyncio.sleep(0.05)
            yield process
        finally:
            for client in self.clients:
                await client.close()
            self.clients.clear()
            if process.returncode is None:
                process.terminate()
            await process.wait()

    def client(self, *roles: str, officer: str = "sato") -> Client:
        token = mint(
            self.issuer,
            issuer=AGENCY,
            subject=f"{AGENCY}/officers/{officer}",
            audience=AGENCY,
            roles=roles,
            now_us=WallClock().now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )
        self.clients.append(Client(self.address, token=lambda: token, patience=Patience(seconds=2.0)))
        return self.clients[-1]

    async def _serves(self) -> bool:
        try:
            await Officer(self, "sato").history(name_of(1))
        except RenkeiError:
            return False
        return True


@pytest.fixture
def alone(tmp_path: Path, ports: PortClaims, kind: str) -> Alone:
    del kind  # `places` knows
    made = Alone(file=tmp_path / "leads.toml", address=f"127.0.0.1:{ports.claim()}", issuer=generate())
    key = generate()
    save_private(tmp_path / "key", key)
    own = f"{AGENCY}/services/leads"
    issuers = (
        Issuer(issuer=AGENCY, kind=IssuerKind.NODE, public_key=public_text(made.issuer)),
        Issuer(issuer=own, kind=IssuerKind.SERVICE, public_key=public_text(key)),
    )
    save_trust(tmp_path / "trust.json", TrustFile(issuers=issuers))
    databases = places(tmp_path)
    database = f'database = "{databases("leads").dsn}"\n' if databases is not None else ""
    made.file.write_text(
        f'[process]\nagency = "{AGENCY}"\ndata_directory = "{tmp_path}"\n{database}key = "{tmp_path}/key"\n'
        f'trust = "{tmp_path}/trust.json"\n[process.addresses]\nleads = "{made.address}"\n'
        f'tips = "{NOBODY}"\narrests = "{NOBODY}"\nexchange = "{NOBODY}"\n'
    )
    return made


async def _histories(officer: Officer) -> list[list[str]]:
    return [kinds(await officer.history(name)) for name in NAMES]


async def _do(officer: Officer, calls: Sequence[Call], told: list[FollowUp]) -> None:
    for step, name, more in calls:
        told.append(await officer.do(step, name, **more))


@pytest.mark.parametrize("place", [Failpoint.BEFORE_COMMIT, Failpoint.AFTER_COMMIT])
async def test_what_an_officer_was_told_survives_a_kill_and_a_repeat_does_it_once(
    tmp_path: Path, ports: PortClaims, alone: Alone, place: Failpoint
) -> None:
    async with run_house(blueprint(Settings()), tmp_path, ports) as house:
        for number in range(LEADS):
            await house.tell(*(TipRecorded(tip=tip(10 * number + each, phone(number))) for each in (1, 2)))
    snoozed = Timestamp()
    snoozed.FromMicroseconds(WallClock().now_us() + 3_600_000_000)
    calls: list[Call] = [
        (step, name_of(10 * number + 1), {"request_id": str(uuid.uuid4())}) for step in STEPS for number in range(LEADS)
    ]
    for step, _, more in calls:
        if step == "SnoozeLead":
            more["snooze_end_time"] = snoozed
    told: list[FollowUp] = []

    async with alone.running(armed=f"{place}@{PASSED}") as process:
        sato = Officer(alone, "sato")
        with pytest.raises(Unavailable):
            await _do(sato, calls, told)
        killed = await process.wait()
    async with alone.running():
        sato = Officer(alone, "sato")
        there = await _histories(sato)
        await _do(sato, calls, [])
        after = await _histories(sato)

    assert killed == -signal.SIGKILL
    assert 0 < len(told) < len(calls) - 1, "it was killed in the middle"
    kept = len(told) + (place is Failpoint.AFTER_COMMIT)  # what was committed as it died nobody was told
    assert there == [KINDS[: sum(name == of for _, name, _ in calls[:kept])] for of in NAMES]
    assert after == [KINDS] * LEADS
    async with run_house(blueprint(Settings()), tmp_path, ports) as house:
        assert (await house.kinds_told()).count("LeadFollowedUp") == len(calls)
