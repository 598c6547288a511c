"""What every call passes: masking, deadline, authentication, permission, validation, one line of log."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError

from renkei.policy.v1 import policy_pb2
from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.errors import (
    STATUS_DETAILS_HEADER,
    DeadlineExceeded,
    InvalidArgument,
    RenkeiError,
    masked,
    to_status,
)
from renkei_chassis.identity import authorize, bearer
from renkei_chassis.rpc.methods import Call, DuplexMethod, Method, ReadMethod, StreamMethod
from renkei_chassis.rpc.validation import validate
from renkei_chassis.telemetry.logging import log_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import grpc
    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from renkei_chassis.database.writer import Writer
    from renkei_chassis.identity import Verifier
    from renkei_chassis.telemetry.metrics import Metrics

MAX_REQUEST_BYTES: Final = 256 * 1024
UNARY_SECONDS: Final = 60.0
UNARY_DEFAULT_SECONDS: Final = 20.0  # common command-line clients send no deadline
STREAM_SECONDS: Final = 3600.0
_ROLE_PREFIX: Final = "ROLE_"
_LOG: Final = logging.getLogger("renkei.rpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of the contract and what answers it."""

    path: str
    permission: str
    roles: frozenset[str]
    request_type: type[Message]
    method: Method


def make_route(descriptor: MethodDescriptor, request_type: type[Message], method: Method) -> Route:
    """Join a method of the contract with its answer. Raises ValueError where the contract gives no permission."""
    policy = descriptor.GetOptions().Extensions[policy_pb2.method]
    service = descriptor.containing_service
    path = f"/{service.full_name}/{descriptor.name}"
    if not policy.permission or not policy.roles:
        raise ValueError(f"{path} has no permission or no role in the contract")
    roles = frozenset(policy_pb2.Role.Name(role).removeprefix(_ROLE_PREFIX) for role in policy.roles)
    return Route(path=path, permission=policy.permission, roles=roles, request_type=request_type, method=method)


