"""Answer a stream of requests in order, and begin with the next while the last is carried out."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
    from typing import Any

Q = TypeVar("Q")
A = TypeVar("A")


@asynccontextmanager
async def ahead(
    requests: AsyncIterator[Q], begin: Callable[[Q], Coroutine[Any, Any, A]], *, most: int
) -> AsyncGenerator[AsyncIterator[A], None]:
    """Give the answers in the order of their requests, of which `most` at most are being carried out.

    `begin` checks a request and gives what carries it out. What it raises, and what reading raises, comes after
    the answers to everything before. When the block ends, whatever was begun is cancelled and waited for.
    """
    begun: deque[asyncio.Task[A]] = deque()
    reading: deque[asyncio.Future[Q]] = deque()
    answers = _answers(requests, begin, most, begun, reading)
    try:
        yield answers
    finally:
        left: list[asyncio.Future[Any]] = [*begun, *reading]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await answers.aclose()


async def _answers(
    requests: AsyncIterator[Q],
    begin: Callable[[Q], Coroutine[Any, Any, A]],
    most: int,
    begun: deque[asyncio.Task[A]],
    reading: deque[asyncio.Future[Q]],
) -> AsyncGenerator[A, None]:
    failure: Exception | None = None
    while True:
        if failure is None and not reading and len(begun) < most:
            reading.append(asyncio.ensure_future(anext(requests)))
        waiting: list[asyncio.Future[Any]] = [*reading, *list(begun)[:1]]
        if not waiting:
            break
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if reading and reading[0].done():
            try:
                begun.append(asyncio.ensure_future(begin(reading.popleft().result())))
            except Exception as error:  # noqa: BLE001 (its turn comes after the answers that are due)
                failure = error
        if begun and begun[0].done():
            yield begun.popleft().result()
    if not isinstance(failure, StopAsyncIteration):
        assert failure is not None  # noqa: S101 (only that ends the loop)
        raise failure
