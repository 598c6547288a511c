"""`.venv` is made under a lock, and each of its steps runs again only when what it is made of has changed."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CREATE, INSTALL, GENERATE, TABLES, OURS = "create", "install third-party", "generate", "make the tables", "install our"
HTMX = "fetch htmx"


class Repository:
    """A repository whose steps are remembered and not run."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.steps: list[str] = []
        self.wanted: list[str] = []
        names = [*environment.DISTRIBUTIONS]
        for name in names:
            folder = root / "services" / name
            folder.mkdir(parents=True)
            requires = 'requires = ["hatchling==1"]\n'
            (folder / "pyproject.toml").write_text(
                f'[build-system]\n{requires}[project]\ndependencies = ["needed-by-{name}"]\n'
            )
        (root / "pyproject.toml").write_text('[dependency-groups]\ndev = ["a-tool"]\n')
        (root / "constraints.txt").write_text("a-tool==1\n")
        (root / "proto" / "renkei").mkdir(parents=True)
        (root / "proto" / "renkei" / "a.proto").write_text("// first\n")
        (root / "services" / "contract" / "hatch_build.py").write_text("# the generator\n")
        tables = root / "services" / "normalform"
        (tables / "hatch_build.py").write_text("# the maker of tables\n")
        (tables / "variants.txt").write_text("# rows\n")
        made = tables / "src" / "renkei_normalform" / "tables"
        made.mkdir(parents=True)
        (made / ".made-from").touch()
        htmx = root / "services" / "desk"
        (htmx / "hatch_build.py").write_text("# what fetches it\n")
        (htmx / "src" / "renkei_desk" / "static").mkdir(parents=True)
        (htmx / "src" / "renkei_desk" / "static" / "htmx.js").touch()
        generated = root / "services" / "contract" / "src" / "renkei"
        generated.mkdir(parents=True)
        (generated / "py.typed").touch()
        (root / ".venv").mkdir()
        monkeypatch.setattr(environment, "ROOT", root)
        monkeypatch.setattr(environment, "VENV", root / ".venv")
        monkeypatch.setattr(environment, "CONSTRAINTS", root / "constraints.txt")
        monkeypatch.setattr(environment, "CONTRACT", root / "services" / "contract" / "hatch_build.py")
        monkeypatch.setattr(environment, "TABLES", tables / "hatch_build.py")
        monkeypatch.setattr(environment, "HTMX", htmx / "hatch_build.py")
        monkeypatch.setattr(environment, "venv_fits", lambda: True)
        monkeypatch.setattr(environment, "step", self._step)
        monkeypatch.setattr(environment, "install_third_party", self.wanted.extend)
        monkeypatch.setattr(environment, "install_ours", lambda: None)
        monkeypatch.setattr(environment, "call", lambda command: None)

    def _step(self, what: str, work: Callable[[], None]) -> None:
        self.steps.append(what)
        work()

    def ran(self, *, dev: bool = False) -> list[str]:
        """Bring it up to date, and give the steps that this took."""
        self.steps.clear()
        self.wanted.clear()
        environment.bring_up_to_date(dev=dev)
        words = (CREATE, INSTALL, GENERATE, TABLES, HTMX, OURS)
        return [word for step in self.steps for word in words if step.startswith(word)]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return Repository(tmp_path, monkeypatch)


def test_what_is_up_to_date_is_left_alone(repository: Repository) -> None:
    assert repository.ran(dev=True) == [INSTALL, GENERATE, TABLES, HTMX, OURS]

    assert repository.ran(dev=True) == []
    assert repository.ran() == []


def test_the_tools_are_a_second_stamp_on_what_the_demo_installed(repository: Repository) -> None:
    repository.ran()

    assert repository.ran(dev=True) == [INSTALL]
    assert repository.wanted == ["a-tool"]


@pytest.mark.parametrize(
    ("file", "steps"),
    [
        ("constraints.txt", [INSTALL, GENERATE, TABLES, HTMX]),
        ("services/tips/pyproject.toml", [INSTALL, GENERATE, TABLES, HTMX, OURS]),
        ("proto/renkei/a.proto", [GENERATE]),
        ("services/contract/hatch_build.py", [GENERATE]),
        ("services/normalform/hatch_build.py", [TABLES]),
        ("services/normalform/variants.txt", [TABLES]),
        ("services/desk/hatch_build.py", [HTMX]),
    ],
)
def test_what_was_changed_is_made_anew(repository: Repository, file: str, steps: list[str]) -> None:
    repository.ran(dev=True)
    path = repository.root / file
    path.write_text(path.read_text().replace('"needed-by-tips"', '"needed-by-tips", "another"') + "\n# changed\n")

    assert repository.ran(dev=True) == steps
    assert repository.ran(dev=True) == []


def test_a_step_that_failed_runs_again(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(wanted: object) -> None:
        raise OSError("no network")

    with monkeypatch.context() as patched:
        patched.setattr(environment, "install_third_party", fail)
        with pytest.raises(OSError, match="no network"):
            repository.ran()

    assert repository.ran() == [INSTALL, GENERATE, TABLES, HTMX, OURS]


MAKE = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import environment
environment.ROOT = pathlib.Path(sys.argv[2])
with environment.lock():
    print("at work")
"""


def test_one_make_at_a_time_works_on_it(tmp_path: Path) -> None:
    (tmp_path / ".cache").mkdir()
    command = [sys.executable, "-c", MAKE, str(environment.ROOT / "make"), str(tmp_path)]
    with (tmp_path / ".cache" / "environment.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        first = other.stdout.readline()
    rest, _ = other.communicate(timeout=30)

    assert first == "environment: waiting for another make in this folder\n"
    assert rest == "at work\n"
    assert other.returncode == 0
