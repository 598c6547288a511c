"""Start the nodes' processes before anything else: they load their code while the demo still loads its own.

Each is tethered: it waits for a line on its standard input before it reads its directory, and it stops in
good order when that input ends. So however the demo ends, kill -9 included, no node and no nats-server stays.
Imports next to nothing, on purpose.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_STOP_SECONDS: Final = 20.0


def launch(directory: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start the process of a node whose directory need not be there before `let_go`. Blocks for a moment."""
    with output.open("ab") as written:
        return subprocess.Popen(
            [sys.executable, "-m", "renkei_node.cli", "up", "--tethered", str(directory)],
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=written,
            start_new_session=True,  # Ctrl-C is ours to handle: every node is stopped in good order
        )


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Let a launched node start: its directory is whole. One that has died already is found out by its waiter."""
    assert process.stdin is not None  # noqa: S101 (see launch)
    with suppress(BrokenPipeError):
        process.stdin.write(b"\n")
        process.stdin.flush()


@contextmanager
def launched(path: Path, codes: Iterable[str]) -> Iterator[Mapping[str, subprocess.Popen[bytes]]]:
    """Launch a node for each agency in a folder of `path`; at the end none of them is left."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for code in codes:
            processes[code] = launch(path / code, early_output(path, code))
        yield processes
    finally:
        for process in processes.values():
            cut(process)
        for process in processes.values():
            end(process)


def early_output(path: Path, code: str) -> Path:
    """Say where a node writes that has no directory yet."""
    return path / f"{code}.txt"


def cut(process: subprocess.Popen[bytes]) -> None:
    """End a node's standard input, and so the node."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a node that was told to stop, and kill it when it does not. Blocks."""
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
