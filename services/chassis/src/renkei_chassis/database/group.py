"""Carry out one commit group, stage by stage: parse, validate, recognise repeats, decide, store, commit."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from sqlalchemy.exc import DBAPIError

from renkei_chassis.database import tables
from renkei_chassis.database.failures import is_lost, is_storage_failure
from renkei_chassis.database.requests import Done, WriteMethod, answer_again, find_done, request_hash, row_of
from renkei_chassis.database.transaction import Transaction
from renkei_chassis.errors import InvalidArgument, RenkeiError, Unavailable
from renkei_chassis.failpoints import Place, hit
from renkei_chassis.log.append import Position, append, read_end
from renkei_chassis.rpc.validation import validate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.answers import Answer
    from renkei_chassis.database.engine import Database
    from renkei_chassis.identity import Principal
    from renkei_chassis.log.tail import Pack


@dataclass(slots=True, kw_only=True)
class CallJob:
    """A request of a caller on its way through a group."""

    future: asyncio.Future[Any] | Answer | None
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
        self._unsure = False  # whether the last commit happened; the database knows
        self._scrub = False
        self._reached: tuple[Position, Transaction] | None = None  # what stands if the COMMIT that was sent is done
        self.afterwards: Sequence[Callable[[], None]] = ()
        """What is to be called on the event loop, now that the last group is committed."""
        self.packs: Sequence[Pack] = ()
        """What the last group told, where it is known in one piece."""
        self.erased = False
        """Whether the last group erased something that messages may hold."""

    def doubt(self) -> None:
        """Say that somebody else may have written: the next group reads where the log ends."""
        self._unsure = True

    @property
    def unsure(self) -> bool:
        """Whether only the database knows where the log ends."""
        return self._unsure

    def process(self, jobs: Sequence[CallJob | EffectJob], position: Position) -> Position:
        """Fill in every job's result or error; returns where the log ends now.

        The group runs bare. Only where a request fails after its rows went in, or something of the
        group is refused, it is rolled back and runs again with a savepoint around each request.
        """
        self.afterwards, self.erased = (), False
        for job in jobs:
            if isinstance(job, CallJob):
                _prepare(job)
        try:
            position = self._commit_or_redo(jobs, position)
        except RenkeiError as error:  # the clock; nothing of the group was committed
            _fail_all(jobs, error)
        except Exception as error:
            self._unsure = True
            if not is_storage_failure(error):
                raise
            refusal = Unavailable("STORAGE_UNAVAILABLE", "the database cannot commit now; nothing was recorded")
            refusal.__cause__ = error
            _fail_all(jobs, refusal)
        if self._scrub:
            self._scrub = not self._database.place.scrub()
        return position

    def _commit_or_redo(self, jobs: Sequence[CallJob | EffectJob], position: Position) -> Position:
        savepoints = again = False
        while True:
            try:
                self._commit(jobs, position, savepoints=savepoints)
            except Exception as error:
                if self._reached is not None:  # COMMIT was sent: nobody is answered before its outcome is known
                    if self._is_committed(error):
                        break
                    raise
                if is_lost(error) and not again:
                    again = True  # nothing was committed, and a server that was started anew takes it
                elif is_storage_failure(error) or savepoints:
                    raise
                else:
                    savepoints = True
            else:
                self._database.place.committed()
                break
        assert self._reached is not None  # noqa: S101 (set by every commit that is done)
        position, transaction = self._reached
        self._unsure = False
        self._scrub = self._scrub or transaction.scrubs
        self.afterwards, self.erased = transaction.afterwards(), transaction.erases
        return position

    def stop_waiting(self) -> None:
        """Have the groups that are left not wait for a server that is away."""
        self._database.stopping.set()

    def _is_committed(self, error: Exception) -> bool:
        outcome = self._database.place.is_committed(give_up=self._database.stopping.is_set)
        if outcome is None:
            self._unsure = True
            raise Unavailable(
                "STORAGE_UNAVAILABLE",
                "the database went away while it committed, and did not come back to say whether it did; "
                "repeat the request with the same request_id",
            ) from error
        return outcome

    def _commit(self, jobs: Sequence[CallJob | EffectJob], position: Position, *, savepoints: bool) -> None:
        self._reached, self.packs = None, ()
        now_us = self._clock.now_us()
        with self._database.writing.begin() as connection:
            self._database.place.stamp(connection)
            if self._unsure:
                position = read_end(connection)
            transaction = Transaction(connection, now_us=now_us)
            calls = [job for job in jobs if isinstance(job, CallJob) and job.message is not None]
            done = find_done(connection, [job.request_id for job in calls if job.request_id is not None])
            for job in jobs:
                if isinstance(job, CallJob) and job.message is None:
                    continue  # refused while it was prepared
                job.result, job.error = None, None
                if savepoints:
                    position = self._decide_alone(connection, transaction, job, done, position)
                else:
                    _decide(transaction, job, done)
            transaction.complete()
            position = self._append(connection, transaction, position)
            self._reached = position, transaction
            hit(Place.BEFORE_COMMIT)
        hit(Place.AFTER_COMMIT)

    def _append(self, connection: Connection, transaction: Transaction, position: Position) -> Position:
        if not transaction.events:
            return position
        events, transaction.events = transaction.events, []
        position, self.packs = append(
            connection, events, after=position, now_us=transaction.now_us, max_behind_us=self._max_behind_us
        )
        return position

    def _decide_alone(
        self,
        connection: Connection,
        transaction: Transaction,
        job: CallJob | EffectJob,
        done: dict[UUID, Done],
        position: Position,
    ) -> Position:
        """Carry out one request so that whatever it does wrong, its events included, is undone alone."""
        transaction.begin_request(job.trace_parent)
        savepoint = connection.begin_nested()
        try:
            fresh = _carry_out(transaction, job, done)
            transaction.close_collected()
            if transaction.failure is not None:
                raise transaction.failure  # noqa: TRY301 (the rule kept it to itself, and its rows are not in)
            position_then = self._append(connection, transaction, position)
        except Exception as error:  # noqa: BLE001 (one request's failure is that request's answer)
            failure = transaction.failure or error
            if is_storage_failure(failure):
                raise failure from None
            transaction.undo_request()
            savepoint.rollback()
            # After a refusal PostgreSQL refuses everything else too; the first is what matters.
            job.result, job.error = None, failure if isinstance(error, DBAPIError) else error
            return position
        savepoint.commit()
        done.update(fresh)
        return position_then


def _prepare(job: CallJob) -> None:
    try:
        message = job.request
        if isinstance(message, bytes):
            try:
                message = job.request_type.FromString(message)
            except DecodeError:
                raise InvalidArgument(
                    "MALFORMED_REQUEST", "the bytes are not the message that this method takes"
                ) from None
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
        fresh = _carry_out(transaction, job, done)
    except Exception as error:
        if not transaction.undo_request():
            raise transaction.failure or _Spoiled from error
        job.error = error
        return
    if transaction.failure is not None:  # the rule kept it to itself, and rows of others may be lost with its own
        raise transaction.failure
    done.update(fresh)


def _carry_out(transaction: Transaction, job: CallJob | EffectJob, done: Mapping[UUID, Done]) -> Mapping[UUID, Done]:
    """Run the rule; returns what is to be remembered of it once its rows are in."""
    if isinstance(job, EffectJob):
        job.result = job.effect(transaction)
        return {}
    assert job.request_id is not None  # noqa: S101 (set while it was prepared)
    earlier = done.get(job.request_id)
    if earlier is not None:
        job.result = answer_again(transaction, job.method, earlier, asked=job.hash)
        return {}
    written = job.method.rule(transaction, job.message, job.caller)
    fresh = Done(hash=job.hash, resource=written.resource, version=written.version)
    transaction.insert(tables.requests, row_of(job.request_id, fresh, now_us=transaction.now_us))
    job.result = written.answer
    return {job.request_id: fresh}


def _fail_all(jobs: Sequence[CallJob | EffectJob], error: RenkeiError) -> None:
    """Nothing was committed, so no job may keep the result it would have had."""
    for job in jobs:
        if isinstance(job, CallJob) and job.message is None:
            continue
        # One for each: an exception that several tasks raise gathers the frames of all of them.
        job.result, job.error = None, copy.copy(error)
        job.error.__cause__ = error.__cause__
