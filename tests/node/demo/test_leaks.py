"""The search for planted markers, in the files and the command lines of a node that is not there but for them."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1.tips_pb2 import Tip

from renkei_node.demo.agencies import BY_CODE
from renkei_node.demo.federation import Member
from renkei_node.demo.journal import Journal
from renkei_node.demo.leaks import check_bytes
from renkei_node.demo.markers import make_markers
from renkei_node.layout import NodeDirectory
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = "agencies/jp-13/tips/01a20c4c-5245-70aa-a4aa-c27622a9a4ab"
PLAN: Final = "agencies/jp-13/personas/01a20c4c-5245-70aa-a4aa-c27622a9a4ac"
CHANCE: Final = random.Random(3)
MARKERS: Final = make_markers(CHANCE)
PLANNED: Final = make_markers(CHANCE)


class Scraped(HTTPServer):
    content = b"renkei_up 1\n"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Scraped)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def metrics() -> Iterator[Scraped]:
    with Scraped(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def node(tmp_path: Path, metrics: Scraped) -> Member:
    """Sapporo's node."""
    ports = Ports.model_construct(metrics=metrics.server_port)
    return Member(
        agency=BY_CODE["jp-01"],
        directory=NodeDirectory(tmp_path),
        settings=NodeSettings.model_construct(agency="agencies/jp-01"),
        ports=ports,
    )


def journal(*to: str, index_only: bool = False) -> Journal:
    """Note one tip of Tokyo's."""
    action = handling_pb2.PERMITTED_ACTION_INDEX_ONLY if index_only else handling_pb2.PERMITTED_ACTION_ACT
    tip = Tip(handling=handling_pb2.Handling(permitted_action=action, releasable_to=to))
    noted = Journal()
    noted.created(tip, name=NAME, markers=MARKERS)
    noted.plans[PLAN] = PLANNED
    return noted


def leaked(node: Member, noted: Journal) -> list[str]:
    return check_bytes("jp-01", node, noted)[1]


def test_a_node_without_anything_has_no_leak(node: Member) -> None:
    assert check_bytes("jp-01", node, journal()) == ([], [])


@pytest.mark.parametrize("place", ["data/tips.db-wal", "nats/store/1.blk", "logs/node.log"])
def test_a_marker_in_any_file_is_a_leak(node: Member, tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * 5000 + MARKERS.text.encode() + b"\xff")

    assert leaked(node, journal("agencies/jp-12")) == [f"{NAME} is in {place} of jp-01"]


def test_a_marker_in_the_metrics_is_a_leak(node: Member, metrics: Scraped) -> None:
    metrics.content = f'calls{{text="{MARKERS.home}"}} 1\n'.encode()

    assert leaked(node, journal("agencies/jp-01")) == [f"{NAME} is in metrics of jp-01"]


def test_a_marker_in_a_command_line_is_a_leak(node: Member, tmp_path: Path) -> None:
    waiting = [sys.executable, "-c", "print(flush=True); input()", str(tmp_path), MARKERS.text]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

        found = leaked(node, journal())

        process.communicate(b"\n")
    assert found == [f"{NAME} is in a command line of jp-01"]


def test_words_may_be_where_they_were_released_in_full_and_nowhere_as_index_entry(node: Member, tmp_path: Path) -> None:
    (tmp_path / "tips.db").write_text(f"{NAME} {MARKERS.text}")

    assert leaked(node, journal("agencies/jp-01")) == []
    assert leaked(node, journal("agencies/jp-01", index_only=True)) == [f"{NAME} is in tips.db of jp-01"]


def test_what_never_leaves_is_a_leak_even_where_all_else_is_released(node: Member, tmp_path: Path) -> None:
    (tmp_path / "tips.db").write_text(MARKERS.text + MARKERS.home)

    assert leaked(node, journal("agencies/jp-01")) == [f"{NAME} is in tips.db of jp-01"]


