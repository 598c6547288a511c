"""A new node's directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from renkei_node.initialise import initialise
from renkei_node.layout import SERVICES, NodeDirectory
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
