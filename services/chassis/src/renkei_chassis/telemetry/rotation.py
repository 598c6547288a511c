"""A log file that is replaced before it is too large: `node.log`, then `node.log.1` and older ones.

One process writes it, however many services it runs. Every line is whole, also after a kill -9 in the middle of one:
the next start ends the torn line before it writes. A kill between two renames leaves a number out and
nothing else. What cannot be rotated is written on: a log that is too long is better than none.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class RotatingFile:
    """Takes lines and keeps at most `files` files of at most `size` bytes each; a longer line has one to itself.

    Not for more than one thread: the log's writer has its own.
    """

    def __init__(self, path: Path, *, size: int, files: int) -> None:
        """Open or go on; raises OSError where the folder cannot be written. Files beyond the number are deleted."""
        if size < 1 or files < 1:
            raise ValueError("size and files must be positive")
        self._path = path
        self._size = size
        self._files = files
        self._torn = False
        self._handle = -1
        self._open()
        self._drop_beyond()

    def write(self, text: str) -> int:
        """Write whole lines, each with its end. Raises OSError where they do not fit on the disk."""
        lines = text.encode().splitlines(keepends=True)
        start = 0
        while start < len(lines):
            taken = size = 0
            room = self._size - self._length
            while start + taken < len(lines) and size + len(lines[start + taken]) <= room:
                size += len(lines[start + taken])
                taken += 1
            if not taken:
                if self._length and self._rotate():
                    continue
                taken = 1
            self._append(b"".join(lines[start : start + taken]))
            start += taken
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._handle = os.open(self._path, flags, 0o600)
        os.fchmod(self._handle, 0o600)
        self._length = os.fstat(self._handle).st_size
        self._torn = self._length > 0 and os.pread(self._handle, 1, self._length - 1) != b"\n"

    def _append(self, data: bytes) -> None:
        """Write all of it, or remember that a line is torn."""
        left = memoryview(b"\n" + data if self._torn else data)
        self._torn = True
        while left:
            written = os.write(self._handle, left)
            self._length += written
            left = left[written:]
        self._torn = False

    def _rotate(self) -> bool:
        """Move every file one further and begin a new one. False: it cannot be done now."""
        try:
            # From the oldest on: whatever a kill interrupts, no file is replaced by a newer one but the last.
            for number in range(self._files - 1, 0, -1):
                with suppress(FileNotFoundError):
                    os.replace(self._numbered(number - 1), self._numbered(number))  # noqa: PTH105 (str paths, no more)
            if self._files == 1:
                self._path.unlink(missing_ok=True)
        except OSError:
            # Part of them may have moved: whoever holds the name now is written to.
            self._reopen()
            return self._length == 0
        self._reopen()
        return True

    def _reopen(self) -> None:
        before = self._handle
        try:
            self._open()
        except OSError:  # the old file is still open, and so is still written to
            self._handle = before
            return
        os.close(before)

    def _drop_beyond(self) -> None:
        """Delete what an earlier, larger number of files left."""
        for file in self._path.parent.glob(f"{self._path.name}.*"):
            number = file.name.removeprefix(f"{self._path.name}.")
            if number.isdecimal() and int(number) >= self._files:
                file.unlink(missing_ok=True)

    def _numbered(self, number: int) -> str:
        return f"{self._path}.{number}" if number else str(self._path)
