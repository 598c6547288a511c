"""The frame that makes the figures: it judges, merges, alternates, and counts real calls."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from renkei_chassis.ports import PortClaims
from tests.bench import __main__ as command
from tests.bench import report
from tests.bench.figures import Bar, Bench, Figure, Line, Row
from tests.bench.floors import echo
from tests.bench.generator import PLACEHOLDER, Job, Run
from tests.bench.pairs import alternate, compare
from tests.bench.processes import drive, process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

MACHINE = "2 cores"


async def measure_nothing(bench: Bench) -> None:
    """Stands where a figure measures."""


def figure(*names: str, called: str = "things") -> Figure:
    lines = [Line(name=name, what="a thing", unit="s", bar=Bar(limit=2.0)) for name in names]
    return Figure(name=called, lines=lines, measure=measure_nothing)


@pytest.mark.parametrize(
    ("bar", "value", "ratio", "reached"),
    [
        (Bar(limit=0.6), 1.0, 0.6, True),
        (Bar(limit=0.6), 1.0, 0.59, False),
        (Bar(limit=0.6), 1.0, None, False),
        (Bar(limit=2.0, at_least=False), 1.0, 2.1, False),
        (Bar(limit=5.0, of="value", at_least=False), 4.9, None, True),
    ],
)
def test_a_bar_is_reached_or_missed(bar: Bar, value: float, ratio: float | None, *, reached: bool) -> None:
    assert bar.reached(value=value, ratio=ratio) is reached


def test_a_ratio_is_the_median_of_the_ratios_of_the_pairs() -> None:
    """A pause of the machine that hits one side once moves neither median."""
    assert compare([1.0, 2.0, 90.0], [2.0, 4.0, 6.0]) == (2.0, 4.0, 0.5)


async def test_sides_are_measured_in_turns() -> None:
    order: list[str] = []

    def side(name: str) -> Callable[[], Awaitable[float]]:
        async def measured() -> float:
            order.append(name)
            return 1.0

        return measured

    await alternate({"a": side("a"), "b": side("b")}, rounds=3)

    assert "".join(order) == "abbaab"


def test_rows_of_earlier_runs_are_kept_and_those_of_no_figure_are_dropped(tmp_path: Path) -> None:
    def row(name: str, value: float) -> Row:
        return report.row_of(Line(name=name, what="a thing", unit="s"), (value, None, None), MACHINE)

    report.write(tmp_path, [figure("a", "b", "gone")], [row("a", 1.0), row("b", 2.0), row("gone", 3.0)])
    report.write(tmp_path, [figure("a", "b")], [row("b", 4.0)])

    written = json.loads((tmp_path / "performance.json").read_text())
    assert [(one["name"], one["value"]) for one in written] == [("a", 1.0), ("b", 4.0)]
    assert written[0].keys() >= {"name", "value", "unit", "floor", "ratio", "bar", "ok", "machine"}
    page = (tmp_path / "performance.md").read_text()
    assert "`b`" in page
    assert "`gone`" not in page


def test_a_missed_bar_is_told_in_both_files(tmp_path: Path) -> None:
    line = Line(name="a", what="a thing", unit="s", bar=Bar(limit=2.0))

    report.write(tmp_path, [figure("a")], [report.row_of(line, (1.0, 1.0, 1.0), MACHINE)])

    assert json.loads((tmp_path / "performance.json").read_text())[0]["ok"] is False
    assert "**missed**" in (tmp_path / "performance.md").read_text()


def test_only_picks_figures_and_rows_and_refuses_what_is_neither() -> None:
    figures = [figure("a", "b", called="first"), figure("c", called="second")]

    assert [(one.name, set(rows)) for one, rows in command.chosen(figures, ["b", "second"])] == [
        ("first", {"b"}),
        ("second", {"c"}),
    ]
    with pytest.raises(ValueError, match="nonsense"):
        command.chosen(figures, ["nonsense"])


def test_a_row_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="did not measure b"):
        command.measure(figure("b"), frozenset({"b"}), pairs=5, machine=MACHINE)


def test_every_figure_names_its_rows_once() -> None:
    assert command.all_figures()


@pytest.fixture
def ports() -> Iterator[PortClaims]:
    with PortClaims() as claims:
        yield claims


async def test_the_generator_counts_calls_of_a_server_in_another_process(ports: PortClaims) -> None:
    port = ports.claim()

    async with process("tests.bench.floors.echo", str(port), port=port):
        load = await drive(port, echo.PATH, [b"x" * 700], callers=70, seconds=0.2, warm_seconds=0.05)

    assert load.calls > 0
    assert 0 < load.p50_us <= load.p99_us


@pytest.fixture
async def picky(ports: PortClaims) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that refuses every second call."""
    seen: list[bytes] = []

    async def answer(request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        seen.append(request)
        if len(seen) % 2:
            await context.abort(grpc.StatusCode.ABORTED, "odd")
        return request

    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"Echo": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("picky", handlers),))
    port = ports.claim()
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    yield port, seen
    await server.stop(None)


async def test_a_failed_call_is_told_and_each_call_has_a_fresh_id(picky: tuple[int, list[bytes]]) -> None:
    port, seen = picky
    message = base64.b64encode(b"id " + PLACEHOLDER.encode() + b" end").decode()
    job = Job(port=port, path="/picky/Echo", headers={}, messages=[message], callers=4, seconds=0.1, warm_seconds=0.0)

    load = await asyncio.to_thread(Run(job).go)

    assert load.failures == -(-len(seen) // 2)
    assert load.failure == "10 odd"
    assert len(set(seen)) == len(seen)
    assert {len(one) for one in seen} == {len(b"id  end") + 36}
