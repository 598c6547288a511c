"""The doctor sees what keeps a node from being reached: ports, nats-server."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from renkei_node.doctor import network
from renkei_node.nats_server.binary import BinaryMissingError
from tests.node.doctor.ground import wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei_node.layout import NodeDirectory


def test_a_port_that_another_program_has_is_told(node: NodeDirectory) -> None:
    port = int(node.settings.read_text().partition("leads = ")[2].split()[0])
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()

        assert wrong(node)["port_taken"].values == {"name": "leads", "port": port}


def test_a_running_node_that_does_not_answer_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renkei_node.doctor.examination.is_running", lambda directory: True)

    assert set(wrong(node)) == {"port_silent"}


def test_a_missing_nats_server_is_told(node: NodeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise BinaryMissingError("there is no nats-server")

    monkeypatch.setattr(network, "find_binary", missing)

    assert set(wrong(node)) == {"nats_missing"}


@pytest.mark.parametrize(
    ("script", "told"), [("echo nats-server: v2.9.1", "nats_old"), ("exit 3", "nats_broken"), ("", "nats_old")]
)
def test_a_nats_server_that_is_old_or_broken_is_told(
    node: NodeDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    program = tmp_path / "nats-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(network, "find_binary", lambda: program)

    assert set(wrong(node)) == {told}


@pytest.mark.parametrize(
    ("greeting", "told"),
    [
        ({"server_name": "jp-12", "jetstream": True, "max_payload": 524288}, None),
        ({"server_name": "jp-99", "jetstream": True, "max_payload": 524288}, "nats_stranger"),
        ({"server_name": "jp-12", "max_payload": 524288}, "nats_no_store"),
        ({"server_name": "jp-12", "jetstream": True, "max_payload": 65536}, "nats_payload"),
    ],
)
def test_what_answers_for_nats_is_judged_by_its_greeting(
    node: NodeDirectory, monkeypatch: pytest.MonkeyPatch, greeting: dict[str, object], told: str | None
) -> None:
    monkeypatch.setattr("renkei_node.doctor.examination.is_running", lambda directory: True)
    port = int(node.settings.read_text().partition("nats = ")[2].split()[0])
    with greeter(port, b"INFO " + json.dumps(greeting).encode() + b"\r\n"):
        found = wrong(node)

    assert set(found) - {"port_silent"} == ({told} if told else set())


@contextmanager
def greeter(port: int, line: bytes) -> Iterator[None]:
    """Greet everybody who connects."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(line)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
