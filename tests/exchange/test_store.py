"""What is kept of a lane, and that it comes out as it went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL, LANE_DATA, Bundle

from renkei_chassis.ids import uuid7
from renkei_exchange import store
from renkei_exchange.lane import Position, Route, Take, receive
from renkei_exchange.outbound import Outbound
from renkei_exchange.recent import LaneSource
from renkei_exchange.store import LaneState
from tests.exchange.ground import PEER, Ground, out_item
from tests.exchange.lanes import header_of

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction


@pytest.fixture
def outbound(ground: Ground) -> Outbound:
    return Outbound(own="agencies/jp-12", peers=[PEER, "agencies/jp-13"], epoch=ground.database.epoch)


async def test_a_commit_group_makes_one_bundle_for_each_peer_and_lane(ground: Ground, outbound: Outbound) -> None:
    items = [
        *(out_item(text) for text in "abc"),
        out_item("d", peer="agencies/jp-13"),
        out_item("e", lane=LANE_CONTROL),
    ]
    await ground.put(outbound, *items)

    (data,), (control,) = await ground.bundles(), await ground.bundles(LANE_CONTROL)
    (other,) = await ground.bundles(peer="agencies/jp-13")
    assert [[item.body for item in Bundle.FromString(raw).items] for raw in (data, control, other)] == [
        [b"a", b"b", b"c"],
        [b"e"],
        [b"d"],
    ]


async def test_data_names_the_control_bundle_that_was_made_with_it(ground: Ground, outbound: Outbound) -> None:
    await ground.put(outbound, out_item("data"), out_item("control", lane=LANE_CONTROL))
    await ground.put(outbound, out_item("more"))

    assert [header_of(raw).control_through for raw in await ground.bundles()] == [1, 1]
    assert [header_of(raw).control_through for raw in await ground.bundles(LANE_CONTROL)] == [0]


async def test_what_is_kept_verifies_from_the_first_bundle_to_the_last(ground: Ground, outbound: Outbound) -> None:
    for text in "abcde":
        await ground.put(outbound, out_item(text), out_item(text * 2))

    position = Position(epoch=ground.database.epoch)
    route = Route(origin="agencies/jp-12", recipient=PEER, lane=LANE_DATA)
    for raw in await ground.bundles():
        effect = receive(raw, route=route, position=position, control=position, sure=True)
        assert isinstance(effect, Take)
        position = effect.position
    assert position == ground.state().position
    assert (position.bundle, position.item) == (5, 10)


async def test_a_bundle_is_the_same_bytes_each_time(ground: Ground, outbound: Outbound) -> None:
    await ground.put(outbound, out_item("a"), out_item("b"))

    assert await ground.bundles() == await ground.bundles()


async def test_equal_items_have_different_salts(ground: Ground, outbound: Outbound) -> None:
    """Or a peer could tell that two agencies, or two records, got the same."""
    await ground.put(outbound, out_item("a"), out_item("a"), out_item("a", peer="agencies/jp-13"))

    bundles = [*await ground.bundles(), *await ground.bundles(peer="agencies/jp-13")]
    salts = [item.salt for raw in bundles for item in Bundle.FromString(raw).items]
    assert len(set(salts)) == 3


async def test_a_long_lane_is_read_in_slices(ground: Ground, outbound: Outbound) -> None:
    """A relay that catches up must not hold a whole lane in memory."""
    for _ in range(8):
        await ground.put(outbound, out_item(body=bytes(300 * 1024)))

    source = source_of(ground, outbound)
    read: list[int] = []
    slices = 0
    while found := await source.read(len(read), 64):
        read += [number for number, _ in found]
        slices += 1
        assert sum(len(raw) for _, raw in found) < 2 * store.SLICE_BYTES
    assert read == list(range(1, 9))
    assert slices > 1
    assert await source.last_number() == 8


def source_of(ground: Ground, outbound: Outbound) -> LaneSource:
    recent = outbound.recent[PEER, LANE_DATA]
    return LaneSource(database=ground.database, recent=recent, peer=PEER, lane=LANE_DATA)


async def test_what_was_just_committed_is_told_from_memory_and_is_the_same(ground: Ground, outbound: Outbound) -> None:
    source, recent = source_of(ground, outbound), outbound.recent[PEER, LANE_DATA]
    for number in range(5):
        await ground.put(outbound, out_item(f"a{number}"), out_item(f"b{number}"))

    stored = list(enumerate(await ground.bundles(), start=1))
    for after in range(6):
        assert recent.after(after, 64) == stored[after:] == await source.read(after, 64)
    assert recent.after(0, 2) == stored[:2]


async def test_memory_holds_no_more_than_a_relay_needs(ground: Ground, outbound: Outbound) -> None:
    recent = outbound.recent[PEER, LANE_DATA]
    for _ in range(9):
        await ground.put(outbound, out_item(body=bytes(16 * 1024)))

    assert recent.after(0, 64) is None
    assert [number for number, _ in recent.after(6, 64) or ()] == [7, 8, 9]
    assert [number for number, _ in await source_of(ground, outbound).read(0, 64)] == list(range(1, 10))


async def test_an_erasure_empties_the_memory_too(ground: Ground) -> None:
    outbound = Outbound(
        own="agencies/jp-12", peers=[PEER], epoch=ground.database.epoch, erasures=lambda: ground.writer.erasures
    )
    await ground.put(outbound, out_item("gone", resource="agencies/jp-12/tips/1"), out_item("kept"))
    recent = outbound.recent[PEER, LANE_DATA]
    assert b"gone" in (recent.after(0, 1) or [])[0][1]

    def erase(transaction: Transaction) -> None:
        store.withhold_record(transaction, "agencies/jp-12/tips/1")
        outbound.put(transaction, out_item("with it"))  # committed together with the erasure

    await ground.writer.run(erase)

    assert recent.after(0, 64) is None
    told = b"".join(raw for _, raw in await source_of(ground, outbound).read(0, 64))
    assert b"gone" not in told
    assert b"kept" in told
    assert b"with it" in told
    await ground.put(outbound, out_item("later"))
    assert [number for number, _ in recent.after(2, 64) or ()] == [3]


async def test_a_withheld_item_leaves_nothing_but_its_digest(ground: Ground, outbound: Outbound) -> None:
    await ground.put(outbound, out_item("a"), out_item("secret", resource="agencies/jp-12/tips/1"), out_item("c"))
    (before,) = await ground.bundles()

    def withhold(transaction: Transaction) -> None:
        store.withhold_record(transaction, "agencies/jp-12/tips/1")

    await ground.writer.run(withhold)

    (after,) = await ground.bundles()
    assert header_of(after) == header_of(before)
    assert [item.body for item in Bundle.FromString(after).items] == [b"a", b"", b"c"]
    assert Bundle.FromString(after).items[1].withheld
    route = Route(origin="agencies/jp-12", recipient=PEER, lane=LANE_DATA)
    start = Position(epoch=ground.database.epoch)
    assert isinstance(receive(after, route=route, position=start, control=start, sure=True), Take)


async def test_where_a_lane_stands_is_kept_for_each_direction_apart(ground: Ground) -> None:
    coming = LaneState(
        position=Position(epoch="e1", bundle=3, item=9, head=b"h" * 32), received=2, receive_time_us=5, blocked="X"
    )
    going = LaneState(position=Position(epoch="e2", bundle=1, item=1, head=b"g" * 32))

    def write(transaction: Transaction) -> None:
        store.write_state(transaction, PEER, LANE_DATA, coming, outbound=False)
        store.write_state(transaction, PEER, LANE_DATA, going, outbound=True)

    await ground.writer.run(write)
    await ground.writer.run(write)

    assert (ground.state(outbound=False), ground.state(outbound=True)) == (coming, going)


async def test_growth_wakes_a_lane_once_and_only_that_lane(ground: Ground, outbound: Outbound) -> None:
    woken: list[str] = []
    outbound.on_growth(PEER, LANE_DATA, lambda: woken.append("data"))
    outbound.on_growth(PEER, LANE_CONTROL, lambda: woken.append("control"))

    await ground.put(outbound, out_item("a"), out_item("b"))

    assert woken == ["data"]


async def test_items_of_a_batch_that_fails_are_in_no_lane(ground: Ground, outbound: Outbound) -> None:
    def effect(transaction: Transaction) -> None:
        outbound.put(transaction, out_item("a"))
        raise LookupError

    with pytest.raises(LookupError):
        await ground.writer.run(effect)

    assert await ground.bundles() == []


async def test_the_ledger_lists_records_and_no_receipts(ground: Ground, outbound: Outbound) -> None:
    await ground.put(outbound, out_item("a", resource="r1"), out_item("b", lane=LANE_CONTROL))
    await ground.put(outbound, out_item("c", resource="r2"), out_item("d", resource="r1", peer="agencies/jp-13"))

    async def listed(resource: str = "", recipient: str = "") -> list[tuple[str, str]]:
        rows = await ground.database.read(
            lambda connection: store.list_deliveries(connection, resource=resource, recipient=recipient, limit=10)
        )
        return [(row.resource, row.peer) for row in rows]

    newest_first = [("r1", "agencies/jp-13"), ("r2", PEER), ("r1", PEER)]
    assert sorted(await listed()) == sorted(newest_first)
    assert (await listed())[-1] == ("r1", PEER)
    assert await listed("r1") == [("r1", "agencies/jp-13"), ("r1", PEER)]
    assert await listed("r1", PEER) == [("r1", PEER)]


async def test_many_ids_are_looked_up_in_questions_of_bearable_size(ground: Ground) -> None:
    ids = [uuid7() for _ in range(70_000)]

    known = await ground.writer.run(lambda transaction: store.known_events(transaction, PEER, ids))

    assert known == set()
