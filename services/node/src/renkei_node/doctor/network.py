"""Check what the node is reached by and what it reaches: ports, nats-server, the other agencies and their clocks."""

from __future__ import annotations

import re
import socket
import subprocess
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, ReadLaneRequest
from renkei.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub

from renkei_chassis.clock import WallClock
from renkei_chassis.errors import RenkeiError, SettingsError
from renkei_chassis.identity import load_private, mint
from renkei_chassis.ids import uuid7
from renkei_chassis.ports import is_free
from renkei_chassis.rpc.calling import Patience
from renkei_chassis.rpc.sync_client import SyncClient
from renkei_node.doctor.finding import Finding, failed, ok, skipped, warning
from renkei_node.nats_server.binary import BinaryMissingError, find_binary
from renkei_node.nats_server.configuration import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from renkei_exchange.federation import Agency as Peer
    from renkei_node.composition import Agency

_HOST: Final = "127.0.0.1"
_SECONDS: Final = 3.0
_LONGEST_GREETING: Final = 1 << 16
_ONE_TRY: Final = Patience(first_pause_seconds=3600.0, longest_pause_seconds=3600.0)
_OLDEST_NATS: Final = (2, 10)
_TOKEN_SECONDS: Final = 10
_CLOCK_REASONS: Final = frozenset(["TOKEN_EXPIRED", "TOKEN_NOT_YET_VALID"])
_KEY_REASONS: Final = frozenset(
    ["TOKEN_UNTRUSTED_ISSUER", "TOKEN_BAD_SIGNATURE", "TOKEN_ROLE_NOT_ALLOWED", "TOKEN_WRONG_AUDIENCE", "ROLE_MISSING"]
)


def check_ports(agency: Agency, *, runs: bool) -> Iterator[Finding]:
    """See that a node that is down could take its ports, or that one that runs answers at them."""
    ports = {name: port for name, port in agency.ports.model_dump().items() if port}  # 0: it has none
    if not agency.settings.courier:
        del ports["nats"]
    if runs:
        wrong = [(name, port) for name, port in ports.items() if not _answers(port)]
        text, well = "port_silent", "ports_served"
    else:
        wrong = [(name, port) for name, port in ports.items() if not is_free(port, ignore_lingering=True)]
        text, well = "port_taken", "ports_free"
    for name, port in wrong:
        yield failed("ports", text, name=name, port=port)
    if not wrong:
        yield ok("ports", well, count=len(ports))


def check_nats(agency: Agency, *, runs: bool) -> Iterator[Finding]:
    """Look at the nats-server: the program, and the one that runs."""
    if not agency.settings.courier:
        yield ok("nats", "nats_off")
        return
    try:
        yield _binary(find_binary())
    except BinaryMissingError as error:
        yield failed("nats", "nats_missing", error=error)
    yield _greeting(agency) if runs else skipped("nats", "node_down")


def _binary(path: Path) -> Finding:
    try:
        done = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return failed("nats", "nats_broken", error=type(error).__name__)
    numbers = re.findall(r"\d+", done.stdout)
    version = ".".join(numbers[:3])
    if tuple(map(int, numbers[:2])) < _OLDEST_NATS:
        return failed("nats", "nats_old", version=version)
    return ok("nats", "nats_binary", version=version)


class Greeting(BaseModel):
    """What a nats-server says of itself to whoever connects: a line `INFO {…}`."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str = Field(default="", alias="server_name")
    jetstream: bool = False
    max_payload: int = 0


def read_greeting(line: bytes) -> Greeting:
    """Read it; ValueError where it is none, for any program may listen on a port."""
    return Greeting.model_validate_json(line.removeprefix(b"INFO "))


def _greeting(agency: Agency) -> Finding:
    """Read what the server says of itself to whoever connects."""
    port = agency.ports.nats
    try:
        with socket.create_connection((_HOST, port), timeout=_SECONDS) as line, line.makefile("rb") as file:
            told = read_greeting(file.readline(_LONGEST_GREETING))
    except (OSError, ValueError):
        return failed("nats", "port_silent", name="nats", port=port)
    if told.name != agency.settings.agency.removeprefix("agencies/"):
        return failed("nats", "nats_stranger", port=port)
    if not told.jetstream:
        return failed("nats", "nats_no_store")
    if told.max_payload < MAX_PAYLOAD:
        return failed("nats", "nats_payload", payload=told.max_payload // 1024)
    return ok("nats", "nats_well", payload=told.max_payload // 1024)


def check_peers(agency: Agency) -> Iterator[Finding]:
    """Ask every other agency for the start of our lane: whether it answers, believes our key, and has our time."""
    own = agency.settings.agency
    try:
        key = load_private(agency.directory.service_key("exchange"))
    except SettingsError:
        return  # the keys' own check tells of it
    for name, peer in agency.federation.peers_of(own).items():
        yield _peer(own, name, peer, key)


def _peer(own: str, name: str, peer: Peer, key: Ed25519PrivateKey) -> Finding:
    check = f"peer {peer.code}"
    issuer = f"{own}/services/exchange"
    token = mint(
        key,
        issuer=issuer,
        subject=issuer,
        audience=name,
        roles=("PEER",),
        now_us=WallClock().now_us(),
        life_seconds=_TOKEN_SECONDS,
        token_id=uuid7(),
    )
    try:
        with SyncClient(peer.exchange_address, token=lambda: token, patience=_ONE_TRY, chance=lambda: 1.0) as client:
            stub = client.stub(ExchangeServiceStub)
            client.call(stub.ReadLane, ReadLaneRequest(lane=LANE_CONTROL, max_bundles=1), seconds=_SECONDS)
    except RenkeiError as error:
        if error.reason in _CLOCK_REASONS:
            return failed(check, "peer_clock", reason=error.reason)
        if error.reason in _KEY_REASONS:
            return failed(check, "peer_refuses", reason=error.reason)
        return warning(check, "peer_silent", reason=error.reason)
    return ok(check, "peer_well")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=_SECONDS):
            return True
    except OSError:
        return False
