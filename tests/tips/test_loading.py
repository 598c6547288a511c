"""Loading many tips: an answer for each row, in order, and nothing recorded twice."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import InvalidArgument, NotAllowed, RenkeiError, to_status
from tests.agency import AGENCY, NOBODY, TOKYO, Agency, request_id
from tests.tips.calls import Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.rpc.status_pb2 import Status


def reason_of(status: Status) -> str:
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


def opened(status: Status) -> tuple[int, str, ErrorInfo, BadRequest]:
    """Take a status apart: the bytes of a map in it are in no particular order."""
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        assert detail.Unpack(info) or detail.Unpack(bad)
    return status.code, status.message, info, bad


def bad_tips() -> dict[str, tips_pb2.Tip]:
    """Make tips that Create refuses, each for another cause."""
    reversed_span = an_occurrence()
    reversed_span.valid_from.seconds, reversed_span.valid_until.seconds = 2, 1
    unknown = a_tip()
    unknown.MergeFromString(b"\xf8\x9d\x05\x01")
    time = a_tip()
    time.observe_time.nanos = -1
    source = a_tip()
    source.source = 77  # type: ignore[assignment]  # what no contract knows
    return {
        "empty": tips_pb2.Tip(),
        "text too long": a_tip(text="x" * 20_001),
        "nul": a_tip(text="a\0b"),
        "unknown field": unknown,
        "unknown value": source,
        "time": time,
        "span": a_tip(identifiers=[reversed_span]),
        "agency": a_tip(releasable_to=[NOBODY]),
    }


async def test_every_row_is_answered_in_the_order_sent(tips: Tips, agency: Agency) -> None:
    results = await tips.load([a_tip(text=f"(演習データ) {row}") for row in range(300)], load_id=request_id())

    assert [result.row for result in results] == list(range(1, 301))
    assert len({result.name for result in results}) == 300
    assert (await tips.get(results[122].name)).text == "(演習データ) 122"
    assert agency.service.log.position.sequence == 300


async def test_many_rows_share_a_commit(tips: Tips, agency: Agency) -> None:
    before = agency.service.writer.groups

    await tips.load([a_tip() for _ in range(400)], load_id=request_id())

    assert agency.service.writer.groups - before < 40


@pytest.mark.parametrize("cause", sorted(bad_tips()))
async def test_a_bad_row_is_refused_as_create_would_and_its_neighbours_are_recorded(tips: Tips, cause: str) -> None:
    bad = bad_tips()[cause]

    first, second, third = await tips.load([a_tip(), bad, a_tip()], load_id=request_id())

    with pytest.raises(RenkeiError) as refused:
        await tips.create(bad)
    assert opened(second.error) == opened(to_status(refused.value))
    assert {first.name, third.name} == {tip.name for tip in (await tips.page()).tips}


async def test_a_load_sent_again_records_nothing_twice(tips: Tips, agency: Agency) -> None:
    load_id = request_id()
    rows = [a_tip(text=f"(演習データ) {row}") for row in range(20)]
    first = await tips.load(rows[:12], load_id=load_id)

    again = await tips.load(rows, load_id=load_id.upper())

    assert again[:12] == first
    assert agency.service.log.position.sequence == 20


async def test_a_row_with_another_content_under_the_same_load_is_refused(tips: Tips) -> None:
    load_id = request_id()
    await tips.load([a_tip()], load_id=load_id)

    (result,) = await tips.load([a_tip(text="(演習データ) 別")], load_id=load_id)

    assert reason_of(result.error) == "REQUEST_ID_REUSED"


async def test_a_row_sent_twice_in_one_message_makes_one_tip(tips: Tips, agency: Agency) -> None:
    row = tips_pb2.TipRow(row=5, tip=a_tip())
    request = tips_pb2.LoadTipsRequest(load_id=request_id(), parent=AGENCY, rows=[row, row])

    answers = [answer async for answer in tips.client.duplex(tips.stub.LoadTips, [request])]

    one, two = answers[0].results
    assert one == two
    assert agency.service.log.position.sequence == 1


async def test_each_message_gets_one_answer(tips: Tips) -> None:
    load_id = request_id()
    requests = [
        tips_pb2.LoadTipsRequest(load_id=load_id, parent=AGENCY, rows=[tips_pb2.TipRow(row=row, tip=a_tip())])
        for row in range(1, 6)
    ]

    answers = [answer async for answer in tips.client.duplex(tips.stub.LoadTips, requests)]

    assert [[result.row for result in answer.results] for answer in answers] == [[1], [2], [3], [4], [5]]


async def test_rows_for_another_agency_are_refused_one_by_one(tips: Tips) -> None:
    results = await tips.load([a_tip(), a_tip()], load_id=request_id(), parent=TOKYO)

    assert [reason_of(result.error) for result in results] == ["FOREIGN_ORIGINATOR"] * 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"load_id": "1"}, "load_id"),
        ({"load_id": ""}, "load_id"),
        ({"parent": ""}, "parent"),
        ({"rows": []}, "rows"),
        ({"rows": [tips_pb2.TipRow(row=0, tip=a_tip())]}, "rows[0].row"),
        ({"rows": [tips_pb2.TipRow(row=1)]}, "rows[0].tip"),
    ],
    ids=["load_id", "no load_id", "no parent", "no rows", "row 0", "no tip"],
)
async def test_a_message_that_is_no_part_of_a_load_ends_it(tips: Tips, changes: dict[str, Any], field: str) -> None:
    values: dict[str, Any] = {"load_id": request_id(), "parent": AGENCY, "rows": [tips_pb2.TipRow(row=1, tip=a_tip())]}
    request = tips_pb2.LoadTipsRequest(**(values | changes))

    with pytest.raises(InvalidArgument) as refused:
        [answer async for answer in tips.client.duplex(tips.stub.LoadTips, [request])]

    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize("where", ["message", "row"])
async def test_a_field_that_nobody_knows_around_the_tips_ends_the_load(tips: Tips, where: str) -> None:
    request = tips_pb2.LoadTipsRequest(load_id=request_id(), parent=AGENCY, rows=[tips_pb2.TipRow(row=1, tip=a_tip())])
    (request if where == "message" else request.rows[0]).MergeFromString(b"\xf8\x9d\x05\x01")

    with pytest.raises(InvalidArgument) as refused:
        [answer async for answer in tips.client.duplex(tips.stub.LoadTips, [request])]

    assert refused.value.reason == "UNKNOWN_FIELD"


async def test_a_message_larger_than_the_server_takes_ends_the_load_and_keeps_what_was_answered(tips: Tips) -> None:
    small = tips_pb2.LoadTipsRequest(load_id=request_id(), parent=AGENCY, rows=[tips_pb2.TipRow(row=1, tip=a_tip())])
    large = tips_pb2.LoadTipsRequest(load_id=small.load_id, parent=AGENCY)
    large.rows.extend(tips_pb2.TipRow(row=row, tip=a_tip(text="x" * 10_000)) for row in range(2, 40))
    answers: list[Sequence[tips_pb2.TipRowResult]] = []

    with pytest.raises(InvalidArgument) as refused:
        answers.extend([answer.results async for answer in tips.client.duplex(tips.stub.LoadTips, [small, large])])

    assert refused.value.reason == "REQUEST_TOO_LARGE"
    assert len((await tips.page()).tips) == 1


async def test_an_auditor_loads_nothing(agency: Agency) -> None:
    with pytest.raises(NotAllowed) as refused:
        await Tips(agency.client("AUDITOR")).load([a_tip()], load_id=str(uuid.uuid4()))

    assert refused.value.reason == "ROLE_MISSING"
