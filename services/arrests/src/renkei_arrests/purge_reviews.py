"""Purge reviews: opened by an acquittal or for want of suspicion, and decided by a supervisor, never by themselves."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from renkei.arrests.v1 import purge_reviews_pb2
from renkei.arrests.v1.arrests_pb2 import Arrest, Disposition
from renkei.arrests.v1.events_pb2 import PurgeReviewDecided, PurgeReviewOpened
from sqlalchemy import and_, select, tuple_

from renkei_arrests.store import PURGE_REVIEWS, TABLES
from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE
from renkei_chassis.records.rules import foreign_originator
from renkei_chassis.resource_names import AGENCY
from renkei_chassis.rpc.methods import Call, ReadMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import ColumnElement, Connection, Row

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import RecordKind
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.rpc.methods import Method
    from renkei_chassis.rpc.page_tokens import PageTokens

DEFAULT_TERM: Final = timedelta(days=30)
_MICROSECOND: Final = timedelta(microseconds=1)
_OPEN: Final = purge_reviews_pb2.PURGE_DECISION_UNSPECIFIED
_NO_CAUSE: Final = purge_reviews_pb2.PURGE_REVIEW_CAUSE_UNSPECIFIED


def cause_of(disposition: Disposition) -> purge_reviews_pb2.PurgeReviewCause.ValueType:
    """Tell why a disposition calls for a purge review; unspecified where it does not."""
    if disposition.kind == Disposition.KIND_ACQUITTED:
        return purge_reviews_pb2.PURGE_REVIEW_CAUSE_ACQUITTED
    if disposition.kind == Disposition.KIND_NOT_INDICTED and disposition.ground == Disposition.GROUND_NO_SUSPICION:
        return purge_reviews_pb2.PURGE_REVIEW_CAUSE_NO_SUSPICION
    return _NO_CAUSE


def stored(transaction: Transaction, record_id: bytes, arrest: Arrest, *, term: timedelta) -> None:
    """Open the review that this version calls for, or take it back where its cause is gone. A decision stands."""
    if arrest.version == 1:  # nothing is disposed of yet, and the hot path reads nothing
        return
    cause = cause_of(arrest.disposition)
    row = _find(transaction, record_id)
    if row is not None and row.cause == cause:
        return
    if row is not None:
        transaction.execute(PURGE_REVIEWS.delete().where(PURGE_REVIEWS.c.record_id == record_id))
    if cause != _NO_CAUSE:
        due_us = transaction.now_us + term // _MICROSECOND
        transaction.insert(
            PURGE_REVIEWS,
            {
                "record_id": record_id,
                "cause": cause,
                "open_us": transaction.now_us,
                "due_us": due_us,
                "decision": _OPEN,
                "decide_us": None,
                "decider": "",
                "reason": "",
            },
        )
        opened = PurgeReviewOpened(name=arrest.name, cause=cause)
        opened.due_time.FromMicroseconds(due_us)
        _tell(transaction, opened, arrest.name)


class PurgeReviews:
    """The methods that list and decide purge reviews."""

    def __init__(
        self,
        kind: RecordKind,
        rules: Rules,
        *,
        agency: str,
        database: Database,
        tokens: PageTokens,
        now_us: Callable[[], int],
    ) -> None:
        """Take the kind and rules of arrests, and a clock that also tells the time after somebody turned it."""
        self._kind = kind
        self._rules = rules
        self._agency = agency
        self._prefix = f"{agency}/arrests/"
        self._database = database
        self._tokens = tokens
        self._now_us = now_us

    def methods(self) -> Mapping[str, Method]:
        """Give the methods of ArrestsService."""
        return {
            "ListPurgeReviews": ReadMethod(answer=self._list),
            "DecidePurgeReview": WriteMethod(rule=self._decide, rebuild=self._rebuild),
        }

    async def _list(
        self, request: purge_reviews_pb2.ListPurgeReviewsRequest, call: Call
    ) -> purge_reviews_pb2.ListPurgeReviewsResponse:
        del call
        if request.parent != self._agency:
            AGENCY.parse(request.parent, field="parent")
            raise foreign_originator(request.parent)
        position = self._tokens.decode("ListPurgeReviews", request, request.page_token)
        size = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        now_us = self._now_us()
        rows = await self._database.read(partial(_rows, list(_conditions(request, position, now_us)), size + 1))
        shown = rows[:size]
        token = ""
        if len(rows) > size:
            last = shown[-1]
            token = self._tokens.encode("ListPurgeReviews", request, [last.due_us, bytes(last.record_id).hex()])
        return purge_reviews_pb2.ListPurgeReviewsResponse(
            reviews=[self._shown(row, now_us) for row in shown], next_page_token=token
        )

    def _decide(
        self, transaction: Transaction, request: purge_reviews_pb2.DecidePurgeReviewRequest, caller: Principal
    ) -> Written:
        current = self._rules.current(transaction, request.name)
        row = _find(transaction, current.record_id.bytes)
        if row is None or row.decision != _OPEN:
            raise FailedPrecondition("NO_PURGE_REVIEW", "no purge review of this record is open; list them again")
        transaction.execute(
            PURGE_REVIEWS.update()
            .where(PURGE_REVIEWS.c.record_id == current.record_id.bytes)
            .values(
                decision=request.decision,
                decide_us=transaction.now_us,
                decider=caller.subject,
                reason=request.reason,
            )
        )
        decided = PurgeReviewDecided(name=request.name, decision=request.decision, decider=caller.subject)
        _tell(transaction, decided, request.name)
        if request.decision == purge_reviews_pb2.PURGE_DECISION_PURGE:
            self._rules.delete(
                transaction, name=request.name, etag="", reason=request.reason, caller=caller, undelete=timedelta()
            )
        answer = self._rebuild(transaction, request.name, 0)
        assert answer is not None  # noqa: S101 (its row was just written)
        return Written(answer=answer, resource=request.name)

    def _rebuild(self, transaction: Transaction, resource: str, _version: int) -> purge_reviews_pb2.PurgeReview | None:
        _, record_id = self._kind.parse(resource)
        row = transaction.first(_joined().where(PURGE_REVIEWS.c.record_id == record_id.bytes))
        return None if row is None else self._shown(row, transaction.now_us)

    def _shown(self, row: Row[Any], now_us: int) -> purge_reviews_pb2.PurgeReview:
        review = purge_reviews_pb2.PurgeReview(
            name=f"{self._prefix}{UUID(bytes=bytes(row.record_id))}",
            cause=row.cause,
            overdue=row.decision == _OPEN and row.due_us < now_us,
            decision=row.decision,
            decider=row.decider,
            reason=row.reason,
            case_reference=row.case_reference,
        )
        review.open_time.FromMicroseconds(row.open_us)
        review.due_time.FromMicroseconds(row.due_us)
        if row.decide_us is not None:
            review.decide_time.FromMicroseconds(row.decide_us)
        return review


def _find(transaction: Transaction, record_id: bytes) -> Row[Any] | None:
    return transaction.first(select(PURGE_REVIEWS).where(PURGE_REVIEWS.c.record_id == record_id))


def _joined() -> Any:  # noqa: ANN401 (a select of two tables)
    records = TABLES.records.c
    return select(PURGE_REVIEWS, records.case_reference).join(TABLES.records, records.id == PURGE_REVIEWS.c.record_id)


def _rows(conditions: Sequence[ColumnElement[bool]], limit: int, connection: Connection) -> Sequence[Row[Any]]:
    columns = PURGE_REVIEWS.c
    return connection.execute(
        _joined().where(*conditions).order_by(columns.due_us, columns.record_id).limit(limit)
    ).all()


def _conditions(
    request: purge_reviews_pb2.ListPurgeReviewsRequest, position: Sequence[Any] | None, now_us: int
) -> Iterator[ColumnElement[bool]]:
    columns = PURGE_REVIEWS.c
    yield TABLES.records.c.delete_time_us.is_(None)
    if request.overdue:
        yield and_(columns.decision == _OPEN, columns.due_us < now_us)
    elif not request.show_decided:
        yield columns.decision == _OPEN
    if position is not None:
        due_us, record_id = position
        yield tuple_(columns.due_us, columns.record_id) > (int(due_us), bytes.fromhex(record_id))


def _tell(transaction: Transaction, payload: Message, arrest: str) -> None:
    transaction.emit(NewEvent(payload=payload, resource=arrest, trace_parent=transaction.trace_parent))
