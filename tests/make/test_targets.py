"""Each command of the Makefile does what CONTRIBUTING says, as far as a test can run it.

Run for real, on a copy: format, baseline, clean. What is too slow here (venv, lint, test-fast, test, bench, demo) or
needs a registry (constraints) or writes into this very environment (gen) is looked at with `make -n`: that it
calls what it should. What it calls is run otherwise: `make test` itself is lint and tests, `make/check.py` runs
the same parts for all three, and tests/system/test_demo.py runs the demo.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import check
import environment

if TYPE_CHECKING:
    from pathlib import Path

UGLY = "import os\nimport json\ndef f( x ):\n  return json.dumps( x,indent = 1 )\n"


def make(*words: str, folder: Path = environment.ROOT, done: str = "venv") -> str:
    """Run make without the step that brings .venv up to date."""
    command = ["make", "--no-print-directory", f"--old-file={done}", *words]
    # This may run below make itself, whose own flags are in the environment.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what a target works on."""
    for name in ("Makefile", "pyproject.toml", "buf.yaml"):
        shutil.copy(environment.ROOT / name, tmp_path)
    shutil.copytree(environment.ROOT / "proto", tmp_path / "proto")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_make_format_brings_python_and_proto_into_shape(copy: Path) -> None:
    proto = copy / "proto" / "renkei" / "tips" / "v1" / "tips.proto"
    shaped = proto.read_text()
    proto.write_text(shaped.replace("\n  ", "\n      "))
    (copy / "ugly.py").write_text(UGLY)

    make("format", folder=copy)

    assert proto.read_text() == shaped
    assert "return json.dumps(x, indent=1)\n" in (copy / "ugly.py").read_text()


def test_make_baseline_accepts_the_contract_as_it_is(copy: Path) -> None:
    (copy / "tests" / "contract").mkdir(parents=True)

    make("baseline", folder=copy)

    baseline = copy / "tests" / "contract" / "baseline.binpb"
    assert baseline.read_bytes() == check.BASELINE.read_bytes(), "the baseline is not that of this contract"


def test_make_clean_removes_what_was_made_and_nothing_else(copy: Path) -> None:
    (copy / ".cache").mkdir()
    (copy / "services" / "contract" / "src").mkdir(parents=True)
    (copy / "tests" / "__pycache__").mkdir(parents=True)
    written = copy / "proto" / "renkei" / "tips" / "v1" / "tips.proto"

    make("clean", folder=copy)

    left = {str(path.relative_to(copy)) for path in copy.iterdir()}
    assert left == {"Makefile", "pyproject.toml", "buf.yaml", "proto", "services", "tests"}
    assert not list(copy.rglob("__pycache__"))
    assert not (copy / "services" / "contract" / "src").exists()
    assert written.is_file()
    assert (environment.VENV / "bin" / "python").exists(), "the link went, and not what it led to"


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        (("lint",), ".venv/bin/python make/check.py --lint"),
        (("test-fast",), ".venv/bin/python make/check.py --fast --database=sqlite"),
        (("test",), ".venv/bin/python make/check.py"),
        (("bench",), ".venv/bin/python -m tests.bench"),
        (("bench", "ONLY=node"), ".venv/bin/python -m tests.bench --only node"),
        (("demo",), ".venv/bin/renkei demo"),
        (("demo", "ONCE=1"), ".venv/bin/renkei demo --once"),
        (("gen",), ".venv/bin/python services/contract/hatch_build.py"),
        (("constraints",), ".venv/bin/python make/constraints.py"),
        (("coverage",), ".venv/bin/python make/check.py --coverage"),
        (("constraints", "UPGRADE=1"), ".venv/bin/python make/constraints.py --upgrade"),
    ],
)
def test_a_slow_target_calls_what_it_should(words: tuple[str, ...], calls: str) -> None:
    assert make("--dry-run", *words).split("\n")[-2].strip() == calls


def test_make_venv_asks_for_the_development_tools() -> None:
    said = make("--dry-run", "venv", done="nothing")

    assert said == "python3 make/environment.py --dev\n"


def test_lint_and_the_quick_tests_are_parts_of_make_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what `make test` proves holds for the other two."""
    called: dict[str, list[str]] = {}
    for mode in ("--lint", "--fast", ""):
        parts = called.setdefault(mode, [])
        monkeypatch.setattr(check, "run_checks", lambda parts=parts: parts.append("checks") or [])
        monkeypatch.setattr(check, "run_alone", lambda parts=parts: parts.append("alone") or [])
        monkeypatch.setattr(
            check,
            "run_tests",
            lambda *, fast, database, coverage, parts=parts: (
                parts.append("quick" if fast else "all") or check.Figures(passed=1)
            ),
        )
        monkeypatch.setattr(sys, "argv", ["check.py", *([mode] if mode else [])])
        assert check.main() == 0

    assert sorted(called[""]) == ["all", "alone", "checks"]
    assert called["--fast"] == ["checks", "quick"]
    assert called["--lint"] == ["checks"]
