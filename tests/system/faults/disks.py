"""A small disk for one node: an ext4 image, mounted by loop, to be filled or cut from power. Needs root."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

MEGABYTES: Final = 96
_CHUNK: Final = 1 << 20
_BUSY_SECONDS: Final = 10.0


@functools.cache
def impossible() -> str:
    """Say why there can be no such disk here; empty where there can. Tries it once."""
    if os.geteuid() != 0:
        return "mounting a disk needs root"
    with tempfile.TemporaryDirectory(prefix="renkei-disk-") as path:
        disk = Disk(Path(path), "try")
        try:
            disk.make()
            disk.unmount()
        except (OSError, subprocess.CalledProcessError):
            return "this machine lets no image be mounted by loop"
    return ""


class Disk:
    """One disk. Every method blocks."""

    def __init__(self, folder: Path, name: str) -> None:
        """Nothing is there before `make`."""
        self.mounted = folder / f"{name}.disk"
        self._image = folder / f"{name}.img"
        self._filler = self.mounted / "filler"

    def make(self) -> None:
        """Make and mount it, empty."""
        self.mounted.mkdir(parents=True)
        with self._image.open("wb") as file:
            file.truncate(MEGABYTES * _CHUNK)
        # Nothing kept for root: a full disk is full for everybody.
        _run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Mount it; the file system repairs itself from its journal."""
        _run("mount", "-o", "loop", str(self._image), str(self.mounted))

    def unmount(self) -> None:
        """Unmount it; nobody may be working there. What was killed a moment ago may hold it for another."""
        ends = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                _run("umount", str(self.mounted))
            except subprocess.CalledProcessError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.05)
            else:
                return

    def fill(self) -> None:
        """Write until nothing more goes on it."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (_CHUNK, 4096, 512):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))
            # ext4 gives out blocks late: now it knows.
            with suppress(OSError):
                os.fsync(file.fileno())

    def free(self) -> None:
        """Take away what `fill` wrote."""
        self._filler.unlink(missing_ok=True)

    def keep_what_is_safe(self) -> None:
        """Copy what the disk holds at this moment; what was not synced is not there. Whoever writes must be stopped."""
        shutil.copyfile(self._image, self._image.with_suffix(".safe"))

    def lose_the_rest(self) -> None:
        """Go on with what was kept, as after a power cut. Nobody may be working there."""
        self.unmount()
        self._image.with_suffix(".safe").replace(self._image)
        self.mount()

    def throw_away(self) -> None:
        """Unmount and remove it, whatever state it is in."""
        with suppress(subprocess.CalledProcessError):
            self.unmount()
        for path in (self._image, self._image.with_suffix(".safe")):
            path.unlink(missing_ok=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
