"""Fuzz with an eye on coverage: `make fuzz MINUTES=n`, or `python -m tests.fuzz.guided --runs N [target…]`.

One process runs all targets: the first byte of an input says which, so that a short run starts once. libFuzzer, by way
of atheris, changes inputs and keeps those that reach new branches of our code. What breaks a target is written into its
kept corpus, where a plain test finds it from then on; so is, with --keep, the least set that reaches what was reached.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fuzz import corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / ".cache" / "fuzz"
OURS: Final = ["renkei_chassis", "renkei_exchange", "renkei_normalform", "renkei_node", "renkei_tips", "renkei_arrests"]
LONGEST: Final = 4096
FOUND: Final = 77
"""The exit status when a target was broken."""


def main(arguments: Sequence[str]) -> int:
    """Run, keep what was found, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--runs", type=int, default=0, help="so many inputs, the same each time")
    parser.add_argument("--minutes", type=float, default=0.0, help="as long as this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=WORK, help="where inputs grow and findings lie")
    parser.add_argument("--keep", action="store_true", help="add to the kept corpus what it does not reach yet")
    options = parser.parse_args(arguments)
    growing, findings = options.work / "growing", options.work / "findings"
    shutil.rmtree(findings, ignore_errors=True)
    for folder in (growing, findings):
        folder.mkdir(parents=True, exist_ok=True)
    names = lay_out(growing)
    code = fuzz(
        [
            f"-artifact_prefix={findings}/",
            f"-seed={options.seed}",
            *limits(options.runs, options.minutes),
            str(growing),
        ],
        options.targets,
    )
    broken = sorted(findings.iterdir())
    for path in broken:
        _keep(path, names)
    if options.keep:
        merge(growing, options.work / "merged", names)
    print(f"{len(broken)} inputs that break a target" + (", now in tests/fuzz/corpus" if broken else ""))  # noqa: T201
    return FOUND if code or broken else 0


def limits(runs: int, minutes: float) -> list[str]:
    """Say for libFuzzer how long to run, and how much one input may take."""
    longest = [f"-runs={runs}"] if runs else [f"-max_total_time={round(minutes * 60)}"]
    return [
        *longest,
        f"-max_len={LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=1500",
        "-print_final_stats=1",
        "-verbosity=0",
    ]


def lay_out(growing: Path) -> list[str]:
    """Put seeds and kept inputs where libFuzzer begins, each with the byte of its target in front."""
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 (the run that is guided must import it later)

    names = sorted(TARGETS)
    order = growing.with_name("targets.txt")
    if not order.is_file() or order.read_text().split() != names:  # the first bytes mean others now
        shutil.rmtree(growing)
        growing.mkdir()
        order.write_text("\n".join(names))
    for number, name in enumerate(names):
        for index, data in enumerate([*TARGETS[name].seeds, *corpus.kept(name)]):
            (growing / f"{name}-{index:04}").write_bytes(bytes([number]) + data[: LONGEST - 1])
    return names


def fuzz(flags: Sequence[str], targets: Sequence[str]) -> int:
    """Run libFuzzer in a process of its own, which it ends, and which it may start again to compare inputs."""
    WORK.mkdir(parents=True, exist_ok=True)
    program = WORK / "fuzz"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from tests.fuzz import guided; guided.run()" "$0" "$@"\n')
    program.chmod(0o700)
    environment = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", "RENKEI_FUZZ": " ".join(targets)}
    return subprocess.run([program, *flags], cwd=ROOT, env=environment, check=False).returncode


def merge(growing: Path, merged: Path, names: Sequence[str]) -> None:
    """Keep the least set of inputs that reaches what all of them reach."""
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir()
    fuzz(["-merge=1", "-verbosity=0", str(merged), str(growing)], [])
    for path in sorted(merged.iterdir()):
        _keep(path, names)


def _keep(path: Path, names: Sequence[str]) -> None:
    if data := path.read_bytes():
        corpus.keep(names[data[0] % len(names)], [data[1:]])


def run() -> None:
    """Hand the targets to libFuzzer; it never returns. Called in its own process."""
    import os  # noqa: PLC0415 (as all that is imported here)

    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # noqa: PLC0415

    with atheris.instrument_imports(include=OURS, enable_loader_override=False):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    names = sorted(TARGETS)
    chosen = os.environ["RENKEI_FUZZ"].split() or names
    runs = [TARGETS[name].run if name in chosen else _nothing for name in names]

    def one(data: bytes) -> None:
        if data:
            runs[data[0] % len(runs)](data[1:])

    atheris.Setup(sys.argv[1:], one)
    atheris.Fuzz()


def _nothing(_data: bytes) -> None:
    """Stand for a target that was not chosen."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
