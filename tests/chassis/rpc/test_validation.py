"""A request that breaks a rule is refused with the path of what is broken, and without its value."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

import pytest
from google.protobuf import empty_pb2, struct_pb2
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st
from renkei.event.v1 import log_pb2
from renkei.exchange.v1 import exchange_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis import contract
from renkei_chassis.errors import InvalidArgument
from renkei_chassis.rpc.validation import validate
from tests.chassis.probe import scatter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

UNKNOWN = b"\xf8\x9d\x05\x01"  # field 10719, a varint
UUID = "0191a2b3-0000-7000-8000-000000000001"


def request() -> tips_pb2.CreateTipRequest:
    made = tips_pb2.CreateTipRequest(request_id=UUID, parent="agencies/jp-12")
    made.tip.source = tips_pb2.Tip.SOURCE_OFFICER
    made.tip.text = "駅前で見た"
    made.tip.grading.reliability = tips_pb2.Grading.RELIABILITY_B
    made.tip.grading.accuracy = tips_pb2.Grading.ACCURACY_2
    made.tip.handling.purpose_code = "organised-robbery"
    made.tip.identifiers.add().identifier.original = "090-1234-5678"
    return made


def refusal(message: Message, raw: bytes | None = None) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        validate(message, raw)
    return caught.value


def broken_fields(message: Message) -> list[str]:
    return [violation.field for violation in refusal(message).violations]


@pytest.mark.parametrize("with_raw", [True, False])
def test_a_request_that_keeps_the_rules_passes_and_stays_as_it_was(*, with_raw: bool) -> None:
    message = request()
    before = message.SerializeToString()

    validate(message, before if with_raw else None)

    assert message.SerializeToString() == before


def test_a_broken_field_is_named_by_its_path() -> None:
    message = request()
    message.tip.identifiers.add().identifier.original = "9" * 257

    error = refusal(message)

    assert error.reason == "FIELD_INVALID"
    assert [violation.field for violation in error.violations] == ["tip.identifiers[1].identifier.original"]
    assert error.message == "tip.identifiers[1].identifier.original: must be at most 256 characters"


def test_every_broken_field_is_named() -> None:
    message = request()
    message.request_id = "not a uuid"
    message.tip.display_name = "a\x01b"
    message.tip.identifiers[0].provenance = 77  # type: ignore[assignment] # a number that nobody knows

    assert set(broken_fields(message)) == {"request_id", "tip.display_name", "tip.identifiers[0].provenance"}


def test_a_rule_about_the_whole_request_is_named_by_the_field_it_is_about() -> None:
    message = request()
    message.tip.handling.Clear()
    message.tip.text = ""

    assert set(broken_fields(message)) == {"tip.text", "tip.handling.purpose_code"}


def test_a_missing_message_is_named() -> None:
    message = tips_pb2.LoadTipsRequest(load_id=UUID, parent="agencies/jp-12", rows=[tips_pb2.TipRow(row=1)])

    assert "rows[0].tip" in broken_fields(message)


@pytest.mark.parametrize("with_raw", [True, False])
@pytest.mark.parametrize(
    ("place", "path"),
    [("", "10719"), ("tip", "tip.10719"), ("tip.identifiers.identifier", "tip.identifiers[0].identifier.10719")],
)
def test_an_unknown_field_is_refused_at_any_depth(place: str, path: str, *, with_raw: bool) -> None:
    message = request()
    target: Message = message
    for name in filter(None, place.split(".")):
        below = getattr(target, name)
        target = below if hasattr(below, "DESCRIPTOR") else below[0]
    target.MergeFromString(UNKNOWN)
    raw = message.SerializeToString()

    error = refusal(message, raw if with_raw else None)

    assert error.reason == "UNKNOWN_FIELD"
    assert error.metadata == {"field": path}
    assert message.SerializeToString() == raw


def test_a_nul_in_any_string_is_refused() -> None:
    message = request()
    message.tip.text = "見た\0"
    message.tip.handling.releasable_to.extend(["agencies/jp-13", "agencies/\0"])
    message.tip.identifiers[0].identifier.original = "\0"

    assert {"tip.text", "tip.handling.releasable_to[1]", "tip.identifiers[0].identifier.original"} <= set(
        broken_fields(message)
    )


def test_a_zero_byte_that_is_in_no_string_is_none_of_the_business() -> None:
    message = request()
    message.tip.observe_time.SetInParent()  # its length is a zero byte

    assert b"\0" in message.SerializeToString()
    validate(message)


@pytest.mark.parametrize("pair", [{"a\0": "b"}, {"a": "b\0"}])
def test_a_nul_in_a_map_is_refused(pair: dict[str, str]) -> None:
    """The contract's requests have no map yet; the check must not be blind when they get one."""
    assert broken_fields(error_details_pb2.ErrorInfo(reason="X", metadata=pair)) == ["metadata"]


