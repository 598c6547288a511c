"""Bound what a call may cost before its request is here: the size of its headers, and how long it may stay unfinished.

gRPC calls a handler of ours only when the request has arrived. Somebody who sends headers and then nothing, or a byte
a minute, would hold them for as long as the connection lives, and cancelling the handler frees nothing (measured). And
the limits that gRPC has for headers let 1.6 MB through where they were set to 8 KiB (measured with 1.85).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import grpc

from renkei_chassis.errors import STATUS_DETAILS_HEADER, InvalidArgument, to_status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_HEADER_BYTES: Final = 16 * 1024
MAX_WAITING: Final = 256
"""While fewer calls wait for their requests gRPC may wait for them: that is quicker, and so few cost little."""
_PER_HEADER: Final = 32  # as HTTP/2 counts
_SWEEP_SECONDS: Final = 1.0

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Arrivals:
    """The calls of one server whose requests are not here yet."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: set[asyncio.Task[Any]] = set()  # for gRPC a call is a task

    def guard(self, find: Callable[[str], Handler | None], timed: Callable[[str], Handler | None]) -> _Guard:
        """Look at each call before its handler does.

        `find` gives handlers that tell of each request that `arrived`. While many wait those of `timed` are taken,
        which read the request themselves, and so can give up.
        """
        return _Guard(self, find, timed)

    def many(self) -> bool:
        """Tell whether many calls wait, and if not, count the current one in."""
        if len(self._waiting) >= MAX_WAITING:
            return True
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (see above)
        self._waiting.add(task)
        return False

    def arrived(self) -> None:
        """Note that the current call has its request."""
        self._waiting.discard(asyncio.current_task())

    async def sweep(self) -> None:
        """Forget those who went away before their request was whole; run it as a task."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._waiting = {task for task in self._waiting if not task.done()}


def of_others(handlers: Sequence[grpc.GenericRpcHandler]) -> list[grpc.GenericRpcHandler]:
    """Look at the headers of calls to services that are not written here, such as health."""
    return [_Headers(handler) for handler in handlers]


class _Headers(grpc.GenericRpcHandler):
    def __init__(self, inner: grpc.GenericRpcHandler) -> None:
        self._inner = inner

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        handler = self._inner.service(handler_call_details)
        if handler is not None and header_bytes(handler_call_details.invocation_metadata) > MAX_HEADER_BYTES:
            return _REFUSING
        return handler


class _Guard(grpc.GenericRpcHandler):
    def __init__(
        self, arrivals: Arrivals, find: Callable[[str], Handler | None], timed: Callable[[str], Handler | None]
    ) -> None:
        self._arrivals = arrivals
        self._find = find
        self._timed = timed

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        handler = self._find(handler_call_details.method)
        if handler is None:
            return None
        if header_bytes(handler_call_details.invocation_metadata) > MAX_HEADER_BYTES:
            return _REFUSING
        if handler.request_streaming or not self._arrivals.many():
            return handler
        return self._timed(handler_call_details.method)


def header_bytes(metadata: Sequence[tuple[str, str | bytes]]) -> int:
    """Count headers as HTTP/2 does."""
    return sum(len(name) + len(value) + _PER_HEADER for name, value in metadata)


async def _refuse(requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Answer without waiting for the request."""
    del requests
    error = InvalidArgument(
        "REQUEST_TOO_LARGE",
        f"the headers of the call are larger than {MAX_HEADER_BYTES} bytes",
        metadata={"limit": str(MAX_HEADER_BYTES)},
    )
    status = to_status(error)
    await context.abort(error.code, status.message, ((STATUS_DETAILS_HEADER, status.SerializeToString()),))


_REFUSING: Final[Handler] = grpc.stream_stream_rpc_method_handler(_refuse)
