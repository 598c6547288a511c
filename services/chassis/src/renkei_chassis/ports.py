"""Claim free loopback ports below the ephemeral range, for as long as this process lives.

A claim is an exclusive lock on one small file a port, shared by every process of this user: demo,
tests and xdist workers run side by side and never hand out the same port twice. The kernel drops
the lock when the process ends, however it ends; the files stay, empty.

    with PortClaims() as ports:
        server = start(port=ports.claim())

Why not port 0: a server that restarts must find its port again, and the kernel hands numbers from
32768 on to any outgoing connection in the meantime.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LOWEST: Final = 15_000
HIGHEST: Final = 32_000
_FIRST_WITHOUT_ROOT: Final = 1024
_FIRST_EPHEMERAL: Final = 32_768
_STRIDE: Final = 64  # neighbours in time start their search this far apart
_LOOPBACK: Final = "127.0.0.1"


class NoFreePortError(OSError):
    """Every port of the range is claimed or in use."""


class PortClaims:
    """The ports that this process holds; closing it (or ending the process) gives them back."""

    def __init__(
        self,
        directory: Path | None = None,
        *,
        lowest: int = LOWEST,
        highest: int = HIGHEST,
    ) -> None:
        """Claim from `lowest` to `highest`, both included.

        The locks lie in `directory`; the default is one for each user of this machine.
        """
        if not _FIRST_WITHOUT_ROOT <= lowest <= highest < _FIRST_EPHEMERAL:
            message = f"ports {lowest}-{highest} do not lie between 1024 and 32767"
            raise ValueError(message)
        self._directory = _own_directory(directory or _default_directory())
        self._lowest = lowest
        self._count = highest - lowest + 1
        # A start that differs from process to process keeps a port that was just given back out of
        # use for a while: its last clients may still be calling there.
        self._next = os.getpid() * _STRIDE % self._count
        self._held: dict[int, int] = {}

    def claim(self) -> int:
        """Give a port that nobody listens on and nobody else has claimed.

        Raises NoFreePortError when the range is used up.
        """
        for port in self._candidates():
            if port in self._held:
                continue
            lock = _try_lock(self._directory / f"{port}.lock")
            if lock is None:
                continue
            if not is_free(port):
                os.close(lock)
                continue
            self._held[port] = lock
            self._next = port - self._lowest + 1
            return port
        message = f"no free port from {self._lowest} to {self._lowest + self._count - 1}"
        raise NoFreePortError(message)

    def claim_many(self, count: int) -> list[int]:
        """Give `count` different ports."""
        return [self.claim() for _ in range(count)]

    def release(self, port: int) -> None:
        """Give one port back; one that is not held is ignored."""
        lock = self._held.pop(port, None)
        if lock is not None:
            os.close(lock)

    def close(self) -> None:
        """Give every port back."""
        for port in tuple(self._held):
            self.release(port)

    @property
    def held(self) -> frozenset[int]:
        """The ports held now."""
        return frozenset(self._held)

    def __enter__(self) -> Self:
        """Give the claims themselves."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give every port back."""
        self.close()

    def _candidates(self) -> Iterator[int]:
        return (self._lowest + (self._next + step) % self._count for step in range(self._count))


def is_free(port: int, host: str = _LOOPBACK, *, ignore_lingering: bool = False) -> bool:
    """Tell whether a server could bind this port now.

    A listener on every address or one that shares its port counts as taken, and so do connections
    of an earlier server that still linger, unless `ignore_lingering`: a server that sets
    SO_REUSEADDR, as most do, does not mind them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if ignore_lingering:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _default_directory() -> Path:
    return Path(tempfile.gettempdir()) / f"renkei-ports-{os.getuid()}"


def _own_directory(directory: Path) -> Path:
    """Make the directory; refuse one that another user prepared in the shared temp directory."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700, parents=True)
    status = directory.lstat()
    if directory.is_symlink() or status.st_uid != os.getuid():
        message = f"{directory} belongs to somebody else"
        raise PermissionError(message)
    return directory


def _try_lock(path: Path) -> int | None:
    """Give an open, locked descriptor that no child program inherits, or None if it is taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
