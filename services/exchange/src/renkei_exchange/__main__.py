"""Run the exchange alone: `python -m renkei_exchange FILE`; `federation.toml` lies beside the file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from renkei_chassis.alone import ProcessSettings, main
from renkei_chassis.courier import load_user_key
from renkei_chassis.identity import load_private
from renkei_chassis.settings import load
from renkei_exchange.federation import load_federation, peer_issuers
from renkei_exchange.settings import Settings
from renkei_exchange.wiring import blueprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei_chassis.identity import Issuer
    from renkei_chassis.service import Blueprint

FEDERATION: Final = "federation.toml"
PEER_KEY: Final = "nats-exchange.nk"  # beside the service's own key


def make(path: Path) -> Blueprint:
    """Build the service from its settings file."""
    process = load(ProcessSettings, path, "process")
    nats_key = load_user_key(process.key.with_name(PEER_KEY)) if process.nats_url else None
    federation = load_federation(path.with_name(FEDERATION))
    return blueprint(load(Settings, path, "exchange"), federation, key=load_private(process.key), nats_key=nats_key)


def peers(path: Path) -> Sequence[Issuer]:
    """Name the other agencies' exchanges, which may read their lanes."""
    agency = load(ProcessSettings, path, "process").agency
    return peer_issuers(load_federation(path.with_name(FEDERATION)), agency)


if __name__ == "__main__":
    sys.exit(main("exchange", make, more_issuers=peers))
