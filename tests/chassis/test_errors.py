"""Errors keep their meaning over a real gRPC connection, in a pickle, and at any size."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from renkei_chassis import errors
from renkei_chassis.errors import FieldViolation, RenkeiError, from_rpc_error, masked, to_status
from renkei_chassis.ports import PortClaims

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

KINDS = [
    errors.InvalidArgument,
    errors.OutOfRange,
    errors.Unauthenticated,
    errors.NotAllowed,
    errors.NotFoundOrDenied,
    errors.AlreadyExists,
    errors.FailedPrecondition,
    errors.Aborted,
    errors.ResourceExhausted,
    errors.Unavailable,
    errors.DeadlineExceeded,
    errors.Unimplemented,
    errors.Internal,
]
# gRPC's own limit on what a client takes as trailers; a longer status arrives as RESOURCE_EXHAUSTED.
TRAILERS = 8192
# gRPC shares connections of a process: a refusal at a port would be remembered when the port is claimed again.
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


class _Server(grpc.GenericRpcHandler):
    """Fails every call in the way that the test wants."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.UNKNOWN
        self.message = ""
        self.details = b""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        async def fail(_request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            trailers = [(errors.STATUS_DETAILS_HEADER, self.details)] if self.details else []
            await context.abort(self.code, self.message, tuple(trailers))

        return grpc.unary_unary_rpc_method_handler(fail)


@pytest.fixture
def port() -> Iterator[int]:
    """Claim a port that nobody else listens on."""
    with PortClaims() as claims:
        yield claims.claim()


@pytest.fixture
async def call(port: int) -> AsyncIterator[Callable[..., Awaitable[grpc.aio.AioRpcError]]]:
    """Give a call that makes a real server fail, and hands back what a real client saw."""
    handler = _Server()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", OWN_CONNECTION) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/x/y")

        async def fail(code: grpc.StatusCode, message: str, details: bytes) -> grpc.aio.AioRpcError:
            handler.code, handler.message, handler.details = code, message, details
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await method(b"")
            return caught.value

        yield fail
    await server.stop(None)


async def _over_the_wire(
    call: Callable[..., Awaitable[grpc.aio.AioRpcError]], error: RenkeiError
) -> tuple[grpc.aio.AioRpcError, RenkeiError]:
    status = to_status(error)
    seen = await call(error.code, status.message, status.SerializeToString())
    return seen, from_rpc_error(seen)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_is_the_same_after_the_wire(
    kind: type[RenkeiError], call: Callable[..., Awaitable[grpc.aio.AioRpcError]]
) -> None:
    error = kind(
        "ETAG_MISMATCH",
        "連携 the record changed",
        metadata={"etag": "3"},
        violations=[FieldViolation(field="tip.text", description="too long")],
    )

    _, rebuilt = await _over_the_wire(call, error)

    assert type(rebuilt) is kind
    assert (rebuilt.reason, rebuilt.message) == (error.reason, error.message)
    assert rebuilt.metadata == {"etag": "3"}
    assert rebuilt.violations == (FieldViolation(field="tip.text", description="too long"),)


async def test_an_error_too_long_for_the_trailers_arrives_all_the_same(
    call: Callable[..., Awaitable[grpc.aio.AioRpcError]],
) -> None:
    """Unbounded, the client would see RESOURCE_EXHAUSTED in its place."""
    error = errors.InvalidArgument(
        "FIELD_INVALID",
        "あ" * 100_000,
        metadata={f"k{number}": "い" * 1000 for number in range(50)},
        violations=[FieldViolation(field="う" * 1000, description="え" * 1000)] * 1000,
    )

    seen, rebuilt = await _over_the_wire(call, error)

    assert seen.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert rebuilt.reason == "FIELD_INVALID"
    assert int(rebuilt.metadata["violations_omitted"]) + len(rebuilt.violations) == 1000


