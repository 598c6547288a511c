"""The commands of the Makefile, and the scripts behind them."""

from __future__ import annotations

import ast
import importlib.util
import os
import py_compile
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import alone
import constraints
import environment

if TYPE_CHECKING:
    import pytest


def test_a_python_without_ensurepip_is_told_which_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object:
        return None if name == "ensurepip" else object()

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)

    assert "apt-get install python3-venv" in environment.missing_modules()


def test_a_python_that_can_make_environments_is_told_nothing() -> None:
    assert environment.missing_modules() == ""


def test_an_old_python_without_a_newer_one_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    status = environment.run_with_newer_python()

    assert status == 1
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_an_old_python_can_read_the_script_that_tells_it_so() -> None:
    source = (environment.ROOT / "make" / "environment.py").read_text()

    ast.parse(source, feature_version=(3, 7))


def test_constraints_hold_one_version_a_line_and_no_address() -> None:
    lines = [line for line in environment.CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==\S+( ; .*)?", line)] == []
    assert "://" not in environment.CONSTRAINTS.read_text()


def test_a_build_requirement_at_another_version_is_found() -> None:
    drifted = '[build-system]\nrequires = ["hatchling==0.1"]\n'

    assert constraints.pin_build_requirements(drifted) != drifted


def test_build_requirements_have_the_versions_of_constraints() -> None:
    assert constraints.stale_pins() == []


def test_nothing_of_ours_is_asked_of_a_registry() -> None:
    requirements = [*environment.run_requirements(), *environment.group_requirements("dev")]

    assert [requirement for requirement in requirements if requirement.startswith("renkei")] == []


def test_an_alone_install_gets_what_the_service_declares_and_no_other_service() -> None:
    assert alone.closure("normalform") == {"normalform"}
    assert alone.closure("personas") == {"personas", "chassis", "contract", "normalform"}
    assert alone.closure("tips") == {"tips", "chassis", "contract", "normalform"}


def test_what_is_compiled_of_the_very_same_file_is_taken_over_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, alones = (tmp_path / name / "lib" / "python3" / "site-packages" for name in ("ours", "alone"))
    for site, words in ((ours, {"same": "1", "other": "2"}), (alones, {"same": "1", "other": "3"})):
        site.mkdir(parents=True)
        for name, value in words.items():
            (site / f"{name}.py").write_text(f"value = {value}\n")
    for path in ours.iterdir():
        os.utime(path, (1, 1))
        py_compile.compile(str(path))
    monkeypatch.setattr(alone, "VENV", tmp_path / "ours")
    monkeypatch.setattr(alone, "ROOT", tmp_path)

    alone.take_compiled(tmp_path / "alone")

    taken = Path(importlib.util.cache_from_source(alones / "same.py"))
    assert taken.read_bytes() == Path(importlib.util.cache_from_source(ours / "same.py")).read_bytes()
    assert (alones / "same.py").stat().st_mtime == 1
    assert not Path(importlib.util.cache_from_source(alones / "other.py")).exists()


def test_every_service_of_the_repository_is_installed_alone() -> None:
    folders = {path.parent.name for path in (environment.ROOT / "services").glob("*/pyproject.toml")}

    assert set(environment.DISTRIBUTIONS) == folders
    assert {*alone.ALONE, "contract", "node"} == folders


def test_a_service_without_tests_fails_its_proof() -> None:
    assert alone.prove("no-such-service") == ["no tests in tests/no-such-service"]


def test_make_lists_every_command() -> None:
    makefile = (environment.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))

    listed = subprocess.run(["make"], cwd=environment.ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607

    assert set(re.findall(r"^  make ([a-z-]+)", listed, flags=re.MULTILINE)) == targets
