"""Nothing that a person wrote gets into a log line, whichever way it tries."""

from __future__ import annotations

import ast
import asyncio
import enum
import io
import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis.telemetry.fields import FIELDS
from renkei_chassis.telemetry.logging import WITHHELD, JsonFormatter, LineWriter, configure, log_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "山田太郎 090-1234-5678"
SECRET_DIGITS = "-1234-"  # a line's own time holds any three digits sooner or later
LOGGER = logging.getLogger("renkei.tests")
SOURCES = Path(__file__).parents[3] / "services"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Send the process's log to memory for one test; a call ends it and gives the lines."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    writer = configure(stream=stream)

    def read() -> list[dict[str, Any]]:
        writer.close()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read

    writer.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(StringValue(value=SECRET), id="a message"),
        pytest.param([SECRET], id="a list"),
        pytest.param({"a": SECRET}, id="a dict"),
        pytest.param(SECRET.encode(), id="bytes"),
        pytest.param(ValueError(SECRET), id="an exception"),
        pytest.param(None, id="nothing"),
        pytest.param(Path("x"), id="a path"),
    ],
)
def test_what_is_not_plain_is_a_mistake_of_the_code(value: object) -> None:
    with pytest.raises(TypeError, match="may not be a"):
        log_event(LOGGER, "call", level=logging.CRITICAL, name=cast("str", value))


@pytest.mark.parametrize("name", ["text", "tip", "display_name", "request", "response", "query", "filter", "exception"])
def test_a_field_that_is_not_on_the_list_is_a_mistake_of_the_code(name: str) -> None:
    fields: dict[str, Any] = {name: 1}

    with pytest.raises(TypeError, match="not a field"):
        log_event(LOGGER, "call", level=logging.CRITICAL, **fields)


@given(st.text(min_size=1))
def test_a_text_is_logged_as_it_is_or_withheld(text: str) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("one")  # noqa: LOG001 (one that nobody else shares)
    logger.addHandler(handler)

    log_event(logger, "call", name=text)

    (line,) = stream.getvalue().splitlines()
    plain = all(" " <= sign <= "~" for sign in text[:256])
    assert json.loads(line)["name"] == (text[:256] if plain else WITHHELD)


def test_words_are_withheld_and_names_are_not(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log_event(
        LOGGER, "call", name="agencies/jp-12/tips/a", subject=SECRET, code="a\nb", count=3, seconds=0.5, release=True
    )

    (line,) = lines()
    assert line["name"] == "agencies/jp-12/tips/a"
    assert line["subject"] == line["code"] == WITHHELD
    assert (line["count"], line["seconds"], line["release"]) == (3, 0.5, True)
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "renkei.tests", "call")


def test_numbers_that_json_has_not_are_still_json(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log_event(LOGGER, "call", seconds=float("nan"), lag=float("inf"), count=10**400)

    (line,) = lines()
    assert (line["seconds"], line["lag"], line["count"]) == (None, None, WITHHELD)


def test_an_enum_member_is_logged_as_its_value(lines: Callable[[], list[dict[str, Any]]]) -> None:
    class Reason(enum.StrEnum):
        EXPIRED = "TOKEN_EXPIRED"

    class Number(enum.IntEnum):
        SEVEN = 7

    log_event(LOGGER, "call", reason=Reason.EXPIRED, count=Number.SEVEN)

    (line,) = lines()
    assert (line["reason"], line["count"]) == ("TOKEN_EXPIRED", 7)


def _fail() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise RuntimeError(SECRET) from error


def test_an_exception_is_told_by_class_and_frames(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        _fail()
    except RuntimeError as error:
        log_event(LOGGER, "failed", level=logging.ERROR, error=error)

    (line,) = lines()
    assert [one["class"] for one in line["error"]] == ["builtins.RuntimeError", "builtins.ValueError"]
    assert line["error"][0]["frames"][-1].endswith(" _fail")
    assert SECRET_DIGITS not in json.dumps(line)


def test_the_members_of_a_group_are_told_by_class(lines: Callable[[], list[dict[str, Any]]]) -> None:
    log_event(LOGGER, "failed", error=ExceptionGroup(SECRET, [ValueError(SECRET), OSError(SECRET)]))

    (line,) = lines()
    assert line["error"][0]["members"] == ["builtins.ValueError", "builtins.OSError"]
    assert SECRET_DIGITS not in json.dumps(line)


def test_an_exception_that_caused_itself_ends(lines: Callable[[], list[dict[str, Any]]]) -> None:
    one, two = ValueError(), ValueError()
    one.__cause__, two.__cause__ = two, one

    log_event(LOGGER, "failed", error=one)

    assert len(lines()[0]["error"]) == 2


def test_a_library_cannot_log_what_it_was_given(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Its arguments may be a record's text, and so may everything it has already formatted into the message."""
    library = logging.getLogger("somebody.else")
    library.warning("could not send %s", SECRET)
    library.error("Task failed\nfuture: <Task exception=ValueError('%s')>" % SECRET)  # noqa: UP031 (what asyncio does)
    library.error(SECRET)
    library.error(ValueError(SECRET))
    try:
        _fail()
    except RuntimeError:
        library.exception("failed")

    told = lines()
    assert [line["message"] for line in told] == [
        "could not send %s",
        "Task failed",
        WITHHELD,
        "(ValueError)",
        "failed",
    ]
    assert SECRET_DIGITS not in json.dumps(told)


async def test_a_forgotten_task_does_not_log_what_it_failed_on(lines: Callable[[], list[dict[str, Any]]]) -> None:
    loop = asyncio.get_running_loop()

    loop.default_exception_handler({"message": "Task exception was never retrieved", "exception": ValueError(SECRET)})

    (line,) = await asyncio.to_thread(lines)
    assert line["message"] == "Task exception was never retrieved"
    assert line["error"][0]["class"] == "builtins.ValueError"
    assert SECRET_DIGITS not in json.dumps(line)


def test_lines_keep_their_order_and_none_is_lost_at_the_end(lines: Callable[[], list[dict[str, Any]]]) -> None:
    for number in range(5000):
        log_event(LOGGER, "call", number=number)

    assert [line["number"] for line in lines()] == list(range(5000))


class _StuckStream(io.StringIO):
    """A pipe whose reader does not read until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.let_go.wait()
        return super().write(text)


def test_a_stuck_reader_costs_lines_and_never_the_caller() -> None:
    stream = _StuckStream()
    writer = LineWriter(stream)
    writer.put("first")
    stream.reached.wait(10)

    for _ in range(10_050):
        writer.put("line")

    assert writer.dropped == 50
    stream.let_go.set()
    writer.close()
    assert stream.getvalue().count("\n") == 10_001


def test_a_closed_pipe_is_survived() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream)
    stream.close()

    writer.put("line")
    writer.close()

    assert writer.dropped == 1


def test_a_level_that_is_off_is_not_even_looked_at() -> None:
    log_event(LOGGER, "call", level=logging.NOTSET - 1, secret=SECRET)


def _calls() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.name}:{node.lineno}", node)
        for path in SOURCES.glob("*/src/renkei_*/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "log_event"
    ]


def test_every_message_in_our_code_is_a_constant_and_every_field_on_the_list() -> None:
    """A message that is put together at run time could hold anything."""
    wrong = [
        place
        for place, call in _calls()
        if not (len(call.args) > 1 and isinstance(call.args[1], ast.Constant))
        or {word.arg for word in call.keywords if word.arg} - FIELDS - {"level", "error"}
    ]

    assert wrong == []
