"""What every call passes: masking, limits, deadlines, one line of log, and streams that end in good order."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from renkei.personas.v1.personas_pb2 import GetPersonaRequest, Persona, Plan
from renkei.tips.v1.tips_pb2 import LoadTipsRequest, LoadTipsResponse, Tip, WatchTipsRequest, WatchTipsResponse

from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import Aborted, DeadlineExceeded, Internal, InvalidArgument, RenkeiError, ResourceExhausted
from renkei_chassis.rpc.deadlines import Limits, allowed
from renkei_chassis.rpc.methods import Call, DuplexMethod, ReadMethod, StreamMethod
from renkei_chassis.rpc.pipeline import MAX_REQUEST_BYTES
from renkei_chassis.rpc.purpose import HEADER
from renkei_chassis.telemetry import logging as telemetry
from renkei_chassis.telemetry.exposition import page
from tests.chassis.courier.servers import until
from tests.chassis.keeper import AGENCY, asking, find, keep
from tests.chassis.rpc.served import GET, LOAD, SUBMIT, WATCH, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    import grpc

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.rpc.methods import Method
    from tests.chassis.keeper import Keeper

MARKER = "MARKER-of-a-person"
READ = GetPersonaRequest(name=f"{AGENCY}/personas/1")
WATCHING = WatchTipsRequest()
QUICK = Limits(unary=0.3, unary_default=0.1, stream=0.3)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Give what the process writes to its log."""
    stream = io.StringIO()
    writer = telemetry.configure(stream=stream)
    yield stream
    writer.close()


def told(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


async def slow(request: object, call: Call) -> Persona:
    await asyncio.sleep(30)
    raise AssertionError


# Masking.


@pytest.mark.parametrize("where", ["read", "write", "stream", "duplex"])
async def test_the_text_of_an_exception_reaches_neither_caller_nor_log(
    keeper: Keeper, port: int, lines: io.StringIO, where: str
) -> None:
    """It may quote a record, as the errors of libraries do; its class and place are logged under an incident."""

    def rule(transaction: Transaction, request: object, caller: Principal) -> Written:
        raise LookupError(MARKER) from ValueError(MARKER)

    async def read(request: object, call: Call) -> Persona:
        raise LookupError(MARKER)

    async def many(request: object, call: Call) -> AsyncIterator[WatchTipsResponse]:
        yield WatchTipsResponse()
        raise LookupError(MARKER)

    methods: dict[str, Method] = {
        SUBMIT: WriteMethod(rule=rule, rebuild=find),
        GET: ReadMethod(answer=read),
        WATCH: StreamMethod(answers=many),
        LOAD: DuplexMethod(answers=many),
    }
    async with served(keeper, port, methods) as server:
        calling: dict[str, Callable[[], Awaitable[Any]]] = {
            "read": lambda: server.refusal(GET, READ),
            "write": lambda: server.refusal(SUBMIT, asking("a")),
            "stream": lambda: server.ending(WATCH, WATCHING),
            "duplex": lambda: server.ending(LOAD, load()),
        }
        ended = await calling[where]()
    refusal = ended[1] if isinstance(ended, tuple) else ended
    await until(lambda: len(told(lines)) >= 2)

    assert isinstance(refusal, Internal)
    assert refusal.reason == "INTERNAL"
    assert MARKER not in str(refusal)
    assert MARKER not in lines.getvalue()
    (failed,) = [line for line in told(lines) if line["message"] == "a call failed"]
    assert failed["incident"] == refusal.metadata["incident"]
    assert failed["error"][0]["class"] == "builtins.LookupError"


async def test_an_answer_that_cannot_be_written_is_masked(keeper: Keeper, port: int) -> None:
    async def answer(request: object, call: Call) -> Any:  # noqa: ANN401
        return MARKER

    async with served(keeper, port, {GET: ReadMethod(answer=answer)}) as server:
        refusal = await server.refusal(GET, READ)

    assert refusal.reason == "INTERNAL"
    assert MARKER not in str(refusal)


async def test_an_error_of_ours_arrives_whole(keeper: Keeper, port: int) -> None:
    async def answer(request: object, call: Call) -> Persona:
        raise Aborted("ETAG_MISMATCH", "somebody was faster", metadata={"etag": "7"})

    async with served(keeper, port, {GET: ReadMethod(answer=answer)}) as server:
        refusal = await server.refusal(GET, READ)

    assert isinstance(refusal, Aborted)
    assert (refusal.reason, refusal.message, refusal.metadata) == (
        "ETAG_MISMATCH",
        "somebody was faster",
        {"etag": "7"},
    )


# What a request may be.


@pytest.mark.parametrize("path", [GET, SUBMIT])
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xff", "MALFORMED_REQUEST"),
        (b"\x0a\x50abc", "MALFORMED_REQUEST"),
        (b"", "FIELD_INVALID"),
        (READ.SerializeToString() + b"\xf8\x9d\x05\x01", "UNKNOWN_FIELD"),
        (b"\x0a\xff\xff\x1f" + b"a" * 0x7FFFF, "REQUEST_TOO_LARGE"),
    ],
    ids=["garbage", "cut off", "empty", "unknown field", "too large"],
)
async def test_a_request_that_breaks_a_rule_is_refused_with_its_reason(
    keeper: Keeper, port: int, path: str, raw: bytes, reason: str
) -> None:
    async with served(keeper, port) as server:
        refusal = await server.refusal(path, raw)

    assert isinstance(refusal, InvalidArgument)
    assert refusal.reason == reason
    if reason == "REQUEST_TOO_LARGE":
        assert refusal.metadata["limit"] == str(MAX_REQUEST_BYTES)


