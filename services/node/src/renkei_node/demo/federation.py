"""The demo's seven agencies as real processes, each directed pair joined by cables that can be pulled."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.client import Client
from renkei_chassis.rpc.sync_client import SyncClient
from renkei_node.demo.agencies import AGENCIES, DemoAgency
from renkei_node.demo.launching import cut, early_output, end, launch, let_go
from renkei_node.demo.proxy import Mode, Proxy
from renkei_node.initialise import PublicIdentity, initialise, to_toml, to_toml_tables
from renkei_node.layout import DESK, SERVICES, NodeDirectory
from renkei_node.officer_token import make_token
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping, Sequence

READY_LIMIT_SECONDS: Final = 60.0
WITH_DESK: Final = ("jp-13",)
"""Where a coordination desk stands: one is enough to watch the story, and each costs its node some memory."""
_TOKEN_SECONDS: Final = 900
_LINK_SECONDS: Final = 600
_TOKEN_RENEWED_AFTER: Final = 600
_POLL_SECONDS: Final = 0.02
_STOP_SECONDS: Final = 20.0


class NodeDiedError(Exception):
    """A node's process ended by itself; the text says which and what it wrote last."""


@dataclass(slots=True, kw_only=True)
class Member:
    """One agency: its node's directory, ports and process."""

    agency: DemoAgency
    directory: NodeDirectory
    settings: NodeSettings
    ports: Ports
    process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> Path:
        """What the process wrote to its terminal."""
        return self.directory.path / "logs" / "output.txt"

    def take(self, process: subprocess.Popen[bytes] | None) -> None:
        """Take a process that was launched before the directory was there, or launch one. Blocks for a moment."""
        early = early_output(self.directory.path.parent, self.agency.code)
        if process is None:
            process = launch(self.directory.path, early)
        early.rename(self.output)
        self.process = process

    def is_ready(self) -> bool:
        """Say whether every service of it serves. Raises NodeDiedError."""
        if self.process is None or self.process.poll() is not None:
            raise NodeDiedError(f"{self.agency.code} ended: {self.output.read_text()[-2000:]}")
        try:
            pid: int = json.loads(self.directory.ready.read_text())["pid"]
        except (FileNotFoundError, ValueError):  # not there yet, or not whole yet
            return False
        return pid == self.process.pid

    def peak_megabytes(self) -> float:
        """Give the most memory that the node's Python process ever had resident."""
        assert self.process is not None  # noqa: S101 (asked of running nodes only)
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        return kilobytes / 1024

    def processes(self) -> Iterator[psutil.Process]:
        """Give the living processes whose command line names this node's directory, whoever started them."""
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.directory.path) in argument for argument in process.info["cmdline"] or ()):
                yield process


