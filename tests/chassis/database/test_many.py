"""Requests that are handed over together are still carried out each for itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from renkei.personas.v1.personas_pb2 import Persona

from renkei_chassis.database import writer
from renkei_chassis.errors import Aborted, InvalidArgument, ResourceExhausted, Unavailable
from tests.chassis.database.rules import refuse_too_late
from tests.chassis.keeper import asking, keep

if TYPE_CHECKING:
    import pytest
    from renkei.personas.v1.personas_pb2 import SubmitPersonaRequest

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from tests.chassis.keeper import Keeper


def units(answers: object) -> list[str]:
    return [answer.plan.unit if isinstance(answer, Persona) else "" for answer in answers]  # type: ignore[attr-defined]


async def test_many_are_answered_in_their_order_after_one_commit(keeper: Keeper) -> None:
    before = keeper.writer.groups

    answers = await keeper.keep_many(*(asking(str(number)) for number in range(50)))

    assert units(answers) == [str(number) for number in range(50)]
    assert len(await keeper.units()) == 50
    assert keeper.writer.groups == before + 1


async def test_no_requests_get_no_answers(keeper: Keeper) -> None:
    assert list(await keeper.keep_many()) == []


async def test_one_of_many_fails_alone(either_keeper: Keeper) -> None:
    bad = asking("bad", request_id="no id")

    answers = await either_keeper.keep_many(asking("a"), bad, asking("b"))

    assert units(answers) == ["a", "", "b"]
    assert isinstance(answers[1], InvalidArgument)
    assert await either_keeper.units() == ["a", "b"]


async def test_many_that_fail_after_their_rows_went_in_harm_no_others(keeper: Keeper) -> None:
    failed, kept = await asyncio.gather(
        keeper.keep_many(asking("bad"), asking("worse"), rule=refuse_too_late), keeper.keep_many(asking("a"))
    )

    assert [type(answer) for answer in failed] == [Aborted, Aborted]
    assert units(kept) == ["a"]
    assert await keeper.units() == ["a"]


async def test_the_same_many_again_get_the_same_answers(either_keeper: Keeper) -> None:
    requests = [asking(str(number)) for number in range(3)]

    answers = [await either_keeper.keep_many(*requests) for _ in range(2)]

    assert answers[0] == answers[1]
    assert await either_keeper.units() == ["0", "1", "2"]


async def test_those_of_many_that_may_not_wait_are_refused(
    either_keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 3)

    answers = await either_keeper.keep_many(*(asking(str(number)) for number in range(5)))

    assert units(answers) == ["0", "1", "2", "", ""]
    assert [type(answer) for answer in answers[3:]] == [ResourceExhausted, ResourceExhausted]
    assert await either_keeper.units() == ["0", "1", "2"]


async def test_a_stopped_writer_refuses_many(keeper: Keeper) -> None:
    await keeper.writer.stop()

    answers = await keeper.keep_many(asking("a"), asking("b"))

    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]


async def test_whoever_goes_away_before_the_group_began_takes_many_along(either_keeper: Keeper) -> None:
    gone = asyncio.ensure_future(either_keeper.keep_many(asking("gone"), asking("too")))
    await asyncio.sleep(0)
    gone.cancel()

    await either_keeper.keep(asking("a"))

    assert await either_keeper.units() == ["a"]


async def test_whoever_goes_away_later_harms_nobody(keeper: Keeper) -> None:
    loop = asyncio.get_running_loop()
    callers: list[asyncio.Future[object]] = []

    def send_away(transaction: Transaction, request: SubmitPersonaRequest, caller: Principal) -> Written:
        loop.call_soon_threadsafe(callers[0].cancel)
        return keep(transaction, request, caller)

    callers += [
        asyncio.ensure_future(keeper.keep_many(asking("a"), asking("b"), rule=send_away)),
        asyncio.ensure_future(keeper.keep_many(asking("c"))),
    ]
    first, second = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(first, asyncio.CancelledError)
    assert units(second) == ["c"]
    assert await keeper.units() == ["a", "b", "c"]
