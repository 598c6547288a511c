"""A log is watched: tokens say where to go on, and an answer is made once for all who stand at the same place."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

import pytest
from renkei.tips.v1.tips_pb2 import TipChange
from renkei.tips.v1.tips_pb2 import WatchTipsResponse as Answer

from renkei_chassis.errors import InvalidArgument
from renkei_chassis.log import watch as module
from renkei_chassis.log.changes import Changes
from renkei_chassis.log.watch import Watch, in_parts
from renkei_chassis.rpc.page_tokens import PageTokens
from tests.chassis.keeper import keeping

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from google.protobuf.message import Message
    from renkei.event.v1.event_pb2 import Event

    from renkei_chassis.log.log import Log
    from tests.chassis.keeper import Keeper


class Watched:
    """A watch of a log that can be told to wait, or to fail, while it makes an answer."""

    def __init__(self, log: Log, tokens: PageTokens, *, an_answer: int = 1000) -> None:
        self.watch = Watch(Changes(log=log, tokens=tokens), answer=Answer, make=self._make)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.making = asyncio.Event()
        self.failures = 0
        self.readings: list[list[int]] = []
        self._an_answer = an_answer

    def open(self, *, resume_token: str = "", from_start: bool = False) -> AsyncIterator[bytes]:
        return self.watch.watch(resume_token=resume_token, from_start=from_start)

    async def _make(self, events: Sequence[Event]) -> Sequence[tuple[int, Message]]:
        self.readings.append([event.sequence for event in events])
        self.making.set()
        await self.go_on.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("cannot read now")
        parts = [events[start : start + self._an_answer] for start in range(0, len(events), self._an_answer)]
        return [
            (part[-1].sequence, Answer(changes=[TipChange(kind="x" * len(e.data.value), name=e.id) for e in part]))
            for part in parts
        ]


@pytest.fixture
def watched(keeper: Keeper) -> Watched:
    return Watched(keeper.log, PageTokens(keeper.database.secret))


async def answer_of(watch: AsyncIterator[bytes]) -> Answer:
    return Answer.FromString(await anext(watch))


async def ids(keeper: Keeper) -> list[str]:
    return [event.id for event in await keeper.log.events(after=0)]


def names(*answers: Answer) -> list[str]:
    return [change.name for answer in answers for change in answer.changes]


async def test_a_watch_resumes_where_its_token_says(keeper: Keeper, watched: Watched) -> None:
    await keeper.tell(1)
    async with AsyncExitStack() as opened:
        watch = await opened.enter_async_context(aclosing(watched.open()))  # type: ignore[type-var]
        nothing = await answer_of(watch)
        await keeper.tell(2, 3)
        events = await answer_of(watch)

        again = await opened.enter_async_context(aclosing(watched.open(resume_token=nothing.resume_token)))  # type: ignore[type-var]
        assert await answer_of(again) == nothing
        resumed = await answer_of(again)
        from_start = await opened.enter_async_context(aclosing(watched.open(from_start=True)))  # type: ignore[type-var]
        await answer_of(from_start)
        everything = await answer_of(from_start)

    assert not nothing.changes
    assert names(events) == (await ids(keeper))[1:]
    assert resumed == events
    assert events.resume_token != nothing.resume_token
    assert names(everything) == await ids(keeper)
    assert everything.resume_token == events.resume_token


async def test_a_token_of_another_log_or_of_more_than_the_log_holds_is_refused(keeper: Keeper, tmp_path: Path) -> None:
    tokens = PageTokens(keeper.database.secret)
    async with keeping(tmp_path / "other.db") as other, aclosing(Watched(other.log, tokens).open()) as foreign:  # type: ignore[type-var]
        foreign_token = (await answer_of(foreign)).resume_token
    ahead = tokens.encode("watch", b"", (keeper.database.epoch, 1))

    for token in (foreign_token, ahead, "no token"):
        with pytest.raises(InvalidArgument) as caught:
            await anext(Watched(keeper.log, tokens).open(resume_token=token))
        assert caught.value.reason == "INVALID_RESUME_TOKEN"


async def test_what_many_watch_is_read_and_made_once(keeper: Keeper, watched: Watched) -> None:
    async with AsyncExitStack() as opened:
        watches = [await opened.enter_async_context(aclosing(watched.open())) for _ in range(20)]  # type: ignore[type-var]
        for watch in watches:
            await anext(watch)
        waiting = [asyncio.ensure_future(anext(watch)) for watch in watches]
        await keeper.tell(1, 2)
        answers = await asyncio.gather(*waiting)

    assert watched.watch.made == 1
    assert {id(answer) for answer in answers} == {id(answers[0])}
    assert names(Answer.FromString(answers[0])) == await ids(keeper)


async def test_what_is_read_at_once_is_told_in_parts_that_are_made_once(keeper: Keeper) -> None:
    watched = Watched(keeper.log, PageTokens(keeper.database.secret), an_answer=2)
    await keeper.tell(1, 1, 1, 1, 1)
    async with AsyncExitStack() as opened:
        watches = [await opened.enter_async_context(aclosing(watched.open(from_start=True))) for _ in range(3)]  # type: ignore[type-var]
        seen = [[await answer_of(watch) for _ in range(4)] for watch in watches]

    assert [len(answer.changes) for answer in seen[0]] == [0, 2, 2, 1]
    assert seen[0] == seen[1] == seen[2]
    assert names(*seen[0]) == await ids(keeper)
    assert watched.readings == [[1, 2, 3, 4, 5]]


async def test_who_is_behind_reads_for_itself_and_then_with_the_others(keeper: Keeper, watched: Watched) -> None:
    async with AsyncExitStack() as opened:
        slow, quick = [await opened.enter_async_context(aclosing(watched.open())) for _ in range(2)]  # type: ignore[type-var]
        for watch in (slow, quick):
            await anext(watch)
        for _ in range(3):
            await keeper.tell(1)
            await anext(quick)
        late = await answer_of(slow)
        await keeper.tell(1)
        last = [await anext(watch) for watch in (slow, quick)]

    assert names(late) == (await ids(keeper))[:3]
    assert last[0] is last[1]
    assert watched.readings == [[1], [2], [3], [1, 2, 3], [4]]


async def test_an_answer_made_before_the_log_grew_is_not_told_afterwards(keeper: Keeper, watched: Watched) -> None:
    """It tells how records were then: one of them may be purged by now."""
    await keeper.tell(1)
    async with AsyncExitStack() as opened:
        first, second = [await opened.enter_async_context(aclosing(watched.open(from_start=True))) for _ in range(2)]  # type: ignore[type-var]
        for watch in (first, second):
            await anext(watch)
        await anext(first)
        await keeper.tell(1)
        later = await answer_of(second)

    assert watched.readings == [[1], [1, 2]]
    assert len(later.changes) == 2


async def test_answers_are_forgotten_after_a_moment(
    keeper: Keeper, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is purged must not stay in memory for as long as nothing happens."""
    monkeypatch.setattr(module, "_KEPT_SECONDS", 0.0)
    await keeper.tell(1)
    for _ in range(2):
        async with aclosing(watched.open(from_start=True)) as watch:  # type: ignore[type-var]
            await anext(watch)
            await anext(watch)
            await asyncio.sleep(0.01)

    assert watched.readings == [[1], [1]]


