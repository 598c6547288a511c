"""Load many records over one stream: each row is a Create of its own, and a commit group takes many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from renkei_chassis.errors import RenkeiError, ResourceExhausted, Unavailable, to_status
from renkei_chassis.ids import uuid8_of
from renkei_chassis.rpc.crowds import refuse_crowds
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from google.protobuf.message import Message
    from google.rpc.status_pb2 import Status

    from renkei_chassis.database.requests import WriteMethod
    from renkei_chassis.database.writer import Writer
    from renkei_chassis.records.kind import RecordKind
    from renkei_chassis.rpc.methods import Call

TAG: Final = b"renkei-load-v1"


def row_request_id(load_id: str, row: int) -> str:
    """Name the Create of a row: the same load and row have the same request id, whoever sends them again."""
    return str(uuid8_of(TAG, f"{UUID(load_id)}/{row}"))


async def load(
    requests: AsyncIterator[Any], call: Call, *, kind: RecordKind, create: WriteMethod, create_path: str, writer: Writer
) -> AsyncIterator[list[tuple[int, str | Status]]]:
    """Yield, for each request message, (row, name or refusal) of its rows in the order sent, after their commit.

    A refusal is what Create would have answered. What is no row's fault (a full disk, a stopping
    server) ends the stream: send what was not answered again, under the same `load_id`.
    """
    async for request in requests:
        _check_frame(request, kind)
        outcomes = await asyncio.gather(
            *(
                writer.call(
                    create,
                    path=create_path,
                    request=_row_request(kind, request, row),
                    request_type=kind.create_request,
                    caller=call.caller,
                    trace_parent=call.trace_parent,
                )
                for row in request.rows
            ),
            return_exceptions=True,
        )
        yield _results([row.row for row in request.rows], outcomes)


def _check_frame(request: Any, kind: RecordKind) -> None:  # noqa: ANN401 (one of two generated types)
    """Validate all of a message but its records, which are validated row by row."""
    refuse_crowds(request, deep=False)
    frame = type(request)()
    frame.CopyFrom(request)
    for row in frame.rows:
        if row.HasField(kind.word):
            row.ClearField(kind.word)
            getattr(row, kind.word).SetInParent()
    validate(frame)


def _row_request(kind: RecordKind, request: Any, row: Any) -> Message:  # noqa: ANN401 (one of two generated types)
    create = kind.create_request(request_id=row_request_id(request.load_id, row.row), parent=request.parent)
    getattr(create, kind.word).CopyFrom(getattr(row, kind.word))
    return create


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
