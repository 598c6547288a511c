"""Opinions and sightings: what this agency says of another's tip, as a record of its own.

An opinion stands by itself. It is given on a tip of which a copy is here, and lives on when that is withdrawn; to its
recipients it may come before the tip, or without it. Only the purge of the tip reaches it: then it is due for review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from renkei.policy.v1.handling_pb2 import ONWARD_FREE
from renkei.policy.v1.policy_pb2 import GRADE_INDEX_ONLY
from renkei.tips.v1.opinions_pb2 import Opinion
from renkei.tips.v1.tips_pb2 import Tip
from sqlalchemy import select

from renkei_chassis.errors import FailedPrecondition
from renkei_chassis.records import own
from renkei_chassis.records.rules import Current, denied
from renkei_chassis.records.times import set_us
from renkei_tips.opinion import OPINIONS, originator_of
from renkei_tips.record import TIPS

if TYPE_CHECKING:
    from renkei.tips.v1 import opinions_pb2

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import Record
    from renkei_chassis.records.rules import Rules

_OVERTAKEN: Final = "the tip that it is about was purged"


class Opinions:
    """What may be done with own opinions, beside what may be done with every record."""

    def __init__(self, rules: Rules, *, agency: str) -> None:
        """Take the rules for records of this kind, which make the versions."""
        self._rules = rules
        self._agency = agency

    def create(
        self, transaction: Transaction, request: opinions_pb2.CreateOpinionRequest, caller: Principal
    ) -> Written:
        """Give an opinion on a tip of another agency, which has to be here. Raises OWN_TIP, DENIED, TIP_NOT_READ."""
        opinion = request.opinion
        if originator_of(opinion) == self._agency:
            raise FailedPrecondition("OWN_TIP", "the tip is the agency's own; correct it, or record another")
        tip = _copy_of(transaction, opinion.tip)
        if tip is None:
            raise denied(TIPS)
        if tip.received_grade == GRADE_INDEX_ONLY and opinion.stance != Opinion.STANCE_SIGHTED:
            raise FailedPrecondition("TIP_NOT_READ", "what the tip says is not known here; report a sighting, or ask")
        written = self._rules.create(transaction, parent=request.parent, record=opinion, caller=caller)
        return _checked(transaction, written)

    def update(
        self, transaction: Transaction, request: opinions_pb2.UpdateOpinionRequest, caller: Principal
    ) -> Written:
        """Correct an opinion, also where the tip is gone by now."""
        written = self._rules.update(
            transaction,
            record=request.opinion,
            paths=request.update_mask.paths,
            reason=request.reason,
            caller=caller,
        )
        return _checked(transaction, written)

    def undelete(
        self, transaction: Transaction, request: opinions_pb2.UndeleteOpinionRequest, caller: Principal
    ) -> Written:
        """Take the mark back, and release under the label again."""
        return _checked(transaction, self._rules.undelete(transaction, name=request.name, caller=caller))

    def overtake(self, transaction: Transaction, tip: str) -> None:
        """Note on own opinions that the tip was purged: what they say of it may have to go as well."""
        records = OPINIONS.tables.records
        about = select(records).where(records.c.tip == tip, records.c.delete_time_us.is_(None))
        for row in transaction.execute(about).all():
            opinion = own.read(OPINIONS, row)
            if not opinion.HasField("tip_purge_time"):
                self._overtake(transaction, Current(record_id=OPINIONS.parse(opinion.name)[1], row=row, record=opinion))

    def _overtake(self, transaction: Transaction, current: Current) -> None:
        def note(opinion: Record) -> None:
            set_us(opinion.tip_purge_time, transaction.now_us)

        self._rules.revise(transaction, current, note, reason=_OVERTAKEN, caller=None, labelled=False)


def _checked(transaction: Transaction, written: Written) -> Written:
    """Refuse a version that would tell of a tip whom its originator does not let know of it."""
    opinion = cast("Opinion", written.answer)
    originator = originator_of(opinion)
    if set(opinion.handling.releasable_to) - {originator}:
        tip = _copy_of(transaction, opinion.tip)
        if tip is None or tip.handling.onward != ONWARD_FREE:
            raise FailedPrecondition(
                "ONWARD_REFUSED",
                "the originator does not let the tip be passed on, and an opinion tells of it",
                metadata={"field": "opinion.handling.releasable_to", "agency": originator},
            )
    return written


def _copy_of(transaction: Transaction, name: str) -> Tip | None:
    agency, tip_id = TIPS.parse(name, field="opinion.tip")
    columns = TIPS.tables.copies.c
    row = transaction.first(select(columns.content).where(columns.id == tip_id.bytes, columns.agency == agency))
    return None if row is None else Tip.FromString(row.content)
