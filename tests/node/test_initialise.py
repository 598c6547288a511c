"""A new node's directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from renkei_chassis.identity import load_private, load_trust, public_text, save_trust
from renkei_node.initialise import give_desk_a_key, initialise
from renkei_node.layout import DESK, SERVICES, NodeDirectory
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_new_node_is_on_the_disk_before_anybody_is_told_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut right after `renkei init` left an empty node.toml and a node that did not start."""
    synced: set[int] = set()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    names = (*SERVICES, "nats", "metrics")
    ports = Ports(**{name: 20_000 + number for number, name in enumerate(names)})

    initialise(NodeDirectory(tmp_path / "jp-12"), NodeSettings(agency="agencies/jp-12"), ports)

    files = [path for path in (tmp_path / "jp-12").rglob("*") if path.is_file()]
    assert len(files) > len(SERVICES)
    assert [path.name for path in files if path.stat().st_ino not in synced] == []
    assert [path.parent.name for path in files if path.parent.stat().st_ino not in synced] == []


def test_a_node_of_before_there_were_desks_gets_a_key_that_is_believed(tmp_path: Path) -> None:
    """Once: what is interrupted goes on, and what is there stays."""
    node = NodeDirectory(tmp_path / "jp-12")
    names = (*SERVICES, "nats", "metrics")
    ports = Ports(**{name: 20_000 + number for number, name in enumerate(names)})
    initialise(node, NodeSettings(agency="agencies/jp-12"), ports)
    node.service_key(DESK).unlink()
    trust = load_trust(node.trust)
    own = "agencies/jp-12/services/desk"
    others = tuple(issuer for issuer in trust.issuers if issuer.issuer != own)
    save_trust(node.trust, trust.model_copy(update={"issuers": others}))

    give_desk_a_key(node, "agencies/jp-12")
    key = node.service_key(DESK).read_bytes()
    save_trust(node.trust, trust.model_copy(update={"issuers": others}))  # a power cut between the two files
    give_desk_a_key(node, "agencies/jp-12")
    give_desk_a_key(node, "agencies/jp-12")

    believed = {issuer.issuer: issuer.public_key for issuer in load_trust(node.trust).issuers}
    assert node.service_key(DESK).read_bytes() == key
    assert believed.pop(own) == public_text(load_private(node.service_key(DESK)))
    assert believed == {issuer.issuer: issuer.public_key for issuer in others}
