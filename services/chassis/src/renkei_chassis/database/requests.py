"""Remember which requests were carried out, so that a repeat is answered and not done again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from renkei_chassis.database import tables
from renkei_chassis.database.rows import driver_form, look_up
from renkei_chassis.errors import AlreadyExists, FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Dialect

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
    if not wanted:
        return {}
    keys = list(wanted)
    size = 1 << (len(keys) - 1).bit_length()
    keys += keys[:1] * (size - len(keys))
    statement, convert = _find(connection.dialect, size)
    rows = look_up(connection, statement, tuple(keys if convert is None else map(convert, keys)))
    return {
        wanted[bytes(request_id)]: Done(hash=bytes(hash_), resource=resource, version=version)
        for request_id, hash_, resource, version in rows
    }


@lru_cache(maxsize=64)
def _find(dialect: Dialect, size: int) -> tuple[str, Callable[[Any], Any] | None]:
    """Write the question for so many ids, and say how the driver wants each; it is asked for every group."""
    columns = tables.requests.c
    ids = [bindparam(f"id{place}", type_=columns.request_id.type) for place in range(size)]
    asked = select(columns.request_id, columns.hash, columns.resource, columns.version).where(
        columns.request_id.in_(ids)
    )
    return str(asked.compile(dialect=dialect)), driver_form(columns.request_id, dialect)


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
