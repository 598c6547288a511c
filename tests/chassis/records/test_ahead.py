"""Requests of a stream are carried out one ahead of the other, and answered in their order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from renkei_chassis.records.ahead import ahead

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Stream:
    """Requests that a test sends, and what becomes of them."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.begun: list[int] = []
        self.cancelled: list[int] = []
        self.may_end: dict[int, asyncio.Event] = {number: asyncio.Event() for number in range(10)}

    async def requests(self) -> AsyncGenerator[int, None]:
        while (request := await self.sent.get()) is not None:
            if isinstance(request, Exception):
                raise request
            yield request

    async def begin(self, request: int) -> int:
        self.begun.append(request)
        try:
            await self.may_end[request].wait()
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise
        return request

    def send(self, *requests: int | Exception | None) -> None:
        for request in requests:
            self.sent.put_nowait(request)

    def end(self, *requests: int) -> None:
        for request in requests:
            self.may_end[request].set()


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_whoever_waits_for_each_answer_before_sending_more_gets_it() -> None:
    stream = Stream()
    stream.end(0, 1)
    async with ahead(stream.requests(), stream.begin, most=2) as answers:
        for number in (0, 1):
            stream.send(number)
            assert await asyncio.wait_for(anext(answers), 5) == number


async def test_the_next_is_begun_before_the_last_is_done_and_no_more_than_may_be() -> None:
    stream = Stream()
    stream.send(0, 1, 2, 3, None)
    async with ahead(stream.requests(), stream.begin, most=2) as answers:
        first = asyncio.ensure_future(anext(answers))
        await turns()
        early = list(stream.begun)
        stream.end(1, 2, 3)
        await turns()
        waits = not first.done()
        stream.end(0)
        found = [await first, *[answer async for answer in answers]]

    assert early == [0, 1]
    assert waits, "an answer must not overtake the one before"
    assert found == [0, 1, 2, 3]


async def test_what_reading_raises_comes_after_the_answers_that_are_due() -> None:
    stream = Stream()
    stream.send(0, ValueError("no request"))
    async with ahead(stream.requests(), stream.begin, most=2) as answers:
        asyncio.get_running_loop().call_soon(stream.end, 0)
        found = await anext(answers)
        with pytest.raises(ValueError, match="no request"):
            await anext(answers)

    assert found == 0


async def test_whoever_leaves_takes_along_what_was_begun() -> None:
    stream = Stream()
    stream.send(0, 1)
    async with ahead(stream.requests(), stream.begin, most=2) as answers:
        waiting = asyncio.ensure_future(anext(answers))
        await turns()
        waiting.cancel()
        await turns()

    assert stream.cancelled == [0, 1]
