"""What a service passed alone is left out of the big run, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import alone
import environment
from tests import databases, proven

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ONE = "tests/normalform/test_near_misses.py"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, ONE]
    return subprocess.run(command, cwd=environment.ROOT, capture_output=True, text=True, check=False)


def report(name: str, when: str, *, passed: bool) -> Any:  # noqa: ANN401 (it stands for a report)
    return SimpleNamespace(nodeid=name, when=when, passed=passed)


def test_what_passed_is_written_and_left_out_the_next_time(tmp_path: Path) -> None:
    first = run(f"--passed-to={tmp_path / 'x.passed'}")
    names = (tmp_path / "x.passed").read_text().splitlines()

    assert first.returncode == 0, first.stdout
    assert len(names) > 5
    assert all(name.startswith(f"{ONE}::") for name in names)
    assert f"{len(names)} deselected" in run(f"--proven={tmp_path}").stdout

    (tmp_path / "x.passed").write_text("".join(f"{name}\n" for name in names[1:]))
    assert "1 passed" in run(f"--proven={tmp_path}").stdout


def test_what_failed_or_was_skipped_at_any_time_is_not_proven(tmp_path: Path) -> None:
    passed = proven._Passed(tmp_path / "x.passed")
    for name, whens in {
        "good": {"setup": True, "call": True, "teardown": True},
        "fails": {"setup": True, "call": False, "teardown": True},
        "breaks": {"setup": True, "call": True, "teardown": False},
        "skipped": {"setup": False, "teardown": True},
    }.items():
        for when, good in whens.items():
            passed.pytest_runtest_logreport(report(name, when, passed=good))
    passed.pytest_sessionfinish()

    assert (tmp_path / "x.passed").read_text() == "good\n"


def test_earlier_runs_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "FOLDER", tmp_path)
    (tmp_path / "tips.passed").write_text("a\nb\n")
    (tmp_path / "leads.passed").write_text("c\n")
    assert alone.count() == 3

    alone.forget()

    assert alone.count() == 0


def test_a_parameter_that_is_called_kind_and_names_no_database_leaves_no_test_out() -> None:
    def item(kind: object) -> Any:  # noqa: ANN401 (it stands for a test)
        return SimpleNamespace(
            callspec=SimpleNamespace(params={"kind": kind}), path=environment.ROOT / "tests" / "x.py"
        )

    assert databases._is_wanted(item("PHONE"), "usual")
    assert databases._is_wanted(item(3), "sqlite")
    assert not databases._is_wanted(item("postgresql"), "sqlite")
