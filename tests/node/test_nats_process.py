"""There is one server or none, never two, and none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from renkei_chassis.courier import Connection, Endpoint, UserKey, generate_user_key
from renkei_node.nats_server import (
    DirectoryInUseError,
    NatsServer,
    NatsServerError,
    PortTakenError,
    ServerConfiguration,
)
from renkei_node.nats_server.ownership import find_ours, is_alive, write_pid_file
from renkei_node.ports import PortClaims

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

KEY = generate_user_key(bytes(32))

# A node that starts its server, says so, and waits to be killed.
_NODE = """
import asyncio, sys
from pathlib import Path
from renkei_node.nats_server import NatsServer, ServerConfiguration

async def main():
    directory = Path(sys.argv[1])
    configuration = ServerConfiguration(
        agency="jp-13", port=int(sys.argv[2]), store_directory=directory / "store", local_public_key=sys.argv[3]
    )
    server = NatsServer(configuration, directory)
    await server.start()
    print(server.status.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory whose server does not outlive the test, whoever started it."""
    directory = tmp_path / "nats"
    yield directory
    while (process := find_ours(directory / "nats.pid", directory / "nats.conf")) is not None:
        process.kill()
        process.wait(10)


@pytest.fixture
def configuration(directory: Path) -> Iterator[ServerConfiguration]:
    with PortClaims() as claims:
        yield ServerConfiguration(
            agency="jp-13", port=claims.claim(), store_directory=directory / "store", local_public_key=KEY.public
        )


def processes_of(directory: Path) -> list[int]:
    conf = str(directory / "nats.conf")
    return [found.pid for found in psutil.process_iter(["cmdline"]) if conf in (found.info["cmdline"] or ())]


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await asyncio.to_thread(condition):
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def started(server: NatsServer) -> AsyncIterator[NatsServer]:
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def can_connect(server: NatsServer, key: UserKey = KEY) -> bool:
    connection = Connection(Endpoint(url=server.url, key=key, name="test"))
    task = asyncio.create_task(connection.run())
    try:
        async with asyncio.timeout(5):
            await (await connection.link()).client.flush()
    finally:
        task.cancel()
        await asyncio.wait({task})
    return True


async def test_a_started_server_serves_and_a_stopped_one_leaves_nothing(
    configuration: ServerConfiguration, directory: Path
) -> None:
    server = NatsServer(configuration, directory)
    async with started(server):
        assert await can_connect(server)
        assert await asyncio.to_thread(processes_of, directory) == [server.status.pid]

    assert not await asyncio.to_thread(processes_of, directory)
    assert not await asyncio.to_thread((directory / "nats.pid").exists)
    assert server.status.pid is None


async def test_what_it_writes_is_for_its_owner_alone(configuration: ServerConfiguration, directory: Path) -> None:
    async with started(NatsServer(configuration, directory)):
        modes = await asyncio.to_thread(
            lambda: [path.stat().st_mode & 0o077 for path in (directory, directory / "nats.conf")]
        )

    assert modes == [0, 0]


async def test_a_killed_server_is_started_again(configuration: ServerConfiguration, directory: Path) -> None:
    server = NatsServer(configuration, directory)
    async with started(server):
        first = server.status.pid
        assert first is not None
        running = asyncio.create_task(server.run())
        try:
            os.kill(first, signal.SIGKILL)
            await until(lambda: server.status.pid not in {None, first})

            assert await can_connect(server)
            assert server.status.restarts == 1
            assert server.status.last_error == "ServerDied"
        finally:
            running.cancel()
            await asyncio.wait({running})

    assert not await asyncio.to_thread(processes_of, directory)


def orphan(configuration: ServerConfiguration, directory: Path) -> int:
    """Start a server from a node, kill the node, and give the server's pid."""
    command = [sys.executable, "-c", _NODE, str(directory), str(configuration.port), configuration.local_public_key]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        pid = int(node.stdout.readline())
        node.kill()
        node.wait(10)
    assert psutil.pid_exists(pid)
    return pid


async def test_the_orphan_of_a_killed_node_is_adopted(configuration: ServerConfiguration, directory: Path) -> None:
    pid = await asyncio.to_thread(orphan, configuration, directory)

    server = NatsServer(configuration, directory)
    async with started(server):
        assert server.status.adopted
        assert server.status.pid == pid
        assert await can_connect(server)

    assert not await asyncio.to_thread(psutil.pid_exists, pid)


async def test_an_adopted_server_that_dies_is_started_again(
    configuration: ServerConfiguration, directory: Path
) -> None:
    pid = await asyncio.to_thread(orphan, configuration, directory)
    server = NatsServer(configuration, directory)
    async with started(server):
        running = asyncio.create_task(server.run())
        try:
            os.kill(pid, signal.SIGKILL)
            await until(lambda: server.status.pid not in {None, pid})

            assert not server.status.adopted
            assert await can_connect(server)
        finally:
            running.cancel()
            await asyncio.wait({running})


async def test_an_orphan_without_a_pid_file_is_found_all_the_same(
    configuration: ServerConfiguration, directory: Path
) -> None:
    """The node died between starting the server and noting it."""
    pid = await asyncio.to_thread(orphan, configuration, directory)
    await asyncio.to_thread((directory / "nats.pid").unlink)

    server = NatsServer(configuration, directory)
    async with started(server):
        assert server.status.pid == pid


async def test_an_orphan_with_another_configuration_is_ended(
    configuration: ServerConfiguration, directory: Path
) -> None:
    pid = await asyncio.to_thread(orphan, configuration, directory)
    other = generate_user_key()

    server = NatsServer(replace(configuration, local_public_key=other.public), directory)
    async with started(server):
        assert not server.status.adopted
        assert await asyncio.to_thread(processes_of, directory) == [server.status.pid]
        assert await can_connect(server, other)
    assert not await asyncio.to_thread(psutil.pid_exists, pid)


@pytest.mark.slow
async def test_an_orphan_that_no_longer_answers_is_ended(configuration: ServerConfiguration, directory: Path) -> None:
    pid = await asyncio.to_thread(orphan, configuration, directory)
    os.kill(pid, signal.SIGSTOP)

    server = NatsServer(configuration, directory)
    async with started(server):
        assert server.status.pid != pid
        assert await can_connect(server)
    assert not await asyncio.to_thread(psutil.pid_exists, pid)


async def test_a_stranger_that_got_the_noted_pid_is_left_alone(
    configuration: ServerConfiguration, directory: Path
) -> None:
    stranger = await asyncio.to_thread(
        subprocess.Popen, [sys.executable, "-c", "import signal; signal.pause()"], stdin=subprocess.DEVNULL
    )
    try:
        await asyncio.to_thread(directory.mkdir)
        await asyncio.to_thread(write_pid_file, directory / "nats.pid", stranger.pid)

        async with started(NatsServer(configuration, directory)):
            pass

        assert stranger.poll() is None
    finally:
        stranger.kill()
        await asyncio.to_thread(stranger.wait)


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": -1, "started": 0}', '{"pid": 1e999, "started": 0}', "12"])
async def test_a_senseless_pid_file_is_no_hindrance(
    configuration: ServerConfiguration, directory: Path, note: str
) -> None:
    await asyncio.to_thread(directory.mkdir)
    await asyncio.to_thread((directory / "nats.pid").write_text, note)

    async with started(NatsServer(configuration, directory)) as server:
        assert server.status.pid is not None


async def test_a_taken_port_is_a_clear_error_and_leaves_nothing(
    configuration: ServerConfiguration, directory: Path
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", configuration.port))
        listener.listen()
        server = NatsServer(configuration, directory)

        with pytest.raises(PortTakenError, match=f"port {configuration.port} is taken by another program"):
            await server.start()

        await server.stop()
    assert not await asyncio.to_thread(processes_of, directory)


async def test_a_port_that_comes_free_is_taken_by_the_running_supervisor(
    configuration: ServerConfiguration, directory: Path
) -> None:
    server = NatsServer(configuration, directory)
    listener = socket.socket()
    listener.bind(("127.0.0.1", configuration.port))
    listener.listen()
    running = asyncio.create_task(server.run())
    try:
        await until(lambda: server.status.last_error == "PortTakenError")

        listener.close()

        await until(lambda: server.status.pid is not None)
        assert await can_connect(server)
    finally:
        listener.close()
        running.cancel()
        await asyncio.wait({running})
        await server.stop()
    assert not await asyncio.to_thread(processes_of, directory)


async def test_two_nodes_never_share_a_directory(configuration: ServerConfiguration, directory: Path) -> None:
    async with started(NatsServer(configuration, directory)) as server:
        second = NatsServer(configuration, directory)

        with pytest.raises(DirectoryInUseError):
            await second.start()

        await second.stop()
        assert await asyncio.to_thread(processes_of, directory) == [server.status.pid]


async def test_a_program_that_ends_at_once_is_a_clear_error(
    configuration: ServerConfiguration, directory: Path
) -> None:
    server = NatsServer(configuration, directory, binary=Path("/bin/false"))

    with pytest.raises(NatsServerError, match=r"nats\.log"):
        await server.start()

    await server.stop()


async def test_a_start_that_is_cancelled_leaves_nothing(configuration: ServerConfiguration, directory: Path) -> None:
    for turns in (1, 5, 20, 100, 300):
        server = NatsServer(configuration, directory)
        starting = asyncio.create_task(server.start())
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait({starting})

        await server.stop()

        assert not await asyncio.to_thread(processes_of, directory)


@pytest.mark.slow
async def test_a_server_that_ignores_the_polite_signal_is_killed(
    configuration: ServerConfiguration, directory: Path
) -> None:
    server = NatsServer(configuration, directory)
    await server.start()
    pid = server.status.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await server.stop()

    assert not await asyncio.to_thread(psutil.pid_exists, pid)


def test_a_process_that_waits_to_be_reaped_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        found = psutil.Process(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert not is_alive(found)
