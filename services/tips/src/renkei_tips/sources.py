"""Who the source of a tip is: kept apart from the tip, in no event, and opened only with a reason that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2 import SourceIdentity, Tip, TipSource, TipSourceOpening
from sqlalchemy import select

from renkei_chassis.database.pages import page_size
from renkei_chassis.database.requests import Written
from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.ids import uuid7
from renkei_chassis.records.reads import DEFAULT_PAGE, LARGEST_PAGE
from renkei_chassis.records.rules import foreign_originator
from renkei_chassis.records.times import set_us
from renkei_chassis.resource_names import AGENCY
from renkei_tips.record import TIPS
from renkei_tips.store import OPENINGS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message
    from sqlalchemy import Connection, Row, Select

    from renkei_chassis.database.engine import Database
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import Record
    from renkei_chassis.records.rules import Rules
    from renkei_chassis.rpc.methods import Call
    from renkei_chassis.rpc.page_tokens import PageTokens

_METHOD: Final = "ListTipSourceOpenings"


class Sources:
    """The identities of the sources of own tips."""

    def __init__(
        self,
        rules: Rules,
        *,
        agency: str,
        database: Database,
        tokens: PageTokens,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        """Take the rules for records, where the rows are, and where ids come from."""
        self._rules = rules
        self._agency = agency
        self._database = database
        self._tokens = tokens
        self._new_id = new_id

    def set(self, transaction: Transaction, request: tips_pb2.SetTipSourceRequest, caller: Principal) -> Written:
        """Store, replace or forget an identity. Raises SOURCE_ANONYMOUS for a tip of the hotline."""
        tip = self._rules.current(transaction, request.tip, field="tip")
        known = bool(request.identity.ByteSize())
        if known and tip.record.source == Tip.SOURCE_ANON_HOTLINE:
            raise _anonymous("no identity of its source exists, and none may be stored")
        transaction.execute(SOURCES.delete().where(SOURCES.c.record_id == tip.record_id.bytes))
        transaction.scrub()
        if known:
            row = {
                "record_id": tip.record_id.bytes,
                "recorder": caller.subject,
                "update_time_us": transaction.now_us,
                "identity": request.identity.SerializeToString(),
            }
            transaction.insert(SOURCES, row)
        answer = TipSource(tip=request.tip, known=known, recorder=caller.subject)
        set_us(answer.update_time, transaction.now_us)
        return Written(answer=answer, resource=request.tip)

    def rebuild(self, transaction: Transaction, resource: str, _version: int) -> Message | None:
        """Say what is known now: that is all that a repeat needs, and more than that it must not get."""
        row = _find(transaction, TIPS.parse(resource)[1])
        if row is None:
            return TipSource(tip=resource)
        answer = TipSource(tip=resource, known=True, recorder=row.recorder)
        set_us(answer.update_time, row.update_time_us)
        return answer

    def reveal(self, transaction: Transaction, request: tips_pb2.RevealTipSourceRequest, caller: Principal) -> Written:
        """Open an identity. The row that says so is committed with the request, before anything is answered."""
        tip = self._rules.current(transaction, request.tip, field="tip")
        row = _find(transaction, tip.record_id)
        if row is None:
            if tip.record.source == Tip.SOURCE_ANON_HOTLINE:
                raise _anonymous("no identity of its source exists")
            raise FailedPrecondition("SOURCE_NOT_RECORDED", "nobody recorded who the source of the tip is")
        opening = {
            "id": self._new_id().bytes,
            "tip_id": tip.record_id.bytes,
            "caller": caller.subject,
            "time_us": transaction.now_us,
            "reason": request.reason,
        }
        transaction.insert(OPENINGS, opening)
        return Written(answer=SourceIdentity.FromString(row.identity), resource=request.tip)

    def never_again(self, _transaction: Transaction, _resource: str, _version: int) -> Message | None:
        """Answer no repeat: it would be an opening of which nothing is kept."""
        return None

    def check_source(self, transaction: Transaction, tip: Record) -> None:
        """Refuse a correction by which a tip whose source is known would be one of the hotline."""
        if tip.source == Tip.SOURCE_ANON_HOTLINE and _find(transaction, TIPS.parse(tip.name)[1]) is not None:
            raise _anonymous("who its source is stands recorded; have it forgotten first")

    async def openings(
        self, request: tips_pb2.ListTipSourceOpeningsRequest, _call: Call
    ) -> tips_pb2.ListTipSourceOpeningsResponse:
        """Read a page of openings, newest first."""
        if request.parent != self._agency:
            AGENCY.parse(request.parent, field="parent")
            raise foreign_originator(request.parent)
        asked = select(OPENINGS).order_by(OPENINGS.c.id.desc())
        if request.tip:
            agency, tip_id = TIPS.parse(request.tip, field="tip")
            if agency != self._agency:
                raise foreign_originator(agency)
            asked = asked.where(OPENINGS.c.tip_id == tip_id.bytes)
        position = self._tokens.decode(_METHOD, request, request.page_token)
        if position is not None:
            asked = asked.where(OPENINGS.c.id < bytes.fromhex(position[0]))
        limit = page_size(request.page_size, default=DEFAULT_PAGE, largest=LARGEST_PAGE)
        rows = await self._database.read(lambda connection: _rows(connection, asked.limit(limit + 1)))
        shown = rows[:limit]
        token = self._tokens.encode(_METHOD, request, [shown[-1].id.hex()]) if len(rows) > limit else ""
        return tips_pb2.ListTipSourceOpeningsResponse(
            openings=[self._opening(row) for row in shown], next_page_token=token
        )

    def _opening(self, row: Row[tuple[object, ...]]) -> TipSourceOpening:
        tip = f"{self._agency}/tips/{UUID(bytes=bytes(row.tip_id))}"
        opening = TipSourceOpening(tip=tip, caller=row.caller, reason=row.reason)
        set_us(opening.time, row.time_us)
        return opening


def blot_reasons(transaction: Transaction, record: Record) -> None:
    """Blot out why the source of a tip was opened that is about to be purged; who and when stays."""
    _, tip_id = TIPS.parse(record.name)
    transaction.execute(OPENINGS.update().where(OPENINGS.c.tip_id == tip_id.bytes).values(reason=""))


def _find(transaction: Transaction, tip_id: UUID) -> Row[tuple[object, ...]] | None:
    return transaction.first(select(SOURCES).where(SOURCES.c.record_id == tip_id.bytes))


def _rows(connection: Connection, statement: Select[tuple[object, ...]]) -> list[Row[tuple[object, ...]]]:
    return list(connection.execute(statement).all())


def _anonymous(what: str) -> FailedPrecondition:
    return FailedPrecondition("SOURCE_ANONYMOUS", f"the tip came by the anonymous hotline: {what}")
