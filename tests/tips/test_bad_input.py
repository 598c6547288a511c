"""Missing, huge, malformed and hostile values: each refused in words that name the field and not the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from renkei.identifiers.v1 import identifiers_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.errors import InvalidArgument, from_rpc_error
from tests.agency import AGENCY, Agency, request_id
from tests.tips.calls import HANDLE, Tips, a_tip, an_occurrence

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "09012345678"


def emptied(field: str) -> tips_pb2.Tip:
    tip = a_tip()
    tip.ClearField(field)  # type: ignore[arg-type]  # one of the fields below
    return tip


def with_occurrence(**changes: Any) -> tips_pb2.Tip:  # noqa: ANN401 (fields of an occurrence)
    occurrence = an_occurrence()
    for name, value in changes.items():
        target: Any = occurrence.identifier if name in {"type", "original"} else occurrence
        setattr(target, name, value)
    return a_tip(identifiers=[an_occurrence(), occurrence])


def with_value(path: str, value: Any) -> tips_pb2.Tip:  # noqa: ANN401 (a value of any field)
    tip: Any = a_tip()
    *above, last = path.split(".")
    target = tip
    for name in above:
        target = getattr(target, name)
    setattr(target, last, value)
    done: tips_pb2.Tip = tip
    return done


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (lambda: emptied("source"), ["tip.source"]),
        (lambda: emptied("text"), ["tip.text"]),
        (lambda: emptied("grading"), ["tip.grading"]),
        (lambda: emptied("handling"), ["tip.handling.purpose_code"]),
        (lambda: with_occurrence(type=0), ["tip.identifiers[1].identifier.type"]),
        (lambda: with_occurrence(original=""), ["tip.identifiers[1].identifier.original"]),
        (lambda: with_occurrence(provenance=0), ["tip.identifiers[1].provenance"]),
        (lambda: with_occurrence(relation=0), ["tip.identifiers[1].relation"]),
        (lambda: with_occurrence(relation=99), ["tip.identifiers[1].relation"]),
        (lambda: with_occurrence(original="1" * 257), ["tip.identifiers[1].identifier.original"]),
        (lambda: with_value("text", "x" * 20_001), ["tip.text"]),
        (lambda: with_value("display_name", "n" * 100_000), ["tip.display_name"]),
        (lambda: with_value("display_name", "a\x07b"), ["tip.display_name"]),
        (lambda: with_value("display_name", f"{SECRET}\0"), ["tip.display_name", "tip.display_name"]),
        (lambda: with_value("text", f"{SECRET}\0"), ["tip.text"]),
        (lambda: with_value("source", 77), ["tip.source"]),
        (lambda: with_value("grading.accuracy", -1), ["tip.grading.accuracy"]),
        (lambda: with_value("handling.purpose_code", "Robbery!"), ["tip.handling.purpose_code"]),
        (lambda: with_value("handling.caveat", "x" * 501), ["tip.handling.caveat"]),
        (lambda: with_value("handling.permitted_action", 99), ["tip.handling.permitted_action"]),
        (lambda: with_value("observe_time.seconds", 10**17), ["tip.observe_time"]),
        (lambda: with_value("observe_time.seconds", -(10**17)), ["tip.observe_time"]),
        (lambda: with_value("observe_time.nanos", 10**9), ["tip.observe_time"]),
        (lambda: with_value("handling.review_by.nanos", -1), ["tip.handling.review_by"]),
    ],
)
async def test_a_broken_field_is_named_and_its_value_is_not(
    tips: Tips, make: Callable[[], tips_pb2.Tip], fields: list[str]
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(make())

    assert refused.value.reason == "FIELD_INVALID"
    assert [violation.field for violation in refused.value.violations] == fields
    assert SECRET not in str(refused.value)
    assert not (await tips.page()).tips


async def test_every_broken_occurrence_is_named(tips: Tips) -> None:
    tip = a_tip(identifiers=[identifiers_pb2.Occurrence(), an_occurrence(), identifiers_pb2.Occurrence()])

    with pytest.raises(InvalidArgument) as refused:
        await tips.create(tip)

    assert [violation.field for violation in refused.value.violations] == [
        f"tip.identifiers[{index}].{field}"
        for index in (0, 2)
        for field in ("identifier.type", "identifier.original", "provenance", "relation")
    ]


async def test_too_many_identifiers_are_refused(tips: Tips) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.create(a_tip(identifiers=[an_occurrence()] * 201))

    assert [violation.field for violation in refused.value.violations] == ["tip.identifiers"]


@pytest.mark.parametrize(
    "original", ["\u202e09012345678", "090\u200b1234\u200b5678", "０９０-１２３４-５６７８", "090-1234-5678\u2069"]
)
async def test_what_only_looks_different_is_read_alike_and_kept_as_written(tips: Tips, original: str) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence(original)]))

    identifier = made.identifiers[0].identifier
    assert (identifier.original, identifier.normal_form) == (original, "+819012345678")


@pytest.mark.parametrize(
    "original", ["𠮷野家", "\ue000090-1234-5678", "12", "090-1234\n5678", "{}", "'; DROP TABLE tip"]
)
async def test_what_is_no_number_is_kept_and_links_nothing(tips: Tips, original: str) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence(original)]))

    identifier = made.identifiers[0].identifier
    assert (identifier.original, identifier.normal_form) == (original, "")
    assert await tips.get(made.name) == made


async def test_a_normal_form_is_the_services_to_give(tips: Tips) -> None:
    occurrence = an_occurrence("090-1234-5678")
    occurrence.identifier.normal_form = "+815000000000"
    occurrence.identifier.normal_form_version = 99

    made = await tips.create(a_tip(identifiers=[occurrence]))

    assert made.identifiers[0].identifier.normal_form == "+819012345678"
    assert made.identifiers[0].identifier.normal_form_version < 99


async def test_a_reversed_span_is_refused(tips: Tips) -> None:
    occurrence = an_occurrence()
    occurrence.valid_from.seconds, occurrence.valid_until.seconds = 200, 100

    with pytest.raises(InvalidArgument) as refused:
        await tips.create(a_tip(identifiers=[an_occurrence(), occurrence]))

    assert refused.value.reason == "SPAN_REVERSED"
    assert refused.value.violations[0].field == "tip.identifiers[1].valid_until"


async def test_a_handle_gets_a_span_around_the_time_it_was_seen(tips: Tips) -> None:
    tip = a_tip(identifiers=[an_occurrence("@renkei_demo (X)", kind=HANDLE), an_occurrence()])
    tip.observe_time.FromJsonString("2024-10-01T03:15:00+09:00")

    made = await tips.create(tip)

    handle, phone = made.identifiers
    assert handle.valid_from.ToJsonString() == "2024-07-02T18:15:00Z"
    assert handle.valid_until.ToJsonString() == "2024-12-29T18:15:00Z"
    assert not phone.HasField("valid_from")


async def test_a_handle_without_time_gets_a_span_around_now(tips: Tips) -> None:
    made = await tips.create(a_tip(identifiers=[an_occurrence("@renkei_demo (X)", kind=HANDLE)]))

    (handle,) = made.identifiers
    day = 24 * 60 * 60
    assert made.create_time.seconds - handle.valid_from.seconds == 90 * day
    assert handle.valid_until.seconds - made.create_time.seconds == 90 * day


async def test_one_end_of_a_span_that_was_given_is_left_alone(tips: Tips) -> None:
    occurrence = an_occurrence("@renkei_demo (X)", kind=HANDLE)
    occurrence.valid_until.FromSeconds(1_700_000_000)

    made = await tips.create(a_tip(identifiers=[occurrence]))

    assert not made.identifiers[0].HasField("valid_from")
    assert made.identifiers[0].valid_until.seconds == 1_700_000_000


async def test_a_field_that_nobody_knows_is_refused_by_its_path(tips: Tips) -> None:
    tip = a_tip(identifiers=[an_occurrence()])
    tip.identifiers[0].identifier.MergeFromString(b"\xf8\x9d\x05\x01")

    with pytest.raises(InvalidArgument) as refused:
        await tips.create(tip)

    assert refused.value.reason == "UNKNOWN_FIELD"
    assert refused.value.metadata["field"] == "tip.identifiers[0].identifier.10719"


@pytest.mark.parametrize("request_id", ["", "1", "x" * 100_000, "00000000-0000-0000-0000-00000000000g"])
async def test_a_request_without_proper_id_is_refused(tips: Tips, request_id: str) -> None:
    request = tips_pb2.CreateTipRequest(request_id=request_id, parent=AGENCY, tip=a_tip())

    with pytest.raises(InvalidArgument) as refused:
        await tips.client.call(tips.stub.CreateTip, request)

    assert refused.value.reason == "FIELD_INVALID"
    assert [violation.field for violation in refused.value.violations] == ["request_id"]


@pytest.mark.parametrize("raw", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x1a\x03\x4a\x01\xff"])
async def test_bytes_that_are_no_request_are_refused(agency: Agency, raw: bytes) -> None:
    client = agency.client()
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = client._channel.unary_unary(
        "/renkei.tips.v1.TipsService/CreateTip"
    )

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(raw, metadata=client._metadata())

    assert from_rpc_error(refused.value).reason == "MALFORMED_REQUEST"


async def test_a_request_larger_than_the_server_takes_is_refused(tips: Tips) -> None:
    tip = a_tip(identifiers=[an_occurrence("x" * 256, valid_from={"seconds": 1})] * 200, text="漢" * 20_000)
    tip.identifiers.extend([an_occurrence("漢" * 256)] * 300)

    with pytest.raises(InvalidArgument) as refused:
        await tips.create(tip)

    assert refused.value.reason == "REQUEST_TOO_LARGE"


@pytest.mark.parametrize("size", [-1, -(2**31)])
async def test_a_negative_page_size_is_refused(tips: Tips, size: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.page(page_size=size)

    assert refused.value.reason == "FIELD_INVALID"


async def test_a_list_by_a_time_that_is_none_is_refused(tips: Tips) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await tips.page(min_create_time={"seconds": 10**17})

    assert [violation.field for violation in refused.value.violations] == ["min_create_time"]


async def test_a_reason_is_required_to_correct_and_to_delete(tips: Tips) -> None:
    made = await tips.create()

    with pytest.raises(InvalidArgument) as refused:
        await tips.update(made, "text", reason="")

    assert [violation.field for violation in refused.value.violations] == ["reason"]
    request = tips_pb2.DeleteTipRequest(request_id=request_id(), name=made.name)
    with pytest.raises(InvalidArgument) as refused:
        await tips.client.call(tips.stub.DeleteTip, request)
    assert [violation.field for violation in refused.value.violations] == ["reason"]
