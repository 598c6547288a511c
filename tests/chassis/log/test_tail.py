"""What a log tells from memory is what it would tell from its database, and is forgotten with an erasure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.log.append import erase
from renkei_chassis.log.read import read_events, read_packs
from renkei_chassis.log.tail import LogRow, Pack, Tail
from tests.chassis.keeper import asking

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction
    from tests.chassis.keeper import Keeper


def pack(number: int, *sequences: int, size: int = 10) -> Pack:
    rows = [
        LogRow(
            sequence=sequence,
            event_id=bytes(16),
            origin_agency="",
            time_us=1,
            type="t",
            resource="r",
            digest=b"",
            erased=False,
            envelope=b"",
            salt=b"",
            data=b"",
        )
        for sequence in sequences
    ]
    return Pack(number=number, rows=rows, size=size)


def test_only_what_is_there_without_a_hole_is_told() -> None:
    tail = Tail()
    assert tail.packs(0, 9) is None
    assert tail.rows(0) is None

    tail.add([pack(3, 7, 8), pack(4, 9)])

    assert tail.packs(1, 9) is None
    assert tail.rows(5) is None
    assert [each.number for each in tail.packs(2, 9) or ()] == [3, 4]
    assert [each.number for each in tail.packs(2, 1) or ()] == [3]
    assert [row.sequence for row in tail.rows(6) or ()] == [7, 8, 9]
    assert [row.sequence for row in tail.rows(7) or ()] == [8, 9]
    assert tail.packs(4, 9) == []


@pytest.mark.parametrize("strange", [pack(6, 10), pack(5, 11), pack(4, 9), pack(1, 1)])
def test_what_does_not_follow_begins_anew(strange: Pack) -> None:
    tail = Tail()
    tail.add([pack(3, 7, 8), pack(4, 9)])

    tail.add([strange])

    assert tail.packs(strange.number - 1, 9) == [strange]
    assert tail.packs(strange.number - 2, 9) is None


def test_memory_is_bounded() -> None:
    tail = Tail(most_bytes=25)
    tail.add([pack(number, number) for number in range(1, 6)])

    assert tail.packs(2, 9) is None
    assert [each.number for each in tail.packs(3, 9) or ()] == [4, 5]

    tail.add([pack(6, 6, size=1000)])
    assert tail.packs(5, 9) is None


async def test_memory_and_database_tell_the_same_bytes(keeper: Keeper) -> None:
    log, database = keeper.log, keeper.database
    for number in range(3):
        await keeper.keep(asking(f"plan {number}"))

    for after in range(log.position.pack):
        stored = await database.read(partial(read_packs, source=log.name, epoch=log.epoch, after=after, limit=64))
        assert log._tail.packs(after, 64) is not None
        assert await log.read(after, 64) == stored
    for after in range(log.position.sequence):
        events = await database.read(partial(read_events, source=log.name, after=after))
        assert log._tail.rows(after) is not None
        assert await log.events(after=after) == events
        assert await log.events(after=after, limit=1) == events[:1]
        assert await log.events(after=after, max_bytes=1) == events[:1]


async def test_what_is_erased_is_told_no_more(keeper: Keeper) -> None:
    await keeper.keep(asking("secret plan"))
    await keeper.keep(asking("other plan"))
    assert any(b"secret plan" in raw for _, raw in await keeper.log.read(0, 64))

    def wipe(transaction: Transaction) -> None:
        erase(transaction, [1])

    await keeper.writer.run(wipe)

    assert keeper.log._tail.rows(0) is None
    told = b"".join(raw for _, raw in await keeper.log.read(0, 64))
    assert b"secret plan" not in told
    assert b"other plan" in told
    assert (await keeper.log.events(after=0))[0].erased
