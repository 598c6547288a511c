"""What the Node.js client needs from others is pinned by version and hash, names no registry, and may be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

import grpc_js

if TYPE_CHECKING:
    from pathlib import Path

PERMISSIVE: Final = {"Apache-2.0", "MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause"}


def packages() -> dict[str, dict[str, Any]]:
    lock = json.loads((grpc_js.SOURCE / "package-lock.json").read_text())
    found: dict[str, dict[str, Any]] = {name: entry for name, entry in lock["packages"].items() if name}
    return found


def test_every_package_has_a_version_and_a_hash_and_no_address() -> None:
    assert len(packages()) > 10
    for name, entry in packages().items():
        assert entry["version"], name
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_every_package_may_be_used_and_runs_nothing_when_it_is_installed() -> None:
    assert {entry["license"] for entry in packages().values()} <= PERMISSIVE
    assert "--ignore-scripts" in grpc_js.COMMAND


def test_what_is_asked_for_is_pinned_exactly() -> None:
    wanted = json.loads((grpc_js.SOURCE / "package.json").read_text())["dependencies"]

    assert {packages()[f"node_modules/{name}"]["version"] for name in wanted} == set(wanted.values())


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_without_node_or_npm_nothing_is_stale(missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grpc_js, "PLACE", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: None if name == missing else f"/usr/bin/{name}")

    assert not grpc_js.stale()


def test_other_packages_than_those_of_the_lock_are_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(grpc_js, "PLACE", tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert grpc_js.stale()

    (tmp_path / "stamp.txt").write_text(grpc_js.fingerprint())

    assert not grpc_js.stale()
