"""An import that ends early: nothing is lost, nothing doubled, and the report says all of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import Unavailable
from renkei_chassis.rpc.sync_client import SyncClient
from renkei_files import ReportForm
from renkei_node.files.importing import Import, run
from renkei_node.files.journal import Identity, Journal, JournalError
from renkei_node.files.kinds import TIPS
from renkei_node.files.plan import plan
from renkei_node.files.profiles import STANDARD, find_profile
from tests.agency import AGENCY
from tests.node.files.node import TIP_HEADER, Node, csv_of, tip_row

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.tips.calls import Tips

ROWS: Final = 4000
FEW_ROWS: Final = 2000
"""Four batches: enough where it is known after how many an import ended."""
WRONG: Final = 1777


def content(count: int = ROWS) -> bytes:
    """A file with one wrong row and one that repeats an early key, so that what is resumed has to know both."""
    rows = [tip_row(number) for number in range(count)]
    rows[WRONG] = tip_row(WRONG, 受理日時="昨日")
    rows[-1] = tip_row(3)
    return csv_of([TIP_HEADER, *rows])


async def references(tips: Tips) -> list[str]:
    request = tips_pb2.ListTipsRequest(parent=AGENCY, page_size=500)
    return [tip.external_reference async for tip in tips.client.items(tips.stub.ListTips, request, "tips")]


async def _whole(node: Node, tips: Tips, count: int = ROWS) -> None:
    """Every row once, in the store and in the report, in the order of the file."""
    expected = [f"演-{number}" for number in range(count - 1) if number != WRONG]
    assert sorted(await references(tips)) == sorted(expected)
    lines = await node.report("tips.csv.report.csv")
    assert [int(line["行"]) for line in lines] == list(range(2, count + 2))
    assert {line["行"]: line["コード"] for line in lines if line["区分"] != "取込済"} == {
        str(WRONG + 2): "NOT_A_MOMENT",
        str(count + 1): "ROW_TWICE",
    }


async def _started(node: Node, file: Path) -> asyncio.subprocess.Process:
    """Start the command as a process, and wait until some rows are dealt with."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "renkei_node.cli", "tips", "import", str(node.directory), str(file),
        env={**os.environ, "RENKEI_TOKEN": node.token},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(30):
        while await _told(node) < 2:
            assert process.returncode is None
            await asyncio.sleep(0.005)
    return process


async def _told(node: Node) -> int:
    with suppress(FileNotFoundError):
        return (await node.read("tips.csv.report.csv.journal")).count(b"\n")
    return 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
async def test_what_was_killed_goes_on_where_it_ended(node: Node, tips: Tips, number: signal.Signals) -> None:
    file = await node.write("tips.csv", await asyncio.to_thread(content))
    process = await _started(node, file)

    process.send_signal(number)
    said, _ = await process.communicate()
    before = len(await references(tips))
    last = (await node.report("tips.csv.report.csv"))[-1]
    told = await node.told("tips", "import", file, status=1)

    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert (b"same command goes on" in said) == (number == signal.SIGINT)
    assert (last["コード"] == "INTERRUPTED") == (number == signal.SIGINT)
    assert 0 < before < ROWS - 2, "it was ended in the middle"
    assert 0 < told["resumed_after_row"] < ROWS
    assert (told["rows"], told["recorded"], told["refused"]) == (ROWS, ROWS - 2, 2)
    await _whole(node, tips)


@pytest.mark.slow
async def test_a_journal_that_is_lost_or_torn_doubles_nothing(node: Node, tips: Tips) -> None:
    """After a power cut the journal may be behind, and the report behind the journal."""
    file = await node.write("tips.csv", await asyncio.to_thread(content, FEW_ROWS))
    await node.told("tips", "import", file, status=1)
    journal = await node.read("tips.csv.report.csv.journal")
    lines = journal.splitlines(keepends=True)
    assert len(lines) > 5, "it is torn in the middle"

    zeros = b"".join(lines[:3]) + b"\0" * 40 + b"\n" + lines[-1]
    for torn in (b"".join(lines[:3]) + lines[3][:20], zeros, lines[0][:5], b""):
        await node.write("tips.csv.report.csv.journal", torn)
        told = await node.told("tips", "import", file, status=1)
        assert (told["recorded"], told["refused"], told["finished"]) == (FEW_ROWS - 2, 2, True)
        await _whole(node, tips, FEW_ROWS)

    await node.write("tips.csv.report.csv", (await node.read("tips.csv.report.csv"))[:20_000])
    await node.told("tips", "import", file, status=1)
    await _whole(node, tips, FEW_ROWS)


class Breaking(SyncClient):
    """A connection that ends after two answers, three times."""

    broken = 0

    def duplex(self, method, requests, *, seconds=None) -> Generator:  # type: ignore[no-untyped-def, type-arg]  # noqa: ANN001
        answers = super().duplex(method, requests, seconds=seconds)
        for count, answer in enumerate(answers):
            if self.broken < 3 and count == 2:
                self.broken += 1
                answers.close()
                raise Unavailable("SHUTTING_DOWN", "planted")
            yield answer


