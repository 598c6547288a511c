"""What the checks look at, without running nodes: their databases and files, written by hand."""

from __future__ import annotations

import http.server
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from renkei.policy.v1 import policy_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.agencies import BY_CODE
from renkei_node.demo.federation import Member
from renkei_node.demo.markers import Markers
from renkei_node.layout import SERVICES, NodeDirectory
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from renkei_node.demo.journal import AcknowledgedClock


class Metrics(http.server.BaseHTTPRequestHandler):
    page = b"# nothing\n"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def metrics(port: int, page: bytes = b"# nothing\n") -> Iterator[None]:
    handler = type("Page", (Metrics,), {"page": page})
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def member(path: Path, code: str, ports: list[int]) -> Member:
    """Make a node's directory with empty databases."""
    directory = NodeDirectory(path / code)
    directory.data.mkdir(parents=True)
    directory.log.parent.mkdir()
    for collection, word in (("tips", "tip"), ("arrests", "arrest")):
        connection = sqlite3.connect(directory.data / f"{collection}.db")
        with connection:
            connection.execute(f"CREATE TABLE {word} (id BLOB, content BLOB)")
            connection.execute(f"CREATE TABLE {word}_copy (id BLOB, content BLOB)")
            connection.execute(f"CREATE TABLE {word}_clock (record_id BLOB, kind INT, level INT, acknowledger TEXT)")
        connection.close()
    return Member(
        agency=BY_CODE[code],
        directory=directory,
        settings=NodeSettings(agency=BY_CODE[code].name),
        ports=Ports(**dict(zip((*SERVICES, "nats", "metrics"), ports, strict=True))),
    )


def put(node: Member, table: str, tip: Tip) -> None:
    """Store a tip as an own one or as a copy."""
    connection = sqlite3.connect(node.directory.data / "tips.db")
    with connection:
        row = (uuid.UUID(tip.name.rpartition("/")[2]).bytes, tip.SerializeToString())
        connection.execute(f"INSERT INTO {table} VALUES (?, ?)", row)  # noqa: S608 (one of two tables)
    connection.close()


def drop_copies(node: Member) -> None:
    connection = sqlite3.connect(node.directory.data / "tips.db")
    with connection:
        connection.execute("DELETE FROM tip_copy")
    connection.close()


def copy_of(tip: Tip, grade: policy_pb2.Grade.ValueType) -> Tip:
    """Make what another agency holds of a tip."""
    copied = Tip(name=tip.name, received_grade=grade)
    if grade == policy_pb2.GRADE_FULL:
        copied.text = tip.text
    return copied


def markers(letter: str) -> Markers:
    return Markers(text=f"RKMK-T{letter * 20}", home=f"RKMK-H{letter * 20}")


def put_clock(node: Member, clock: AcknowledgedClock) -> None:
    """Put a clock onto a node's board."""
    key = uuid.UUID(clock.arrest.rpartition("/")[2]).bytes
    connection = sqlite3.connect(node.directory.data / "arrests.db")
    with connection:
        row = (key, clock.kind, clock.level, clock.acknowledger)
        connection.execute("INSERT INTO arrest_clock VALUES (?, ?, ?, ?)", row)
    connection.close()
