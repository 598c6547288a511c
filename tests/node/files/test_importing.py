"""`renkei tips import` and `renkei arrests import`, over a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import sys
from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.sealed_pb2 import RevealSealedBlockRequest
from renkei.arrests.v1.sealed_pb2_grpc import SealedBlocksServiceStub
from renkei.identifiers.v1 import identifiers_pb2
from renkei.tips.v1 import tips_pb2

from tests.agency import AGENCY, TOKYO, request_id
from tests.files.making import ods_of, workbook_of
from tests.node.files.node import (
    ARREST_HEADER,
    TIP_HEADER,
    Node,
    arrest_row,
    csv_of,
    tip_row,
    token_of,
)

if TYPE_CHECKING:
    from tests.tips.calls import Tips


async def all_tips(tips: Tips) -> list[tips_pb2.Tip]:
    request = tips_pb2.ListTipsRequest(parent=AGENCY, page_size=500)
    found = [tip async for tip in tips.client.items(tips.stub.ListTips, request, "tips")]
    return found[::-1]


async def test_nothing_is_imported_without_a_right_to_record(node: Node, tips: Tips) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, tip_row(1)]))

    nobody = await node.run("tips", "import", file, token="")
    auditor = await node.run("tips", "import", file, token=token_of(node.agency, "AUDITOR"))

    assert "no token" in nobody.output
    assert (nobody.exit_code, auditor.exit_code) == (1, 1)
    assert "STOPPED behind row 0" in auditor.output
    assert await all_tips(tips) == []
    told = await node.told("tips", "import", file)
    assert (told["recorded"], len(await all_tips(tips))) == (1, 1), "with a right the same command goes on"


async def test_a_file_of_a_force_becomes_tips_word_for_word(node: Node, tips: Tips) -> None:
    file = await node.write(
        "tips.csv",
        csv_of(
            [
                ["情報一覧(演習データ)"],
                [],
                TIP_HEADER,
                tip_row(1, 電話番号="9012345678", 提供先=f"{TOKYO}警察、jp-09", 提供区分="索引のみ"),
                tip_row(2, 口座="ゆうちょ 記号10180 番号12345671", 受理日時="５０６１００３ 9:00"),
            ]
        ),
    )

    told = await node.told("tips", "import", node.directory, file)

    assert (told["rows"], told["recorded"], told["refused"], told["finished"]) == (2, 2, 0, True)
    first, second = await all_tips(tips)
    assert first.display_name == "(演習データ) 髙額バイト①"
    assert first.external_reference == "演-1"
    assert first.source == tips_pb2.Tip.SOURCE_SOCIAL_MEDIA_AD
    assert first.observe_time.ToJsonString() == "2024-10-03T05:05:00Z"
    assert list(first.handling.releasable_to) == [TOKYO, "agencies/jp-09"]
    assert [each.identifier.normal_form for each in first.identifiers] == ["+819012345678"]
    assert told["marks"]["ZEROS_RESTORED"] == 1
    assert second.observe_time.ToJsonString() == "2024-10-03T00:00:00Z"
    assert [each.identifier.normal_form for each in second.identifiers][-1] == "9900-018-1-1234567"
    lines = await node.report("tips.csv.report.csv")
    assert {line["記録"]: line["区分"] for line in lines if line["記録"]} == {
        first.name: "取込済",
        second.name: "取込済",
    }
    assert [(line["行"], line["列"], line["コード"]) for line in lines if line["区分"] == "注意"] == [
        ("4", "電話番号", "ZEROS_RESTORED")
    ]


async def test_wrong_rows_are_refused_with_their_reason_and_the_others_taken(node: Node, tips: Tips) -> None:
    secret = "演習の秘密" * 50
    file = await node.write(
        "tips.csv",
        csv_of(
            [
                TIP_HEADER,
                tip_row(1),
                tip_row(2, 受理日時="昨日"),
                tip_row(3, 提供先="存在しない警察", 提供区分="全部"),
                tip_row(4, 提供先=f"{TOKYO}警察"),
                tip_row(5, 提供区分="全部"),
                tip_row(6, 件名=secret),
                tip_row(7, 電話番号の関係=""),
                tip_row(1),
                tip_row(9)[:-3],
                tip_row(10, 注意事項="外字\ue000"),
            ]
        ),
    )

    told = await node.told("tips", "import", file, "--report-format", "jsonl", status=1)

    assert (told["rows"], told["recorded"], told["refused"], told["finished"]) == (10, 2, 8, True)
    report = (await node.read("tips.csv.report.jsonl")).decode()
    lines = [json.loads(line) for line in report.splitlines()]
    assert [(line["row"], line.get("column", ""), line["code"]) for line in lines if line["outcome"] == "REFUSED"] == [
        (3, "受理日時", "NOT_A_MOMENT"),
        (4, "提供先", "NOT_A_CHOICE"),
        (5, "提供先", "CONTRADICTION"),
        (6, "提供先", "CONTRADICTION"),
        (7, "件名", "TOO_LONG"),
        (8, "電話番号の関係", "MISSING"),
        (9, "", "ROW_TWICE"),
        (10, "", "CELL_COUNT"),
    ]
    assert [line["code"] for line in lines if line["outcome"] == "MARKED"] == ["GAIJI"]
    assert "演習の秘密" not in report
    assert [tip.external_reference for tip in await all_tips(tips)] == ["演-1", "演-10"]


async def test_a_check_sends_nothing_and_says_what_the_service_would(node: Node, tips: Tips) -> None:
    header = ["件名" if cell == "件名" else cell for cell in TIP_HEADER]
    file = await node.write(
        "tips.csv", csv_of([header, tip_row(1), tip_row(2, 件名="a\tb\nc"), tip_row(3, 電話番号="0901")])
    )

    told = await node.told("tips", "import", file, "--check", status=1)
    imported = await node.told("tips", "import", file, status=1)

    assert (told["ready"], told["refused"], told["checked"]) == (2, 1, True)
    assert told["marks"] == {"NO_FORM": 1}
    assert told["problems"] == imported["problems"] == {"FIELD_INVALID": 1}
    refused = [
        [(line["行"], line["列"], line["コード"]) for line in await node.report(name) if line["区分"] == "取込不可"]
        for name in ("tips.csv.check.csv", "tips.csv.report.csv")
    ]
    assert refused[0] == refused[1] == [("3", "件名", "FIELD_INVALID")]
    assert imported["recorded"] == len(await all_tips(tips)) == 2


async def test_a_file_is_imported_once_however_often_it_is_tried(node: Node, tips: Tips) -> None:
    content = csv_of([TIP_HEADER, *(tip_row(number) for number in range(30))])
    file, other = [await node.write(name, content) for name in ("tips.csv", "elsewhere/renamed.csv")]

    first = await node.told("tips", "import", file)
    again = await node.told("tips", "import", file)
    renamed = await node.told("tips", "import", other)

    assert (first["resumed_after_row"], again["resumed_after_row"], renamed["resumed_after_row"]) == (0, 31, 0)
    assert first["recorded"] == again["recorded"] == renamed["recorded"] == len(await all_tips(tips)) == 30
    reports = [await node.report(f"{name}.report.csv") for name in ("tips.csv", "elsewhere/renamed.csv")]
    assert reports[0] == reports[1]


async def test_a_report_of_another_file_is_not_written_over(node: Node) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, tip_row(1)]))
    await node.told("tips", "import", file)
    before = await node.read("tips.csv.report.csv")
    await node.write("tips.csv", csv_of([TIP_HEADER, tip_row(2)]))
    own = await node.write("own.csv", b"mine")

    other = await node.run("tips", "import", file)
    foreign = await node.run("tips", "import", file, "--report", own)
    checked = await node.run("tips", "import", file, "--check", "--report", file)

    assert "belongs to another file" in other.output
    assert "is no report" in foreign.output
    assert "is no report" in checked.output
    assert (other.exit_code, foreign.exit_code, checked.exit_code) == (1, 1, 1)
    assert (await node.read("tips.csv.report.csv"), await node.read("own.csv")) == (before, b"mine")


async def test_a_check_can_be_repeated(node: Node) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, tip_row(1)]))

    for form in ("csv", "jsonl"):
        for _ in range(2):
            told = await node.told("tips", "import", file, "--check", "--report-format", form)
            assert told["ready"] == 1


async def test_a_terminal_shows_rate_and_time_left(node: Node) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, *(tip_row(number) for number in range(5000))]))

    code, shown = await _at_a_terminal(node, str(file))

    assert code == 0
    assert re.search(r"[0-9]+/5001 +[0-9:]+ +[0-9,]+ rows/s", shown), shown[-300:]
    assert "5000" in shown


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing more", "件名".encode(), b"\n"])
async def test_a_terminal_is_told_of_a_file_whose_rows_cannot_be_counted(node: Node, content: bytes) -> None:
    file = await node.write("tips.xlsx", content)

    code, shown = await _at_a_terminal(node, str(file))

    assert code == 1
    assert "Traceback" not in shown


async def _at_a_terminal(node: Node, file: str) -> tuple[int, str]:
    """Import as somebody at a terminal does; gives the exit status and what was shown beside the result."""
    terminal, inside = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "renkei_node.cli", "tips", "import", str(node.directory), file,
        env={**os.environ, "RENKEI_TOKEN": node.token, "TERM": "xterm", "COLUMNS": "120"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=inside,
    )  # fmt: skip
    os.close(inside)
    shown = await asyncio.to_thread(_everything, terminal)
    return await process.wait(), shown


def _everything(terminal: int) -> str:
    shown = b""
    with contextlib.suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as screen:
        while part := screen.read(4096):
            shown += part
    return shown.decode()


async def test_two_imports_of_one_report_do_not_run_at_once(node: Node, tips: Tips) -> None:
    file = await node.write("tips.csv", csv_of([TIP_HEADER, *(tip_row(number) for number in range(3000))]))

    results = await asyncio.gather(*(node.run("tips", "import", file) for _ in range(2)))

    said = "".join(result.output for result in results)
    # The one that came late found the report held, or all of it done.
    assert "another import" in said or [result.exit_code for result in results] == [0, 0]
    assert len(await all_tips(tips)) == 3000


@pytest.mark.parametrize("form", ["xlsx", "ods", "jsonl", "utf-8"])
async def test_other_formats_give_the_same_tip(node: Node, tips: Tips, form: str) -> None:
    content = csv_of([TIP_HEADER, tip_row(1)], "utf-8-sig")
    if form == "xlsx":
        content = await asyncio.to_thread(workbook_of, [["情報一覧"], TIP_HEADER, tip_row(1)])
    elif form == "ods":
        content = ods_of([["情報一覧"], TIP_HEADER, tip_row(1)])
    elif form == "jsonl":
        content = json.dumps(dict(zip(TIP_HEADER, tip_row(1), strict=True)), ensure_ascii=False).encode() + b"\n"
    file = await node.write(f"tips.{form}", content)

    told = await node.told("tips", "import", file)

    assert (told["recorded"], told["refused"]) == (1, 0)
    (tip,) = await all_tips(tips)
    assert (tip.external_reference, tip.identifiers[0].identifier.original) == ("演-1", "090-1234-0001")


async def test_an_arrest_is_read_with_its_person_and_its_seized_device(arrests_node: Node) -> None:
    file = await arrests_node.write("arrests.csv", csv_of([ARREST_HEADER, arrest_row(1), arrest_row(2, 押収品="")]))

    told = await arrests_node.told("arrests", "import", file, status=1)

    assert told["problems"] == {"MISSING": 1}
    client = arrests_node.agency.client()
    listed = await client.call(
        client.stub(ArrestsServiceStub).ListArrests, arrests_pb2.ListArrestsRequest(parent=AGENCY)
    )
    (arrest,) = listed.arrests
    block = RevealSealedBlockRequest(
        request_id=request_id(), name=f"{arrest.name}/sealedBlocks/person", reason="(演習データ)"
    )
    revealed = await client.call(client.stub(SealedBlocksServiceStub).RevealSealedBlock, block)
    assert (arrest.person.display_name, revealed.person.display_name) == ("", "(演習データ) 髙﨑 一郎")
    assert arrest.person.birth_date == "1975-01-02"
    assert arrest.role == arrests_pb2.Arrest.ROLE_CASH_RECEIVER
    (item,) = arrest.seized_items
    assert [(each.identifier.normal_form, each.relation) for each in item.identifiers] == [
        ("+819012345678", identifiers_pb2.RELATION_USED_BY_SUBJECT),
        ("+818011112222", identifiers_pb2.RELATION_ADDRESS_BOOK),
        ("+818033334444", identifiers_pb2.RELATION_ADDRESS_BOOK),
    ]
