"""Move tips through their life: each step a new version that says who took it, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from renkei.tips.v1.tips_pb2 import RecordTipDispositionRequest, Tip
from sqlalchemy import select

from renkei_chassis.errors import FailedPrecondition, FieldViolation, InvalidArgument
from renkei_chassis.records import own
from renkei_chassis.records.rules import Current
from renkei_tips.domain.life import Act, State, StepRefusedError, step
from renkei_tips.record import TIPS, unmerge
from renkei_tips.store import MERGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei.tips.v1 import tips_pb2

    from renkei_chassis.database.requests import Written
    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_chassis.records.kind import Record
    from renkei_chassis.records.rules import Rules

_GONE: Final = "the tip that it was part of was purged"


class Life:
    """What may become of own tips."""

    def __init__(self, rules: Rules) -> None:
        """Take the rules for records, which make the versions."""
        self._rules = rules

    def triage(self, transaction: Transaction, request: tips_pb2.TriageTipRequest, caller: Principal) -> Written:
        """Judge a tip, for the first time or again."""
        return self._take(transaction, request, caller, Act.TRIAGE, lambda tip: tip.ClearField("unit"))

    def assign(self, transaction: Transaction, request: tips_pb2.AssignTipRequest, caller: Principal) -> Written:
        """Give a tip to a unit."""

        def give(tip: Record) -> None:
            tip.unit = request.unit

        return self._take(transaction, request, caller, Act.ASSIGN, give)

    def dispose(self, transaction: Transaction, request: RecordTipDispositionRequest, caller: Principal) -> Written:
        """Record what came of a tip."""
        act = Act.ACT_ON if request.disposition == RecordTipDispositionRequest.DISPOSITION_ACTIONED else Act.SET_ASIDE
        return self._take(transaction, request, caller, act)

    def merge(self, transaction: Transaction, request: tips_pb2.MergeTipRequest, caller: Principal) -> Written:
        """Make a tip part of another that is part of none: so merges are trees, and no way leads in a circle."""
        if request.into == request.name:
            what = "is the tip itself"
            raise InvalidArgument(
                "TARGET_ITSELF",
                f"into {what}",
                violations=[FieldViolation(field="into", description=what)],
            )
        target = self._rules.current(transaction, request.into, field="into")
        if target.record.merged_into:
            raise FailedPrecondition(
                "TARGET_MERGED",
                "the tip to merge into is merged itself; merge into the one that it is part of",
                metadata={"merged_into": target.record.merged_into},
            )

        def join(tip: Record) -> None:
            tip.merged_into = request.into

        _, tip_id = TIPS.parse(request.name)
        written = self._take(transaction, request, caller, Act.MERGE, join)
        transaction.insert(MERGES, {"record_id": tip_id.bytes, "into_id": target.record_id.bytes})
        return written

    def unmerge(self, transaction: Transaction, request: tips_pb2.UnmergeTipRequest, caller: Principal) -> Written:
        """Make a tip one of its own again."""
        written = self._take(transaction, request, caller, Act.UNMERGE, unmerge)
        _forget_merge(transaction, TIPS.parse(request.name)[1].bytes)
        return written

    def delete(self, transaction: Transaction, *, name: str, etag: str, reason: str, caller: Principal) -> Written:
        """Mark as deleted, unless other tips are part of this one: their names would lead nowhere.

        A merged tip leaves the one that it is part of, and comes back as what it was before.
        """
        tip_id = TIPS.parse(name)[1].bytes
        if transaction.first(select(MERGES.c.record_id).where(MERGES.c.into_id == tip_id).limit(1)) is not None:
            raise FailedPrecondition("HAS_MERGED", "other tips are merged into this one; unmerge them first")
        written = self._rules.delete(transaction, name=name, etag=etag, reason=reason, caller=caller)
        _forget_merge(transaction, tip_id)
        return written

    def part(self, transaction: Transaction, record: Record) -> None:
        """Free the tips that are part of one that is about to be purged."""
        tip_id = TIPS.parse(record.name)[1]
        for row in transaction.execute(select(MERGES.c.record_id).where(MERGES.c.into_id == tip_id.bytes)).all():
            merged = transaction.first(select(TIPS.tables.records).where(TIPS.tables.records.c.id == row.record_id))
            if merged is None:
                continue
            tip = own.read(TIPS, merged)
            current = Current(record_id=TIPS.parse(tip.name)[1], row=merged, record=tip)
            self._rules.revise(transaction, current, unmerge, reason=_GONE, caller=None, labelled=False)
            _forget_merge(transaction, row.record_id)

    def _take(
        self,
        transaction: Transaction,
        request: Any,  # noqa: ANN401 (one of several requests with the same first fields)
        caller: Principal,
        act: Act,
        change: Callable[[Record], object] = lambda _tip: None,
    ) -> Written:
        """Take a step. Raises STEP_REFUSED with the state where the tip stands."""
        current = self._rules.current(transaction, request.name, etag=request.etag)
        tip: Tip = current.record
        before = State(tip.state)
        try:
            after = step(before, act, before_merge=State(tip.state_before_merge) if tip.state_before_merge else None)
        except StepRefusedError as refusal:
            raise FailedPrecondition("STEP_REFUSED", str(refusal), metadata={"state": before.name}) from None

        def move(fresh: Record) -> None:
            if after is State.MERGED:
                fresh.state_before_merge = fresh.state
            change(fresh)
            fresh.state = after

        return self._rules.revise(transaction, current, move, reason=request.reason, caller=caller)


def _forget_merge(transaction: Transaction, tip_id: bytes) -> None:
    transaction.execute(MERGES.delete().where(MERGES.c.record_id == tip_id))
