"""A group of writes: each request is answered for itself, after the commit, and none harms its neighbours."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from renkei_chassis.database import writer
from renkei_chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    RenkeiError,
    ResourceExhausted,
    Unavailable,
)
from renkei_chassis.ids import uuid7
from tests.chassis.database.rules import (
    ask_nonsense,
    leave_out_a_column,
    refuse,
    refuse_late,
    refuse_too_late,
    stumble,
    take_taken_unit,
    take_taken_unit_and_look,
    take_taken_unit_in_silence,
    tell_too_much,
    tell_what_was_told,
)
from tests.chassis.keeper import APPROVE, PLANS, SUBMIT, Keeper, asking, keep, keeping, officer
from tests.databases import SQLITE, on

if TYPE_CHECKING:
    from pathlib import Path

    from renkei.personas.v1.personas_pb2 import SubmitPersonaRequest
    from sqlalchemy import PoolProxiedConnection

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from tests.chassis.keeper import Rule


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (refuse, Aborted),
        (refuse_late, Aborted),
        (refuse_too_late, Aborted),
        (stumble, ZeroDivisionError),
        (take_taken_unit, IntegrityError),
        (take_taken_unit_and_look, IntegrityError),
        (take_taken_unit_in_silence, IntegrityError),
        (ask_nonsense, DBAPIError),
        (leave_out_a_column, Exception),
        (partial(tell_what_was_told, id_=uuid7()), IntegrityError),
        (tell_too_much, ValueError),
    ],
)
async def test_a_failing_request_does_not_fail_its_neighbours(
    keeper: Keeper, rule: Rule, expected: type[Exception]
) -> None:
    """Wherever it fails: before or after its rows went in, in its rule, in its rows or in its events."""
    if isinstance(rule, partial):
        await keeper.keep(asking(""), rule)

    results = await asyncio.gather(
        keeper.keep(asking("a")),
        keeper.keep(asking("b")),
        keeper.keep(asking("bad"), rule),
        keeper.keep(asking("c")),
        keeper.keep(asking("worse"), rule),
        keeper.keep(asking("d")),
        return_exceptions=True,
    )

    assert [isinstance(result, expected) for result in results] == [False, False, True, False, True, False]
    assert await keeper.units() == ["a", "b", "c", "d"]
    assert [told for told in await keeper.told() if told] == ["a", "b", "c", "d"]
    assert [event.sequence for event in await keeper.events()] == list(range(1, keeper.log.position.sequence + 1))


async def test_a_request_that_breaks_the_contract_never_reaches_its_rule(either_keeper: Keeper) -> None:
    good, malformed, invalid = await asyncio.gather(
        either_keeper.keep(asking("a")),
        either_keeper.keep(asking("b"), raw=b"\xff\xff"),
        either_keeper.keep(asking("x" * 201)),
        return_exceptions=True,
    )

    assert not isinstance(good, BaseException)
    assert isinstance(malformed, InvalidArgument)
    assert isinstance(invalid, InvalidArgument)
    assert (malformed.reason, invalid.reason) == ("MALFORMED_REQUEST", "FIELD_INVALID")
    assert await either_keeper.units() == ["a"]


async def test_equal_requests_in_one_group_make_one_record_and_get_one_answer(either_keeper: Keeper) -> None:
    request = asking("a")

    answers = await asyncio.gather(*(either_keeper.keep(request) for _ in range(5)), either_keeper.keep(asking("b")))

    assert either_keeper.writer.groups == 1
    assert answers[0].plan.unit == "a"
    assert answers[:5] == [answers[0]] * 5
    assert await either_keeper.told() == ["a", "b"]


async def test_a_repeat_after_a_failure_in_the_same_group_is_carried_out(either_keeper: Keeper) -> None:
    """The first of the two was undone with its savepoint; the second must not be answered from it."""
    request = asking("b")

    _, failed, repeated = await asyncio.gather(
        either_keeper.keep(asking("a")),
        either_keeper.keep(request, take_taken_unit),
        either_keeper.keep(request),
        return_exceptions=True,
    )

    assert isinstance(failed, IntegrityError)
    assert not isinstance(repeated, BaseException)
    assert await either_keeper.told() == ["a", "b"]


async def test_a_repeat_gets_the_same_answer_also_after_a_restart(tmp_path: Path, kind: str) -> None:
    request = asking("a")
    async with keeping(tmp_path / "keeper.db") as keeper:
        first = await keeper.keep(request)
        assert await keeper.keep(request) == first

    async with keeping(tmp_path / "keeper.db") as keeper:
        assert await keeper.keep(request) == first
        assert await keeper.told() == ["a"]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("differs", ["content", "caller", "method"])
async def test_a_request_id_is_good_for_one_content_one_caller_and_one_method(
    either_keeper: Keeper, differs: str, *, together: bool
) -> None:
    request = asking("a")
    other = asking("b", request_id=request.request_id) if differs == "content" else request
    send_again = partial(
        either_keeper.keep,
        other,
        caller=officer("agencies/jp-12/officers/suzuki") if differs == "caller" else None,
        path=APPROVE if differs == "method" else SUBMIT,
    )

    if together:
        _, refused = await asyncio.gather(either_keeper.keep(request), send_again(), return_exceptions=True)
    else:
        await either_keeper.keep(request)
        (refused,) = await asyncio.gather(send_again(), return_exceptions=True)

    assert isinstance(refused, AlreadyExists)
    assert refused.reason == "REQUEST_ID_REUSED"
    assert await either_keeper.units() == ["a"]


async def test_a_repeat_after_a_purge_is_told_that_the_answer_is_gone(either_keeper: Keeper) -> None:
    request = asking("a")
    await either_keeper.keep(request)
    await either_keeper.writer.run(lambda transaction: transaction.execute(PLANS.delete()))

    with pytest.raises(FailedPrecondition) as caught:
        await either_keeper.keep(request)

    assert caught.value.reason == "REQUEST_ANSWER_GONE"


async def test_an_answer_comes_after_the_commit(either_keeper: Keeper) -> None:
    """Whoever has an answer finds the record through any other connection, and the log grown by it."""

    async def keep_and_look(unit: str) -> tuple[bool, int]:
        await either_keeper.keep(asking(unit))
        there = either_keeper.database.recall(
            lambda connection: connection.execute(select(PLANS.c.unit)).scalars().all()
        )
        return unit in there, either_keeper.log.position.sequence

    seen = await asyncio.gather(*(keep_and_look(f"unit {number}") for number in range(20)))

    assert seen == [(True, 20)] * 20


async def test_a_caller_who_goes_away_before_the_group_began_takes_the_write_along(either_keeper: Keeper) -> None:
    gone = asyncio.ensure_future(either_keeper.keep(asking("gone")))
    await asyncio.sleep(0)
    gone.cancel()

    await either_keeper.keep(asking("a"))

    assert await either_keeper.units() == ["a"]


async def test_a_caller_who_goes_away_later_harms_nobody(keeper: Keeper) -> None:
    loop = asyncio.get_running_loop()
    callers: list[asyncio.Future[object]] = []

    def send_away(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
        loop.call_soon_threadsafe(callers[1].cancel)
        return keep(transaction, request, caller)

    callers += [
        asyncio.ensure_future(keeper.keep(asking("a"))),
        asyncio.ensure_future(keeper.keep(asking("b"), send_away)),
        asyncio.ensure_future(keeper.keep(asking("c"))),
    ]
    results = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(results[1], asyncio.CancelledError)
    assert await keeper.units() == ["a", "b", "c"]


async def limit_pages(keeper: Keeper, more: int | None) -> None:
    """Leave so much room on the disk; None for all there is."""

    def limit() -> None:
        connection = keeper.database.writing.raw_connection()
        cursor = connection.cursor()
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count={2**31 if more is None else pages + more}")
        cursor.close()
        connection.close()

    await asyncio.to_thread(limit)


@on(SQLITE)
async def test_a_full_disk_refuses_all_of_a_group_and_heals_by_itself(keeper: Keeper) -> None:
    await keeper.keep(asking("before"))
    await limit_pages(keeper, 1)
    requests = [asking(f"{number:03}" + "x" * 190) for number in range(60)]

    refused = await asyncio.gather(*map(keeper.keep, requests), return_exceptions=True)

    assert {type(error) for error in refused} == {Unavailable}
    assert {error.reason for error in refused if isinstance(error, RenkeiError)} == {"STORAGE_UNAVAILABLE"}
    assert len(set(map(id, refused))) == 60, "one exception for each task that raises it"
    assert await keeper.units() == ["before"]
    assert keeper.log.position.sequence == 1

    await limit_pages(keeper, None)
    await asyncio.gather(*map(keeper.keep, requests))
    assert len(await keeper.units()) == 61
    assert [event.sequence for event in await keeper.events()] == list(range(1, 62))


async def test_nothing_is_acknowledged_when_the_commit_itself_fails(keeper: Keeper) -> None:
    """A lock that another program holds, say; and the next group is not harmed."""
    failing = [1]

    def fail(connection: object) -> None:
        if failing:
            failing.pop()
            raise OperationalError("COMMIT", {}, OSError())

    event.listen(keeper.database.writing, "commit", fail)

    with pytest.raises(Unavailable, match="STORAGE_UNAVAILABLE"):
        await keeper.keep(asking("a"))
    await keeper.keep(asking("b"))

    assert await keeper.units() == ["b"]
    assert await keeper.told() == ["b"]


@on(SQLITE)
async def test_a_commit_that_happened_though_it_was_reported_lost_is_found_again(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database knows where the log ends; a writer that trusted its own memory would never write again."""
    request = asking("a")
    dialect = keeper.database.writing.dialect
    commit = dialect.do_commit

    def commit_and_fail(connection: PoolProxiedConnection) -> None:
        commit(connection)
        monkeypatch.undo()
        raise OperationalError("COMMIT", {}, OSError())

    monkeypatch.setattr(dialect, "do_commit", commit_and_fail)

    with pytest.raises(Unavailable):
        await keeper.keep(request)

    await asyncio.gather(keeper.keep(request), keeper.keep(asking("b")))

    assert await keeper.told() == ["a", "b"]
    assert keeper.log.position.sequence == 2


