"""A node for the doctor to look over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from renkei_chassis.courier import generate_user_key
from renkei_chassis.identity import generate, public_text
from renkei_chassis.ports import PortClaims
from renkei_node.doctor import storage
from renkei_node.initialise import PublicIdentity, initialise
from renkei_node.layout import DESK, SERVICES, NodeDirectory
from renkei_node.settings import NodeSettings, Ports
from tests.node.doctor.ground import entry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


@pytest.fixture
def node(tmp_path: Path, ports: PortClaims, monkeypatch: pytest.MonkeyPatch) -> NodeDirectory:
    """A node that is down, as `renkei init` made it, in a federation with one neighbour who is down too."""
    monkeypatch.setattr(storage, "file_system", lambda path: "ext4")  # the tests' own folder may well be in memory
    monkeypatch.setattr(storage, "LOW_MEGABYTES", 0)
    monkeypatch.setattr(storage, "FULL_MEGABYTES", 0)
    directory = NodeDirectory(tmp_path / "node")
    names = (*SERVICES, DESK, "nats", "metrics", "web")
    own_ports = Ports(**dict(zip(names, ports.claim_many(len(names)), strict=True)))
    identity = initialise(directory, NodeSettings(agency="agencies/jp-12"), own_ports)
    neighbour = PublicIdentity(
        agency="agencies/jp-13",
        exchange_public_key=public_text(generate()),
        nats_public_nkey=generate_user_key().public,
        exchange_port=ports.claim(),
        nats_port=ports.claim(),
    )
    directory.federation.write_text(entry(identity) + entry(neighbour))
    return directory
