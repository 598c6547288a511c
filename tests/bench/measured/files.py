"""Import of a cp932 CSV, against a bulk load of the same records that were made before."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
from itertools import count
from typing import TYPE_CHECKING, Final

from renkei_chassis.ports import PortClaims
from tests.bench.figures import Bar, Figure, Line
from tests.bench.pairs import alternate, compare
from tests.bench.processes import ROOT
from tests.bench.tips_service import tips_service
from tests.node.files.node import TIP_HEADER, csv_of, tip_row, write_directory

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.figures import Bench

_ROWS: Final = int(os.environ.get("RENKEI_BENCH_ROWS", "200000"))
_BAR: Final = Bar(limit=0.6)


async def imports(bench: Bench) -> None:
    """Measure pairs of a fifth of the rows each, and then one file with all of them."""
    directory, numbers = bench.directory / "jp-12", count(1)
    with PortClaims() as ports:
        async with tips_service(bench.directory / "tips", ports.claim()) as tips:
            await asyncio.to_thread(write_directory, directory, {"tips": tips.port})

            async def side(module: str, rows: int) -> dict[str, float]:
                number = next(numbers)
                file = bench.directory / f"{number}.csv"
                await asyncio.to_thread(_write, file, number, rows)
                return await _told(module, directory, file, tips.token)

            results = await alternate(
                {
                    "import": lambda: side("tests.bench.importer", _ROWS // 5),
                    "load": lambda: side("tests.bench.floors.bulk_load", _ROWS // 5),
                },
                rounds=bench.pairs,
            )
            rates = {name: [each["rows"] / each["seconds"] for each in found] for name, found in results.items()}
            value, floor, ratio = compare(rates["import"], rates["load"])
            whole = await side("tests.bench.importer", _ROWS)
    rate, base = whole["rows"] / whole["seconds"], statistics.median(rates["load"])
    for name, given in {
        "import-pairs": (value, floor, ratio),
        "import-whole": (rate, base, rate / base),
        "import-memory": (whole["peak_mb"], None, None),
    }.items():
        if bench.wants(name):
            bench.record(name, value=given[0], floor=given[1], ratio=given[2])


async def reading(bench: Bench) -> None:
    """Read a file of five times as many rows, and send nothing."""
    file = bench.directory / "million.csv"
    await asyncio.to_thread(_write, file, 0, 5 * _ROWS)
    found = await _told("tests.bench.reader", bench.directory, file, "")
    if found["rows"] != 5 * _ROWS:
        raise RuntimeError("rows were refused")
    for name, value in {"read-million": found["rows"] / found["seconds"], "read-memory": found["peak_mb"]}.items():
        if bench.wants(name):
            bench.record(name, value=value)


def _write(file: Path, number: int, rows: int) -> None:
    with file.open("wb") as written:
        written.write(csv_of([TIP_HEADER]))
        for start in range(0, rows, 1000):
            some = range(start, min(start + 1000, rows))
            written.write(csv_of(tip_row(row, 管理番号=f"演{number}-{row}") for row in some))


async def _told(module: str, directory: Path, file: Path, token: str) -> dict[str, float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(directory), str(file),
        cwd=ROOT,
        env={**os.environ, "RENKEI_TOKEN": token},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, _ = await child.communicate()
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if child.returncode:
        raise RuntimeError(f"{module} failed")
    found: dict[str, float] = json.loads(said)
    return found


FIGURES: Final = [
    Figure(
        name="import",
        lines=[
            Line(
                name="import-pairs",
                what="`renkei tips import` of cp932 CSV, 40,000 rows a time, against a bulk load of the same records",
                unit="rows/s",
                bar=_BAR,
            ),
            Line(name="import-whole", what="the same of one file of 200,000 rows", unit="rows/s", bar=_BAR),
            Line(
                name="import-memory",
                what="peak resident memory of the process that imports 200,000 rows",
                unit="MB",
                bar=Bar(limit=160, of="value", at_least=False),
            ),
        ],
        measure=imports,
    ),
    Figure(
        name="read",
        lines=[
            Line(name="read-million", what="10^6 rows of a cp932 CSV read into the messages of a load", unit="rows/s"),
            Line(
                name="read-memory",
                what="peak resident memory of the process that reads 10^6 rows",
                unit="MB",
                bar=Bar(limit=160, of="value", at_least=False),
            ),
        ],
        measure=reading,
    ),
]