class Federation:
    """All members, the cables between them, and clients for whoever plays an officer."""

    def __init__(
        self,
        path: Path,
        agencies: Sequence[DemoAgency] = AGENCIES,
        *,
        launched: Mapping[str, subprocess.Popen[bytes]] | None = None,
    ) -> None:
        """Nothing is written yet; a node that is not `launched` is launched at the start."""
        self.path = path
        self._launched = launched or {}
        self.members: dict[str, Member] = {}
        self._agencies = agencies
        self._claims = PortClaims()
        self._cables: dict[tuple[str, str], tuple[Proxy, Proxy]] = {}
        self._clients: dict[tuple[str, str, str], Client] = {}

    def set_up(self) -> None:
        """Write every node's directory, and have every process waiting. Blocks."""
        identities: dict[str, PublicIdentity] = {}
        for agency in self._agencies:
            names = (*SERVICES, "nats", "metrics", *(("desk", "web") if agency.code in WITH_DESK else ()))
            directory = NodeDirectory(self.path / agency.code)
            ports = Ports(**dict(zip(names, self._claims.claim_many(len(names)), strict=True)))
            settings = NodeSettings(agency=agency.name, training=True, release_without_instrument=True, reflection=True)
            identities[agency.code] = initialise(directory, settings, ports)
            if ports.desk:
                with directory.settings.open("a") as file:
                    file.write(to_toml({DESK: {"link_seconds": _LINK_SECONDS}}))
            self.members[agency.code] = Member(agency=agency, directory=directory, settings=settings, ports=ports)
        for here, member in self.members.items():
            entries = [self._entry(here, agency, identities[agency.code]) for agency in self._agencies]
            member.directory.federation.write_text(to_toml_tables("agencies", entries))
            member.take(self._launched.get(here))

    def _entry(self, here: str, agency: DemoAgency, identity: PublicIdentity) -> dict[str, object]:
        """Describe an agency as one node sees it: another one through the two cables between them."""
        exchange, nats = identity.exchange_port, identity.nats_port
        if agency.code != here:
            cables = (
                Proxy(port=self._claims.claim(), target=exchange),
                Proxy(port=self._claims.claim(), target=nats),
            )
            self._cables[here, agency.code] = cables
            exchange, nats = cables[0].port, cables[1].port
        return {
            "name": agency.name,
            "display_name": agency.display_name,
            "display_name_en": agency.display_name_en,
            "contact_desk": agency.contact_desk,
            "exchange_address": f"127.0.0.1:{exchange}",
            "nats_url": f"nats://127.0.0.1:{nats}",
            "exchange_public_key": identity.exchange_public_key,
            "nats_public_nkey": identity.nats_public_nkey,
        }

    async def start(self) -> float:
        """Start everything; returns after how many seconds the last node was ready. Raises NodeDiedError."""
        for cables in self._cables.values():
            for cable in cables:
                await cable.start()
        began = time.monotonic()
        for member in self.members.values():
            assert member.process is not None  # noqa: S101 (see set_up)
            await asyncio.to_thread(let_go, member.process)
        async with asyncio.timeout(READY_LIMIT_SECONDS):
            for member in self.members.values():
                while not await asyncio.to_thread(member.is_ready):  # noqa: ASYNC110 (another process sets no event)
                    await asyncio.sleep(_POLL_SECONDS)
        return time.monotonic() - began

    async def stop(self) -> None:
        """Stop every node in good order, and kill what does not stop."""
        processes = [member.process for member in self.members.values() if member.process is not None]
        for process in processes:  # first of all: whatever goes wrong from here on, they are on their way down
            cut(process)
            process.terminate()
        for client in self._clients.values():
            await client.close()
        for process in processes:
            await asyncio.to_thread(end, process)
        for cables in self._cables.values():
            for cable in cables:
                await cable.close()
        await asyncio.to_thread(self._claims.close)

    def kill(self) -> None:
        """Kill whatever `stop` left, because it was interrupted itself. Blocks; does nothing after a good stop."""
        left = [
            process
            for member in self.members.values()
            for process in member.processes()
            # The node or its nats-server; not the editor in which somebody reads the node's log.
            if {str(member.directory.path), str(member.directory.nats / "nats.conf")} & set(process.info["cmdline"])
            and {"up", "-c"} & set(process.info["cmdline"])
        ]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=_STOP_SECONDS)

    async def lay(self, code: str, mode: Mode) -> None:
        """Change every cable that ends at one agency."""
        for pair, cables in self._cables.items():
            if code in pair:
                for cable in cables:
                    await cable.set_mode(mode)

    def client(self, code: str, service: str, *, officer: str = "sato", role: str = "OFFICER") -> Client:
        """Give a client that calls one service of one agency as an officer; its token renews itself."""
        key = (code, service, f"{officer} {role}")
        if key not in self._clients:
            member = self.members[code]
            self._clients[key] = Client(member.ports.address(service), token=_Renewed(member, officer, role))
        return self._clients[key]

    def sync_client(self, code: str, service: str) -> SyncClient:
        """Give the same for a thread; whoever asks closes it."""
        member = self.members[code]
        return SyncClient(member.ports.address(service), token=_Renewed(member, "sato", "OFFICER"))


class _Renewed:
    """A token that is made anew before it ends."""

    def __init__(self, member: Member, officer: str, role: str) -> None:
        self._member = member
        self._officer = officer
        self._role = role
        self._token = ""
        self._made = 0.0

    def __call__(self) -> str:
        now = time.monotonic()
        if not self._token or now - self._made > _TOKEN_RENEWED_AFTER:
            member = self._member
            self._token = make_token(
                member.directory, member.agency.name, self._officer, (self._role,), seconds=_TOKEN_SECONDS
            )
            self._made = now
        return self._token
