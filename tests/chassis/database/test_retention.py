"""Requests are remembered for 30 days at least, whatever the clock does, and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from renkei_chassis.database import tables
from renkei_chassis.database.retention import AT_ONCE, HOURS_SEEN, KEPT, forget_requests, latest_seen, see_hour
from renkei_chassis.follower.state import Cursor, move_cursor
from tests.chassis.keeper import asking

if TYPE_CHECKING:
    from renkei_chassis.database.transaction import Transaction
    from tests.chassis.keeper import Keeper

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
YEARS: Final = 3650 * DAY


async def run(keeper: Keeper, hours: int) -> None:
    """Let a service run for so many hours, in which it looks at the clock as often as it really does."""

    def see(transaction: Transaction) -> None:
        for _ in range(hours):  # in one transaction, because a thousand commits take their time
            transaction.now_us += round(HOUR * 1e6)
            see_hour(transaction)

    await keeper.writer.run(see)
    keeper.clock.advance(hours * HOUR)
    while await keeper.writer.run(forget_requests):
        pass


async def count(keeper: Keeper) -> int:
    def ask(connection: Any) -> int:  # noqa: ANN401 (a connection)
        return int(connection.execute(select(func.count()).select_from(tables.requests)).scalar_one())

    return await keeper.database.read(ask)


def days(number: float) -> int:
    return round(number * 24)


async def test_a_request_is_remembered_for_thirty_days_and_then_forgotten(keeper: Keeper) -> None:
    await run(keeper, 2)
    await keeper.keep(asking("a"))

    await run(keeper, days(30))
    after_thirty = await count(keeper)
    await run(keeper, days(0.5))

    assert (after_thirty, await count(keeper)) == (1, 0)
    assert HOURS_SEEN * timedelta(seconds=3590) >= KEPT


async def test_a_clock_that_was_years_ahead_for_a_while_costs_no_request(keeper: Keeper) -> None:
    await run(keeper, days(40))
    await keeper.keep(asking("a"))

    keeper.clock.advance(YEARS)
    await run(keeper, days(3))
    ahead = await count(keeper)
    keeper.clock.advance(-YEARS)
    await run(keeper, days(20))

    assert (ahead, await count(keeper)) == (1, 1)
    await run(keeper, days(40))
    assert await count(keeper) == 0


async def test_a_clock_that_stays_years_ahead_costs_no_request_before_thirty_days(keeper: Keeper) -> None:
    await run(keeper, days(40))
    await keeper.keep(asking("a"))
    keeper.clock.advance(YEARS)

    await run(keeper, days(29))
    soon = await count(keeper)
    await run(keeper, days(3))

    assert (soon, await count(keeper)) == (1, 0)


async def test_a_node_that_stood_still_for_a_year_remembers_what_was_asked_before(keeper: Keeper) -> None:
    """Its callers may have stood still as long."""
    await run(keeper, days(40))
    await keeper.keep(asking("a"))
    keeper.clock.advance(365 * DAY)

    await run(keeper, days(1))

    assert await count(keeper) == 1


async def test_many_restarts_make_no_hours(keeper: Keeper) -> None:
    for _ in range(1000):
        keeper.clock.advance(1)
        await keeper.writer.run(see_hour)

    (value,) = await keeper.database.read(
        lambda connection: (
            connection.execute(select(tables.facts.c.value).where(tables.facts.c.key == "hours")).scalars().all()
        )
    )
    assert len(value) == 8


async def test_very_many_old_requests_go_some_at_a_time(keeper: Keeper) -> None:
    def old(transaction: Transaction) -> None:
        for number in range(AT_ONCE + 1):
            row = {"request_id": number.to_bytes(16, "big"), "hash": b"", "resource": "", "version": 1, "time_us": 1}
            transaction.insert(tables.requests, row)

    await run(keeper, days(31))
    await keeper.writer.run(old)

    more = await keeper.writer.run(forget_requests)
    left = await count(keeper)
    done = await keeper.writer.run(forget_requests)

    assert (more, left, done, await count(keeper)) == (True, 1, False, 0)


async def test_the_latest_time_seen_is_known_without_any_event(keeper: Keeper) -> None:
    began = keeper.clock.now_us()
    nothing = await keeper.writer.run(latest_seen)
    await run(keeper, 3)
    seen = await keeper.writer.run(latest_seen)

    keeper.clock.advance(-2 * HOUR)
    await keeper.writer.run(see_hour)

    assert (nothing, seen) == (0, began + round(3 * HOUR * 1e6))
    assert await keeper.writer.run(latest_seen) == seen


async def test_what_was_taken_in_of_others_tells_the_time_too(keeper: Keeper) -> None:
    def follow(transaction: Transaction) -> None:
        move_cursor(transaction, "agencies/jp-12/logs/tips", Cursor(epoch="", sequence=1))

    await keeper.writer.run(follow)

    assert await keeper.writer.run(latest_seen) == keeper.clock.now_us()
