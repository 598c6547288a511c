"""A federation of real processes: a node and a nats-server an agency, a cable for each directed pair."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
from renkei.identifiers.v1 import identifiers_pb2
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.clock import WallClock
from renkei_chassis.errors import RenkeiError
from renkei_chassis.identity import load_private, mint
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import PortClaims
from renkei_chassis.rpc.client import Client
from renkei_node.demo.proxy import Mode, Proxy
from renkei_node.initialise import PublicIdentity, initialise
from renkei_node.layout import SERVICES, NodeDirectory
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from tests.postgres_server import PostgresServer

    CableMaker = Callable[..., Proxy]

READY_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_COMMAND: Final = ("-m", "renkei_node.cli", "up")
_ROOT: Final = Path(__file__).resolve().parents[2]


async def until(true: Callable[[], Awaitable[bool]], *, seconds: float = 30.0) -> None:
    """Wait for a condition of the outside world, which has no event to wait for."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 (the world outside sets no event)
            await asyncio.sleep(_POLL_SECONDS)


@dataclass(slots=True, kw_only=True)
class Member:
    """One agency's node as a process."""

    code: str
    directory: NodeDirectory
    ports: Ports
    output: Path
    """What the process says; beside its directory, whose disk may be full, or gone in a power cut."""
    server: PostgresServer | None = None
    """Where its databases are, if not in files."""
    command: tuple[str, ...] = _COMMAND
    """What Python is to run; the directory follows."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What a process that is started from now on finds in its environment, beside what we have."""
    process: subprocess.Popen[bytes] | None = None
    clients: dict[str, Client] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"agencies/{self.code}"

    def start(self) -> None:
        """Start the process. Blocks for a moment."""
        command = [sys.executable, *self.command, str(self.directory.path)]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), **self.environment}
        output = self.output.open("ab")
        with output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)

    async def ready(self) -> None:
        await until(lambda: asyncio.to_thread(self.is_ready), seconds=READY_SECONDS)

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()[-4000:]
        ready = self.directory.ready
        return ready.exists() and json.loads(ready.read_text())["pid"] == self.process.pid

    def kill(self) -> None:
        """End the node as a power cut would; its nats-server is left behind."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def stop(self) -> None:
        for client in self.clients.values():
            await client.close()
        self.clients.clear()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self.process.wait, 20)

    def nats_process(self) -> psutil.Process | None:
        """Find the nats-server; None where there is none at this moment."""
        try:
            process = psutil.Process(json.loads((self.directory.nats / "nats.pid").read_text())["pid"])
        except (OSError, ValueError, psutil.NoSuchProcess):
            return None
        return process if _is_of(process, self) else None

    def kill_nats(self) -> None:
        """Kill the nats-server, which the node brings up again if it lives. Blocks, as does what follows."""
        process = self.nats_process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
            psutil.wait_procs([process], timeout=5)

    def signal_nats(self, number: signal.Signals) -> None:
        """Send the nats-server a signal, if there is one."""
        process = self.nats_process()
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def command_lines(self) -> list[bytes]:
        """Give the command line and the environment of each of its processes."""
        found: list[bytes] = []
        for process in (self.process, self.nats_process()):
            if process is not None and psutil.pid_exists(process.pid):
                found += [Path(f"/proc/{process.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        assert found
        return found

    def token(self, *roles: str) -> str:
        return mint(
            load_private(self.directory.issuer_key),
            issuer=self.name,
            subject=f"{self.name}/officers/sato",
            audience=self.name,
            roles=roles,
            now_us=WallClock().now_us(),
            life_seconds=600,
            token_id=uuid7(),
        )

    async def client(self, service: str, *roles: str) -> Client:
        key = f"{service} {roles}"
        if key not in self.clients:
            token = await asyncio.to_thread(self.token, *roles or ("OFFICER",))
            self.clients[key] = Client(self.ports.address(service), token=lambda: token)
        return self.clients[key]

    def rows(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Read a database from the outside."""
        if self.server is not None:
            # What is asked for in SQLite's words.
            told = self.server.run(statement.replace("hex(id)", "encode(id, 'hex')"), database=database)
            return [tuple(line.split("|")) for line in told.splitlines()]
        uri = f"file:{self.directory.data / database}.db?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            return connection.execute(statement).fetchall()

    def forget(self, service: str) -> None:
        """Delete a service's database, so that it begins again. Blocks; the node must not run."""
        for file in self.directory.data.glob(f"{service}.db*"):
            file.unlink()

    def copies(self) -> list[str]:
        """Name the tips of others that this node holds, each as often as it holds it."""
        rows = self.rows("tips", "SELECT agency, hex(id) FROM tip_copy")
        return [f"{agency}/tips/{uuid.UUID(hex=str(number))}" for agency, number in rows]

    def files(self) -> list[Path]:
        """Name every file of the node, whatever comes and goes meanwhile."""
        return [Path(folder) / name for folder, _, names in os.walk(self.directory.path) for name in names]

    def bytes_with(self, markers: Iterable[str | bytes]) -> dict[str | bytes, str]:
        """Search every file of the node; returns marker -> file for each that was found."""
        wanted = {marker if isinstance(marker, bytes) else marker.encode(): marker for marker in markers}
        found: dict[str | bytes, str] = {}
        places = [] if self.server is None else [path for path in self.server.folder.rglob("*") if path.is_file()]
        for path in (self.output, *self.files(), *places):
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # a file of the moment
                continue
            found.update({marker: path.name for raw, marker in wanted.items() if raw in content})
        return found


