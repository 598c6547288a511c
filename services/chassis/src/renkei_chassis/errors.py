"""One tree of errors for every service, and the two functions that carry it over gRPC.

    RenkeiError
    ├── InvalidArgument      the request is wrong whatever the state; `violations` name the fields
    ├── OutOfRange           a position (page, sequence) that is not there, or not there any more
    ├── Unauthenticated      no token, or none that we believe
    ├── NotAllowed           PERMISSION_DENIED: we know you, and no
    │   └── NotFoundOrDenied PERMISSION_DENIED ... (or it does not exist): both look the same
    ├── AlreadyExists
    ├── FailedPrecondition   the state forbids it; trying again does not help
    ├── Aborted              somebody was faster (stale etag): read, then try again
    ├── ResourceExhausted    a limit or a quota
    ├── Unavailable          the one code that clients retry
    ├── DeadlineExceeded
    ├── Cancelled            only ever rebuilt by a client
    ├── Unimplemented
    ├── Internal             our fault; `masked` makes one that tells nothing but an incident number
    └── Unclassified         UNKNOWN: a foreign server answered with a code that we never use

Code raises these. Only the server turns them into statuses (`to_status`), only a client turns them
back (`from_rpc_error`). `reason` is a value of an `errors.proto` enum without its prefix. Neither
message, metadata nor violations may ever hold personal data: they are logged and they cross process
borders.

`SettingsError` stands beside the tree: it stops a process at its start and never crosses gRPC.
"""

# ruff: noqa: N818 (each class carries the name of its status code)

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, runtime_checkable

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DOMAIN: Final = "renkei"
STATUS_DETAILS_HEADER: Final = "grpc-status-details-bin"
UNKNOWN_REASON: Final = "UNKNOWN"
INTERNAL_REASON: Final = "INTERNAL"

# A client drops a status whose trailers pass 8 KiB and reports RESOURCE_EXHAUSTED instead, which
# would hide the real answer. The message travels percent-encoded (3 bytes for 1) beside the details
# (base64, 4 for 3).
_MAX_MESSAGE_BYTES: Final = 512
_MAX_STATUS_BYTES: Final = 4096
_MAX_TEXT_BYTES: Final = 200
_MAX_KEY_BYTES: Final = 64
_MAX_METADATA: Final = 12
_OVERHEAD_BYTES: Final = 320  # type names of the two details, reason, domain, `violations_omitted`
# What gRPC says where it is the client that cancelled.
_OF_THIS_SIDE: Final = ("Locally cancelled", "Channel closed")
_OR_MISSING: Final = "(or it does not exist)"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One broken field of a request: its path, and what is wrong in words without the value."""

    field: str
    description: str


class RenkeiError(Exception):
    """Anything that a caller is told. Raise a subclass; catch this one.

    Pickles whole, because a rule may run in the writer's process.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
    ) -> None:
        """Take a reason, a sentence, and as `metadata` whatever varies in the sentence."""
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.violations: Sequence[FieldViolation] = tuple(violations)

    def __str__(self) -> str:
        """Say reason and message on one line."""
        return f"{self.reason}: {self.message}"


class InvalidArgument(RenkeiError):
    """The request is wrong whatever the state of the system."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class OutOfRange(RenkeiError):
    """A position that does not exist, or was purged; the metadata says what is left."""

    code = grpc.StatusCode.OUT_OF_RANGE


class Unauthenticated(RenkeiError):
    """The caller brought no token, or none that is believed."""

    code = grpc.StatusCode.UNAUTHENTICATED


class NotAllowed(RenkeiError):
    """The caller is known and may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class NotFoundOrDenied(NotAllowed):
    """Refuse a record in words that do not tell whether it exists.

    The closing words are added here, so that the two refusals cannot drift apart.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
    ) -> None:
        """Take what every error takes."""
        whole = message if message.endswith(_OR_MISSING) else f"{message} {_OR_MISSING}"
        super().__init__(reason, whole, metadata=metadata, violations=violations)


class AlreadyExists(RenkeiError):
    """What was to be created is there already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class FailedPrecondition(RenkeiError):
    """The state forbids it; the same call fails again until somebody changes that state."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Aborted(RenkeiError):
    """Somebody was faster: read again, decide again, call again."""

    code = grpc.StatusCode.ABORTED


class ResourceExhausted(RenkeiError):
    """A limit is reached."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class Unavailable(RenkeiError):
    """Not now. The one code that clients retry."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineExceeded(RenkeiError):
    """The time given ran out; whether the work was done is not known."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class Cancelled(RenkeiError):
    """The call was cancelled under a client."""

    code = grpc.StatusCode.CANCELLED


class Unimplemented(RenkeiError):
    """The method is not served here."""

    code = grpc.StatusCode.UNIMPLEMENTED


class Internal(RenkeiError):
    """A fault of ours."""

    code = grpc.StatusCode.INTERNAL


class Unclassified(RenkeiError):
    """A foreign server answered with a code that we never send: `metadata["grpc_code"]`."""


class SettingsError(Exception):
    """What a process was given to start with is wrong. The text names the setting, never a secret."""


