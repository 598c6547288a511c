"""Messages of imminent harm: pushed by the control lane, always allowed, reviewed by an auditor within 72 hours."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError
from renkei.exchange.v1 import exchange_pb2
from renkei.exchange.v1.events_pb2 import ImminentHarmRaised
from renkei.exchange.v1.exchange_pb2 import LANE_CONTROL
from renkei.policy.v1.policy_pb2 import GRADE_UNSPECIFIED
from sqlalchemy import bindparam, select, update

from renkei_chassis.database.pages import page_size
from renkei_chassis.database.prepared import Prepared
from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.database.transaction import NewEvent
from renkei_chassis.errors import FailedPrecondition, InvalidArgument, NotFoundOrDenied
from renkei_chassis.ids import uuid7
from renkei_chassis.resource_names import Pattern
from renkei_chassis.rpc.methods import Call, Method, ReadMethod
from renkei_exchange.release import lane_body
from renkei_exchange.store import OutItem, harm

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from uuid import UUID

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row

    from renkei_chassis.clock import Clock
    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.rpc.page_tokens import PageTokens
    from renkei_exchange.outbound import Outbound

REVIEWED_WITHIN: Final = timedelta(hours=72)
TYPE: Final = ImminentHarmRaised.DESCRIPTOR.full_name
NAME: Final = Pattern("agencies/{agency}/harm/{harm}")
_KIND: Final = "harm"
_REVIEW_US: Final = REVIEWED_WITHIN // timedelta(microseconds=1)
_OVERDUE: Final = Prepared(
    select(harm.c.number)
    .where(harm.c.sender != "", harm.c.review_us == 0, harm.c.time_us < bindparam("before_us"))
    .limit(1)
)


def read(origin: str, data: bytes) -> ImminentHarmRaised | None:
    """Read a message that a peer raised. None: it is none, or speaks for another agency."""
    try:
        raised = ImminentHarmRaised.FromString(data)
    except DecodeError:
        return None
    return raised if NAME.matches(raised.name) and raised.name.startswith(f"{origin}/") else None


def receive(transaction: Transaction, origin: str, data: bytes) -> bool:
    """Keep a message that a peer raised. False: it is none, or speaks for another agency."""
    raised = read(origin, data)
    if raised is None:
        return False
    if _find(transaction, raised.name) is None:
        content = raised.SerializeToString(deterministic=True)
        transaction.insert(harm, _row(transaction, raised.name, content))
    return True


class Harm:
    """The methods about imminent harm."""

    def __init__(
        self,
        *,
        own: str,
        peers: Collection[str],
        outbound: Outbound,
        database: Database,
        tokens: PageTokens,
        clock: Clock,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Take this agency and whom it can tell."""
        self._own = own
        self._peers = frozenset(peers)
        self._outbound = outbound
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._new_id = new_id

    def methods(self) -> Mapping[str, Method]:
        """Give the methods."""
        return {
            "RaiseImminentHarm": WriteMethod(rule=self._raise, rebuild=self._rebuild),
            "ReviewImminentHarm": WriteMethod(rule=self._review, rebuild=self._rebuild),
            "ListImminentHarm": ReadMethod(answer=self._list),
        }

    def _raise(
        self, transaction: Transaction, request: exchange_pb2.RaiseImminentHarmRequest, caller: Principal
    ) -> Written:
        strangers = sorted(set(request.recipients) - self._peers)
        if strangers:
            raise InvalidArgument(
                "RECIPIENT_UNKNOWN",
                "a recipient is not another member of the federation",
                metadata={"agency": strangers[0]},
            )
        name = f"{self._own}/harm/{uuid.uuid4()}"
        raised = ImminentHarmRaised(name=name, harm=request.harm)
        event_id = self._new_id()
        body = lane_body(raised, event_id=event_id, time_us=transaction.now_us)
        for peer in sorted(set(request.recipients)):
            self._outbound.put(
                transaction,
                OutItem(
                    peer=peer,
                    lane=LANE_CONTROL,
                    body=body,
                    event_id=event_id,
                    type_name=TYPE,
                    resource=name,
                    grade=GRADE_UNSPECIFIED,
                ),
            )
        content = raised.SerializeToString(deterministic=True)
        row = _row(
            transaction, name, content, recipients=" ".join(sorted(set(request.recipients))), sender=caller.subject
        )
        transaction.insert(harm, row)
        transaction.emit(NewEvent(payload=raised, resource=name, may_ignore=True))
        return self._written(transaction, name)

    def _review(
        self, transaction: Transaction, request: exchange_pb2.ReviewImminentHarmRequest, caller: Principal
    ) -> Written:
        NAME.parse(request.name)
        row = _find(transaction, request.name)
        if row is None or not row.sender:  # whoever raised it answers for it, not who received it
            raise NotFoundOrDenied("DENIED", "the caller may not do this to the record")
        if row.review_us or row.sender == caller.subject:
            raise FailedPrecondition("REVIEW_REFUSED", "it was reviewed already, or the reviewer raised it")
        values = {"review_us": transaction.now_us, "reviewer": caller.subject, "review_note": request.note}
        transaction.execute(update(harm).where(harm.c.name == request.name).values(values))
        return self._written(transaction, request.name)

    def _written(self, transaction: Transaction, name: str) -> Written:
        row = _find(transaction, name)
        assert row is not None  # noqa: S101 (it was written in this transaction)
        return Written(answer=_message(row, transaction.now_us), resource=name)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = _find(transaction, resource)
        return None if row is None else _message(row, transaction.now_us)

    async def _list(self, request: exchange_pb2.ListImminentHarmRequest, call: Call) -> Message:
        del call
        size = page_size(request.page_size, default=50, largest=100)
        position = self._tokens.decode(_KIND, request, request.page_token)
        before = int(position[0]) if position is not None else 0
        rows = await self._database.read(partial(_page, before=before, limit=size + 1))
        now_us = self._clock.now_us()
        answer = exchange_pb2.ListImminentHarmResponse(messages=[_message(row, now_us) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = self._tokens.encode(_KIND, request, (rows[size - 1].number,))
        return answer


def is_review_overdue(connection: Connection | Transaction, now_us: int) -> bool:
    """Tell whether a message that this agency sent waits for its review longer than it may."""
    return _OVERDUE.first(connection, before_us=now_us - _REVIEW_US) is not None


def _find(connection: Connection | Transaction, name: str) -> Row[Any] | None:
    return connection.execute(select(harm).where(harm.c.name == name)).first()


def _page(connection: Connection, *, before: int, limit: int) -> Sequence[Row[Any]]:
    statement = select(harm).order_by(harm.c.number.desc()).limit(limit)
    if before:
        statement = statement.where(harm.c.number < before)
    return connection.execute(statement).all()


def _row(
    transaction: Transaction, name: str, content: bytes, *, recipients: str = "", sender: str = ""
) -> dict[str, Any]:
    return {
        "name": name,
        "content": content,
        "recipients": recipients,
        "sender": sender,
        "time_us": transaction.now_us,
        "review_us": 0,
        "reviewer": "",
        "review_note": "",
    }


def _message(row: Row[Any], now_us: int) -> exchange_pb2.ImminentHarmMessage:
    due_us = row.time_us + _REVIEW_US
    message = exchange_pb2.ImminentHarmMessage(
        name=row.name,
        harm=ImminentHarmRaised.FromString(row.content).harm,
        recipients=row.recipients.split(),
        sender=row.sender,
        reviewer=row.reviewer,
        review_note=row.review_note,
    )
    message.create_time.FromMicroseconds(row.time_us)
    if row.sender:
        message.review_due_time.FromMicroseconds(due_us)
        message.review_overdue = not row.review_us and now_us > due_us
    if row.review_us:
        message.review_time.FromMicroseconds(row.review_us)
    return message
