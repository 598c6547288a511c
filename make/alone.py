"""Install each service in an empty environment and run its tests there: nothing may lean on a neighbour."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from environment import (
    CONSTRAINTS,
    DISTRIBUTIONS,
    PYTHON,
    ROOT,
    distribution,
    extras,
    fingerprint,
    group_requirements,
    run_requirements,
)

if TYPE_CHECKING:
    from pathlib import Path

# What takes longest comes first, so that no lane runs alone at the end.
ALONE = ("personas", "chassis", "tips", "leads", "exchange", "normalform", "arrests", "desk", "files")
FOLDER = ROOT / ".cache" / "alone"
OURS = FOLDER / "wheels" / "ours"
OTHERS = FOLDER / "wheels" / "others"
PIP = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"]


def build_wheels() -> list[str]:
    """Build our wheels, and gather those of others once for all environments. Return what went wrong."""
    OURS.mkdir(parents=True, exist_ok=True)
    for old in OURS.iterdir():
        old.unlink()
    paths = [str(ROOT / "services" / name) for name in DISTRIBUTIONS]
    problems = run([*PIP, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(OURS), *paths])
    return problems or gather_others()


def gather_others() -> list[str]:
    """Fetch the wheels of others that constraints.txt names, unless they are here already."""
    wanted = sorted({*run_requirements(), *group_requirements("test")})
    stamp, value = OTHERS / "stamp.txt", fingerprint(CONSTRAINTS.read_bytes(), wanted, [sys.version])
    if stamp.is_file() and stamp.read_text() == value:
        return []
    problems = run([*PIP, "wheel", "--constraint", str(CONSTRAINTS), "--wheel-dir", str(OTHERS), *wanted])
    if not problems:
        stamp.write_text(value)
    return problems


def prove(name: str) -> list[str]:
    """Install one service with what it declares, and run its tests there. Return what went wrong."""
    tests = ROOT / "tests" / name
    if not any(tests.rglob("test_*.py")):
        return [f"no tests in {tests.relative_to(ROOT)}"]
    environment = FOLDER / name
    # With a cache of its own, so that it does not argue with the big run about the last failures.
    cache = f"cache_dir={environment / 'pytest-cache'}"
    # A server is no neighbour that a service could lean on, and the big run asks it.
    words = ["-m", "pytest", "-q", "-o", cache, "--database=sqlite", str(tests)]
    passed = f"--passed-to={FOLDER / name}.passed"
    problems = install(name, environment) or run([python_of(environment), *words, passed])
    if name == "chassis" and not problems:  # it brings what speaks to a server
        one = str(tests / "database" / "test_same_answers.py")
        problems = run([python_of(environment), *words[:-2], "--database=postgresql", one])
    return problems


def forget() -> None:
    """Forget what passed in earlier runs."""
    for path in FOLDER.glob("*.passed"):
        path.unlink()


def count() -> int:
    """Count the tests that passed alone."""
    return sum(len(path.read_text().splitlines()) for path in FOLDER.glob("*.passed"))


def prove_command() -> list[str]:
    """Install the node and start its command: the tests of the node need no second run. Return what went wrong."""
    environment = FOLDER / "node"
    return install("node", environment) or run([str(environment / "bin" / "renkei"), "--help"])


def install(name: str, environment: Path) -> list[str]:
    """Make the environment of one service, unless it was made from the very same wheels."""
    wheels = [wheel_of(part) for part in sorted(closure(name))]
    digests = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
    more = [*extras(name), *group_requirements("test")]
    stamp, value = environment / "stamp.txt", fingerprint(digests, more, CONSTRAINTS.read_bytes(), [sys.version])
    if stamp.is_file() and stamp.read_text() == value:
        return []
    problems = run([str(PYTHON), "-m", "venv", "--clear", "--without-pip", str(environment)])
    # Ours by path and others from the folder: nothing is asked of a registry, where a stranger could own our names.
    pip = [*PIP, "--python", python_of(environment)]
    command = [*pip, "install", "--no-compile", "--no-index", "--find-links", str(OTHERS)]
    command += ["--constraint", str(CONSTRAINTS), *map(str, wheels), *more]
    problems = problems or run(command) or run([*pip, "check"])
    if not problems:
        stamp.write_text(value)
    return problems


def python_of(environment: Path) -> str:
    """Name the interpreter of an environment."""
    return str(environment / "bin" / "python")


def closure(name: str) -> set[str]:
    """Name the distributions of ours that one declares, and those that they declare."""
    found = {name}
    for requirement in distribution(name)["project"]["dependencies"]:
        if match := re.match(r"renkei-(\w+)", requirement):
            found |= closure(match[1])
    return found


def wheel_of(name: str) -> Path:
    """Find the wheel that was just built."""
    (wheel,) = OURS.glob(f"renkei_{name}-*.whl")
    return wheel


def run(command: list[str]) -> list[str]:
    """Run a command and return what it printed if it failed, nothing if it did not."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return [] if done.returncode == 0 else [done.stdout.strip() or f"status {done.returncode}"]
