"""Where the files of one agency's node lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SERVICES: Final = ("tips", "arrests", "personas", "leads", "exchange")
DESK: Final = "desk"
"""The one service that a node may be without: see `Ports.desk`."""


@dataclass(frozen=True, slots=True)
class NodeDirectory:
    """One node's directory. `renkei init` makes it; nothing of it is shared with another node."""

    path: Path

    @property
    def settings(self) -> Path:
        """What the operator decides."""
        return self.path / "node.toml"

    @property
    def federation(self) -> Path:
        """Who the other agencies are, and how to reach them from here."""
        return self.path / "federation.toml"

    @property
    def protected(self) -> Path:
        """Which identifiers no record may hold. It need not be there."""
        return self.path / "protected.toml"

    @property
    def trust(self) -> Path:
        """Whose tokens this node believes."""
        return self.path / "trust.json"

    @property
    def officers(self) -> Path:
        """Who may be what. Optional: see `renkei_node.officers`."""
        return self.path / "officers.toml"

    @property
    def issuer_key(self) -> Path:
        """The key of officers' tokens. Read by `renkei up` and `renkei token` alone."""
        return self.path / "keys" / "issuer.key"

    def service_key(self, service: str) -> Path:
        """Give the path of the key with which one service makes its tokens."""
        return self.path / "keys" / f"{service}.key"

    @property
    def nats_local_key(self) -> Path:
        """The services' identity at the agency's own nats-server."""
        return self.path / "keys" / "nats-local.nk"

    @property
    def nats_exchange_key(self) -> Path:
        """The exchange's identity at the other agencies' nats-servers."""
        return self.path / "keys" / "nats-exchange.nk"

    @property
    def data(self) -> Path:
        """One database a service."""
        return self.path / "data"

    @property
    def nats(self) -> Path:
        """Configuration, pid file, log and store of the nats-server. The store can be deleted at any time."""
        return self.path / "nats"

    @property
    def log(self) -> Path:
        """The node's log, a JSON object a line."""
        return self.path / "logs" / "node.log"

    @property
    def pid(self) -> Path:
        """The process that runs the node; locked while it lives."""
        return self.path / "run" / "node.pid"

    @property
    def ready(self) -> Path:
        """Written when every service serves, removed at the end."""
        return self.path / "run" / "ready.json"

    @property
    def operator_token(self) -> Path:
        """A short token of role OPERATOR, renewed by the running node."""
        return self.path / "run" / "operator.token"