@dataclass(slots=True, kw_only=True)
class Tip:
    """An acknowledged tip: where it is from, who may have it, and the marker in its text."""

    name: str
    origin: str
    audience: tuple[str, ...]
    marker: str


class Federation:
    """Some agencies, each directed pair joined by two cables that a test can pull."""

    def __init__(
        self,
        path: Path,
        codes: tuple[str, ...],
        servers: Mapping[str, PostgresServer] | None = None,
        *,
        nats_cable: CableMaker = Proxy,
    ) -> None:
        self.path = path
        self._nats_cable = nats_cable
        self.codes = codes
        self.servers = servers or {}
        self.claims = PortClaims()
        self.members: dict[str, Member] = {}
        self.cables: dict[tuple[str, str], list[Proxy]] = {}
        self.acknowledged: list[Tip] = []

    def __getitem__(self, code: str) -> Member:
        return self.members[code]

    def set_up(self, *, courier: bool = True, desk: bool = False) -> None:
        """Write every node's directory. Blocks."""
        identities: dict[str, PublicIdentity] = {}
        for code in self.codes:
            directory = NodeDirectory(self.place_of(code))
            names = (*SERVICES, "nats", "metrics", *(("desk", "web") if desk else ()))
            ports = Ports(**dict(zip(names, self.claims.claim_many(len(names)), strict=True)))
            server = self.servers.get(code)
            settings = NodeSettings(
                agency=f"agencies/{code}",
                training=True,
                release_without_instrument=True,
                courier=courier,
                database="" if server is None else server.url("{service}"),
            )
            identities[code] = initialise(directory, settings, ports)
            output = self.path / f"{code}.output.txt"
            self.members[code] = Member(code=code, directory=directory, ports=ports, output=output, server=server)
        for code, member in self.members.items():
            member.directory.federation.write_text("".join(self._entry(code, identities[peer]) for peer in self.codes))

    def place_of(self, code: str) -> Path:
        """Say where a node's directory is to be."""
        return self.path / code

    def _entry(self, here: str, peer: PublicIdentity) -> str:
        code = peer.agency.removeprefix("agencies/")
        exchange, nats = peer.exchange_port, peer.nats_port
        if code != here:
            cables = [
                Proxy(port=self.claims.claim(), target=exchange),
                self._nats_cable(port=self.claims.claim(), target=nats),
            ]
            self.cables[here, code] = cables
            exchange, nats = (cable.port for cable in cables)
        return f"""\
[[agencies]]
name = "{peer.agency}"
display_name = "演習 {code}"
display_name_en = "training {code}"
contact_desk = "desk of {code}"
exchange_address = "127.0.0.1:{exchange}"
nats_url = "nats://127.0.0.1:{nats}"
exchange_public_key = "{peer.exchange_public_key}"
nats_public_nkey = "{peer.nats_public_nkey}"

"""

    async def start(self) -> None:
        for cables in self.cables.values():
            for cable in cables:
                await cable.start()
        for member in self.members.values():
            await asyncio.to_thread(member.start)
        for member in self.members.values():
            await member.ready()

    async def stop(self) -> None:
        await asyncio.gather(*(member.stop() for member in self.members.values()))
        for cables in self.cables.values():
            for cable in cables:
                await cable.close()
        await asyncio.to_thread(self.claims.close)
        assert await asyncio.to_thread(self.left_behind) == []

    def left_behind(self) -> list[psutil.Process]:
        """Give every process that still works on one of our directories."""
        found = psutil.process_iter()
        return [process for process in found if any(_is_of(process, member) for member in self.members.values())]

    async def lay(self, code: str, mode: Mode) -> None:
        """Change every cable to and from one agency."""
        for pair, cables in self.cables.items():
            if code in pair:
                for cable in cables:
                    await cable.set_mode(mode)

    async def record(self, origin: str, *audience: str, number: int = 0, patience: float = 40.0) -> Tip:
        """Record a tip and remember that it was acknowledged; a node that is down is tried again.

        When patience ends, the last refusal is raised.
        """
        marker = f"RKSYS{uuid.uuid4().hex}"
        request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=f"agencies/{origin}")
        request.tip.text = f"演習データ {marker}"
        request.tip.source = tips_pb2.Tip.SOURCE_OTHER
        request.tip.grading.reliability = tips_pb2.Grading.RELIABILITY_B
        request.tip.grading.accuracy = tips_pb2.Grading.ACCURACY_2
        request.tip.handling.purpose_code = "organised-robbery"
        request.tip.handling.releasable_to.extend(f"agencies/{code}" for code in audience)
        occurrence = request.tip.identifiers.add(provenance="PROVENANCE_TIP", relation="RELATION_MENTIONED")
        occurrence.identifier.type = identifiers_pb2.IDENTIFIER_TYPE_PHONE
        occurrence.identifier.original = f"090-1{number % 1000:03d}-{number // 1000:04d}"
        answer = await self._insist(origin, request, patience)
        tip = Tip(name=answer.name, origin=origin, audience=audience, marker=marker)
        self.acknowledged.append(tip)
        return tip

    async def _insist(self, origin: str, request: tips_pb2.CreateTipRequest, patience: float) -> tips_pb2.Tip:
        """Call until the node answers; under the same request_id the tip is recorded once."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience
        while True:
            client = await self.members[origin].client("tips")
            try:
                return await client.call(client.stub(TipsServiceStub).CreateTip, request)
            except RenkeiError:
                if loop.time() >= ends:
                    raise
                await asyncio.sleep(_POLL_SECONDS)

    async def settled(self, *, seconds: float = 45.0) -> None:
        """Wait until everybody holds what was acknowledged for them."""

        await until(lambda: asyncio.to_thread(self.is_settled), seconds=seconds)

    def is_settled(self) -> bool:
        """Say whether everybody holds what was acknowledged for them. Blocks."""
        return all(set(names) <= set(self.members[code].copies()) for code, names in self.expected().items())

    def expected(self) -> dict[str, list[str]]:
        """Say which copies each agency is to hold."""
        return {code: sorted(tip.name for tip in self.acknowledged if code in tip.audience) for code in self.codes}

    def verify(self) -> None:
        """Check from the outside: everything once where it belongs, and no marker anywhere else. Blocks."""
        for code, member in self.members.items():
            own = sorted(tip.name for tip in self.acknowledged if tip.origin == code)
            rows = member.rows("tips", "SELECT hex(id) FROM tip")
            kept = sorted(f"{member.name}/tips/{uuid.UUID(hex=str(number))}" for (number,) in rows)
            assert kept == own, f"{code} lost or doubled tips of its own"
            assert sorted(member.copies()) == self.expected()[code], f"{code} lost, doubled or leaked copies"
            strange = [tip.marker for tip in self.acknowledged if code != tip.origin and code not in tip.audience]
            assert member.bytes_with(strange) == {}

    def wipe_nats(self, code: str) -> None:
        """Delete the store of a node's nats-server, which must not be running. Blocks."""
        shutil.rmtree(self.members[code].directory.nats / "store", ignore_errors=True)


def _is_of(process: psutil.Process, member: Member) -> bool:
    try:
        return any(str(member.directory.path) in part for part in process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False
