"""Trace context through gRPC and NATS inside an agency, and server spans where there is a collector.

The context is a W3C `traceparent`. Without a collector it is only carried: what a call brings goes on to the calls it
makes and the events it writes, for about a microsecond; nothing is made where nothing came. With a collector each RPC
and each handled event has a span; a trace that begins here is kept or not by `ratio`, decided before the SDK is asked.

An event carries the context it was written under. Handled soon, it is part of that trace. Handled late (a repair, a
catch-up after days) it begins a trace of its own that *links* to the old one, which is closed and perhaps deleted.
A trace context never crosses the exchange: its id would tell another agency which of our calls belong together.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.trace import Span

    from renkei_chassis.telemetry.otlp import OtlpTracer

TRACEPARENT: Final = "traceparent"
LATE_AFTER_SECONDS: Final = 60.0
_MAX_LENGTH: Final = 256
_IDS: Final = r"(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
_FORM: Final = re.compile(f"00-{_IDS}")
_LATER_FORM: Final = re.compile(f"(?!00|ff)[0-9a-f]{{2}}-{_IDS}(?:-.*)?")  # what W3C may add goes to the end


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """One place in a trace."""

    trace_id: str
    """32 lower-case hexadecimal digits."""
    span_id: str
    """16 lower-case hexadecimal digits."""
    sampled: bool

    def traceparent(self) -> str:
        """Write the header's value."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse(traceparent: str | bytes | None) -> TraceContext | None:
    """Read a header's value; None when there is none or it breaks the rules of W3C Trace Context."""
    if not isinstance(traceparent, str) or len(traceparent) > _MAX_LENGTH:
        return None
    found = _FORM.fullmatch(traceparent) or _LATER_FORM.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = found.groups()
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & 1))


# The text, not the object: most processes only carry it, and carrying must cost next to nothing.
_current: Final[ContextVar[str]] = ContextVar("renkei_trace", default="")


def current() -> TraceContext | None:
    """Give the context of the call or event being handled, if it has one."""
    return parse(_current.get())


def traceparent() -> str:
    """Give the current context as an event or a NATS message carries it; empty when there is none."""
    return _current.get()


def extract(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """Find the traceparent that a call brought in its metadata; empty when there is none or it is broken."""
    for key, value in metadata or ():
        if key == TRACEPARENT:
            return _checked(value)
    return ""


def inject(metadata: tuple[tuple[str, str | bytes], ...] = ()) -> tuple[tuple[str, str | bytes], ...]:
    """Add the current context to the metadata of a call to a service of the same agency."""
    text = _current.get()
    return (*metadata, (TRACEPARENT, text)) if text else metadata


class Scope:
    """What is being handled: makes its context the current one for a `with`, and ends its span."""

    __slots__ = ("_span", "_token", "traceparent")

    def __init__(self, traceparent: str, span: Span | None = None) -> None:
        """Take the context and the span that is in it, if spans are made. Made by Tracing."""
        self.traceparent = traceparent
        self._span = span
        self._token: Token[str] | None = None

    def __enter__(self) -> Self:
        self._token = _current.set(self.traceparent)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            # An async generator may be closed in another context than it was opened in.
            try:  # noqa: SIM105 (suppress() costs as much as all the rest)
                _current.reset(self._token)
            except ValueError:
                pass
        if self._span is not None:
            if error is not None:
                _fail(self._span, type(error).__qualname__)
            self._span.end()

    def outcome(self, code: str) -> None:
        """Note the gRPC status code's name on the span."""
        if self._span is not None:
            self._span.set_attribute("rpc.grpc.status_code", code)


class _Quiet(Scope):
    """The scope of a call without a context where nobody collects: nothing to set, nothing to reset."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


_QUIET: Final = _Quiet("")


class Tracing:
    """One service's tracing: `Tracing()` carries contexts, `Tracing(otlp, ratio=…)` also makes spans."""

    def __init__(
        self, otlp: OtlpTracer | None = None, *, ratio: float = 1.0, late_after_seconds: float = LATE_AFTER_SECONDS
    ) -> None:
        """Take the way to the collector, which part of the traces that begin here is kept, when an event is late."""
        if not 0 <= ratio <= 1:
            raise ValueError("ratio must be between 0 and 1")
        self._otlp = otlp
        self._kept_below = round(ratio * (1 << 32))
        self._late_after = late_after_seconds

    def server(self, method: str, metadata: Iterable[tuple[str, str | bytes]] | None) -> Scope:
        """Open the scope of one RPC: `with tracing.server("/renkei.tips.v1.TipsService/GetTip", metadata):`.

        For a caller of another agency hand in no metadata: what it brings is not ours to follow.
        """
        return self._open(method, extract(metadata), "", server=True)

    def event(self, event_type: str, trace_parent: str, *, age_seconds: float) -> Scope:
        """Open the scope in which one event is handled, `age_seconds` after it was written."""
        text = _checked(trace_parent)
        if age_seconds > self._late_after:
            return self._open(event_type, "", text, server=False)
        return self._open(event_type, text, "", server=False)

    def _open(self, name: str, parent: str, link: str, *, server: bool) -> Scope:
        if self._otlp is None:
            return Scope(parent) if parent or _current.get() else _QUIET
        context = parse(parent)
        sampled = secrets.randbits(32) < self._kept_below if context is None else context.sampled
        if not sampled:
            trace_id = secrets.token_hex(16) if context is None else context.trace_id
            return Scope(f"00-{trace_id}-{secrets.token_hex(8)}-00")
        return self._span(self._otlp, name, context, parse(link), server=server)

    @staticmethod
    def _span(
        otlp: OtlpTracer, name: str, parent: TraceContext | None, link: TraceContext | None, *, server: bool
    ) -> Scope:
        from opentelemetry.context import Context  # noqa: PLC0415 (loaded already where there is a tracer)
        from opentelemetry.trace import (  # noqa: PLC0415
            Link,
            NonRecordingSpan,
            SpanContext,
            SpanKind,
            TraceFlags,
            set_span_in_context,
        )

        def remote(context: TraceContext) -> SpanContext:
            flags = TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT)
            return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)

        span = otlp.tracer.start_span(
            name.removeprefix("/"),
            # An empty context, not None: None would take whatever span some library has made current.
            context=Context() if parent is None else set_span_in_context(NonRecordingSpan(remote(parent)), Context()),
            kind=SpanKind.SERVER if server else SpanKind.CONSUMER,
            links=[] if link is None else [Link(remote(link))],
        )
        made = span.get_span_context()
        return Scope(f"00-{made.trace_id:032x}-{made.span_id:016x}-01", span)


def _checked(text: str | bytes) -> str:
    """Return a traceparent as we write it, or nothing."""
    if isinstance(text, str) and _FORM.fullmatch(text):
        return text
    context = parse(text)
    return "" if context is None else context.traceparent()


def _fail(span: Span, kind: str) -> None:
    """Mark a span as failed by the class of the error alone: its text may quote a record."""
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 (loaded already where there is a span)

    span.set_status(Status(StatusCode.ERROR))
    span.set_attribute("error.type", kind)
