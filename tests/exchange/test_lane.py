"""The protocol of a lane, bundle by bundle: what is made, what is taken, what is refused and why."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Bundle

from renkei_exchange.lane import (
    BUNDLE_BYTES,
    BUNDLE_ITEMS,
    LARGEST_BODY,
    ZERO_HEAD,
    Ask,
    Block,
    Drain,
    Effect,
    Item,
    LaneError,
    LaneReason,
    Position,
    Skip,
    Take,
    assemble,
    begin,
    make_bundles,
    number_of,
    receive,
    resume_after,
)
from tests.exchange.lanes import ORIGIN, Sender, header_of, item, route, with_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from renkei_exchange.lane import Made

START: Final = Position(epoch="e1")


def shown(raw: bytes, *, at: Position = START, control: Position = START, sure: bool = True) -> Effect:
    return receive(raw, route=route(), position=at, control=control, sure=sure)


def made_of(items: Sequence[Item]) -> list[Made]:
    return list(make_bundles(items, route=route(), after=START, control_through=0, time_us=1))


def first_bundle() -> bytes:
    return Sender().send(LANE_DATA, "a", "b")[0]


def test_the_chain_is_computed_as_the_contract_says() -> None:
    """Written out once more by hand: whoever implements the contract anew must come to these bytes."""
    salt = bytes(range(16))
    (made,) = made_of([Item(body=b"body", salt=salt)])

    digest = hashlib.sha256(b"renkei-item-v1\0" + salt + b"body").digest()
    head = hashlib.sha256(b"renkei-head-v1\0" + bytes(32) + digest).digest()
    header = header_of(assemble(made.header, b"", made.items))
    assert list(header.digests) == [digest]
    assert (header.previous_head, header.head) == (bytes(32), head)
    assert made.position == Position(epoch="e1", bundle=1, item=1, head=head)


def test_bundles_and_items_are_numbered_without_gaps() -> None:
    sender = Sender()
    for texts in (["a"], ["b", "c"], ["d"]):
        sender.send(LANE_DATA, *texts)

    headers = [header_of(raw) for raw in sender.bundles[LANE_DATA]]
    assert [header.number for header in headers] == [1, 2, 3]
    assert [(header.first_item, header.last_item) for header in headers] == [(1, 1), (2, 3), (4, 4)]
    assert [header.previous_head for header in headers] == [ZERO_HEAD, headers[0].head, headers[1].head]


def test_a_bundle_is_the_same_bytes_each_time_it_is_put_together() -> None:
    (made,) = made_of([item("a"), item("b")])

    assert assemble(made.header, b"", made.items) == assemble(made.header, b"", list(made.items))


@given(st.lists(st.integers(0, LARGEST_BODY), max_size=30), st.integers(0, 1100))
def test_bundles_keep_to_their_limits_and_lose_nothing(sizes: list[int], small: int) -> None:
    items = [Item(body=bytes(size), salt=bytes(16)) for size in [*sizes, *[1] * small]]

    made = made_of(items)

    assert [part for bundle in made for part in bundle.items] == items
    for bundle in made:
        assert 0 < len(bundle.items) <= BUNDLE_ITEMS
        assert len(bundle.items) == 1 or sum(len(part.body) for part in bundle.items) <= BUNDLE_BYTES
        # The largest message of NATS.
        assert len(assemble(bundle.header, b"", bundle.items)) <= 512 * 1024


def test_an_item_that_fits_into_no_bundle_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="too large"):
        made_of([Item(body=bytes(LARGEST_BODY + 1), salt=bytes(16))])


def test_what_comes_next_is_taken() -> None:
    sender = Sender()
    (raw,) = sender.send(LANE_DATA, "a", "b")

    effect = shown(raw, sure=False)

    assert isinstance(effect, Take)
    assert [(arrived.number, arrived.body) for arrived in effect.items] == [(1, b"a"), (2, b"b")]
    assert effect.position == sender.positions[LANE_DATA]


def test_a_withheld_item_keeps_its_place_and_its_neighbours_still_verify() -> None:
    (made,) = made_of([item("a"), item("secret"), item("c")])
    raw = assemble(made.header, b"", [made.items[0], None, made.items[2]])

    effect = shown(raw)

    assert isinstance(effect, Take)
    assert [arrived.body for arrived in effect.items] == [b"a", None, b"c"]
    assert effect.position == made.position
    assert b"secret" not in raw
    assert made.items[1].salt not in raw


def test_what_is_committed_already_is_skipped() -> None:
    sender = Sender()
    (raw,) = sender.send(LANE_DATA, "a")

    assert shown(raw, at=sender.positions[LANE_DATA]) == Skip()


def test_a_gap_is_asked_for_and_never_jumped() -> None:
    sender = Sender()
    sender.send(LANE_DATA, "a")
    (raw,) = sender.send(LANE_DATA, "b")

    assert shown(raw, sure=False) == Ask(reason=None)
    assert shown(raw, sure=True) == Block(reason=LaneReason.CHAIN_BROKEN)


FORGERIES: Final[dict[str, tuple[bytes, LaneReason]]] = {
    "not a bundle": (b"\xff\xff", LaneReason.MALFORMED),
    "empty": (b"", LaneReason.MALFORMED),
    "too large": (bytes(512 * 1024 + 1), LaneReason.MALFORMED),
    "no items": (Bundle(header=Bundle.FromString(first_bundle()).header).SerializeToString(), LaneReason.MALFORMED),
    "number 0": (with_header(first_bundle(), number=0), LaneReason.MALFORMED),
    "items counted wrongly": (with_header(first_bundle(), last_item=3), LaneReason.MALFORMED),
    "a digest too few": (with_header(first_bundle(), digests=[bytes(32)]), LaneReason.MALFORMED),
    "a digest too short": (with_header(first_bundle(), digests=[bytes(32), bytes(31)]), LaneReason.MALFORMED),
    "a head too short": (with_header(first_bundle(), head=b"x"), LaneReason.MALFORMED),
    "sealed": (with_header(first_bundle(), sealing_suite="hpke"), LaneReason.MALFORMED),
    "another origin": (with_header(first_bundle(), origin="agencies/jp-13"), LaneReason.WRONG_RECIPIENT),
    "another recipient": (with_header(first_bundle(), recipient="agencies/jp-13"), LaneReason.WRONG_RECIPIENT),
    "sent back": (with_header(first_bundle(), origin="agencies/jp-12", recipient=ORIGIN), LaneReason.WRONG_RECIPIENT),
    "the other lane": (with_header(first_bundle(), lane=LANE_CONTROL), LaneReason.WRONG_RECIPIENT),
    "another epoch": (with_header(first_bundle(), epoch="e2"), LaneReason.EPOCH_UNKNOWN),
    "another first item": (with_header(first_bundle(), first_item=2, last_item=3), LaneReason.CHAIN_BROKEN),
    "another head before": (with_header(first_bundle(), previous_head=b"x" * 32), LaneReason.CHAIN_BROKEN),
    "another head": (with_header(first_bundle(), head=b"x" * 32), LaneReason.CHAIN_BROKEN),
    "another digest": (with_header(first_bundle(), digests=[bytes(32)] * 2), LaneReason.DIGEST_MISMATCH),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_bundle_is_fetched_anew_and_blocks_the_lane_if_that_is_forged_too(name: str) -> None:
    raw, reason = FORGERIES[name]

    assert shown(raw, sure=False) == Ask(reason=reason)
    assert shown(raw, sure=True) == Block(reason=reason)


def tampered(change: str) -> bytes:
    bundle = Bundle.FromString(first_bundle())
    match change:
        case "body":
            bundle.items[1].body = b"x"
        case "salt":
            bundle.items[1].salt = bytes(16)
        case "order":
            first, second = bundle.items[0], bundle.items[1]
            bundle = Bundle(header=bundle.header, items=[second, first])
        case "salt too short":
            bundle.items[1].salt = b"short"
        case "withheld with content":
            bundle.items[1].withheld = True
        case _:
            raise AssertionError(change)
    return bundle.SerializeToString()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("body", LaneReason.DIGEST_MISMATCH),
        ("salt", LaneReason.DIGEST_MISMATCH),
        ("order", LaneReason.DIGEST_MISMATCH),
        ("salt too short", LaneReason.MALFORMED),
        ("withheld with content", LaneReason.MALFORMED),
    ],
)
def test_an_item_is_what_the_header_says_or_the_bundle_is_refused(change: str, reason: LaneReason) -> None:
    assert shown(tampered(change)) == Block(reason=reason)


@given(st.data(), st.booleans())
def test_no_flipped_byte_changes_what_is_taken(data: st.DataObject, sure: bool) -> None:  # noqa: FBT001 (drawn)
    sender = Sender()
    (raw,) = sender.send(LANE_DATA, "a", "bb", "ccc")
    place = data.draw(st.integers(0, len(raw) - 1))
    flipped = bytearray(raw)
    flipped[place] ^= data.draw(st.integers(1, 255))

    effect = shown(bytes(flipped), sure=sure)

    # Time and control_through stand in no chain; a signature will hold them.
    assert not isinstance(effect, Take) or effect == shown(raw)


def test_data_waits_for_the_control_lane_that_it_was_made_under() -> None:
    sender = Sender()
    sender.send(LANE_CONTROL, "recall")
    (raw,) = sender.send(LANE_DATA, "a")

    assert shown(raw, control=START) == Drain(through=1)
    assert shown(raw, control=Position(epoch="e0", bundle=9)) == Drain(through=1)
    assert isinstance(shown(raw, control=Position(epoch="e1", bundle=1)), Take)


def test_a_reader_of_another_epoch_gets_the_lane_from_its_start() -> None:
    def asked(epoch: str, after: int) -> int:
        return resume_after(epoch="e1", last_bundle=5, asked_epoch=epoch, asked_after=after)

    assert [asked("e1", 5), asked("e1", 2), asked("e0", 99), asked("", 3)] == [5, 2, 0, 0]


def test_a_reader_that_holds_what_was_never_made_is_told_so() -> None:
    """Its sender was put back to an earlier state without saying so by a new epoch."""
    with pytest.raises(LaneError) as refusal:
        resume_after(epoch="e1", last_bundle=5, asked_epoch="e1", asked_after=6)

    assert refusal.value.reason == LaneReason.LANE_AHEAD


def test_a_new_epoch_begins_at_zero_and_the_same_one_goes_on() -> None:
    position = Position(epoch="e1", bundle=3, item=7, head=b"x" * 32)

    assert begin(position, "e1") is position
    assert begin(position, "e2") == Position(epoch="e2")


def test_epoch_and_number_are_read_from_a_bundle_without_believing_it() -> None:
    assert number_of(first_bundle()) == ("e1", 1)
    assert number_of(b"\xff") is None
