"""Run a node for the harness: with a clock that can be turned, and with a planted bug where one is asked for.

Nothing of this is in what ships. The clock is turned inside the process, by putting another `time.time` in place
before the product is imported: libfaketime would need a package of the system, does not reach a running process
without a file of its own either, and stops the timers of the event loop with the wall clock. So nats-server, SQLite
and gRPC keep the machine's time, and everything of ours believes the turned one, from tokens to logs.
"""

from __future__ import annotations

import importlib
import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Final

CLOCK: Final = "RENKEI_TEST_CLOCK"
"""Names the file that holds how many nanoseconds the clock is ahead."""
PLANT: Final = "RENKEI_TEST_PLANT"
"""Names the planted bug."""
_OFFSET: Final = struct.Struct("<q")


def turn(path: Path, seconds: float) -> None:
    """Have the clock of a node ahead by so much, from now on; made if it is not there."""
    if not path.exists():
        path.write_bytes(_OFFSET.pack(0))
    with path.open("r+b") as file:
        file.write(_OFFSET.pack(int(seconds * 1e9)))


def main() -> None:
    """Turn the clock, plant the bug, run `renkei`."""
    if path := os.environ.get(CLOCK):
        _take_clock(Path(path))
    if name := os.environ.get(PLANT):
        importlib.import_module("tests.system.faults.planted").BUGS[name].plant()
    importlib.import_module("renkei_node.cli").main(["up", *sys.argv[1:]])


def _take_clock(path: Path) -> None:
    with path.open("rb") as file:
        offset = mmap.mmap(file.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)
    real, real_ns = time.time, time.time_ns

    def turned_ns() -> int:
        ahead: int = _OFFSET.unpack_from(offset)[0]
        return real_ns() + ahead

    def turned() -> float:
        return real() + float(_OFFSET.unpack_from(offset)[0]) / 1e9

    time.time, time.time_ns = turned, turned_ns


if __name__ == "__main__":
    main()
