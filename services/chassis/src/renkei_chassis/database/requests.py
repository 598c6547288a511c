"""Remember which requests were carried out, so that a repeat is answered and not done again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from renkei_chassis.database import tables
from renkei_chassis.database.prepared import PreparedForMany
from renkei_chassis.errors import AlreadyExists, FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a rule did: the answer, and the resource and version from which it can be built again."""

    answer: Message
    resource: str
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteMethod:
    """A method that writes: a rule of one request, and how to answer a repeat.

    `rule(transaction, request, caller)` is plain and synchronous: it reads, decides, hands over rows
    and events, and returns. `rebuild(transaction, resource, version)` gives the answer again, or None
    where what was made is gone.
    """

    rule: Callable[[Transaction, Any, Principal], Written]
    rebuild: Callable[[Transaction, str, int], Message | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A request that was carried out."""

    hash: bytes
    resource: str
    version: int


def request_hash(*, path: str, caller: Principal, request: Message) -> bytes:
    """Hash what makes two requests the same: method, caller and content. 32 bytes."""
    content = request.SerializeToString(deterministic=True)
    head = f"{path}\0{caller.subject}\0".encode()
    return hashlib.sha256(head + content).digest()


def find_done(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Done]:
    """Look up a batch's request ids at once."""
    wanted = {request_id.bytes: request_id for request_id in ids}
    return {
        wanted[bytes(row.request_id)]: Done(hash=bytes(row.hash), resource=row.resource, version=row.version)
        for row in _FIND.ask(connection, list(wanted))
    }


_FIND: Final = PreparedForMany(
    lambda ids: select(*(tables.requests.c[name] for name in ("request_id", "hash", "resource", "version"))).where(
        tables.requests.c.request_id.in_(ids)
    )
)


def row_of(request_id: UUID, done: Done, *, now_us: int) -> Mapping[str, Any]:
    """Make the row that remembers a request."""
    return {
        "request_id": request_id.bytes,
        "hash": done.hash,
        "resource": done.resource,
        "version": done.version,
        "time_us": now_us,
    }


def answer_again(transaction: Transaction, method: WriteMethod, done: Done, *, asked: bytes) -> Message:
    """Answer a repeat. Raises REQUEST_ID_REUSED for another content, REQUEST_ANSWER_GONE after a purge."""
    if done.hash != asked:
        raise AlreadyExists(
            "REQUEST_ID_REUSED", "this request_id came before with another content, method or caller; make a new one"
        )
    answer = method.rebuild(transaction, done.resource, done.version)
    if answer is None:
        raise FailedPrecondition(
            "REQUEST_ANSWER_GONE", "this request was carried out, and what it made is gone by now; do not repeat it"
        )
    return answer
