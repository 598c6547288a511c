"""Carry out one commit group, stage by stage: parse, validate, recognise repeats, decide, store, commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from sqlalchemy.exc import DBAPIError, OperationalError

from renkei_chassis.database import tables
from renkei_chassis.database.requests import Done, WriteMethod, answer_again, find_done, request_hash, row_of
from renkei_chassis.database.transaction import Transaction
from renkei_chassis.errors import InvalidArgument, RenkeiError, Unavailable
from renkei_chassis.log.append import Position, append
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.identity import Principal


@dataclass(slots=True, kw_only=True)
class CallJob:
    """A request of a caller on its way through a group."""

    future: asyncio.Future[Any]
    method: WriteMethod
    path: str
    request: bytes | Message
    request_type: type[Message]
    caller: Principal
    request_id: UUID | None
    trace_parent: str
    message: Message | None = None
    hash: bytes = b""
    result: Message | None = None
    error: BaseException | None = None


@dataclass(slots=True, kw_only=True)
class EffectJob:
    """Something of our own to be done in a transaction."""

    future: asyncio.Future[Any]
    effect: Callable[[Transaction], Any]
    trace_parent: str
    result: Any = None
    error: BaseException | None = None


class _Spoiled(Exception):  # noqa: N818 (a signal inside this module)
    """A failed request left rows in the database: the group must run again with savepoints."""


class Group:
    """Runs commit groups of one database, on the writer's thread."""

    def __init__(self, *, database: Database, clock: Clock, max_behind_us: int) -> None:
        """Take the database, and how far the clock may be behind the log."""
        self._database = database
        self._clock = clock
        self._max_behind_us = max_behind_us
        self.afterwards: Sequence[Callable[[], None]] = ()
        """What is to be called on the event loop, now that the last group is committed."""

    def process(self, jobs: Sequence[CallJob | EffectJob], position: Position) -> Position:
        """Fill in every job's result or error; returns where the log ends now.

        The group runs bare. Only where a request fails after its rows went in, or the database
        refuses a row, it is rolled back and runs again with a savepoint around each request.
        """
        self.afterwards = ()
        for job in jobs:
            if isinstance(job, CallJob):
                _prepare(job)
        try:
            try:
                return self._commit(jobs, position, savepoints=False)
            except (_Spoiled, DBAPIError) as error:
                if isinstance(error, OperationalError):
                    raise
                return self._commit(jobs, position, savepoints=True)
        except RenkeiError as error:  # the clock; nothing of the group was committed
            _fail_all(jobs, error)
        except DBAPIError as error:
            refusal = Unavailable("STORAGE_UNAVAILABLE", "the database cannot commit now; nothing was recorded")
            refusal.__cause__ = error
            _fail_all(jobs, refusal)
        return position

    def _commit(self, jobs: Sequence[CallJob | EffectJob], position: Position, *, savepoints: bool) -> Position:
        now_us = self._clock.now_us()
        with self._database.writing.begin() as connection:
            transaction = Transaction(connection, now_us=now_us)
            calls = [job for job in jobs if isinstance(job, CallJob) and job.message is not None]
            done = find_done(connection, [job.request_id for job in calls if job.request_id is not None])
            for job in jobs:
                if isinstance(job, CallJob) and job.message is None:
                    continue  # refused while it was prepared
                job.result, job.error = None, None
                if savepoints:
                    _decide_alone(connection, transaction, job, done)
                else:
                    _decide(transaction, job, done)
            transaction.complete()
            if transaction.events:
                position = append(
                    connection, transaction.events, after=position, now_us=now_us, max_behind_us=self._max_behind_us
                )
        self.afterwards = transaction.afterwards()
        return position


def _prepare(job: CallJob) -> None:
    try:
        message = job.request
        if isinstance(message, bytes):
            try:
                message = job.request_type.FromString(message)
            except DecodeError:
                raise InvalidArgument("MALFORMED_REQUEST", "the bytes are not the message that this method takes") from None
        validate(message, job.request if isinstance(job.request, bytes) else None)
        if job.request_id is None:
            job.request_id = UUID(message.request_id)  # type: ignore[attr-defined]  # every writing request has one
        job.hash = request_hash(path=job.path, caller=job.caller, request=message)
        job.message = message
    except Exception as error:  # noqa: BLE001 (one request's failure is that request's answer)
        job.error = error


def _decide(transaction: Transaction, job: CallJob | EffectJob, done: dict[UUID, Done]) -> None:
    transaction.begin_request(job.trace_parent)
    try:
        _carry_out(transaction, job, done)
    except DBAPIError:
        raise
    except Exception as error:
        if not transaction.undo_request():
            raise _Spoiled from error
        job.error = error


def _decide_alone(
    connection: Connection, transaction: Transaction, job: CallJob | EffectJob, done: dict[UUID, Done]
) -> None:
    transaction.begin_request(job.trace_parent)
    savepoint = connection.begin_nested()
    try:
        _carry_out(transaction, job, done)
        transaction.flush()
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 (one request's failure is that request's answer)
        transaction.undo_request()
        savepoint.rollback()
        job.error = error
    else:
        savepoint.commit()


def _carry_out(transaction: Transaction, job: CallJob | EffectJob, done: dict[UUID, Done]) -> None:
    if isinstance(job, EffectJob):
        job.result = job.effect(transaction)
        return
    assert job.request_id is not None  # noqa: S101 (set while it was prepared)
    earlier = done.get(job.request_id)
    if earlier is not None:
        job.result = answer_again(transaction, job.method, earlier, asked=job.hash)
        return
    written = job.method.rule(transaction, job.message, job.caller)
    fresh = Done(hash=job.hash, resource=written.resource, version=written.version)
    transaction.insert(tables.requests, row_of(job.request_id, fresh, now_us=transaction.now_us))
    done[job.request_id] = fresh
    job.result = written.answer


def _fail_all(jobs: Sequence[CallJob | EffectJob], error: BaseException) -> None:
    """Nothing was committed, so no job may keep the result it would have had."""
    for job in jobs:
        if isinstance(job, CallJob) and job.message is None:
            continue
        job.result, job.error = None, error
