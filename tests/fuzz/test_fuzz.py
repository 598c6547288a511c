"""No decoder of foreign bytes does more than refuse: over every input that is kept, and a short guided run."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
RUNS = 6_000


def test_every_kept_input_belongs_to_a_target() -> None:
    files = {path.stem for path in corpus.FOLDER.glob("*")}

    assert files <= set(TARGETS)
    assert len(files) >= len(TARGETS) - 1


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_kept_inputs_are_refused_or_read(name: str) -> None:
    target = TARGETS[name]
    for data in (b"", *target.seeds, *corpus.kept(name)):
        target.run(data)


def test_kept_inputs_are_written_and_read_as_they_were(tmp_path: Path) -> None:
    inputs = [b"", b"\x00\xff\n'\"\\", "演習".encode()]

    assert corpus.keep("x", inputs, tmp_path) == 3
    assert corpus.keep("x", inputs, tmp_path) == 0
    assert sorted(corpus.kept("x", tmp_path)) == sorted(inputs)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
def test_a_short_guided_run_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.guided", "--runs", str(RUNS), "--work", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    executed = re.search(r"(?m)^stat::number_of_executed_units: (\d+)$", done.stderr)
    assert executed is not None
    assert int(executed[1]) >= RUNS  # the kept corpus may be run once more


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
def test_a_guided_run_finds_what_is_planted(tmp_path: Path) -> None:
    """Coverage leads it byte by byte to where chance alone would not come."""
    (tmp_path / "planted.py").write_text(
        "def read(data: bytes) -> None:\n"
        "    if data[:1] == b'R':\n"
        "        if data[1:2] == b'K':\n"
        "            if data[2:3] == b'!':\n"
        "                raise KeyError('planted')\n"
    )
    script = (
        "import sys, atheris\n"
        "with atheris.instrument_imports():\n"
        "    import planted\n"
        "atheris.Setup([sys.argv[0], '-runs=200000', '-seed=1', '-verbosity=0'], planted.read)\n"
        "atheris.Fuzz()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False
    )

    assert done.returncode not in {0, 1}
    assert "KeyError: 'planted'" in done.stdout + done.stderr
