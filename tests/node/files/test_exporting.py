"""`renkei tips export` and `renkei arrests export`: what leaves, under which label, and what is inert."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1.arrests_pb2_grpc import ArrestsServiceStub
from renkei.arrests.v1.involvements_pb2 import RecruitingStep
from renkei.arrests.v1.money_pb2 import MoneyPlace
from renkei.identifiers.v1.identifiers_pb2 import RELATION_ADDRESS_BOOK
from renkei.policy.v1 import policy_pb2
from renkei.policy.v1.handling_pb2 import ONWARD_FREE, ONWARD_ORCON, Handling
from renkei.tips.v1.events_pb2 import TipReleased

from renkei_chassis.spreadsheets import inert
from renkei_node.files.columns import columns_of
from renkei_node.files.kinds import ARRESTS, TIPS
from tests.agency import AGENCY, TOKYO, request_id
from tests.node.files.node import ARREST_HEADER, Node, arrest_row, csv_of, token_of
from tests.tips.calls import a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei.policy.v1.handling_pb2 import Onward

    from renkei_node.files.kinds import FileKind
    from tests.tips.calls import Tips

FORMULAS = ("=1+1", "+81", "-1", "@x", "\t=1", "  =1", "＝1", "＠x", "\r=1")
SPOKEN = "(演習データ) 髙﨑①㈱ \u202e逆 \U00020bb7野家"


def table_of(content: bytes, encoding: str = "utf-8-sig") -> tuple[str, list[dict[str, str]]]:
    label, _, rest = content.decode(encoding).partition("\r\n")
    return label, list(csv.DictReader(io.StringIO(rest, newline="")))


async def record(tips: Tips) -> list[str]:
    """Record tips with everything that a file could go wrong about; give their names, newest first."""
    made = [
        await tips.create(a_tip(display_name=title, text=SPOKEN, identifiers=[an_occurrence()]))
        for title in ("一", "二")
    ]
    made.append(await tips.create(a_tip(text="=HYPERLINK(1)", case_reference="2024-0117")))
    return [tip.name for tip in reversed(made)]


async def test_nothing_is_exported_without_a_right_to_read(node: Node, tips: Tips) -> None:
    await record(tips)

    result = await node.run(
        "tips", "export", node.directory.parent / "out.csv", token=token_of(node.agency, "CUSTODIAN")
    )

    assert result.exit_code == 1
    assert await asyncio.to_thread(lambda: list(node.directory.parent.glob("*out.csv*"))) == []


async def test_csv_begins_with_its_label_and_every_row_carries_its_own(node: Node, tips: Tips) -> None:
    names = await record(tips)

    told = await node.told("tips", "export", node.directory, node.directory.parent / "out.csv")

    label, rows = table_of(await node.read("out.csv"))
    assert label.strip('"').startswith("取扱注意")
    assert "演習データ" in label
    assert AGENCY in label
    assert list(rows[0])[:2] == ["name", "handling.purpose_code"]
    assert [row["name"] for row in rows] == names
    assert {row["handling.purpose_code"] for row in rows} == {"organised-robbery"}
    assert rows[1]["text"] == SPOKEN
    assert rows[0]["text"] == "'=HYPERLINK(1)"
    assert rows[1]["identifiers.phone"] == "090-1234-5678"
    assert rows[1]["identifiers.phone.normal_form"] == "'+819012345678"
    assert rows[1]["source"] == "ACQUAINTANCE"
    assert (told["records"], told["withheld"]) == (3, 0)


async def test_cp932_says_what_it_cannot_write(node: Node, tips: Tips) -> None:
    await record(tips)

    told = await node.told("tips", "export", node.directory, node.directory.parent / "out.csv", "--encoding", "cp932")

    _, rows = table_of(await node.read("out.csv"), "cp932")
    assert rows[1]["text"] == "(演習データ) 髙﨑①㈱ 〓逆 〓野家"
    assert told["replaced_characters"] == 4


async def test_json_lines_hold_the_whole_record_with_its_label_first(node: Node, tips: Tips) -> None:
    names = await record(tips)

    await node.told("tips", "export", node.directory, node.directory.parent / "out.jsonl")

    content = await node.read("out.jsonl")
    head, *lines = [json.loads(line) for line in content.splitlines()]
    assert "演習データ" in head["label"]
    assert [line["name"] for line in lines] == names
    assert [next(iter(line)) for line in lines] == ["handling"] * 3
    assert lines[1]["text"] == SPOKEN
    assert lines[1]["identifiers"][0]["identifier"]["normal_form"] == "+819012345678"
    assert "\u202e" not in content.decode()


async def test_parquet_has_its_label_in_the_metadata_and_times_as_times(node: Node, tips: Tips) -> None:
    names = await record(tips)

    await node.told("tips", "export", node.directory, node.directory.parent / "out.parquet")

    table: Any = await asyncio.to_thread(pq.read_table, node.directory.parent / "out.parquet")
    assert "演習データ" in table.schema.metadata[b"renkei.label"].decode()
    assert table.column("name").to_pylist() == names
    assert table.column("text").to_pylist()[1] == SPOKEN
    assert str(table.schema.field("create_time").type) == "timestamp[us, tz=UTC]"
    assert table.column("create_time").null_count == 0
    assert table.column("delete_time").null_count == 3
    assert set(table.column("handling.purpose_code").to_pylist()) == {"organised-robbery"}


async def test_only_a_case_is_exported_where_one_is_named(node: Node, tips: Tips) -> None:
    names = await record(tips)

    await node.told("tips", "export", node.directory, node.directory.parent / "out.csv", "--case", "2024-0117")

    _, rows = table_of(await node.read("out.csv"))
    assert [row["name"] for row in rows] == names[:1]


async def test_what_others_released_becomes_a_file_only_where_its_label_lets_it(node: Node, tips: Tips) -> None:
    def released(number: int, onward: Onward.ValueType) -> TipReleased:
        tip = a_tip(display_name=f"(演習データ) {number}")
        tip.name = f"{TOKYO}/tips/0191d5c0-0000-7000-8000-00000000000{number}"
        tip.handling.onward = onward
        tip.version = 1
        return TipReleased(tip=tip)

    for number, onward in ((1, ONWARD_ORCON), (2, ONWARD_FREE)):
        await node.agency.bring(released(number, onward), grade=policy_pb2.GRADE_FULL)
    own = await record(tips)

    plain = await node.told("tips", "export", node.directory, node.directory.parent / "own.csv")
    told = await node.told("tips", "export", node.directory, node.directory.parent / "all.csv", "--received")

    names = [[row["name"] for row in table_of(await node.read(name))[1]] for name in ("own.csv", "all.csv")]
    assert sorted(names[0]) == sorted(own)
    assert [name[-1] for name in names[1] if name.startswith(TOKYO)] == ["2"]
    assert (plain["withheld"], told["withheld"]) == (0, 1)


async def test_what_should_be_gone_is_not_exported(node: Node, tips: Tips) -> None:
    handling = Handling(purpose_code="organised-robbery", purge_by=Timestamp(seconds=1))
    await tips.create(a_tip(handling=handling))

    told = await node.told("tips", "export", node.directory, node.directory.parent / "out.csv")

    assert (told["records"], told["overdue"]) == (0, 1)


async def test_no_person_and_no_bystander_is_exported(arrests_node: Node) -> None:
    await arrests_node.told(
        "arrests", "import", await arrests_node.write("a.csv", csv_of([ARREST_HEADER, arrest_row(1)]))
    )
    client = arrests_node.agency.client()
    (kept,) = (
        await client.call(client.stub(ArrestsServiceStub).ListArrests, arrests_pb2.ListArrestsRequest(parent=AGENCY))
    ).arrests
    assert kept.person.birth_date
    # Whatever else holds identifiers: a recruiter's, a courier's.
    bystanders = [an_occurrence("080-3333-4444", relation=RELATION_ADDRESS_BOOK) for _ in range(2)]
    kept.recruitment.steps.add(means=RecruitingStep.MEANS_OTHER, recruiter_identifiers=bystanders[:1])
    moved = kept.money.movements.add(amount_yen=1)
    moved.source.kind, moved.destination.kind = MoneyPlace.KIND_COURIER, MoneyPlace.KIND_SPENT
    moved.source.identifier.CopyFrom(bystanders[1])
    change = arrests_pb2.UpdateArrestRequest(request_id=request_id(), arrest=kept, reason="(演習データ)")
    change.update_mask.paths.extend(["recruitment", "money"])
    await client.call(client.stub(ArrestsServiceStub).UpdateArrest, change)

    for form in ("csv", "jsonl", "parquet"):
        told = await arrests_node.told("arrests", "export", arrests_node.directory.parent / f"out.{form}")
        assert (told["records"], told["bystanders"]) == (1, 4)

    table: Any = await asyncio.to_thread(pq.read_table, arrests_node.directory.parent / "out.parquet")
    shown = [
        (await arrests_node.read("out.csv")).decode("utf-8-sig"),
        (await arrests_node.read("out.jsonl")).decode(),
        str(table.select([each.name for each in table.schema if str(each.type) == "string"]).to_pylist()),
    ]
    for text in shown:
        assert "窃盗" in text
        assert "携帯電話1台" in text
        assert "髙﨑" not in text
        assert "1975-01-02" not in text
        assert "819012345678" in text
        assert "818011112222" not in text
        assert "080-3333-4444" not in text


async def test_an_export_overwrites_nothing_and_is_whole_or_not_there(node: Node, tips: Tips) -> None:
    await record(tips)
    await node.write("out.csv", b"mine")

    result = await node.run("tips", "export", node.directory.parent / "out.csv")

    assert result.exit_code == 1
    assert "overwrites nothing" in result.output
    assert await node.read("out.csv") == b"mine"
    left = await asyncio.to_thread(lambda: sorted(path.name for path in node.directory.parent.glob("*out*")))
    assert left == ["out.csv"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert inert(text).startswith("'")


@pytest.mark.parametrize("text", ["", "演習", "090-1234", "1=1", "a@b", "'=1"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("kind", [TIPS, ARRESTS], ids=["tips", "arrests"])
def test_every_column_reads_an_empty_record_and_none_is_of_a_person(kind: FileKind) -> None:
    names: Sequence[str] = [column.name for column in columns_of(kind)]

    assert len(set(names)) == len(names)
    assert not [name for name in names if "person" in name or "etag" in name]
    assert {column.read(kind.message()) or None for column in columns_of(kind)} <= {None, "0"}
    assert {"handling.purpose_code", "handling.caveat", "handling.releasable_to", "handling.purge_by"} < set(names)
