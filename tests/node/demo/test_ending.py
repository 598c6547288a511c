"""However the demo ends, no node and no nats-server of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
PATIENCE_SECONDS: Final = 20.0
NODES_AND_SERVERS: Final = 4


def processes_of(directory: Path) -> list[psutil.Process]:
    """Give what still works on the directory but the driver, which is named by the caller's Popen."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(directory) in " ".join(process.info["cmdline"] or ())
        and "tests.node.demo.two_nodes" not in process.info["cmdline"]
    ]


def wait_until_none_of(directory: Path) -> list[psutil.Process]:
    """Wait for the processes to end; returns those that do not."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := processes_of(directory)) and time.monotonic() < until:
        psutil.wait_procs(left, timeout=0.1)
    return left


@contextmanager
def driver(directory: Path, *words: str, until: str, ignore_hang_up: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run two nodes up to a line of the driver's; at the end of the test nothing is left in any case."""
    command = [sys.executable, "-m", "tests.node.demo.two_nodes", str(directory), *words]
    command = ["nohup", *command] if ignore_hang_up else command
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        try:
            assert demo.stdout is not None
            seen: list[str] = []
            while seen[-1:] != [until]:
                line = demo.stdout.readline()
                assert line, seen
                seen.append(line.strip())
            yield demo
        finally:
            demo.kill()
            for process in processes_of(directory):
                process.kill()


@pytest.mark.parametrize(
    ("ends", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGKILL, -9)],
)
def test_no_process_is_left_whichever_signal_ends_the_demo(tmp_path: Path, ends: signal.Signals, status: int) -> None:
    """With kill -9 nobody is there to stop the nodes: they see that their standard input ends."""
    with driver(tmp_path, until="up") as demo:
        assert len(processes_of(tmp_path)) == NODES_AND_SERVERS

        demo.send_signal(ends)
        said = demo.communicate(timeout=PATIENCE_SECONDS)[0]

        assert (demo.returncode, "Traceback" in said) == (status, False), said
        assert wait_until_none_of(tmp_path) == []


def test_ctrl_c_ends_a_demo_that_stays_up_as_it_should(tmp_path: Path) -> None:
    """It is how everybody ends it: no failure, and no process."""
    with driver(tmp_path, "stay", until="up") as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith("agencies/jp-")
        demo.send_signal(signal.SIGINT)
        said = demo.communicate(timeout=PATIENCE_SECONDS)[0]

        assert (demo.returncode, "Traceback" in said) == (0, False), said
        assert wait_until_none_of(tmp_path) == []


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_where_the_demo_ends_before_its_nodes_are_up(tmp_path: Path, ends: signal.Signals) -> None:
    with driver(tmp_path, until="launched") as demo:
        demo.send_signal(ends)
        demo.communicate(timeout=PATIENCE_SECONDS)

        assert wait_until_none_of(tmp_path) == []


def test_no_process_is_left_where_the_demo_crashes(tmp_path: Path) -> None:
    with driver(tmp_path, "crash", until="up") as demo:
        said = demo.communicate(timeout=PATIENCE_SECONDS)[0]

        assert (demo.returncode, "RuntimeError: planted" in said) == (1, True)
        assert processes_of(tmp_path) == []


def test_no_process_is_left_where_somebody_presses_ctrl_c_twice(tmp_path: Path) -> None:
    """The second one ends the good order itself."""
    with driver(tmp_path, until="up") as demo:
        demo.send_signal(signal.SIGINT)
        assert demo.stdout is not None
        assert demo.stdout.readline() == "stopping\n"
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE_SECONDS)

        assert wait_until_none_of(tmp_path) == []


def test_a_nats_server_whose_node_was_killed_is_not_left_either(tmp_path: Path) -> None:
    with driver(tmp_path, until="up") as demo:
        node = int((tmp_path / "jp-01" / "run" / "node.pid").read_text())
        server = json.loads((tmp_path / "jp-01" / "nats" / "nats.pid").read_text())["pid"]
        os.kill(node, signal.SIGKILL)
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=PATIENCE_SECONDS)

        assert not psutil.pid_exists(server)
        assert processes_of(tmp_path) == []


def test_a_demo_under_nohup_outlives_the_hang_up_of_its_terminal(tmp_path: Path) -> None:
    with driver(tmp_path, until="up", ignore_hang_up=True) as demo:
        demo.send_signal(signal.SIGHUP)
        demo.send_signal(signal.SIGTERM)
        demo.communicate(timeout=PATIENCE_SECONDS)

        assert demo.returncode == 143
        assert processes_of(tmp_path) == []
