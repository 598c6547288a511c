"""Measure and write the figures: `make bench`, `make bench ONLY=name`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tests.bench.measured
from tests.bench import report
from tests.bench.figures import Bench, Figure, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[2]
FEWEST_PAIRS: Final = 5


def all_figures() -> list[Figure]:
    """Find the figures of every module in tests/bench/measured; two rows of one name are a mistake."""
    found: list[Figure] = []
    for module in sorted(pkgutil.iter_modules(tests.bench.measured.__path__), key=lambda module: module.name):
        found += importlib.import_module(f"tests.bench.measured.{module.name}").FIGURES
    names = [line.name for figure in found for line in figure.lines]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two rows are called {', '.join(sorted(twice))}")
    return found


def chosen(figures: Sequence[Figure], only: Sequence[str]) -> list[tuple[Figure, frozenset[str]]]:
    """Pick figures and their rows by name of either; everything where nothing is named. Raises ValueError."""
    picked = []
    unknown = set(only)
    for figure in figures:
        lines = {line.name for line in figure.lines}
        wanted = lines if not only or figure.name in only else lines.intersection(only)
        unknown -= {figure.name, *lines}
        if wanted:
            picked.append((figure, frozenset(wanted)))
    if unknown:
        raise ValueError(f"no figure and no row is called {', '.join(sorted(unknown))}")
    return picked


def measure(figure: Figure, wanted: frozenset[str], *, pairs: int, machine: str) -> list[Row]:
    """Measure one figure. Raises what it raises, and ValueError where a wanted row was not measured."""
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as directory:
        bench = Bench(directory=Path(directory), pairs=pairs, wanted=wanted)
        asyncio.run(figure.measure(bench))  # type: ignore[arg-type]  # a coroutine, though only declared awaitable
    missing = wanted - bench.results.keys()
    if missing:
        raise ValueError(f"{figure.name} did not measure {', '.join(sorted(missing))}")
    return [
        report.row_of(line, bench.results[line.name], machine) for line in figure.lines if line.name in bench.results
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write, print; 0 only where everything was measured and every bar reached."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help="names of figures or rows, with commas between")
    parser.add_argument("--pairs", type=int, default=FEWEST_PAIRS, help="how often each side is measured")
    parser.add_argument("--into", type=Path, default=ROOT / "docs", help="where the two files are")
    options = parser.parse_args(arguments)
    figures = all_figures()
    try:
        todo = chosen(figures, [name for name in options.only.split(",") if name])
    except ValueError as error:
        parser.error(str(error))
    machine = report.machine()
    good = True
    for figure, wanted in todo:
        started = time.monotonic()
        try:
            rows = measure(figure, wanted, pairs=max(options.pairs, FEWEST_PAIRS), machine=machine)
        except Exception:  # noqa: BLE001 (the other figures are worth having)
            traceback.print_exc()
            print(f"{figure.name}: not measured", flush=True)
            good = False
            continue
        report.write(options.into, figures, rows)
        print(f"{figure.name}: {time.monotonic() - started:.0f} s")
        for row in rows:
            print(f"  {_told(row)}", flush=True)
        good = good and all(row.ok for row in rows)
    return 0 if good else 1


def _told(row: Row) -> str:
    ratio = "" if row.ratio is None else f" ratio {row.ratio:g}"
    floor = "" if row.floor is None else f" floor {row.floor:g}"
    verdict = "" if not row.bar else f" [{row.bar}: {'ok' if row.ok else 'MISSED'}]"
    return f"{row.name}: {row.value:g} {row.unit}{floor}{ratio}{verdict}"


if __name__ == "__main__":
    sys.exit(main())
