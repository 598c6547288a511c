"""Remember which nats-server is ours across a crash of the node, and end it when it must go.

A pid says little once its process is gone, since the system gives it to the next comer. Ours is the
process of our user whose command line names our own configuration file; the pid file (pid and start
time) finds it quickly, and a look at all processes finds it where the file is missing or stale.

All functions block: call them in a thread.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAME_START_SECONDS: Final = 1.0
_ENDED: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
_ARGUMENTS: Final = 3


class DirectoryInUseError(RuntimeError):
    """Another living node owns this directory's nats-server."""


def command(binary: Path, configuration: Path) -> list[str]:
    """Give the command line by which our server is started and known."""
    return [str(binary), "-c", str(configuration)]


def lock(path: Path) -> int:
    """Lock the directory for as long as this process lives or until the descriptor is closed.

    Raises DirectoryInUseError if another process holds the lock.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DirectoryInUseError(f"another node runs in {path.parent}") from None
    return descriptor


def write_pid_file(path: Path, pid: int) -> None:
    """Note a process that was just started. One that has ended already leaves no note."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"pid": pid, "started": started}), encoding="ascii")
    fresh.replace(path)


def find_ours(pid_file: Path, configuration: Path) -> psutil.Process | None:
    """Give the living server of this configuration file, if there is one."""
    process = _noted(pid_file)
    if process is not None and _is_ours(process, configuration):
        return process
    return next((found for found in psutil.process_iter() if _is_ours(found, configuration)), None)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether the process still runs; one that waits to be reaped does not."""
    try:
        return process.is_running() and process.status() not in _ENDED
    except psutil.NoSuchProcess:
        return False


def end(process: psutil.Process, grace_seconds: float) -> None:
    """Ask the process to end, and kill it when it has not after the grace."""
    for signal in (process.terminate, process.kill):
        try:
            signal()
            process.wait(grace_seconds)
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            if not is_alive(process):
                return
        else:
            return


def _noted(pid_file: Path) -> psutil.Process | None:
    try:
        note = json.loads(pid_file.read_text(encoding="ascii"))
        process = psutil.Process(int(note["pid"]))
        is_same = abs(process.create_time() - float(note["started"])) < _SAME_START_SECONDS
    except (OSError, ValueError, KeyError, TypeError, OverflowError, psutil.Error):
        return None
    return process if is_same else None


def _is_ours(process: psutil.Process, configuration: Path) -> bool:
    try:
        return process.uids().real == os.getuid() and is_alive(process) and _names(process.cmdline(), configuration)
    except psutil.Error:
        return False


def _names(arguments: Sequence[str], configuration: Path) -> bool:
    return (
        len(arguments) == _ARGUMENTS
        and Path(arguments[0]).name == "nats-server"
        and arguments[1:] == ["-c", str(configuration)]
    )
