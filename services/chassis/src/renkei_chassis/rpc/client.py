"""Call another service from the event loop: with deadlines, second tries, typed errors, pages and watches."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import grpc

from renkei_chassis.errors import RenkeiError, from_rpc_error
from renkei_chassis.loopback import require_loopback
from renkei_chassis.rpc.calling import (
    CHANNEL_OPTIONS,
    RESUME_TOKEN,
    RESUMED_AFTER,
    Patience,
    Resume,
    metadata,
    next_page,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
    from types import TracebackType

    from google.protobuf.message import Message

S = TypeVar("S")
Q = TypeVar("Q", bound="Message")
A = TypeVar("A", bound="Message")

_PATIENCE: Final = Patience()


class Client:
    """One connection to one service, for as many calls at once as one likes.

        async with Client("127.0.0.1:20001", token=tokens.current) as client:
            tips = client.stub(TipsServiceStub)
            tip = await client.call(tips.GetTip, GetTipRequest(name=name))

    Make it on the event loop that uses it. Every error is one of `renkei_chassis.errors`.
    """

    def __init__(
        self,
        address: str,
        *,
        token: Callable[[], str | None] | None = None,
        trace_parent: Callable[[], str] | None = None,
        purpose: Callable[[], str | None] | None = None,
        patience: Patience = _PATIENCE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take where to call, and who says for each attempt what token, traceparent and purpose go with it.

        Raises NotLoopbackError for an address that is not on this machine. Nothing connects yet.
        """
        self._channel = grpc.aio.insecure_channel(require_loopback(address), options=CHANNEL_OPTIONS)
        self._token = token
        self._trace_parent = trace_parent
        self._purpose = purpose
        self._patience = patience
        self._chance = chance

    def stub(self, kind: Callable[[grpc.aio.Channel], S]) -> S:
        """Make a stub of a generated class; cheap, and kept by whoever made it."""
        return kind(self._channel)

    async def call(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, *, seconds: float | None = None
    ) -> A:
        """Call a method that answers once. `seconds` holds for all tries together; 60 at most, 10 if not given."""
        clock = asyncio.get_running_loop().time
        end = clock() + self._patience.deadline(seconds)
        attempt = 0
        while True:
            try:
                return await method(request, timeout=max(0.0, end - clock()), metadata=self._metadata())
            except grpc.aio.AioRpcError as failure:
                error = from_rpc_error(failure)
            pause = self._patience.pause_within(error, attempt, end - clock(), self._chance)
            if pause is None:
                raise error
            await asyncio.sleep(pause)
            attempt += 1

    async def pages(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, *, seconds: float | None = None
    ) -> AsyncGenerator[A]:
        """Give every page of a List or Search from `request` on; `seconds` holds for each page."""
        asked: Q | None = request
        while asked is not None:
            answer = await self.call(method, asked, seconds=seconds)
            yield answer
            asked = next_page(asked, answer)

    async def items(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, field: str, *, seconds: float | None = None
    ) -> AsyncGenerator[Any]:
        """Give every item of a List or Search: those in the field of that name (`tips`), page by page."""
        async for page in self.pages(method, request, seconds=seconds):
            for item in getattr(page, field):
                yield item

    async def watch(
        self, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, *, resume: Resume = RESUME_TOKEN
    ) -> AsyncGenerator[A]:
        """Give the answers of a watch for ever, without gap and without repetition.

        When the connection ends, for whatever reason of the network or the server, the watch resumes
        after the last answer. Every other error ends it. Until the first answer there is nothing to
        resume from: a watch "from now on" then begins anew. Wrap it in `contextlib.aclosing` where a
        loop may be left early.
        """
        failures = 0
        while True:
            call = method(request, timeout=self._patience.stream_seconds, metadata=self._metadata())
            try:
                async for answer in call:
                    failures = 0
                    request = resume.after(request, answer)
                    yield answer
            except grpc.aio.AioRpcError as failure:
                error = from_rpc_error(failure)
                if not isinstance(error, RESUMED_AFTER):
                    raise error from None
            finally:
                call.cancel()
            await asyncio.sleep(self._patience.pause(failures, self._chance))
            failures += 1

    async def stream(
        self, method: grpc.aio.UnaryStreamMultiCallable[Q, A], request: Q, *, seconds: float | None = None
    ) -> AsyncGenerator[A]:
        """Give the answers of a call that ends by itself; no second try: whoever misses some asks for them."""
        limit = self._patience.stream_seconds if seconds is None else seconds
        call = method(request, timeout=limit, metadata=self._metadata())
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as failure:
            raise from_rpc_error(failure) from None
        finally:
            call.cancel()

    async def duplex(
        self,
        method: grpc.aio.StreamStreamMultiCallable[Q, A],
        requests: AsyncIterator[Q] | Iterable[Q],
        *,
        seconds: float | None = None,
    ) -> AsyncGenerator[A]:
        """Send requests and give the answers as they come: one connection, no second try.

        Whoever loads repeats what was not answered, under the same `load_id`. What `requests` raises
        comes out here. Requests are drawn only as fast as the server takes them.
        """
        raised: list[Exception] = []
        limit = self._patience.stream_seconds if seconds is None else seconds
        call = method(_drawn(requests, raised), timeout=limit, metadata=self._metadata())
        try:
            async for answer in call:
                yield answer
        except grpc.aio.AioRpcError as failure:
            raise _first(raised, from_rpc_error(failure)) from None
        except asyncio.CancelledError:
            # gRPC cancels the call when `requests` fails, and then says only that it was cancelled.
            if raised:
                raise raised[0] from None
            raise
        finally:
            call.cancel()

    async def close(self) -> None:
        """End the connection and every call on it."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return metadata(self._token, self._trace_parent, self._purpose)


async def _drawn(requests: AsyncIterator[Q] | Iterable[Q], raised: list[Exception]) -> AsyncIterator[Q]:
    """Pass the requests on, and remember what they raise: gRPC only logs it."""
    try:
        if hasattr(requests, "__aiter__"):
            async for request in requests:
                yield request
        else:
            for request in requests:
                yield request
    except Exception as error:
        raised.append(error)
        raise


def _first(raised: list[Exception], error: RenkeiError) -> Exception:
    return raised[0] if raised else error
