"""The board of clocks over a real connection: what stands on it, what moves it, and what leaves it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from renkei.arrests.v1 import arrests_pb2, clocks_pb2
from renkei.arrests.v1.clocks_pb2_grpc import ClocksServiceStub
from renkei.arrests.v1.custody_pb2 import Custody, Detention, Warrant
from sqlalchemy import MetaData, create_engine, inspect, select

from renkei_arrests.store import CLOCKS, SCHEMA, TABLES
from renkei_chassis.database.schema import Schema, migrate
from renkei_chassis.records.tables import record_tables
from tests.agency import AGENCY
from tests.arrests.calls import RESTRAINT, a_disposition, an_arrest, japan, stamp
from tests.arrests.custodians import KIND, NOW, Custodians, levels

KIND_URGENT = arrests_pb2.Arrest.KIND_URGENT


async def test_the_board_is_paged_soonest_first_and_filtered(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = [
            await arrests.create(an_arrest(restraint=NOW - timedelta(hours=hours), case_reference=f"演習{hours}"))
            for hours in (1, 30, 45, 50)
        ]
        await custodians.until(6)
        pages, token = [], ""
        while True:
            page = await arrests.board(page_size=3, page_token=token)
            pages.append(page.clocks)
            token = page.next_page_token
            if not token:
                break

        found = [clock for page in pages for clock in page]
        soonest = (await arrests.board(min_level=80, kinds=[KIND.KIND_TO_PROSECUTOR])).clocks
        assert [len(page) for page in pages] == [3, 3, 2]
        assert [clock.due_time.seconds for clock in found] == sorted(clock.due_time.seconds for clock in found)
        assert [clock.arrest for clock in found[:4]] == [arrest.name for arrest in reversed(made)]
        assert found[0].case_reference == "演習50"
        assert [(clock.arrest, clock.level) for clock in soonest] == [(made[3].name, 100), (made[2].name, 80)]
        assert [clock.arrest for clock in (await arrests.board(overdue=True)).clocks] == [made[3].name]
        assert len((await arrests.board(unacknowledged=True)).clocks) == 3


async def test_each_fact_moves_the_board_and_a_disposition_clears_it(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        restraint = japan(1, 3, 15).replace(year=NOW.year + 1)
        custodians.clock.set(restraint)
        made = await arrests.create(an_arrest(restraint=restraint, kind=KIND_URGENT))

        async def kinds() -> list[str]:
            shown = (await arrests.board()).clocks
            return [KIND.Kind.Name(clock.kind).removeprefix("KIND_") for clock in shown]

        async def record(*paths: str, **facts: Any) -> list[str]:  # noqa: ANN401 (fields of many types)
            nonlocal made
            custodians.clock.advance(60)
            change = arrests_pb2.Arrest(name=made.name, etag=made.etag, **facts)
            made = await arrests.update(change, *paths)
            return await kinds()

        at = custodians.clock.now
        assert await kinds() == ["URGENT_WARRANT", "TO_PROSECUTOR", "LONGEST"]
        warrant = Warrant(number="(演習)7", issuing_court="(演習) 簡易裁判所", issue_time=stamp(at()))
        assert await record("custody.warrant", custody=Custody(warrant=warrant)) == ["TO_PROSECUTOR", "LONGEST"]
        received = await record("prosecutor_receipt_time", prosecutor_receipt_time=stamp(at()))
        assert received == ["DETENTION_REQUEST", "LONGEST"]
        requested = await record("detention_request_time", detention_request_time=stamp(at()))
        assert requested == ["DETENTION", "LONGEST"]
        extension = Detention(grant_time=stamp(at()), extension_grant_time=stamp(at()), extension_days=10)
        extended = await record("custody.detention", custody=Custody(detention=extension))
        assert extended == ["DETENTION_EXTENSION", "LONGEST"]
        first, last = (await arrests.board()).clocks
        assert (first.due_time.ToDatetime(), last.due_time.ToDatetime()) == (
            datetime(NOW.year + 1, 10, 20, 15),  # noqa: DTZ001 (UTC: the end of the 20th in Japan)
            datetime(NOW.year + 1, 10, 23, 15),  # noqa: DTZ001
        )
        assert made.custody.warrant.number == "(演習)7"
        await arrests.dispose(made, a_disposition(at()))
        assert await kinds() == []


async def test_a_deleted_record_leaves_the_board_and_comes_back_with_what_was_warned(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)
        await arrests.acknowledge(f"{made.name}/clocks/to-prosecutor", 50)

        await arrests.delete(made.name)
        gone = (await arrests.board()).clocks
        await arrests.undelete(made.name)

        assert list(gone) == []
        back = (await arrests.board()).clocks[0]
        assert (back.warned_level, back.acknowledger) == (50, f"{AGENCY}/officers/sato")
        await custodians.quiet()
        assert levels(await custodians.told(), KIND.KIND_TO_PROSECUTOR, made.name) == [50]


async def test_a_correction_of_the_restraint_moves_the_clock_and_warns_anew(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)

        earlier = arrests_pb2.Arrest(name=made.name, etag=made.etag, restraint_time=stamp(NOW - timedelta(hours=40)))
        await arrests.update(earlier, "restraint_time")
        warned = await custodians.until(3)

        assert levels(warned, KIND.KIND_TO_PROSECUTOR) == [50, 50, 80]


async def test_the_watch_tells_each_change_of_the_board_and_resumes(custodians: Custodians) -> None:
    async with custodians.service() as arrests:
        stub = custodians.agency.client().stub(ClocksServiceStub)
        seen: list[tuple[str, str, int]] = []

        async def follow(count: int, token: str = "") -> str:
            async with aclosing(
                arrests.client.watch(stub.WatchClocks, clocks_pb2.WatchClocksRequest(resume_token=token))
            ) as answers:
                async for answer in answers:
                    seen.extend((c.kind, c.arrest, len(c.clocks)) for c in answer.changes)
                    token = answer.resume_token
                    if len(seen) >= count:
                        return token
            raise AssertionError

        begun = await follow(0)
        await arrests.create(an_arrest(restraint=RESTRAINT))  # history: never on the board
        made = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)
        token = await follow(2, begun)
        disposed = await arrests.dispose(made, a_disposition(NOW))
        await follow(3, token)

        assert [kind for kind, *_ in seen] == ["ArrestRecorded", "ClockWarned", "DispositionRecorded"]
        assert {name for _, name, _ in seen} == {disposed.name}
        assert [count for *_, count in seen] == [2, 2, 0]


async def test_at_its_start_the_service_mends_rows_that_settings_or_an_older_program_left(
    custodians: Custodians,
) -> None:
    async with custodians.service() as arrests:
        urgent = await arrests.create(an_arrest(restraint=NOW, kind=KIND_URGENT))
        lacking = await arrests.create(an_arrest(restraint=NOW - timedelta(hours=25)))
        await custodians.until(1)

        def forget(transaction: Any) -> None:  # noqa: ANN401 (as the writer calls it)
            records = transaction.execute(select(TABLES.records)).all()
            found = [row.id for row in records if lacking.name.encode() in row.content]
            transaction.execute(CLOCKS.delete().where(CLOCKS.c.record_id.in_(found)))

        await custodians.agency.service.writer.run(forget)
        assert len((await arrests.board()).clocks) == 3
    async with custodians.service(urgent_alarm_minutes=10) as arrests:
        await custodians.until(2)
        async with asyncio.timeout(20):
            while (await arrests.board(kinds=[KIND.KIND_URGENT_WARRANT])).clocks[0].due_time != stamp(  # noqa: ASYNC110
                NOW + timedelta(minutes=10)
            ):
                await asyncio.sleep(0.005)

        assert len((await arrests.board()).clocks) == 5
        assert (await arrests.get(urgent.name)).clocks[0].due_time == stamp(NOW + timedelta(minutes=10))


def test_a_database_of_a_program_that_knew_no_clocks_gets_their_table() -> None:
    metadata = MetaData()
    texts = record_tables(metadata, "arrest").texts
    for table in (texts.pending, texts.blocks, texts.members, texts.postings):  # came later
        metadata.remove(table)
    with create_engine("sqlite://").begin() as connection:
        migrate(connection, [Schema(component="arrests", metadata=metadata)])
        before = inspect(connection).has_table(CLOCKS.name)

        migrate(connection, [SCHEMA])

        made = {index["name"] for index in inspect(connection).get_indexes(CLOCKS.name)}
        assert (before, made) == (False, {"arrest_clock_by_due", "arrest_clock_by_look"})
