"""Review own records: say that one is needed still or not, and list those that are due."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from renkei.policy.v1.handling_pb2 import Review
from sqlalchemy import select

from renkei_chassis.clock import to_us as moment_us
from renkei_chassis.database.pages import page_size
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.records import own
from renkei_chassis.records.due import review_due_us
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE, PAGE_BYTES
from renkei_chassis.records.rules import foreign_originator
from renkei_chassis.records.times import check_times, set_us, to_us
from renkei_chassis.resource_names import AGENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.message import Message
    from sqlalchemy import Connection

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import Record, RecordKind, Retention
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.rpc.page_tokens import PageTokens

# When a record is due is worked out and not stored, so a page looks at so many at most, due or not.
LOOKED_AT: Final = 2000


def review(
    rules: Rules,
    transaction: Transaction,
    request: Any,  # noqa: ANN401 (one of two generated types)
    caller: Principal,
    *,
    delete: Callable[..., Written],
) -> Written:
    """Record a review as a new version; where it found that the record has to go, delete that as `delete` does.

    It is possible whatever the label says by now: what must be reviewed must be reviewable.
    """
    check_times(request, "")
    keeps = request.outcome == Review.OUTCOME_KEEP
    if request.HasField("keep_until") and (not keeps or to_us(request.keep_until) <= transaction.now_us):
        what = "must lie ahead" if keeps else "is for a record that is kept"
        raise InvalidArgument(
            "FIELD_INVALID", f"keep_until {what}", violations=[FieldViolation(field="keep_until", description=what)]
        )

    def note(record: Record) -> None:
        found = Review(outcome=request.outcome, reviewer=caller.subject, reason=request.reason)
        set_us(found.time, transaction.now_us)
        if request.HasField("keep_until"):
            found.keep_until.CopyFrom(request.keep_until)
        record.review.CopyFrom(found)

    current = rules.current(transaction, request.name, etag=request.etag)
    written = rules.revise(transaction, current, note, reason=request.reason, caller=caller, labelled=False)
    return written if keeps else delete(transaction, name=request.name, etag="", reason=request.reason, caller=caller)


def rebuild_reviewed(rules: Rules, transaction: Transaction, resource: str, version: int) -> Record | None:
    """Give the answer of a review again."""
    record = rules.rebuild(transaction, resource, version)
    if record is None or record.review.outcome != Review.OUTCOME_DELETE:
        return record
    return rules.rebuild_deleted(transaction, resource, version)


class DueForReview:
    """Lists own records of one kind that are due for review."""

    def __init__(
        self,
        kind: RecordKind,
        *,
        agency: str,
        retention: Callable[[Record], Retention],
        database: Database,
        tokens: PageTokens,
        clock: Clock,
    ) -> None:
        """Take the kind, whose records are own ones, and how long a record of which class is kept."""
        self._kind = kind
        self._agency = agency
        self._retention = retention
        self._database = database
        self._tokens = tokens
        self._clock = clock

    async def page(self, method: str, request: Message) -> tuple[Sequence[Record], str]:
        """Read some records that are due, oldest first, and the token of what comes next."""
        asked: Any = request
        check_times(request, "")
        if asked.parent != self._agency:
            AGENCY.parse(asked.parent, field="parent")
            raise foreign_originator(asked.parent)
        position = self._tokens.decode(method, request, asked.page_token)
        after = b"" if position is None else bytes.fromhex(position[0])
        limit = page_size(asked.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        now = self._clock.now()
        until_us = to_us(asked.due_before) if asked.HasField("due_before") else moment_us(now)
        found, last = await self._database.read(partial(self._due, after=after, until_us=until_us, limit=limit))
        for record in found:
            self._kind.present(record, now)
        return found, "" if last is None else self._tokens.encode(method, request, [last.hex()])

    def _due(
        self, connection: Connection, *, after: bytes, until_us: int, limit: int
    ) -> tuple[list[Record], bytes | None]:
        """Give records that are due, and after which one to go on."""
        columns = self._kind.tables.records.c
        rows = connection.execute(
            select(self._kind.tables.records)
            .where(columns.id > after, columns.delete_time_us.is_(None))
            .order_by(columns.id)
            .limit(LOOKED_AT)
            .execution_options(stream_results=True)
        )
        found: list[Record] = []
        looked = size = 0
        last = after
        for row in rows:
            record = own.read(self._kind, row)
            if review_due_us(record, self._retention(record)) <= until_us:
                size += len(row.content)
                if len(found) == limit or (found and size > PAGE_BYTES):
                    return found, last
                found.append(record)
            last = bytes(row.id)
            looked += 1
        return found, last if looked == LOOKED_AT else None
