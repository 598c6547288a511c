"""The tests' files lie in memory where there is enough of it, and are gone afterwards."""

from __future__ import annotations

import os
import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

import scratch

if TYPE_CHECKING:
    from pathlib import Path

ROOM = SimpleNamespace(f_bavail=scratch.ROOM_BYTES, f_frsize=1, f_flag=0)


@pytest.fixture(autouse=True)
def _large_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _path: ROOM)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2 * scratch.ROOM_BYTES))


def test_whatever_runs_meanwhile_keeps_its_files_in_memory_and_nothing_is_left(tmp_path: Path) -> None:
    with scratch.in_memory():
        (folder,) = tmp_path.iterdir()
        assert os.environ["TMPDIR"] == str(folder)
        assert folder.stat().st_mode & 0o777 == 0o711
        tempfile.mkstemp(dir=folder)

    assert "TMPDIR" not in os.environ
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "available"),
    [
        ({"f_bavail": scratch.ROOM_BYTES - 1}, 2 * scratch.ROOM_BYTES),
        ({"f_flag": os.ST_NOEXEC}, 2 * scratch.ROOM_BYTES),
        ({}, 2 * scratch.ROOM_BYTES - 1),
    ],
    ids=["a small one", "one that runs no programs", "a machine without memory to spare"],
)
def test_memory_that_would_not_do_is_not_used(
    there: dict[str, int], available: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**{**vars(ROOM), **there}))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))

    with scratch.in_memory():
        assert "TMPDIR" not in os.environ
        assert list(tmp_path.iterdir()) == []


def test_a_machine_without_such_a_folder_and_a_place_that_somebody_chose_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "absent")
    with scratch.in_memory():
        assert "TMPDIR" not in os.environ

    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setenv("TMPDIR", "/chosen")
    with scratch.in_memory():
        assert os.environ["TMPDIR"] == "/chosen"
    assert os.environ["TMPDIR"] == "/chosen"
