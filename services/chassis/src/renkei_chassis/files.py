"""Small files that are whole or not there: written beside their place, synced, moved in."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is not there yet, or raise FileExistsError. It is never seen half."""
    _place(path, content, mode=mode, replace=False)


def replace(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file or put a new one in its place. A reader sees the old or the new one whole."""
    _place(path, content, mode=mode, replace=True)


def _place(path: Path, content: bytes, *, mode: int, replace: bool) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 (pathlib opens no descriptor)
            os.fchmod(descriptor, mode)  # whatever the umask says
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            beside.replace(path)
        else:
            os.link(beside, path)  # a rename would overwrite; a link refuses
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
