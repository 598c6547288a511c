"""Run one of the larger figures with little of everything, to see that it runs: what it then says is no figure.

`python -m tests.bench.briefly` reads the figure's name from standard input and writes its rows in JSON. A process of
its own, as in `make bench`: it may block its loop.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.figures import Bench
from tests.bench.measured import bulk, creates_postgresql, growth, growth_lanes, rivals, telemetry, watching

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

BRIEFLY: Final[Mapping[str, Callable[[Bench], Awaitable[None]]]] = {
    "bulk": partial(bulk.bulk, rows=1000),
    "creates-postgresql": partial(creates_postgresql.creates, seconds=0.1, warm_seconds=0.0),
    "growth": partial(growth.growth, sizes={"1e4": 20, "1e5": 40, "1e6": 80}, seconds=0.1, warm_seconds=0.0),
    "growth-lanes": partial(growth_lanes.growth, few=3, many=4, records=320, idle_seconds=0.2),
    "rivals": partial(rivals.rivals, events=128),
    "telemetry": partial(telemetry.telemetry, seconds=0.2),
    "watch": partial(watching.watching, events=20, live=10, many=4),
}
_MODULES: Final = (bulk, creates_postgresql, growth, growth_lanes, rivals, telemetry, watching)
FIGURES: Final = {figure.name: figure for module in _MODULES for figure in module.FIGURES}


def main() -> int:
    """Measure with one pair."""
    name = sys.stdin.read()
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as directory:
        bench = Bench(directory=Path(directory), pairs=1, wanted=[line.name for line in FIGURES[name].lines])
        asyncio.run(BRIEFLY[name](bench))  # type: ignore[arg-type]  # a coroutine, though only declared awaitable
    json.dump(bench.results, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
