"""A log: no gaps, time only forwards, the same over restarts; what is erased is gone from the files."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from renkei.event.v1.event_pb2 import EventBatch, Origin
from renkei.personas.v1.events_pb2 import PersonaSubmitted
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY
from sqlalchemy import text

from renkei_chassis.clock import ManualClock
from renkei_chassis.database.transaction import NewEvent, RawPayload, Transaction
from renkei_chassis.errors import Unavailable
from renkei_chassis.ids import uuid7
from renkei_chassis.log.append import MAX_EVENT_BYTES, PACK_BYTES, erase
from renkei_chassis.log.digest import event_digest
from renkei_chassis.log.read import MAX_BYTES, read_events
from tests.chassis.keeper import asking, keeping
from tests.databases import SQLITE, on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from renkei.event.v1.event_pb2 import Event

    from tests.chassis.keeper import Keeper


def times(events: Sequence[Event]) -> list[int]:
    return [event.time.ToMicroseconds() for event in events]


async def packs(keeper: Keeper) -> list[EventBatch]:
    found: list[EventBatch] = []
    while read := await keeper.log.read(len(found), 1000):
        found += [EventBatch.FromString(data) for _, data in read]
    return found


# Sequence and time.


async def test_sequences_have_no_gap_and_times_go_forward_over_restarts_of_a_slow_clock(
    tmp_path: Path, kind: str
) -> None:
    clock = ManualClock()
    for step in (0, -3, 0, 2, 0, -5):
        clock.advance(step)
        async with keeping(tmp_path / "keeper.db", clock) as keeper:
            await asyncio.gather(*(keeper.keep(asking(f"{clock.now_us()} {uuid7()}")) for _ in range(3)))

    async with keeping(tmp_path / "keeper.db", clock) as keeper:
        events = await keeper.events()

    assert [event.sequence for event in events] == list(range(1, 19))
    assert all(earlier < later for earlier, later in pairwise(times(events)))
    assert len({event.id for event in events}) == 18


async def test_a_log_in_front_of_the_clock_is_refused_until_the_clock_is_right(tmp_path: Path, kind: str) -> None:
    """Also after a restart with a clock set back meanwhile."""
    clock = ManualClock()
    async with keeping(tmp_path / "keeper.db", clock) as keeper:
        await keeper.tell(1)
    clock.advance(-3600)

    async with keeping(tmp_path / "keeper.db", clock) as keeper:
        with pytest.raises(Unavailable) as caught:
            await keeper.tell(1)
        assert len(await keeper.events()) == 1

    assert caught.value.reason == "CLOCK_JUMPED"
    assert caught.value.metadata == {"behind_seconds": "3600"}


async def test_a_log_with_a_gap_is_refused(tmp_path: Path, kind: str) -> None:
    async with keeping(tmp_path / "keeper.db") as keeper:
        await keeper.tell(1, 1, 1)
        await keeper.writer.run(
            lambda transaction: transaction.execute(text("DELETE FROM renkei_event WHERE sequence = 2"))
        )

    with pytest.raises(ValueError, match="ends at 3 and holds 2 events: restore it"):
        async with keeping(tmp_path / "keeper.db"):
            pass


async def test_an_event_says_all_that_was_handed_over(keeper: Keeper) -> None:
    event_id = uuid7()
    new = NewEvent(
        payload=RawPayload(type_name="renkei.future.v1.NotKnownHere", data=b"\xff\0bytes"),
        resource="agencies/jp-09/tips/1",
        audience={"agencies/jp-13": GRADE_FULL, "agencies/jp-11": GRADE_INDEX_ONLY},
        may_ignore=True,
        event_id=event_id,
        origin=Origin(agency="agencies/jp-09", lane="data", bundle=7),
        grade=GRADE_FULL,
    )

    await keeper.writer.run(lambda transaction: transaction.emit(new))

    (event,) = await keeper.events()
    assert (event.source, event.sequence, event.id) == ("agencies/jp-12/logs/keeper", 1, str(event_id))
    assert (event.type, event.data.value) == ("renkei.future.v1.NotKnownHere", b"\xff\0bytes")
    assert event.data.type_url == "type.googleapis.com/renkei.future.v1.NotKnownHere"
    assert [(entry.agency, entry.grade) for entry in event.audience] == sorted(new.audience.items())
    assert (event.may_ignore, event.origin, event.grade) == (True, new.origin, GRADE_FULL)
    assert event.resource == new.resource
    assert event.digest == event_digest(
        salt=event.salt,
        event_id=event_id,
        time_us=event.time.ToMicroseconds(),
        type_name=event.type,
        payload=event.data.value,
    )


# Erasure.


async def test_an_erased_event_keeps_everything_but_payload_and_salt(keeper: Keeper) -> None:
    await keeper.tell(5, 5, 5)
    before = await keeper.events()

    await keeper.writer.run(lambda transaction: erase(transaction, [2]))

    after = await keeper.events()
    assert [event.erased for event in after] == [False, True, False]
    assert not after[1].HasField("data")
    assert not after[1].salt
    after[1].data.CopyFrom(before[1].data)
    after[1].salt, after[1].erased = before[1].salt, False
    assert after == before


@on(SQLITE)
async def test_what_is_erased_is_in_no_file(tmp_path: Path, kind: str) -> None:
    """Neither in the database nor in its write-ahead log, while a reader is connected all the time."""
    marker, kept = "MARKER-of-one-who-is-forgotten", "MARKER-of-one-who-stays"

    def files_with(word: str) -> list[str]:
        return sorted(file.name for file in tmp_path.iterdir() if word.encode() in file.read_bytes())

    async with keeping(tmp_path / "keeper.db") as keeper:
        for word in [*[marker] * 100, *[kept] * 5]:
            new = NewEvent(payload=PersonaSubmitted(plan_hash=word * 30), resource="r")
            await keeper.writer.run(partial(Transaction.emit, event=new))
        salts = [event.salt for event in await keeper.log.events(after=0)][:100]
        keeper.database.recall(lambda connection: read_events(connection, "x", after=0, limit=1))
        assert await asyncio.to_thread(files_with, marker)

        await keeper.writer.run(lambda transaction: erase(transaction, range(1, 101)))

        assert await asyncio.to_thread(files_with, marker) == []
        assert await asyncio.to_thread(files_with, kept) == ["keeper.db"]
        content = await asyncio.to_thread((tmp_path / "keeper.db").read_bytes)
        assert not any(salt in content for salt in salts)


async def test_what_a_reader_kept_from_being_wiped_is_wiped_with_the_next_group(tmp_path: Path) -> None:
    marker = "MARKER-of-one-who-is-forgotten"

    def wiped() -> bool:
        return not any(marker.encode() in file.read_bytes() for file in tmp_path.iterdir())

    async with keeping(tmp_path / "keeper.db") as keeper:
        await keeper.keep(asking(marker))
        reader = await asyncio.to_thread(sqlite3.connect, tmp_path / "keeper.db", check_same_thread=False)
        with closing(reader):
            half_read = await asyncio.to_thread(reader.execute, "SELECT * FROM renkei_event, renkei_fact")
            await asyncio.to_thread(half_read.fetchone)

            def forget(transaction: Transaction) -> None:
                transaction.execute(text("DELETE FROM keeper_plan"))
                erase(transaction, [1])

            await keeper.writer.run(forget)
            assert not await asyncio.to_thread(wiped)
            await asyncio.to_thread(half_read.close)

        await keeper.writer.run(lambda transaction: None)

        assert await asyncio.to_thread(wiped)


# Packs.


async def test_each_event_is_in_one_pack_and_no_pack_is_too_large_for_the_courier(keeper: Keeper) -> None:
    longest = "agencies/jp-12/personas/" + "p" * 170
    for sizes in ([10] * 700, [60_000] * 9, [1], [200_000, 5, 200_000], [MAX_EVENT_BYTES - 1000]):
        await keeper.tell(*sizes, resource=longest)

    found = await packs(keeper)

    assert [pack.number for pack in found] == list(range(1, len(found) + 1))
    assert [event.sequence for pack in found for event in pack.events] == list(range(1, 715))
    large = [pack for pack in found if pack.ByteSize() > PACK_BYTES]
    assert [len(pack.events) for pack in large] == [1, 1, 1], "only what is too large by itself"
    assert max(pack.ByteSize() for pack in found) < MAX_EVENT_BYTES + 1024
    assert {(pack.source, pack.epoch) for pack in found} == {(keeper.log.name, keeper.database.epoch)}
    assert await keeper.log.last_number() == len(found)


async def test_packs_are_read_until_they_are_a_mebibyte_and_always_whole(keeper: Keeper) -> None:
    """However long the backlog of a relay is, so much of it is in memory."""
    for _ in range(12):
        await keeper.tell(50_000, 70_000)

    read = [EventBatch.FromString(data) for _, data in await keeper.log.read(1, 1000)]

    assert MAX_BYTES < sum(len(event.data.value) for pack in read for event in pack.events) < MAX_BYTES + 120_000
    assert [len(pack.events) for pack in read] == [2] * len(read)
    assert [pack.number for pack in read] == list(range(2, len(read) + 2))


async def test_a_pack_is_the_same_bytes_each_time_it_is_read(tmp_path: Path, kind: str) -> None:
    async with keeping(tmp_path / "keeper.db") as keeper:
        await keeper.tell(10, 20)
        await keeper.tell(30)
        before = await keeper.log.read(0, 10)

    async with keeping(tmp_path / "keeper.db") as keeper:
        assert await keeper.log.read(0, 10) == before
        assert await keeper.log.read(1, 10) == before[1:]
        assert await keeper.log.read(0, 1) == before[:1]
        assert await keeper.log.read(2, 10) == []