async def test_a_group_is_refused_while_the_clock_is_behind_the_log(either_keeper: Keeper) -> None:
    await either_keeper.keep(asking("a"))
    either_keeper.clock.advance(-11)
    with pytest.raises(Unavailable) as caught:
        await either_keeper.keep(asking("b"))
    assert caught.value.reason == "CLOCK_JUMPED"

    either_keeper.clock.advance(2)
    await either_keeper.keep(asking("b"))

    assert await either_keeper.told() == ["a", "b"]


async def test_more_than_may_wait_is_refused(either_keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 3)

    results = await asyncio.gather(
        *(either_keeper.keep(asking(str(number))) for number in range(5)), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, ResourceExhausted)]
    assert [error.reason for error in refused] == ["OVERLOADED", "OVERLOADED"]
    assert await either_keeper.units() == ["0", "1", "2"]


async def test_a_stopping_writer_finishes_what_waits_and_refuses_what_comes(either_keeper: Keeper) -> None:
    waiting = [asyncio.ensure_future(either_keeper.keep(asking(str(number)))) for number in range(600)]
    await asyncio.sleep(0)

    stopping = asyncio.ensure_future(either_keeper.writer.stop())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as caught:
        await either_keeper.keep(asking("late"))
    await stopping

    assert caught.value.reason == "SHUTTING_DOWN"
    assert len(await asyncio.gather(*waiting)) == 600
    assert len(await either_keeper.units()) == 600


async def test_a_callback_that_fails_after_the_commit_stops_nothing(keeper: Keeper) -> None:
    def fail() -> None:
        raise LookupError

    await keeper.writer.run(lambda transaction: transaction.after_commit(fail))
    await keeper.keep(asking("a"))

    assert await keeper.units() == ["a"]


async def test_an_event_carries_the_trace_of_its_call(either_keeper: Keeper) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"

    await asyncio.gather(either_keeper.keep(asking("a"), trace_parent=trace), either_keeper.keep(asking("b")))

    assert [event.trace_parent for event in await either_keeper.events()] == [trace, ""]
