"""Leave out what was proven a moment ago: a test that passed in its service's own environment needs no second run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SUFFIX = ".passed"


def add_options(parser: pytest.Parser) -> None:
    """Let one run write what passed, and another leave it out."""
    parser.addoption("--passed-to", metavar="FILE", help="write the names of the tests that passed")
    parser.addoption("--proven", metavar="FOLDER", help=f"leave out the tests that stand in a file *{SUFFIX} there")


def configure(config: pytest.Config) -> None:
    """Note what passes, where that is asked for."""
    if path := config.getoption("--passed-to"):
        config.pluginmanager.register(_Passed(Path(path)))


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is proven already."""
    folder = config.getoption("--proven")
    if not folder:
        return
    known = {name for path in Path(folder).glob(f"*{SUFFIX}") for name in path.read_text().splitlines()}
    out = [item for item in items if item.nodeid in known]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item.nodeid not in known]


class _Passed:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._names[report.nodeid] = None
        elif not report.passed:  # also where only what comes after it failed
            self._names.pop(report.nodeid, None)

    def pytest_sessionfinish(self) -> None:
        self._path.write_text("".join(f"{name}\n" for name in self._names))