async def test_what_is_kept_is_bounded_and_nothing_is_lost_by_it(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KEPT_BYTES", 5_000)
    watched = Watched(keeper.log, PageTokens(keeper.database.secret), an_answer=1)
    await keeper.tell(*[2_000] * 10)
    kept = []
    async with AsyncExitStack() as opened:
        watches = [await opened.enter_async_context(aclosing(watched.open(from_start=True))) for _ in range(3)]  # type: ignore[type-var]
        seen: list[list[Answer]] = [[] for _ in watches]
        for _ in range(11):
            for watch, answers in zip(watches, seen, strict=True):
                answers.append(await answer_of(watch))
                kept.append(sum(len(place.answer[1]) for place in watched.watch._places.values() if place.answer))

    assert [names(*answers) for answers in seen] == [await ids(keeper)] * 3
    assert 0 < max(kept) <= 5_000 + 2_200  # and the one that was made just now


@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_who_makes_an_answer_may_go_and_the_others_still_get_it(
    keeper: Keeper, watched: Watched, how: str
) -> None:
    async with AsyncExitStack() as opened:
        watches = [await opened.enter_async_context(aclosing(watched.open())) for _ in range(3)]  # type: ignore[type-var]
        for watch in watches:
            await anext(watch)
        watched.go_on.clear()
        waiting = [asyncio.ensure_future(anext(watch)) for watch in watches]
        await keeper.tell(1)
        await watched.making.wait()

        if how == "cancelled":
            waiting[0].cancel()
            await asyncio.wait(waiting[:1])
        else:
            watched.failures = 1
        watched.go_on.set()
        first, *others = await asyncio.gather(*waiting, return_exceptions=True)

    assert isinstance(first, asyncio.CancelledError if how == "cancelled" else RuntimeError)
    assert [names(Answer.FromString(other)) for other in others if isinstance(other, bytes)] == [await ids(keeper)] * 2


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([9], [(1, [1])]),
        ([2, 2, 1], [(3, [1, 2, 3])]),
        ([3, 3, 2, 9, 1], [(1, [1]), (3, [2, 3]), (4, [4]), (5, [5])]),
    ],
)
def test_changes_are_put_together_up_to_a_size_in_order(sizes: list[int], parts: list[tuple[int, list[int]]]) -> None:
    """What is larger alone is a part of its own: it must be told all the same."""
    changes = ((sequence, size, sequence) for sequence, size in enumerate(sizes, start=1))

    assert in_parts(changes, most=5) == parts