@given(
    message=st.text(max_size=2000),
    metadata=st.dictionaries(st.text(max_size=300), st.text(max_size=300), max_size=40),
    field=st.text(st.characters(codec=None), max_size=300),
    count=st.integers(0, 400),
)
def test_a_status_fits_the_trailers_whatever_is_in_the_error(
    message: str, metadata: dict[str, str], field: str, count: int
) -> None:
    error = errors.InvalidArgument(
        "R" * 100, message, metadata=metadata, violations=[FieldViolation(field=field, description=field)] * count
    )

    status = to_status(error)

    on_the_wire = len(status.message.encode()) * 3 + status.ByteSize() * 4 // 3
    assert on_the_wire < TRAILERS - 512


def test_a_status_has_exactly_one_error_info_of_our_domain() -> None:
    status = to_status(errors.Aborted("ETAG_MISMATCH", "the record changed"))

    assert [detail.type_url for detail in status.details] == ["type.googleapis.com/google.rpc.ErrorInfo"]
    assert ErrorInfo.FromString(status.details[0].value).domain == "renkei"


def test_broken_fields_stand_in_a_bad_request() -> None:
    violation = FieldViolation(field="tip.text", description="is empty")

    status = to_status(errors.InvalidArgument("FIELD_INVALID", "a field is wrong", violations=[violation]))

    bad = BadRequest.FromString(status.details[1].value)
    assert [(one.field, one.description) for one in bad.field_violations] == [("tip.text", "is empty")]


def test_denied_and_missing_read_the_same() -> None:
    error = errors.NotFoundOrDenied("DENIED", "reading this record is not allowed")

    assert error.code is grpc.StatusCode.PERMISSION_DENIED
    assert error.message == "reading this record is not allowed (or it does not exist)"


@pytest.mark.parametrize(
    "details",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"\xff\xff\xff", id="broken"),
        pytest.param(Status(code=5).SerializeToString(), id="empty"),
    ],
)
async def test_a_server_without_details_is_classed_by_its_code(
    details: bytes, call: Callable[..., Awaitable[grpc.aio.AioRpcError]]
) -> None:
    rebuilt = from_rpc_error(await call(grpc.StatusCode.UNAVAILABLE, "gone", details))

    assert type(rebuilt) is errors.Unavailable
    assert (rebuilt.reason, rebuilt.message) == ("UNKNOWN", "gone")


async def test_the_reason_of_another_domain_is_not_taken_for_ours(
    call: Callable[..., Awaitable[grpc.aio.AioRpcError]],
) -> None:
    status = Status(code=14)
    status.details.add().Pack(ErrorInfo(reason="ETAG_MISMATCH", domain="example.com"))

    rebuilt = from_rpc_error(await call(grpc.StatusCode.UNAVAILABLE, "gone", status.SerializeToString()))

    assert rebuilt.reason == "UNKNOWN"


async def test_a_code_that_we_never_send_is_named(call: Callable[..., Awaitable[grpc.aio.AioRpcError]]) -> None:
    rebuilt = from_rpc_error(await call(grpc.StatusCode.DATA_LOSS, "?", b""))

    assert type(rebuilt) is errors.Unclassified
    assert rebuilt.metadata == {"grpc_code": "DATA_LOSS"}


async def test_a_real_connection_refused_is_unavailable(port: int) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", OWN_CONNECTION) as channel:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/x/y")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(b"")

    assert type(from_rpc_error(caught.value)) is errors.Unavailable


def test_a_bare_rpc_error_still_becomes_one_of_ours() -> None:
    assert type(from_rpc_error(grpc.RpcError())) is errors.Unclassified


def test_a_masked_exception_tells_an_incident_and_nothing_else() -> None:
    cause = ValueError("山田太郎 090-1234-5678")

    error = masked(cause)

    status = to_status(error)
    assert "山田".encode() not in status.SerializeToString()
    assert b"-1234-" not in status.SerializeToString()
    assert len(error.metadata["incident"]) == 16
    assert error.__cause__ is cause


def test_two_masked_exceptions_have_two_incidents() -> None:
    assert masked(ValueError()).metadata != masked(ValueError()).metadata


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_a_pickle(kind: type[RenkeiError]) -> None:
    """A rule may run in the writer's process."""
    error = kind("R", "m", metadata={"a": "b"}, violations=[FieldViolation(field="f", description="d")])

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)

    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)
