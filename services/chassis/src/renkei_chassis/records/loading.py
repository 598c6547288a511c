"""Load many records over one stream: each row is a Create of its own, and a commit group takes many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from renkei_chassis.errors import RenkeiError, ResourceExhausted, Unavailable, to_status
from renkei_chassis.ids import uuid8_of
from renkei_chassis.records.ahead import ahead
from renkei_chassis.rpc.crowds import refuse_crowds
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from google.protobuf.message import Message
    from google.rpc.status_pb2 import Status

    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.rpc.methods import Call

TAG: Final = b"renkei-load-v1"
# One message is committed and one waits for the writer; each may hold 256 KiB.
_AHEAD: Final = 2


def row_request_id(load_id: str, row: int) -> str:
    """Name the Create of a row: the same load and row have the same request id, whoever sends them again."""
    return str(uuid8_of(TAG, f"{UUID(load_id)}/{row}"))


class Loaded(Protocol):
    """What is loaded: a kind of record, or what stands below one."""

    @property
    def word(self) -> str:
        """Name its field in rows and creations."""

    @property
    def create_request(self) -> type[Message]:
        """Give the type of a creation."""


async def load(
    requests: AsyncIterator[Any],
    call: Call,
    *,
    kind: Loaded,
    create: WriteMethod,
    create_path: str,
    writer: Writer,
    place: Callable[[Any, Any, Any], None] = lambda _create, _row, _request: None,
) -> AsyncIterator[list[tuple[int, str | Status]]]:
    """Yield, for each request message, (row, name or refusal) of its rows in the order sent, after their commit.

    The next message is read and checked while the last one is committed. A refusal is what Create would have
    answered. What is no row's fault (a full disk, a stopping server) ends the stream: send what was not answered
    again, under the same `load_id`.

    `place(create, row, request)` writes into a creation what a row says beside its record.
    """

    async def committed(rows: Sequence[int], creates: Sequence[Message]) -> list[tuple[int, str | Status]]:
        outcomes = await writer.call_many(
            create,
            path=create_path,
            requests=creates,
            request_type=kind.create_request,
            caller=call.caller,
            trace_parent=call.trace_parent,
        )
        return _results(rows, outcomes)

    async with ahead(requests, lambda request: committed(*_taken_apart(request, kind, place)), most=_AHEAD) as answers:
        async for answer in answers:
            yield answer


def _taken_apart(
    request: Any,  # noqa: ANN401 (one of several generated types)
    kind: Loaded,
    place: Callable[[Any, Any, Any], None],
) -> tuple[Sequence[int], Sequence[Message]]:
    """Make a Create of each row, and validate all of the message but its records, which are validated row by row."""
    refuse_crowds(request, deep=False)
    creates: list[Any] = []
    for row in request.rows:
        create = kind.create_request(parent=request.parent)
        getattr(create, kind.word).CopyFrom(getattr(row, kind.word))
        creates.append(create)
        if row.HasField(kind.word):
            row.ClearField(kind.word)
            getattr(row, kind.word).SetInParent()
    validate(request)
    rows = [row.row for row in request.rows]
    for row, create in zip(request.rows, creates, strict=True):
        create.request_id = row_request_id(request.load_id, row.row)
        place(create, row, request)
    return rows, creates


def _results(rows: Sequence[int], outcomes: Sequence[Any]) -> list[tuple[int, str | Status]]:
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and (
            not isinstance(outcome, RenkeiError) or isinstance(outcome, Unavailable | ResourceExhausted)
        ):
            raise outcome
    return [
        (row, to_status(outcome) if isinstance(outcome, RenkeiError) else outcome.name)
        for row, outcome in zip(rows, outcomes, strict=True)
    ]
