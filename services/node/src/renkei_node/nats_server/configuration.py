"""Write the configuration of an agency's nats-server: who may do what on it.

The agency's own services share one account, LOCAL, which alone has JetStream. Every peer has an
account of its own without JetStream, which imports four subjects and nothing else: "next message"
and "acknowledge" of the two durables that carry its lanes. An account is a wall; a list of
permissions inside one account is not, so a peer in LOCAL could reach other peers' streams through
replies.

Plaintext on loopback only, until TLS comes: any other address is refused.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_chassis.courier import is_user_public_key
from renkei_chassis.courier.shapes import FEED, LANES, agency_token, lane_shape, peer_inbox_prefix

if TYPE_CHECKING:
    from pathlib import Path

MAX_PAYLOAD: Final = 512 * 1024  # of the server and of each account: where they differ, publishes hang
_HIGHEST_PORT: Final = 65_535


class ConfigurationError(ValueError):
    """The description cannot be turned into a configuration; says which part, and never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAccount:
    """A peer by its code and the public nkey that its exchange connects with."""

    agency: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfiguration:
    """One agency's server. Checked when it is made; raises ConfigurationError."""

    agency: str
    port: int
    store_directory: Path
    local_public_key: str
    peers: tuple[PeerAccount, ...] = ()
    monitor_port: int | None = None
    host: str = "127.0.0.1"
    max_store_megabytes: int = 9216

    def __post_init__(self) -> None:
        _check_agency(self.agency, "agency")
        _check_host(self.host)
        _check_port(self.port, "port")
        if self.monitor_port is not None:
            _check_port(self.monitor_port, "monitor_port")
            if self.monitor_port == self.port:
                raise ConfigurationError("monitor_port is the same as port")
        _check_path(self.store_directory)
        if self.max_store_megabytes < 1:
            raise ConfigurationError("max_store_megabytes must be positive")
        _check_key(self.local_public_key, "local_public_key")
        for peer in self.peers:
            _check_agency(peer.agency, "a peer's agency")
            _check_key(peer.public_key, "a peer's public_key")
        codes = [self.agency, *(peer.agency for peer in self.peers)]
        keys = [self.local_public_key, *(peer.public_key for peer in self.peers)]
        if len(set(codes)) != len(codes):
            raise ConfigurationError("an agency stands in the list twice")
        if len(set(keys)) != len(keys):
            raise ConfigurationError("two accounts have the same key")

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return _address(self.host, self.port)


def render(configuration: ServerConfiguration) -> str:
    """Give the text of the configuration file. The same description gives the same text."""
    c = configuration
    monitor = "" if c.monitor_port is None else f'http: "{_address(c.host, c.monitor_port)}"\n'
    accounts = [_local_account(c), *(_peer_account(peer) for peer in c.peers)]
    return f"""\
# Written by renkei at every start; changes made here are lost.
server_name: "{c.agency}"
listen: "{c.address}"
{monitor}max_payload: {MAX_PAYLOAD}
max_connections: 512
max_control_line: 4096
ping_interval: "2s"
ping_max: 2
write_deadline: "5s"
logtime: true

jetstream {{
  store_dir: "{c.store_directory}"
  max_memory_store: 16MB
  max_file_store: {c.max_store_megabytes}MB
  sync_interval: "1s"
}}

system_account: SYS
accounts {{
  SYS: {{ }}
{"".join(accounts)}}}
"""


def _local_account(configuration: ServerConfiguration) -> str:
    exports = "".join(
        f'      {{ service: "{subject}", accounts: [{_account(peer)}]{kind} }}\n'
        for peer in configuration.peers
        for subject, kind in _subjects(peer)
    )
    return f"""\
  LOCAL: {{
    jetstream: enabled
    limits: {{ max_payload: {MAX_PAYLOAD} }}
    users: [ {{ nkey: {configuration.local_public_key} }} ]
    exports: [
{exports}    ]
  }}
"""


def _peer_account(peer: PeerAccount) -> str:
    subjects = [subject for subject, _ in _subjects(peer)]
    publish = ", ".join(f'"{subject}"' for subject in subjects)
    imports = "".join(f'      {{ service: {{ account: LOCAL, subject: "{subject}" }} }}\n' for subject in subjects)
    return f"""\
  {_account(peer)}: {{
    limits: {{ max_conn: 4, max_subs: 32, max_payload: {MAX_PAYLOAD} }}
    users: [
      {{ nkey: {peer.public_key}, permissions: {{
        publish: {{ allow: [{publish}] }}
        subscribe: {{ allow: ["{peer_inbox_prefix(peer.agency)}.>"] }}
      }} }}
    ]
    imports: [
{imports}    ]
  }}
"""


def _subjects(peer: PeerAccount) -> list[tuple[str, str]]:
    """Give the four subjects a peer may use, each with what its export says of answers."""
    found = []
    for lane in LANES:
        stream = lane_shape(peer.agency, lane).name
        found.append((f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{FEED.name}", ", response_type: stream"))
        found.append((f"$JS.ACK.{stream}.{FEED.name}.>", ""))
    return found


def _account(peer: PeerAccount) -> str:
    return f"P_{agency_token(peer.agency)}"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_agency(code: str, what: str) -> None:
    try:
        agency_token(code)
    except ValueError as error:
        raise ConfigurationError(f"{what}: {error}") from None


def _check_host(host: str) -> None:
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback or "%" in host:
        raise ConfigurationError("host must be a loopback address as long as there is no TLS")


def _check_port(port: int, what: str) -> None:
    if not 0 < port <= _HIGHEST_PORT:
        raise ConfigurationError(f"{what} must lie between 1 and {_HIGHEST_PORT}")


def _check_path(path: Path) -> None:
    text = str(path)
    if not path.is_absolute() or not text.isprintable() or '"' in text or "\\" in text:
        raise ConfigurationError("store_directory must be an absolute path without quotes, backslashes or controls")


def _check_key(key: str, what: str) -> None:
    if not is_user_public_key(key):
        raise ConfigurationError(f"{what} is not a public user nkey")
