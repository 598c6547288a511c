"""Write docs/performance.json and docs/performance.md: rows measured now, merged with those of earlier runs."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from typing import TYPE_CHECKING, Any, Final

from tests.bench.figures import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.bench.figures import Figure, Line

_GIGABYTE: Final = 1 << 30
_HEAD: Final = """\
# Performance

Written by `make bench`; do not edit.
`make bench ONLY=NAME` measures one figure, or one row, anew and keeps the others.
A ratio is taken against a floor that is measured in the same run, in turns, five times each or more.
All figures are medians.
Load comes from a process of its own, over HTTP/2, in messages of at least 600 bytes.
Compare the ratios: absolute figures are those of one machine.
"""


def machine() -> str:
    """Describe this machine so that somebody else's figures can be told from ours."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{os.cpu_count()} cores {_processor()}, {memory:.0f} GiB, {platform.system()} {kernel}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 (a file of the kernel's)
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def row_of(line: Line, result: tuple[float, float | None, float | None], machine: str) -> Row:
    """Judge a result by its bar."""
    value, floor, ratio = result
    return Row(
        name=line.name,
        what=line.what,
        value=_rounded(value),
        unit=line.unit,
        floor=None if floor is None else _rounded(floor),
        ratio=None if ratio is None else _rounded(ratio),
        bar="" if line.bar is None else str(line.bar),
        ok=line.bar is None or line.bar.reached(value=value, ratio=ratio),
        machine=machine,
    )


def write(directory: Path, figures: Sequence[Figure], fresh: Sequence[Row]) -> list[Row]:
    """Merge rows by name into the two files and return them all, in the order of the figures.

    Rows that no figure makes any more are dropped. What is written stands in the files alone.
    """
    known = {**_kept(directory / "performance.json"), **{row.name: row for row in fresh}}
    rows = [known[line.name] for figure in figures for line in figure.lines if line.name in known]
    (directory / "performance.json").write_text(
        json.dumps([dataclasses.asdict(row) for row in rows], ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    (directory / "performance.md").write_text(_page(figures, {row.name: row for row in rows}), encoding="utf-8")
    return rows


def _kept(path: Path) -> dict[str, Row]:
    if not path.exists():
        return {}
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {row["name"]: Row(**row) for row in found}


def _page(figures: Sequence[Figure], rows: Mapping[str, Row]) -> str:
    parts = [_HEAD]
    for figure in figures:
        mine = [rows[line.name] for line in figure.lines if line.name in rows]
        if not mine:
            continue
        parts.append(f"\n## {figure.name}\n\n| figure | value | floor | ratio | bar | |\n|---|---|---|---|---|---|\n")
        parts += [
            f"| `{row.name}`: {row.what} | {_text(row.value)} {row.unit} | {_text(row.floor)} | {_text(row.ratio)} "
            f"| {row.bar or '(shown)'} | {_mark(row)} |\n"
            for row in mine
        ]
    machines = dict.fromkeys(row.machine for row in rows.values())
    parts.append("\nMeasured on: " + "; ".join(machines) + ".\n")
    return "".join(parts)


def _mark(row: Row) -> str:
    if not row.bar:
        return ""
    return "reached" if row.ok else "**missed**"


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:,.10g}"


def _rounded(number: float) -> float:
    """Keep three digits that mean something, or all before the point."""
    return float(f"{number:.3g}") if abs(number) < 1000 else float(round(number))
