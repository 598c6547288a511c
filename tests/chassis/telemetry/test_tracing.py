"""A trace goes through an agency's calls and events, links what comes late, and takes nothing with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.telemetry import tracing
from renkei_chassis.telemetry.otlp import OtlpTracer
from renkei_chassis.telemetry.tracing import Tracing, extract, inject, parse, traceparent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        SAMPLED.encode(),
        SAMPLED.upper(),
        SAMPLED + "-more",
        SAMPLED + "\n",
        " " + SAMPLED,
        SAMPLED[:-1],
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"01-{TRACE}-{SPAN}-01more",
        f"01-{TRACE}-{SPAN}-01-{'a' * 300}",
        f"00-{TRACE}-{SPAN}-０1",
    ],
)
def test_a_traceparent_that_breaks_the_rules_is_none(text: str | bytes | None) -> None:
    assert parse(text) is None


@given(st.text())
def test_garbage_is_no_traceparent(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("flags", ["00", "01", "02", "03", "ff"])
def test_only_the_lowest_flag_says_sampled(flags: str) -> None:
    context = parse(f"00-{TRACE}-{SPAN}-{flags}")

    assert context is not None
    assert context.sampled == bool(int(flags, 16) & 1)


def test_a_later_version_is_read_and_passed_on_as_ours() -> None:
    """What it adds is not ours to repeat."""
    assert extract([("traceparent", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings")]) == SAMPLED


def test_a_call_carries_on_the_trace_it_came_with() -> None:
    with Tracing().server("/x/Y", [("authorization", "a"), ("traceparent", SAMPLED)]):
        inside = inject((("a", "b"),))
        event = traceparent()

    assert inside == (("a", "b"), ("traceparent", SAMPLED))
    assert event == SAMPLED


def test_a_call_without_a_trace_makes_none_where_nobody_collects() -> None:
    with Tracing().server("/x/Y", []):
        assert inject() == ()
        assert traceparent() == ""
        assert tracing.current() is None


def test_a_trace_ends_with_its_call() -> None:
    with Tracing().server("/x/Y", [("traceparent", SAMPLED)]):
        pass

    assert traceparent() == ""


def test_a_call_inside_a_call_does_not_inherit_its_trace() -> None:
    """Two services of a node share a process: what one handles is not the other's."""
    service = Tracing()

    with service.server("/x/Y", [("traceparent", SAMPLED)]):
        with service.server("/z/W", []):
            inside = traceparent()
        after = traceparent()

    assert (inside, after) == ("", SAMPLED)


async def test_calls_that_run_side_by_side_keep_their_own_trace() -> None:
    service = Tracing()
    both = asyncio.Barrier(2)

    async def handle(text: str) -> str:
        with service.server("/x/Y", [("traceparent", text)]):
            await both.wait()
            return traceparent()

    assert list(await asyncio.gather(handle(SAMPLED), handle(UNSAMPLED))) == [SAMPLED, UNSAMPLED]


def test_an_event_handled_soon_is_part_of_its_trace_and_a_late_one_is_not() -> None:
    service = Tracing()

    with service.event("renkei.tips.v1.TipRecorded", SAMPLED, age_seconds=1):
        soon = traceparent()
    with service.event("renkei.tips.v1.TipRecorded", SAMPLED, age_seconds=3600):
        late = traceparent()

    assert (soon, late) == (SAMPLED, "")


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_is_a_part_of_one(ratio: float) -> None:
    with pytest.raises(ValueError, match="ratio"):
        Tracing(ratio=ratio)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    pytest.importorskip("opentelemetry.sdk", reason="renkei-chassis[otlp] is not installed")
    from opentelemetry.sdk.trace.export import in_memory_span_exporter  # noqa: PLC0415 (an extra: not always there)

    return in_memory_span_exporter.InMemorySpanExporter()


def _collected(exporter: InMemorySpanExporter, *, ratio: float = 1.0) -> Tracing:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 (an extra: not always there)

    return Tracing(OtlpTracer("tips", SimpleSpanProcessor(exporter)), ratio=ratio)


def _only(spans: Sequence[ReadableSpan]) -> ReadableSpan:
    (span,) = spans
    return span


def test_a_collected_call_is_a_server_span_under_its_caller(exporter: InMemorySpanExporter) -> None:
    with _collected(exporter).server("/renkei.tips.v1.TipsService/GetTip", [("traceparent", SAMPLED)]) as scope:
        scope.outcome("OK")
        event = parse(traceparent())

    span = _only(exporter.get_finished_spans())
    assert (span.name, span.kind.name) == ("renkei.tips.v1.TipsService/GetTip", "SERVER")
    assert span.parent is not None
    assert span.parent.span_id == int(SPAN, 16)
    assert span.attributes == {"rpc.grpc.status_code": "OK"}
    assert event is not None
    assert (event.trace_id, event.sampled) == (TRACE, True)
    assert event.span_id != SPAN


def test_a_caller_that_samples_nothing_is_followed(exporter: InMemorySpanExporter) -> None:
    with _collected(exporter).server("/x/Y", [("traceparent", UNSAMPLED)]):
        event = parse(traceparent())

    assert exporter.get_finished_spans() == ()
    assert event is not None
    assert (event.trace_id, event.sampled) == (TRACE, False)


def test_a_trace_that_begins_here_is_kept_by_the_ratio(exporter: InMemorySpanExporter) -> None:
    with _collected(exporter, ratio=0).server("/x/Y", []):
        event = parse(traceparent())
    with _collected(exporter, ratio=1).server("/kept", []):
        pass

    assert [span.name for span in exporter.get_finished_spans()] == ["kept"]
    assert event is not None
    assert not event.sampled


def test_a_late_event_links_to_its_trace_and_begins_another(exporter: InMemorySpanExporter) -> None:
    with _collected(exporter).event("renkei.tips.v1.TipRecorded", SAMPLED, age_seconds=86400):
        pass

    span = _only(exporter.get_finished_spans())
    assert span.parent is None
    assert [link.context.trace_id for link in span.links] == [int(TRACE, 16)]
    assert span.context is not None
    assert span.context.trace_id != int(TRACE, 16)


def test_an_event_handled_soon_has_its_trace_as_parent(exporter: InMemorySpanExporter) -> None:
    with _collected(exporter).event("renkei.tips.v1.TipRecorded", SAMPLED, age_seconds=1):
        pass

    span = _only(exporter.get_finished_spans())
    assert span.kind.name == "CONSUMER"
    assert span.parent is not None
    assert span.parent.trace_id == int(TRACE, 16)
    assert not span.links


def test_a_failed_call_tells_the_class_of_its_error_and_not_its_text(exporter: InMemorySpanExporter) -> None:
    """OpenTelemetry's own way records the message and the whole traceback as an event."""
    with pytest.raises(ValueError, match="山田"), _collected(exporter).server("/x/Y", []):
        raise ValueError("山田太郎")

    span = _only(exporter.get_finished_spans())
    assert span.status.status_code.name == "ERROR"
    assert span.attributes == {"error.type": "ValueError"}
    assert "山田" not in span.to_json(indent=None)
    assert not span.events