class Pipeline:
    """Turns routes into gRPC behaviours that take and give bytes.

    Masking stands outermost: whatever is raised inside, a caller sees a status of ours and never
    the text of an exception.
    """

    def __init__(
        self,
        *,
        verifier: Verifier,
        writer: Writer,
        metrics: Metrics,
        service: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what calls are checked against, and where writes go."""
        self._verifier = verifier
        self._writer = writer
        self._service = service
        self._now = now
        self._seconds = metrics.histogram("renkei_rpc_seconds", "Time a call took.", ("method", "code"))

    async def unary(self, route: Route, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Answer one request once."""
        started = time.perf_counter()
        try:
            call = self._admit(route, context)
            seconds = _allowed(context.time_remaining(), UNARY_SECONDS, UNARY_DEFAULT_SECONDS)
            async with _deadline(seconds):
                answer = await self._answer(route, raw, call)
            encoded = answer.SerializeToString()
        except asyncio.CancelledError:
            self._tell(route, started, "CANCELLED")
            raise
        except Exception as error:  # noqa: BLE001 (the outermost place: nothing may pass unmasked)
            refusal = self._refusal(route, started, error)
        else:
            self._tell(route, started, "OK", call=call)
            return encoded
        return await _abort(context, refusal)

    async def stream(self, route: Route, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Answer one request many times."""
        method = route.method
        assert isinstance(method, StreamMethod)  # noqa: S101 (chosen by the server)

        def answers(call: Call) -> AsyncIterator[Message]:
            return method.answers(_parsed(route, raw), call)

        await self._stream(route, answers, context)

    async def duplex(
        self, route: Route, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Answer many requests many times."""
        method = route.method
        assert isinstance(method, DuplexMethod)  # noqa: S101 (chosen by the server)

        async def parsed() -> AsyncIterator[Message]:
            async for raw in requests:
                yield _parsed(route, raw)

        await self._stream(route, lambda call: method.answers(parsed(), call), context)

    async def _stream(
        self,
        route: Route,
        answers: Callable[[Call], AsyncIterator[Message]],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        started = time.perf_counter()
        try:
            call = self._admit(route, context)
            seconds = _allowed(context.time_remaining(), STREAM_SECONDS, STREAM_SECONDS)
            async with _deadline(seconds):
                async for answer in answers(call):
                    await context.write(answer.SerializeToString())
        except asyncio.CancelledError:
            self._tell(route, started, "CANCELLED")
            raise
        except Exception as error:  # noqa: BLE001 (the outermost place: nothing may pass unmasked)
            refusal = self._refusal(route, started, error)
        else:
            self._tell(route, started, "OK", call=call)
            return
        await _abort(context, refusal)

    def _admit(self, route: Route, context: grpc.aio.ServicerContext[Any, Any]) -> Call:
        """Authenticate and authorise; the request has not been looked at yet."""
        token: str | bytes | None = None
        trace_parent: str | bytes = ""
        for key, value in context.invocation_metadata() or ():
            if key == "authorization":
                token = value
            elif key == "traceparent":
                trace_parent = value
        caller = self._verifier.verify(bearer(token), self._now())
        authorize(caller, route.permission, route.roles)
        return Call(path=route.path, caller=caller, trace_parent=trace_parent[:64] if isinstance(trace_parent, str) else "")

    def _answer(self, route: Route, raw: bytes, call: Call) -> Awaitable[Message]:
        method = route.method
        if isinstance(method, WriteMethod):
            _refuse_large(raw)
            return self._writer.call(
                method,
                path=route.path,
                request=raw,
                request_type=route.request_type,
                caller=call.caller,
                trace_parent=call.trace_parent,
            )
        assert isinstance(method, ReadMethod)  # noqa: S101 (chosen by the server)
        return method.answer(_parsed(route, raw), call)

    def _refusal(self, route: Route, started: float, error: Exception) -> RenkeiError:
        """Make what the caller sees, and write what happened to the log under the same incident."""
        if isinstance(error, RenkeiError):
            self._tell(route, started, error.code.name, reason=error.reason)
            return error
        refusal = masked(error)
        log_event(
            _LOG,
            "a call failed",
            level=logging.ERROR,
            error=error,
            service=self._service,
            method=route.path,
            incident=refusal.metadata["incident"],
        )
        self._tell(route, started, refusal.code.name, reason=refusal.reason)
        return refusal

    def _tell(self, route: Route, started: float, code: str, *, reason: str = "", call: Call | None = None) -> None:
        seconds = time.perf_counter() - started
        self._seconds.bind(method=route.path, code=code)(seconds)
        caller = call.caller.subject if call is not None else ""
        log_event(
            _LOG, "call", service=self._service, method=route.path, code=code, reason=reason, caller=caller, seconds=seconds
        )


class _deadline:  # noqa: N801 (used like the function that it stands for)
    """`asyncio.timeout` whose end is told apart from any other TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *raised: Any) -> None:  # noqa: ANN401
        try:
            await self._timeout.__aexit__(*raised)
        except TimeoutError:
            if not self._timeout.expired():
                raise
            raise DeadlineExceeded(
                "DEADLINE", "the call took too long; a write may have happened: repeat it with the same request_id"
            ) from None


def _allowed(remaining: float | None, longest: float, default: float) -> float:
    """Cut the caller's deadline to ours; a call that brings none gets the default."""
    if remaining is None or remaining > longest * 1000:  # gRPC gives a huge number where there is none
        return default
    return min(remaining, longest)


def _refuse_large(raw: bytes) -> None:
    if len(raw) > MAX_REQUEST_BYTES:
        raise InvalidArgument(
            "REQUEST_TOO_LARGE",
            f"the request is larger than {MAX_REQUEST_BYTES} bytes",
            metadata={"bytes": str(len(raw)), "limit": str(MAX_REQUEST_BYTES)},
        )


def _parsed(route: Route, raw: bytes) -> Any:  # noqa: ANN401 (the method's own request type)
    _refuse_large(raw)
    try:
        message = route.request_type.FromString(raw)
    except DecodeError:
        raise InvalidArgument("MALFORMED_REQUEST", "the bytes are not the message that this method takes") from None
    validate(message, raw)
    return message


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: RenkeiError) -> bytes:
    status = to_status(error)
    await context.abort(error.code, status.message, ((STATUS_DETAILS_HEADER, status.SerializeToString()),))
    raise AssertionError("abort returns never")