def test_the_very_name_of_a_withheld_record_is_a_leak(node: Member, tmp_path: Path) -> None:
    (tmp_path / "leads.db").write_text(NAME)

    assert leaked(node, journal()) == [f"the name {NAME} is in leads.db of jp-01"]
    assert leaked(node, journal("agencies/jp-01", index_only=True)) == []


def test_a_plan_is_a_leak_by_its_words_and_by_its_name(node: Member, tmp_path: Path) -> None:
    (tmp_path / "exchange.db").write_text(f"{PLAN} {PLANNED.text}")

    assert leaked(node, journal()) == [
        f"{PLAN} is in exchange.db of jp-01",
        f"the name {PLAN} is in exchange.db of jp-01",
    ]


def test_a_number_of_an_address_book_is_a_leak_in_any_spelling(node: Member, tmp_path: Path) -> None:
    noted = journal()
    noted.address_books["049123456"] = "jp-13"
    for number, spelling in enumerate(("+812049123456", "020-4912-3456", "02049123456")):
        (tmp_path / f"{number}.db").write_text(spelling)

    assert len(leaked(node, noted)) == 3


def test_words_that_are_nowhere_at_their_receiver_are_lost(node: Member) -> None:
    lost, _ = check_bytes("jp-01", node, journal("agencies/jp-01"))

    assert lost == [f"the words of {NAME} are not at jp-01"]


def split_in_sqlite(path: Path, text: str, *, whole: bytes) -> None:
    """Store a text so that SQLite cuts it: further and further back, until `whole` is in no page."""
    for before in range(400, 500):  # of a text that overflows a page, at least 489 bytes stay in its table's page
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE tip (content BLOB)")
            content = b"\xff" * before + text.encode() + b"\xff" * 3700
            database.execute("INSERT INTO tip VALUES (?)", (content,))
        if whole not in path.read_bytes():
            return
    pytest.fail("SQLite never cut it")


def test_a_name_that_sqlite_splits_between_two_pages_is_a_leak(node: Member, tmp_path: Path) -> None:
    split_in_sqlite(tmp_path / "tips.db", f"{NAME} 演習データ", whole=NAME.encode())

    assert leaked(node, journal()) == [f"the name {NAME} is in tips.db of jp-01"]


def test_a_number_of_an_address_book_that_sqlite_splits_is_a_leak(node: Member, tmp_path: Path) -> None:
    noted = journal()
    noted.address_books["049123456"] = "jp-13"
    split_in_sqlite(tmp_path / "leads.db", "+812049123456", whole=b"+812049123456")

    assert leaked(node, noted) == ["a number of an address book of jp-13 is in leads.db of jp-01"]


def test_a_planted_marker_is_whole_in_the_bytes_wherever_sqlite_cuts(tmp_path: Path) -> None:
    """So it is found in pages too that no table holds any more, and in the log of writes."""
    path = tmp_path / "tips.db"
    planted = MARKERS.planted_text.encode()
    cuts = 0
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE tip (content BLOB)")
        database.commit()
        for before in (*range(400, 500), *range(4500, 4600)):
            with database:
                database.execute("DELETE FROM tip")
                content = b"\xff" * before + planted + b"\xff" * (8130 - before)
                database.execute("INSERT INTO tip VALUES (?)", (content,))
            written = path.read_bytes()
            cuts += planted not in written
            assert MARKERS.text.encode() in written
    assert cuts > len(planted)  # or nothing was tried


def test_a_split_marker_of_a_deleted_row_is_a_leak(node: Member, tmp_path: Path) -> None:
    split_in_sqlite(tmp_path / "tips.db", MARKERS.planted_text, whole=MARKERS.planted_text.encode())
    with closing(sqlite3.connect(tmp_path / "tips.db")) as database, database:
        database.execute("PRAGMA secure_delete=OFF")
        database.execute("DROP TABLE tip")

    assert leaked(node, journal()) == [f"{NAME} is in tips.db of jp-01"]