async def test_an_unknown_enum_value_is_refused(keeper: Keeper, port: int) -> None:
    request = asking("a")
    request.plan.crime_code = 4711  # type: ignore[assignment]

    async with served(keeper, port) as server:
        refusal = await server.refusal(SUBMIT, request)

    assert refusal.reason == "FIELD_INVALID"
    assert [violation.field for violation in refusal.violations] == ["plan.crime_code"]


async def test_a_request_of_megabytes_never_reaches_us(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        refusal = await server.refusal(GET, bytes(2 * 1024 * 1024))

    assert isinstance(refusal, ResourceExhausted)


async def test_the_largest_request_is_taken(keeper: Keeper, port: int) -> None:
    request = asking("a")
    request.plan.CopyFrom(Plan(unit="a", necessity="あ" * 5000, alternatives="い" * 5000))

    async with served(keeper, port) as server:
        answer = Persona.FromString(await server.call(SUBMIT, request))

    assert answer.plan.unit == "a"


# Deadlines.


@pytest.mark.parametrize(
    ("remaining", "seconds"), [(None, 20.0), (5.0, 5.0), (60.0, 60.0), (3600.0, 60.0), (1e9, 60.0), (-1.0, -1.0)]
)
def test_a_call_has_the_callers_deadline_cut_to_ours_or_the_servers_own(
    remaining: float | None, seconds: float
) -> None:
    assert allowed(remaining, longest=60.0, default=20.0) == seconds


@pytest.mark.parametrize("asked", [None, 60, 10**9])
async def test_a_slow_answer_ends_with_deadline(keeper: Keeper, port: int, asked: float | None) -> None:
    async with served(keeper, port, {GET: ReadMethod(answer=slow)}, limits=QUICK) as server:
        refusal = await server.refusal(GET, READ, seconds=asked)

    assert isinstance(refusal, DeadlineExceeded)
    assert refusal.reason == "DEADLINE"


async def test_a_timeout_inside_an_answer_is_no_deadline(keeper: Keeper, port: int) -> None:
    async def answer(request: object, call: Call) -> Persona:
        raise TimeoutError

    async with served(keeper, port, {GET: ReadMethod(answer=answer)}) as server:
        assert (await server.refusal(GET, READ)).reason == "INTERNAL"


async def test_a_caller_who_hangs_up_ends_its_call(keeper: Keeper, port: int, lines: io.StringIO) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def answer(request: object, call: Call) -> Persona:
        began.set()
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        raise AssertionError

    async with served(keeper, port, {GET: ReadMethod(answer=answer)}) as server:
        calling = asyncio.ensure_future(server.call(GET, READ))
        async with asyncio.timeout(10):
            await began.wait()
            calling.cancel()
            await ended.wait()
        await until(lambda: bool(told(lines)))

    assert [line["code"] for line in told(lines) if line["message"] == "call"] == ["CANCELLED"]


# Streams.


def load(load_id: str | None = None) -> LoadTipsRequest:
    request = LoadTipsRequest(load_id=load_id or str(uuid.uuid4()), parent=AGENCY)
    request.rows.add(row=1, tip=Tip(text="words"))
    return request


async def echo(requests: AsyncIterator[LoadTipsRequest], call: Call) -> AsyncIterator[LoadTipsResponse]:
    async for request in requests:
        answer = LoadTipsResponse()
        answer.results.add(row=request.rows[0].row)
        yield answer


async def test_a_duplex_answers_in_order(keeper: Keeper, port: int) -> None:
    requests = [load() for _ in range(20)]
    for number, request in enumerate(requests, start=1):
        request.rows[0].row = number

    async with served(keeper, port, {LOAD: DuplexMethod(answers=echo)}) as server:
        answers = [LoadTipsResponse.FromString(raw) async for raw in server.stream(LOAD, *requests)]

    assert [answer.results[0].row for answer in answers] == list(range(1, 21))


async def test_a_duplex_validates_each_request(keeper: Keeper, port: int) -> None:
    async with served(keeper, port, {LOAD: DuplexMethod(answers=echo)}) as server:
        answers, refusal = await server.ending(LOAD, load(), load(), load("no UUID"), load())

    assert len(answers) == 2
    assert isinstance(refusal, InvalidArgument)
    assert [violation.field for violation in refusal.violations] == ["load_id"]


@pytest.mark.parametrize("path", [WATCH, LOAD])
async def test_a_stream_ends_with_deadline_and_lets_go_of_what_it_holds(keeper: Keeper, port: int, path: str) -> None:
    ended = asyncio.Event()

    async def many(request: object, call: Call) -> AsyncIterator[WatchTipsResponse]:
        try:
            while True:
                yield WatchTipsResponse()
                await asyncio.sleep(0.05)
        finally:
            ended.set()

    methods: dict[str, Method] = {WATCH: StreamMethod(answers=many), LOAD: DuplexMethod(answers=many)}
    async with served(keeper, port, methods, limits=QUICK) as server:
        answers, refusal = await server.ending(path, WATCHING if path == WATCH else load())

        assert isinstance(refusal, DeadlineExceeded)
        assert refusal.reason == "DEADLINE"
        assert len(answers) >= 2
        assert ended.is_set()


async def test_a_watcher_who_goes_away_lets_go_of_its_watch(keeper: Keeper, port: int) -> None:
    ended = asyncio.Event()

    async def many(request: object, call: Call) -> AsyncIterator[WatchTipsResponse]:
        try:
            while True:
                yield WatchTipsResponse()
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    async with served(keeper, port, {WATCH: StreamMethod(answers=many)}) as server:
        watch: Any = server.channel.unary_stream(WATCH)
        call: grpc.aio.UnaryStreamCall[bytes, bytes] = watch(WATCHING.SerializeToString(), metadata=server.bearing())
        await call.read()
        call.cancel()
        async with asyncio.timeout(10):
            await ended.wait()


# What is told.


async def test_a_call_is_one_line_without_content(keeper: Keeper, port: int, lines: io.StringIO) -> None:
    async with served(keeper, port) as server:
        await server.call(SUBMIT, asking(MARKER))
        refused = await server.refusal(SUBMIT, asking(MARKER + "x" * 300))
        await server.refusal(SUBMIT, asking(MARKER), metadata=())
    await until(lambda: len(told(lines)) >= 3)

    calls = [line for line in told(lines) if line["message"] == "call"]
    assert [(line["code"], line["reason"], line["caller"]) for line in calls] == [
        ("OK", "", "agencies/jp-12/officers/sato"),
        ("INVALID_ARGUMENT", "FIELD_INVALID", "agencies/jp-12/officers/sato"),
        ("UNAUTHENTICATED", "TOKEN_MISSING", ""),
    ]
    assert {line["method"] for line in calls} == {SUBMIT}
    assert MARKER not in lines.getvalue()
    assert MARKER not in str(refused)


async def test_a_purpose_is_logged_by_its_id_and_is_nothing_else(keeper: Keeper, port: int, lines: io.StringIO) -> None:
    """Whatever else a caller sends there would be content in a log."""
    purpose = "0191aaaa-0000-7000-8000-000000000001"
    async with served(keeper, port) as server:
        await server.call(SUBMIT, asking("a"), metadata=(*server.bearing(), (HEADER, purpose)))
        refusals = [
            await server.refusal(SUBMIT, asking("b"), metadata=(*server.bearing(), (HEADER, value)))
            for value in (MARKER, purpose.upper(), purpose + "0", "")
        ]
    await until(lambda: len(told(lines)) >= 5)

    calls = [line for line in told(lines) if line["message"] == "call"]
    assert [line["purpose"] for line in calls] == [purpose, "", "", "", ""]
    assert {refusal.reason for refusal in refusals} == {"MALFORMED_REQUEST"}
    assert MARKER not in lines.getvalue()


async def test_a_scrape_shows_calls_and_no_content(keeper: Keeper, port: int) -> None:
    async with served(keeper, port) as server:
        await server.call(SUBMIT, asking(MARKER))
        await server.refusal(SUBMIT, asking(MARKER + "x" * 300))
        shown = page([server.metrics]).decode()

    assert f'renkei_rpc_seconds_count{{code="OK",method="{SUBMIT}",service="keeper"}} 1.0' in shown
    assert f'renkei_rpc_seconds_count{{code="INVALID_ARGUMENT",method="{SUBMIT}",service="keeper"}} 1.0' in shown
    assert MARKER not in shown
    assert "sato" not in shown


async def test_a_failing_request_of_a_group_is_told_to_its_own_caller(keeper: Keeper, port: int) -> None:
    def rule(transaction: Transaction, request: Any, caller: Principal) -> Written:  # noqa: ANN401
        written = keep(transaction, request, caller)
        if request.plan.unit.startswith("bad"):
            raise LookupError(MARKER)
        return written

    async with served(keeper, port, {SUBMIT: WriteMethod(rule=rule, rebuild=find)}) as server:
        names = ["a", "bad 1", "b", "bad 2", "c"]
        results = await asyncio.gather(*(server.call(SUBMIT, asking(name)) for name in names), return_exceptions=True)

    assert [isinstance(result, RenkeiError) for result in results] == [False, True, False, True, False]
    assert await keeper.units() == ["a", "b", "c"]