async def test_a_connection_that_breaks_is_made_again_and_nothing_is_sent_twice_in_effect(
    node: Node, tips: Tips
) -> None:
    file = await node.write("tips.csv", await asyncio.to_thread(content))
    wanted = Import(
        path=file,
        report=file.with_name("tips.csv.report.csv"),
        plan=plan(await asyncio.to_thread(find_profile, node.directory, "tips", STANDARD), TIPS),
        agency=AGENCY,
        agencies={},
    )
    client = Breaking(node.agency.address, token=lambda: node.token)

    done = await asyncio.to_thread(run, wanted, client)

    client.close()
    assert client.broken == 3
    assert (done.finished, done.summary.taken) == (True, ROWS - 2)
    await _whole(node, tips)


async def test_a_service_that_stays_away_stops_the_import_and_it_says_where(node: Node, tips: Tips) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, tip_row(1)]))
    wanted = Import(
        path=file,
        report=file.with_name("tips.csv.report.csv"),
        plan=plan(await asyncio.to_thread(find_profile, node.directory, "tips", STANDARD), TIPS),
        agency=AGENCY,
        agencies={},
        hurry_seconds=0.2,
    )

    with SyncClient("127.0.0.1:1", token=lambda: node.token) as nowhere:
        done = await asyncio.to_thread(run, wanted, nowhere)
    stopped = (await node.report("tips.csv.report.csv"))[-1]
    told = await node.told("tips", "import", file)

    assert (done.finished, done.summary.taken) == (False, 0)
    assert stopped["区分"] == "中断"
    assert (told["recorded"], told["finished"]) == (1, True)
    assert [line["区分"] for line in await node.report("tips.csv.report.csv")] == ["取込済"]


async def test_a_file_that_breaks_in_the_middle_says_so_and_what_came_before_is_recorded(
    node: Node, tips: Tips
) -> None:
    rows = csv_of([TIP_HEADER, *(tip_row(number) for number in range(1500))])
    file = await node.write("tips.csv", rows + b'"x"y,\r\n' + csv_of([tip_row(2000)]))

    told = await node.told("tips", "import", file, status=1)
    shown = await node.run("tips", "import", file)

    assert (told["recorded"], told["finished"], told["stopped"]) == (1500, False, "UNCLOSED_QUOTE")
    assert "STOPPED behind row 1501" in shown.output
    assert len(await references(tips)) == 1500
    lines = await node.report("tips.csv.report.csv")
    assert [line["区分"] for line in lines].count("取込済") == 1500
    assert (lines[-1]["行"], lines[-1]["区分"]) == ("1502", "中断")


def _identity(**changes: str) -> Identity:
    values = {"file": "f", "collection": "tips", "agency": AGENCY, "profile": "p"} | changes
    return Identity(form=ReportForm.CSV, **values)


@pytest.mark.parametrize("what", ["file", "collection", "agency", "profile"])
def test_a_journal_serves_one_file_profile_and_agency(tmp_path: Path, what: str) -> None:
    with Journal(tmp_path / "report", _identity()):
        pass

    with pytest.raises(JournalError, match="belongs to another"):
        Journal(tmp_path / "report", _identity(**{what: "another"}))


def test_a_journal_is_held_by_one_process(tmp_path: Path) -> None:
    with Journal(tmp_path / "report", _identity()), pytest.raises(JournalError, match="another import"):
        Journal(tmp_path / "report", _identity())


def test_what_came_between_the_look_and_the_lock_is_another_import_and_no_foreign_file(tmp_path: Path) -> None:
    """Two imports that begin at once: the report is there a moment after neither saw one."""
    report, opens = tmp_path / "report", Journal._open
    with pytest.MonkeyPatch.context() as patch:
        held: list[Journal] = []

        def late(path: Path, more: int = 0) -> object:
            if not held:
                patch.undo()
                held.append(Journal(report, _identity()))
            return opens(path, more)

        patch.setattr(Journal, "_open", staticmethod(late))
        with pytest.raises(JournalError, match="another import"):
            Journal(report, _identity())
    with held[0]:
        pass


def test_an_empty_journal_beside_a_foreign_file_takes_nothing_from_it(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(b"mine, and of no import")
    (tmp_path / "report.journal").touch()

    with pytest.raises(JournalError, match="is no report"):
        Journal(tmp_path / "report", _identity())

    assert (tmp_path / "report").read_bytes() == b"mine, and of no import"


def test_report_and_journal_are_for_their_owner_alone(tmp_path: Path) -> None:
    with Journal(tmp_path / "report", _identity()) as journal:
        journal.told(7)

    assert [oct(path.stat().st_mode & 0o777) for path in sorted(tmp_path.iterdir())] == ["0o600", "0o600"]
    assert json.loads((tmp_path / "report.journal").read_bytes().splitlines()[-1])["row"] == 7