def test_a_nul_below_a_map_is_refused() -> None:
    message = struct_pb2.Struct(fields={"a": struct_pb2.Value(string_value="b\0")})

    assert broken_fields(message) == ["fields[].string_value"]


def test_a_number_out_of_range_and_a_forbidden_zero_are_refused() -> None:
    assert broken_fields(log_pb2.ReadLogRequest(max_events=-1)) == ["max_events"]
    assert broken_fields(exchange_pb2.ReadLaneRequest()) == ["lane"]


def test_a_message_without_rules_passes() -> None:
    validate(empty_pb2.Empty())


def test_no_refusal_repeats_a_value() -> None:
    """Errors are logged and cross process borders; values are personal data."""
    message = request()
    secret = "闇SECRET\0\x01"
    message.request_id = message.parent = secret * 20
    message.tip.text = secret * 5000
    message.tip.display_name = message.tip.case_reference = message.tip.external_reference = secret * 50
    message.tip.handling.purpose_code = secret
    message.tip.handling.releasable_to.extend([secret, secret])
    message.tip.identifiers[0].identifier.original = secret * 100
    message.tip.identifiers[0].identifier.type = 4711  # type: ignore[assignment] # a number that nobody knows

    error = refusal(message)

    told = [str(error), *error.metadata.values(), *(v.field + v.description for v in error.violations)]
    assert len(error.violations) > 10
    assert not [text for text in told if "SECRET" in text or "闇" in text or "4711" in text]


def test_a_request_with_thousands_of_faults_names_some_dozens() -> None:
    message = request()
    del message.tip.identifiers[:]
    for _ in range(200):
        message.tip.identifiers.add().identifier.original = "\0" * 257

    assert len(refusal(message).violations) <= 100


REQUESTS = sorted({method.input_type.full_name for _, method, _ in contract.methods()})


def holds_unknown(message: Message) -> bool:
    before = message.ByteSize()
    known = type(message).FromString(message.SerializeToString())
    known.DiscardUnknownFields()
    return known.ByteSize() != before


@given(st.sampled_from(REQUESTS), st.integers(0, 2**32))
def test_whatever_comes_is_taken_or_refused_as_an_invalid_argument(name: str, seed: int) -> None:
    """No request makes the rules themselves fail, and none with an unknown field passes."""
    message = contract.message_type(name)()
    scatter(message, Random(seed))
    wanted = holds_unknown(message)

    refused = [error.reason for error in refusals(message)]

    assert ("UNKNOWN_FIELD" in refused) == wanted
    assert refused or not any("\0" in text for text in texts(message))


def refusals(message: Message) -> Iterator[InvalidArgument]:
    try:
        validate(message)
    except InvalidArgument as error:
        yield error


def texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if isinstance(item, str):
                yield item
            elif field.message_type is not None:
                yield from texts(item)


@pytest.mark.parametrize("name", REQUESTS)
def test_the_rules_of_every_request_can_be_run(name: str) -> None:
    with suppress(InvalidArgument):
        validate(contract.message_type(name)())