_CLASSES: Final[Mapping[grpc.StatusCode, type[RenkeiError]]] = {
    kind.code: kind
    for kind in (
        InvalidArgument,
        OutOfRange,
        Unauthenticated,
        NotAllowed,
        AlreadyExists,
        FailedPrecondition,
        Aborted,
        ResourceExhausted,
        Unavailable,
        DeadlineExceeded,
        Cancelled,
        Unimplemented,
        Internal,
    )
}


def masked(exc: BaseException, *, incident: str | None = None) -> Internal:
    """Make what a caller sees in place of an unexpected exception: an incident number, no text.

    The exception hangs on as `__cause__` for the one log line that is written about it.
    """
    number = incident or secrets.token_hex(8)
    error = Internal(
        INTERNAL_REASON,
        f"an internal error; quote incident {number} when asking",
        metadata={"incident": number},
    )
    error.__cause__ = exc
    return error


def to_status(error: RenkeiError) -> Status:
    """Turn an error into a status: exactly one ErrorInfo, and a BadRequest if fields are broken.

    The result is bounded so that it always fits into gRPC's trailers; violations that do not fit
    are counted in the metadata as `violations_omitted`.
    """
    message = _cut(error.message, _MAX_MESSAGE_BYTES)
    metadata = dict(_bounded(error.metadata))
    room = _MAX_STATUS_BYTES - _OVERHEAD_BYTES - len(message.encode())
    room -= sum(len(key.encode()) + len(value.encode()) + 8 for key, value in metadata.items())
    kept: list[BadRequest.FieldViolation] = []
    for violation in error.violations:
        given = BadRequest.FieldViolation(
            field=_cut(violation.field, _MAX_TEXT_BYTES),
            description=_cut(violation.description, _MAX_TEXT_BYTES),
        )
        room -= given.ByteSize() + 4
        if room < 0:
            metadata["violations_omitted"] = str(len(error.violations) - len(kept))
            break
        kept.append(given)
    status = Status(code=error.code.value[0], message=message)
    reason = _cut(error.reason, _MAX_KEY_BYTES)
    info = ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    status.details.add().Pack(info)
    if kept:
        status.details.add().Pack(BadRequest(field_violations=kept))
    return status


def from_rpc_error(error: grpc.RpcError) -> RenkeiError:
    """Rebuild the typed error from a failed call, sync or async.

    A server that sends no details, details of another domain, or broken ones is still classed by
    its code, with reason `UNKNOWN`; a call that a server's end cancelled is Unavailable. What the
    server wrote is bounded here too: a peer may be hostile.
    """
    code, message = grpc.StatusCode.UNKNOWN, ""
    trailers: Iterable[tuple[str, str | bytes]] = ()
    call: object = error  # the stubs promise these methods of every RpcError, grpc does not
    if isinstance(call, _FailedCall):
        code, message = call.code(), _cut(call.details() or "", _MAX_MESSAGE_BYTES)
        trailers = call.trailing_metadata() or ()
    info, bad = _details(trailers)
    reason, metadata = UNKNOWN_REASON, dict[str, str]()
    if info is not None and info.domain == DOMAIN:
        reason, metadata = _cut(info.reason, _MAX_KEY_BYTES), dict(_bounded(info.metadata))
    kind = _CLASSES.get(code, Unclassified)
    if kind is Cancelled and info is None and not message.startswith(_OF_THIS_SIDE):
        # A server of gRPC that ends cancels what comes in at that moment; ours never says CANCELLED.
        kind, message = Unavailable, "the server ended while it was called"
    if kind is Unclassified:
        metadata["grpc_code"] = code.name
    if kind is NotAllowed and message.endswith(_OR_MISSING):
        kind = NotFoundOrDenied
    violations = [
        FieldViolation(
            field=_cut(violation.field, _MAX_TEXT_BYTES),
            description=_cut(violation.description, _MAX_TEXT_BYTES),
        )
        for violation in (bad.field_violations if bad is not None else ())
    ]
    return kind(reason, message, metadata=metadata, violations=violations)


@runtime_checkable
class _FailedCall(Protocol):
    """What every error of a real call has, sync and async; grpc.RpcError declares none of it."""

    def code(self) -> grpc.StatusCode: ...

    def details(self) -> str | None: ...

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def _details(
    trailers: Iterable[tuple[str, str | bytes]],
) -> tuple[ErrorInfo | None, BadRequest | None]:
    """Find ErrorInfo and BadRequest in the trailers; None for what is missing or broken."""
    info, bad = ErrorInfo(), BadRequest()
    found_info = found_bad = False
    for key, value in trailers:
        if key != STATUS_DETAILS_HEADER or not isinstance(value, bytes):
            continue
        try:
            status = Status.FromString(value)
            for detail in status.details:
                found_info = detail.Unpack(info) or found_info
                found_bad = detail.Unpack(bad) or found_bad
        except DecodeError:
            return None, None
    return (info if found_info else None), (bad if found_bad else None)


def _bounded(metadata: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for key, value in list(metadata.items())[:_MAX_METADATA]:
        yield _cut(key, _MAX_KEY_BYTES), _cut(value, _MAX_TEXT_BYTES)


def _cut(text: str, limit: int) -> str:
    """Shorten to `limit` bytes of UTF-8 on a character's edge; replace what UTF-8 cannot say."""
    raw = text[:limit].encode("utf-8", "replace")
    return raw.decode() if len(raw) <= limit else raw[:limit].decode("utf-8", "ignore")
