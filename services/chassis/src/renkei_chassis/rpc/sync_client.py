"""Call a service from a program without event loop, such as the command line: the twin of `client`."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import grpc

from renkei_chassis.errors import from_rpc_error
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
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import TracebackType

    from google.protobuf.message import Message

S = TypeVar("S")
Q = TypeVar("Q", bound="Message")
A = TypeVar("A", bound="Message")

_PATIENCE: Final = Patience()


class SyncClient:
    """One connection to one service. Methods and errors are those of `client.Client`, without `await`."""

    def __init__(
        self,
        address: str,
        *,
        token: Callable[[], str | None] | None = None,
        patience: Patience = _PATIENCE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take where to call, and who gives a token for each attempt.

        Raises NotLoopbackError for an address that is not on this machine. Nothing connects yet.
        """
        self._channel = grpc.insecure_channel(require_loopback(address), options=CHANNEL_OPTIONS)
        self._token = token
        self._patience = patience
        self._chance = chance

    def stub(self, kind: Callable[[grpc.Channel], S]) -> S:
        """Make a stub of a generated class."""
        return kind(self._channel)

    def call(self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, *, seconds: float | None = None) -> A:
        """Call a method that answers once. `seconds` holds for all tries together; 60 at most, 10 if not given."""
        end = time.monotonic() + self._patience.deadline(seconds)
        attempt = 0
        while True:
            try:
                return method(request, timeout=max(0.0, end - time.monotonic()), metadata=self._metadata())
            except grpc.RpcError as failure:
                error = from_rpc_error(failure)
            pause = self._patience.pause_within(error, attempt, end - time.monotonic(), self._chance)
            if pause is None:
                raise error
            time.sleep(pause)
            attempt += 1

    def pages(
        self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, *, seconds: float | None = None
    ) -> Generator[A]:
        """Give every page of a List or Search from `request` on; `seconds` holds for each page."""
        asked: Q | None = request
        while asked is not None:
            answer = self.call(method, asked, seconds=seconds)
            yield answer
            asked = next_page(asked, answer)

    def items(
        self, method: grpc.UnaryUnaryMultiCallable[Q, A], request: Q, field: str, *, seconds: float | None = None
    ) -> Generator[Any]:
        """Give every item of a List or Search: those in the field of that name (`tips`), page by page."""
        for page in self.pages(method, request, seconds=seconds):
            yield from getattr(page, field)

    def watch(
        self, method: grpc.UnaryStreamMultiCallable[Q, A], request: Q, *, resume: Resume = RESUME_TOKEN
    ) -> Generator[A]:
        """Give the answers of a watch for ever, without gap and without repetition, resuming as needed."""
        failures = 0
        while True:
            call = method(request, timeout=self._patience.stream_seconds, metadata=self._metadata())
            try:
                for answer in call:
                    failures = 0
                    request = resume.after(request, answer)
                    yield answer
            except grpc.RpcError as failure:
                error = from_rpc_error(failure)
                if not isinstance(error, RESUMED_AFTER):
                    raise error from None
            finally:
                call.cancel()
            time.sleep(self._patience.pause(failures, self._chance))
            failures += 1

    def duplex(
        self, method: grpc.StreamStreamMultiCallable[Q, A], requests: Iterable[Q], *, seconds: float | None = None
    ) -> Generator[A]:
        """Send requests and give the answers as they come: one connection, no second try.

        What `requests` raises comes out here; it is drawn in a thread of gRPC's.
        """
        raised: list[Exception] = []
        limit = self._patience.stream_seconds if seconds is None else seconds
        call = method(_drawn(requests, raised), timeout=limit, metadata=self._metadata())
        try:
            yield from call
        except grpc.RpcError as failure:
            raise (raised[0] if raised else from_rpc_error(failure)) from None
        finally:
            call.cancel()

    def close(self) -> None:
        """End the connection and every call on it."""
        self._channel.close()

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return metadata(self._token, None)


def _drawn(requests: Iterable[Q], raised: list[Exception]) -> Iterator[Q]:
    """Pass the requests on, and remember what they raise: gRPC only logs it."""
    try:
        yield from requests
    except Exception as error:
        raised.append(error)
        raise
