"""What every call passes: masking, deadline, authentication, permission, validation, one line of log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.protobuf.message import DecodeError

from renkei_chassis.database.requests import WriteMethod
from renkei_chassis.errors import (
    STATUS_DETAILS_HEADER,
    InvalidArgument,
    RenkeiError,
    ResourceExhausted,
    Unavailable,
    masked,
    to_status,
)
from renkei_chassis.identity import PrincipalKind, authorize, bearer
from renkei_chassis.rpc.arrivals import Arrivals
from renkei_chassis.rpc.deadlines import Deadline, Limits, allowed
from renkei_chassis.rpc.methods import Call, DuplexMethod, ReadMethod, StreamMethod
from renkei_chassis.rpc.purpose import purpose_of
from renkei_chassis.rpc.validation import validate
from renkei_chassis.telemetry.logging import log_event
from renkei_chassis.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    import grpc
    from google.protobuf.message import Message

    from renkei_chassis.database.writer import Writer
    from renkei_chassis.identity import Principal, Verifier
    from renkei_chassis.rpc.routes import Route
    from renkei_chassis.telemetry.metrics import Metrics
    from renkei_chassis.telemetry.tracing import Scope

    Metadata = Iterable[tuple[str, str | bytes]]
    OnRefused = Callable[[str, Principal, bytes, RenkeiError], Awaitable[None]]

T = TypeVar("T")

MAX_REQUEST_BYTES: Final = 256 * 1024
_LOG: Final = logging.getLogger("renkei.rpc")


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
        tracing: Tracing | None = None,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_refused: OnRefused | None = None,
    ) -> None:
        """Take what calls are checked against, and where writes go.

        `on_refused` is awaited for every unary call that is refused to a known caller, before that caller is told.
        """
        self._verifier = verifier
        self._writer = writer
        self._service = service
        self._tracing = tracing or Tracing()
        self._limits = limits or Limits()
        self._now = now
        self._on_refused = on_refused
        self.arrivals = Arrivals()
        self._streams: dict[Deadline, str] = {}
        self._answering = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._seconds = metrics.histogram("renkei_rpc_seconds", "Time a call took.", ("method", "code"))

    async def unary(self, route: Route, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Answer one request once."""
        self.arrivals.arrived()
        started = time.perf_counter()
        caller: Principal | None = None
        purpose = ""
        try:
            self._refuse_while_draining()
            metadata = context.invocation_metadata()
            caller = self._known(metadata)
            authorize(caller, route.permission, route.roles)
            purpose = purpose_of(metadata)
            deadline = Deadline(allowed(context.time_remaining(), self._limits.unary, self._limits.unary_default))
            with self._counted(), self._scope(route, caller, metadata) as scope, deadline:
                answer = await self._answer(
                    route, raw, Call(path=route.path, caller=caller, trace_parent=scope.traceparent)
                )
                scope.outcome("OK")
            encoded = answer.SerializeToString()
        except asyncio.CancelledError:
            self._tell(route, started, "CANCELLED", caller=caller, purpose=purpose)
            raise
        except Exception as error:  # noqa: BLE001 (the outermost place: nothing may pass unmasked)
            refusal = self._refusal(route, started, error, caller, purpose)
        else:
            self._tell(route, started, "OK", caller=caller, purpose=purpose)
            return encoded
        await self._record(route, raw, refusal, caller)
        return await _abort(context, refusal)

    async def stream(self, route: Route, raw: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Answer one request many times."""
        self.arrivals.arrived()
        method = route.method
        assert isinstance(method, StreamMethod)  # noqa: S101 (chosen by the server)

        def answers(call: Call) -> AsyncIterator[Message | bytes]:
            return method.answers(_parsed(route, raw), call)

        await self._stream(route, answers, context)

    async def unary_slowly(self, route: Route, requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Answer one request once, of a caller who may never send it."""
        del requests
        return await self.unary(route, await self._arriving(route, context), context)

    async def stream_slowly(self, route: Route, requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        """Answer one request many times, of a caller who may never send it."""
        del requests
        await self.stream(route, await self._arriving(route, context), context)

    async def _arriving(self, route: Route, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        """Read the request of a caller who is known, while there is time."""
        started = time.perf_counter()
        try:
            self._known(context.invocation_metadata())
            with Deadline(allowed(context.time_remaining(), self._limits.arrival, self._limits.arrival)):
                raw = await context.read()
            if isinstance(raw, bytes):
                return raw
            raise InvalidArgument("MALFORMED_REQUEST", "the call ended without a request")  # noqa: TRY301 (masked below)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (the outermost place: nothing may pass unmasked)
            refusal = self._refusal(route, started, error, None)
        return await _abort(context, refusal)

    async def duplex(
        self, route: Route, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Answer many requests many times."""
        method = route.method
        assert isinstance(method, DuplexMethod)  # noqa: S101 (chosen by the server)

        async def parsed() -> AsyncGenerator[Message, None]:
            async for raw in requests:
                yield _parsed(route, raw, validated=method.validated)

        async def answers(call: Call) -> AsyncGenerator[Message | bytes, None]:
            async with aclosing(parsed()) as messages, _closing(method.answers(messages, call)) as found:
                async for answer in found:
                    yield answer

        await self._stream(route, answers, context)

    def drain(self) -> None:
        """Refuse what is new, and end every stream, now: it would outlive any patience, and can be resumed."""
        self._draining = True
        for deadline in self._streams:
            deadline.end(_stopping())

    async def finish(self, seconds: float) -> None:
        """Wait until every call that was taken is answered, for so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    def _refuse_while_draining(self) -> None:
        if self._draining:
            raise _stopping()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._answering += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    async def _stream(
        self,
        route: Route,
        answers: Callable[[Call], AsyncIterator[Message | bytes]],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        with self._counted():  # until its last word is sent: a server that ends before would cut it off
            await self._streamed(route, answers, context)

    async def _streamed(
        self,
        route: Route,
        answers: Callable[[Call], AsyncIterator[Message | bytes]],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> None:
        started = time.perf_counter()
        caller: Principal | None = None
        purpose = ""
        try:
            metadata = context.invocation_metadata()
            caller = self._known(metadata)
            authorize(caller, route.permission, route.roles)
            purpose = purpose_of(metadata)
            deadline = Deadline(allowed(context.time_remaining(), self._limits.stream, self._limits.stream))
            with self._scope(route, caller, metadata) as scope:
                call = Call(path=route.path, caller=caller, trace_parent=scope.traceparent)
                await self._send(answers(call), context, deadline, caller)
                scope.outcome("OK")
        except asyncio.CancelledError:
            self._tell(route, started, "CANCELLED", caller=caller, purpose=purpose)
            raise
        except Exception as error:  # noqa: BLE001 (the outermost place: nothing may pass unmasked)
            refusal = self._refusal(route, started, error, caller, purpose)
        else:
            self._tell(route, started, "OK", caller=caller, purpose=purpose)
            return
        await _abort(context, refusal)

    async def _send(
        self,
        answers: AsyncIterator[Message | bytes],
        context: grpc.aio.ServicerContext[Any, Any],
        deadline: Deadline,
        caller: Principal,
    ) -> None:
        self._take_a_seat(deadline, caller)
        try:
            with deadline:
                async with _closing(answers) as found:
                    async for answer in found:
                        encoded = answer if isinstance(answer, bytes) else answer.SerializeToString()
                        del answer  # a slow reader holds the bytes alone
                        await context.write(encoded)
        finally:
            del self._streams[deadline]

    def _take_a_seat(self, deadline: Deadline, caller: Principal) -> None:
        """Count a stream in: each holds an answer or two while its caller does not read.

        gRPC lets nobody end a call whose answer waits to be sent, so that only their number bounds them, and the
        age of their connections.
        """
        self._refuse_while_draining()
        of_one = sum(subject == caller.subject for subject in self._streams.values())
        if len(self._streams) >= self._limits.streams or of_one >= self._limits.streams_of_one:
            raise ResourceExhausted("OVERLOADED", "too many streams are open; end some of them first")
        self._streams[deadline] = caller.subject

    async def _record(self, route: Route, raw: bytes, refusal: RenkeiError, caller: Principal | None) -> None:
        """Have a refusal recorded; one that cannot be is a refusal all the same."""
        if self._on_refused is None or caller is None:
            return
        try:
            await self._on_refused(route.path, caller, raw, refusal)
        except Exception as error:  # noqa: BLE001 (the caller's answer stands)
            log_event(
                _LOG,
                "a refusal was not recorded",
                level=logging.ERROR,
                error=error,
                service=self._service,
                method=route.path,
            )

    def _known(self, metadata: Metadata | None) -> Principal:
        """Authenticate the caller; the request has not been looked at yet."""
        token: str | bytes | None = None
        for key, value in metadata or ():
            if key == "authorization":
                token = value
        return self._verifier.verify(bearer(token), self._now())

    def _scope(self, route: Route, caller: Principal, metadata: Metadata | None) -> Scope:
        """Go on with the caller's trace, if it is of this agency."""
        return self._tracing.server(route.path, None if caller.kind is PrincipalKind.PEER else metadata)

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

    def _refusal(
        self, route: Route, started: float, error: Exception, caller: Principal | None, purpose: str = ""
    ) -> RenkeiError:
        """Make what the caller sees, and write what happened to the log under the same incident."""
        if isinstance(error, RenkeiError):
            self._tell(route, started, error.code.name, reason=error.reason, caller=caller, purpose=purpose)
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
        self._tell(route, started, refusal.code.name, reason=refusal.reason, caller=caller, purpose=purpose)
        return refusal

    def _tell(
        self,
        route: Route,
        started: float,
        code: str,
        *,
        caller: Principal | None,
        reason: str = "",
        purpose: str = "",
    ) -> None:
        seconds = time.perf_counter() - started
        self._seconds.bind(method=route.path, code=code)(seconds)
        log_event(
            _LOG,
            "call",
            service=self._service,
            method=route.path,
            code=code,
            reason=reason,
            caller=caller.subject if caller is not None else "",
            seconds=seconds,
            purpose=purpose,
        )


@asynccontextmanager
async def _closing(answers: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T], None]:
    """Close a generator at once, where the garbage collector would do it some time later."""
    try:
        yield answers
    finally:
        if isinstance(answers, AsyncGenerator):
            await answers.aclose()


def _stopping() -> Unavailable:
    return Unavailable("SHUTTING_DOWN", "the server is stopping; resume the stream elsewhere or later")


def _refuse_large(raw: bytes) -> None:
    if len(raw) > MAX_REQUEST_BYTES:
        raise InvalidArgument(
            "REQUEST_TOO_LARGE",
            f"the request is larger than {MAX_REQUEST_BYTES} bytes",
            metadata={"bytes": str(len(raw)), "limit": str(MAX_REQUEST_BYTES)},
        )


def _parsed(route: Route, raw: bytes, *, validated: bool = True) -> Any:  # noqa: ANN401 (the method's own request type)
    _refuse_large(raw)
    try:
        message = route.request_type.FromString(raw)
    except DecodeError:
        raise InvalidArgument("MALFORMED_REQUEST", "the bytes are not the message that this method takes") from None
    if validated:
        validate(message, raw)
    return message


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: RenkeiError) -> bytes:
    status = to_status(error)
    await context.abort(error.code, status.message, ((STATUS_DETAILS_HEADER, status.SerializeToString()),))
    raise AssertionError("abort returns never")
