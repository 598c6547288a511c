"""Bring `.venv` up to date: what the Makefile runs before everything else. Standard library only."""

# Keep this file readable for an old Python 3: it is what tells its user that a newer one is needed.
from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import grpc_js

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
CONTRACT = ROOT / "services" / "contract" / "hatch_build.py"
TABLES = ROOT / "services" / "normalform" / "hatch_build.py"
HTMX = ROOT / "services" / "desk" / "hatch_build.py"
# Dependencies come first, so that an editable install always finds what it builds with.
DISTRIBUTIONS = (
    "contract",
    "normalform",
    "files",
    "chassis",
    "tips",
    "arrests",
    "personas",
    "leads",
    "exchange",
    "desk",
    "node",
)


def main() -> int:
    """Make what is missing or stale and say what that was; silent and quick when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="with the tools that make test needs")
    options = parser.parse_args()
    if sys.version_info < OLDEST:
        return run_with_newer_python()
    missing = missing_modules()
    if missing:
        return refuse(missing)
    with lock():
        try:
            bring_up_to_date(dev=options.dev)
        except subprocess.CalledProcessError as error:
            return refuse("this command failed with status %d:\n  %s" % (error.returncode, " ".join(error.cmd)))
    return 0


def refuse(message: str) -> int:
    """Tell the user what is wrong; the answer is the exit status."""
    print("environment: " + message, file=sys.stderr)
    return 1


def run_with_newer_python() -> int:
    """Start again with a Python that is new enough, or say that there is none."""
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    return refuse("Python 3.11 or newer is needed; python3 here is %d.%d. Try make PYTHON=..." % sys.version_info[:2])


def missing_modules() -> str:
    """Name the package to install when this Python cannot make virtual environments."""
    from importlib.util import find_spec

    absent = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if not absent:
        return ""
    package = "python%d.%d-venv" % sys.version_info[:2]
    return "%s has no module %s. On Debian and Ubuntu: apt-get install python3-venv (or %s)" % (
        sys.executable,
        " and ".join(absent),
        package,
    )


@contextmanager
def lock() -> Iterator[None]:
    """Let one make at a time work on `.venv`."""
    import fcntl

    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    with (folder / "environment.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("environment: waiting for another make in this folder", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def bring_up_to_date(*, dev: bool) -> None:
    """Run each step whose inputs are not the ones it last ran with."""
    if not venv_fits():
        step("create .venv with Python %d.%d" % sys.version_info[:2], create_venv)
    stamps = Stamps(VENV / "renkei-stamps.json")
    run, tools = run_requirements(), group_requirements("dev")
    constraints = CONSTRAINTS.read_bytes()
    run_stamp, dev_stamp = fingerprint(constraints, run), fingerprint(constraints, tools)

    stale_run = stamps.differ("run", run_stamp)
    stale_dev = dev and stamps.differ("dev", dev_stamp)
    if stale_run or stale_dev:
        wanted = (run if stale_run else []) + (tools if stale_dev else [])
        step("install third-party packages at the versions of constraints.txt", lambda: install_third_party(wanted))
        stamps.keep(**({"run": run_stamp} if stale_run else {}), **({"dev": dev_stamp} if stale_dev else {}))

    contract_stamp = fingerprint([run_stamp], CONTRACT.read_bytes(), *contents_of(protos()))
    generated = ROOT / "services" / "contract" / "src" / "renkei" / "py.typed"
    if stamps.differ("contract", contract_stamp) or not generated.is_file():
        step("generate Python from proto/", lambda: call([PYTHON, CONTRACT]))
        stamps.keep(contract=contract_stamp)

    tables_stamp = fingerprint([run_stamp], *contents_of([TABLES, TABLES.with_name("variants.txt")]))
    made = TABLES.parent / "src" / "renkei_normalform" / "tables" / ".made-from"
    if stamps.differ("tables", tables_stamp) or not made.is_file():
        step("make the tables of normal forms", lambda: call([PYTHON, TABLES]))
        stamps.keep(tables=tables_stamp)

    htmx_stamp = fingerprint([run_stamp], *contents_of([HTMX]))
    if stamps.differ("htmx", htmx_stamp) or not (HTMX.parent / "src" / "renkei_desk" / "static" / "htmx.js").is_file():
        step("fetch htmx", lambda: call([PYTHON, HTMX]))
        stamps.keep(htmx=htmx_stamp)

    ours_stamp = fingerprint(*contents_of([ROOT / "services" / name / "pyproject.toml" for name in DISTRIBUTIONS]))
    if stamps.differ("ours", ours_stamp):
        step("install our %d distributions, editable" % len(DISTRIBUTIONS), install_ours)
        stamps.keep(ours=ours_stamp)

    if dev and grpc_js.stale():
        step("install the packages of the tests' Node.js client", grpc_js.install)


def venv_fits() -> bool:
    """Tell whether `.venv` is there, works, and was made at this place by this version of Python."""
    place = VENV / "renkei-place.txt"
    if not PYTHON.exists() or not place.is_file() or place.read_text() != str(VENV):
        return False
    code = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == "%d.%d" % sys.version_info[:2]


def create_venv() -> None:
    """Make an empty environment with the pip that constraints.txt names."""
    call([sys.executable, "-m", "venv", "--clear", VENV])
    pip("install", "--constraint", CONSTRAINTS, "--upgrade", "pip")
    # The commands in an environment name its path: it cannot move.
    (VENV / "renkei-place.txt").write_text(str(VENV))


def install_third_party(requirements: list[str]) -> None:
    """Install what others publish. Our own names never go to a registry: a stranger could own them there."""
    pip("install", "--constraint", CONSTRAINTS, "--no-compile", *requirements)
    compile_on_all_cores(VENV / "lib")


def install_ours() -> None:
    """Install our distributions by path, with the build tools that are already in `.venv`."""
    paths = [argument for name in DISTRIBUTIONS for argument in ("--editable", ROOT / "services" / name)]
    pip("install", "--no-build-isolation", "--no-deps", "--no-index", *paths)
    pip("check")
    compile_on_all_cores(ROOT / "services")


def compile_on_all_cores(folder: Path) -> None:
    """Compile once: quicker than pip's one by one, or than seven nodes that start and all do the same."""
    command = [PYTHON, "-m", "compileall", "-q", "-j", "0", folder]
    # A package may carry files for another Python, which do not compile; nobody imports them.
    subprocess.run([str(part) for part in command], capture_output=True, check=False)


