"""Where the tests keep their files: in memory, where the machine has enough of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/dev/shm")  # noqa: S108 (the folder below it is made for us alone)
ROOM_BYTES = 4 << 30
"""Several times what a whole run leaves behind before it ends."""


@contextmanager
def in_memory() -> Iterator[None]:
    """Have whatever is started meanwhile keep its temporary files in memory, if there is room and nobody chose a place.

    No test asks for the disk of this machine: where the power is cut, or a disk is full, the test brings its own.
    """
    if "TMPDIR" in os.environ or not has_room(MEMORY):
        yield
        return
    # What a killed test left mounted is no reason to fail.
    with tempfile.TemporaryDirectory(prefix="renkei-tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # the tests' PostgreSQL server runs as another user
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            del os.environ["TMPDIR"]


def has_room(memory: Path) -> bool:
    """Tell whether files can lie there, programs among them, and the machine keeps as much again for itself."""
    if not os.access(memory, os.W_OK):
        return False
    there = os.statvfs(memory)
    fits = there.f_bavail * there.f_frsize >= ROOM_BYTES and psutil.virtual_memory().available >= 2 * ROOM_BYTES
    return fits and not there.f_flag & os.ST_NOEXEC
