"""Run every check in order and end with one line of figures: `make test`, `make test-fast`, `make lint`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import alone
import constraints
import scratch
from environment import ROOT, VENV

if TYPE_CHECKING:
    from collections.abc import Callable

BIN = VENV / "bin"
CACHE = ROOT / ".cache"
CURRENT = CACHE / "contract.binpb"
BASELINE = ROOT / "tests" / "contract" / "baseline.binpb"
RESULTS = CACHE / "pytest.xml"
LANES = 3
"""How much runs side by side: two cores are left a quarter of the time by two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step ended."""

    name: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What pytest counted."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


def main() -> int:
    """Run what was asked for; the exit status is 0 only if all went well and tests ran."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lint", action="store_true", help="no tests")
    parser.add_argument("--fast", action="store_true", help="no alone-installs, no slow tests")
    parser.add_argument(
        "--coverage", action="store_true", help="say which lines no test runs; takes half as long again"
    )
    parser.add_argument(
        "--database",
        choices=["usual", "both", "sqlite", "postgresql"],
        default="usual",
        help="the databases on which the tests of stores run; usual: PostgreSQL too where it matters most",
    )
    options = parser.parse_args()
    started = time.monotonic()
    CACHE.mkdir(exist_ok=True)

    # The checks and the alone-installs share the cores; the big test run has them to itself afterwards.
    with ThreadPoolExecutor() as pool:
        lanes = [pool.submit(run_checks)]
        if not (options.lint or options.fast):
            lanes.append(pool.submit(run_alone))
        outcomes = [outcome for lane in lanes for outcome in lane.result()]
    figures = (
        Figures()
        if options.lint
        else run_tests(fast=options.fast, database=options.database, coverage=options.coverage)
    )

    broken = [outcome.name for outcome in outcomes if outcome.failed]
    if broken:
        print("broken: " + ", ".join(broken))
    print(f"check: {time.monotonic() - started:.0f} s")
    if options.lint:
        return 1 if broken else 0
    failed = figures.failed + len(broken)
    skipped = f", {figures.skipped} skipped" if figures.skipped else ""
    print(f"{figures.passed} passed, {failed} failed{skipped}")
    return 0 if figures.passed and not failed else 1


def run_checks() -> list[Outcome]:
    """Look at everything that can be judged without running it."""
    buf = str(BIN / "buf")
    image = [buf, "build", "--path", "proto/renkei", "--output", str(CURRENT)]
    # Images are compared, not folders: only so is a deleted file seen.
    breaking = [buf, "breaking", str(CURRENT), "--exclude-imports", "--config", "buf.yaml", "--against", str(BASELINE)]
    return [
        commands("ruff check", [str(BIN / "ruff"), "check", "--quiet", "--output-format=concise", "."]),
        commands("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "--diff", "."]),
        step("pinned build requirements", constraints.stale_pins),
        commands("buf lint", [buf, "lint"]),
        commands("buf format", [buf, "format", "--diff", "--exit-code", "--path", "proto/renkei"]),
        commands("buf breaking", image, breaking),
        commands("import rules", [str(BIN / "lint-imports"), "--no-logo", "--cache-dir", str(CACHE / "import-linter")]),
        commands("mypy", [str(BIN / "mypy")]),
    ]


def run_alone() -> list[Outcome]:
    """Install and test each service without the others."""
    alone.forget()
    wheels = step("wheels", alone.build_wheels)
    if wheels.failed:
        return [wheels]
    # One more than there are cores, since an install waits for the disk and a test for its servers.
    with ThreadPoolExecutor(max_workers=LANES) as pool:
        steps = [pool.submit(step, f"{name} alone", partial(alone.prove, name)) for name in alone.ALONE]
        steps.append(pool.submit(step, "renkei command alone", alone.prove_command))
        return [wheels, *(running.result() for running in steps)]


def run_tests(*, fast: bool, database: str, coverage: bool) -> Figures:
    """Run pytest over all tests, shown as it goes."""
    print("tests:", flush=True)
    RESULTS.unlink(missing_ok=True)
    words = [
        str(BIN / "python"),
        "-m",
        "pytest",
        "-q",
        f"--numprocesses={LANES}",
        "--dist=worksteal",
        f"--junitxml={RESULTS}",
    ]
    words.append(f"--database={database}")
    proven = 0
    if fast:
        words += ["-m", "not slow"]
    elif coverage:
        words += ["--cov", "--cov-report=term"]
    else:  # what a service passed alone is not run again beside the others; both count as one
        proven = alone.count()
        words.append(f"--proven={alone.FOLDER}")
    code = subprocess.run(words, cwd=ROOT, check=False).returncode
    if not RESULTS.is_file():
        return Figures(failed=1)
    # pytest wrote the file a moment ago.
    suites = ET.parse(RESULTS).getroot().iter("testsuite")  # noqa: S314
    counts = [[int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")] for suite in suites]
    tests, failures, errors, skipped = (sum(column) for column in zip(*counts, strict=True))
    failed = failures + errors
    # A crash fails the run without a failed test.
    return Figures(passed=tests - failed - skipped + proven, failed=failed or int(code != 0), skipped=skipped)


def commands(name: str, *lines: list[str]) -> Outcome:
    """Run commands as one step, one after the other up to the first that fails."""

    def work() -> list[str]:
        for words in lines:
            problems = alone.run(words)
            if problems:
                return problems
        return []

    return step(name, work)


def step(name: str, work: Callable[[], list[str]]) -> Outcome:
    """Run one step, which returns what is wrong, and print one line about it."""
    started = time.monotonic()
    problems = work()
    mark = "FAILED" if problems else "ok"
    line = f"{mark:<7}{name:<28}{time.monotonic() - started:6.1f} s"
    # In one write: steps of two lanes may end together.
    sys.stdout.write("\n".join([line, *problems]) + "\n")
    sys.stdout.flush()
    return Outcome(name=name, failed=bool(problems))


if __name__ == "__main__":
    os.chdir(ROOT)
    # Images of containers set it; each of the thousand processes of the tests would compile whatever it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with scratch.in_memory():
        status = main()
    sys.exit(status)