def run_requirements() -> list[str]:
    """List what our distributions need from others, to be built and to run, with every extra."""
    found: set[str] = set()
    for name in DISTRIBUTIONS:
        document = distribution(name)
        found.update(document["build-system"]["requires"], document["project"]["dependencies"], extras(name))
    return sorted(requirement for requirement in found if not requirement.startswith("renkei-"))


def extras(name: str) -> list[str]:
    """List what a distribution of ours needs for the sake of its extras."""
    optional = distribution(name)["project"].get("optional-dependencies", {})
    return sorted({requirement for extra in optional.values() for requirement in extra})


def distribution(name: str) -> dict[str, Any]:
    """Read the pyproject.toml of a distribution of ours."""
    import tomllib

    return tomllib.loads((ROOT / "services" / name / "pyproject.toml").read_text())


def group_requirements(group: str) -> list[str]:
    """List a dependency group of the root pyproject.toml, with the groups it includes."""
    import tomllib

    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    found: set[str] = set()
    for entry in groups[group]:
        found.update(group_requirements(entry["include-group"]) if isinstance(entry, dict) else [entry])
    return sorted(found)


def protos() -> list[Path]:
    """List our protobuf files."""
    return sorted((ROOT / "proto" / "renkei").rglob("*.proto"))


def contents_of(paths: list[Path]) -> list[bytes]:
    """Read files, each with its place in the repository in front."""
    return [path.relative_to(ROOT).as_posix().encode() + b"\n" + path.read_bytes() for path in paths]


class Stamps:
    """What each step last ran with, kept in the environment it made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = json.loads(path.read_text()) if path.is_file() else {}

    def differ(self, name: str, value: str) -> bool:
        """Tell whether a step has to run again."""
        return self._values.get(name) != value

    def keep(self, **values: str) -> None:
        """Remember finished steps at once: the next one may fail."""
        self._values.update(values)
        self._path.write_text(json.dumps(self._values, indent=1))


def fingerprint(*parts: bytes | Iterable[str]) -> str:
    """Reduce the inputs of a step to a short string."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else "\n".join(part).encode()
        digest.update(b"%d " % len(content) + content)
    return digest.hexdigest()


def step(what: str, work: Callable[[], None]) -> None:
    """Run one step, and show it and the time it took on one line."""
    print("environment: " + what + " ...", end="", flush=True)
    started = time.monotonic()
    try:
        work()
    except BaseException:
        print(flush=True)
        raise
    print(" %.1f s" % (time.monotonic() - started), flush=True)


def pip(*arguments: str | Path) -> None:
    """Run the pip of `.venv`, which takes index and proxy from this machine's configuration."""
    call([PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", *arguments])


def call(command: list[str | Path]) -> None:
    """Run a command; what it prints is shown only when it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print("\n" + done.stdout + done.stderr, file=sys.stderr, flush=True)
        raise subprocess.CalledProcessError(done.returncode, words)


if __name__ == "__main__":
    sys.exit(main())
