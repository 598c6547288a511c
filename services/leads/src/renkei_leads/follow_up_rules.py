"""What people do about a lead: one rule for each method that writes, inside the writer's batch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from renkei_chassis.database.requests import Written
from renkei_chassis.errors import Aborted, FailedPrecondition, FieldViolation, InvalidArgument
from renkei_chassis.records.times import check_times, to_us
from renkei_chassis.resource_names import OFFICER
from renkei_leads import follow_up_rows, reading
from renkei_leads.api import NAME, denied
from renkei_leads.content import evidence_count, follow_up_etag, read_followed
from renkei_leads.domain import Standing, StepKind
from renkei_leads.domain.follow_up import (
    StepRefusedError,
    Why,
    acknowledge,
    assign,
    decide,
    hand_over,
    reopen,
    see,
    snooze,
    take,
)
from renkei_leads.follow_up_rows import NewStep
from renkei_leads.succession import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from renkei.leads.v1 import follow_up_pb2 as pb

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal
    from renkei_leads.content import Terms
    from renkei_leads.domain import FollowUp
    from renkei_leads.reading import Shown

    Act = Callable[[FollowUp, str], FollowUp]

_MICROSECOND: Final = timedelta(microseconds=1)


class FollowUpRules:
    """The rules for the leads of one agency."""

    def __init__(self, *, agency: str, terms: Terms) -> None:
        """Take whose leads these are, and what the agency decided about time."""
        self._agency = agency
        self._terms = terms

    def mark_seen(self, transaction: Transaction, request: pb.MarkLeadSeenRequest, caller: Principal) -> Written:
        """Note who looks at a lead, once each."""
        row, followed = self._find(transaction, request.name)
        if not follow_up_rows.was_seen_by(transaction, row.id, caller.subject):
            step = NewStep(kind=StepKind.SEEN, after=followed.follow_up, actor=caller.subject)
            followed = follow_up_rows.write_step(transaction, agency=self._agency, before=followed, step=step)
        return self._written(request.name, (row, followed))

    def take(self, transaction: Transaction, request: pb.TakeLeadRequest, caller: Principal) -> Written:
        """Hold a lead."""
        return self._step(transaction, request, caller, StepKind.TAKEN, take)

    def assign(self, transaction: Transaction, request: pb.AssignLeadRequest, caller: Principal) -> Written:
        """Give a lead to somebody, whoever held it."""
        self._check_assignee(request)
        return self._step(transaction, request, caller, StepKind.ASSIGNED, assign(request.assignee, request.unit))

    def hand_over(self, transaction: Transaction, request: pb.HandOverLeadRequest, caller: Principal) -> Written:
        """Give a lead on."""
        self._check_assignee(request)
        act = hand_over(request.assignee, request.unit)
        return self._step(transaction, request, caller, StepKind.HANDED_OVER, act)

    def acknowledge(self, transaction: Transaction, request: pb.AcknowledgeLeadRequest, caller: Principal) -> Written:
        """Say that a lead was looked at."""
        return self._step(transaction, request, caller, StepKind.ACKNOWLEDGED, acknowledge)

    def snooze(self, transaction: Transaction, request: pb.SnoozeLeadRequest, caller: Principal) -> Written:
        """Put a lead off."""
        check_times(request, "")
        end_us, longest = to_us(request.snooze_end_time), self._terms.longest_snooze
        if not 0 < end_us - transaction.now_us <= longest // _MICROSECOND:
            raise InvalidArgument(
                "SNOOZE_TIME_INVALID",
                f"a lead is put off for {longest.days} days at most, and not until a time that has passed",
                metadata={"max_days": str(longest.days)},
                violations=[FieldViolation(field="snooze_end_time", description="has passed, or is too far away")],
            )
        return self._step(transaction, request, caller, StepKind.SNOOZED, snooze(end_us))

    def confirm(self, transaction: Transaction, request: pb.ConfirmLeadRequest, caller: Principal) -> Written:
        """Say that a lead is one."""
        return self._step(transaction, request, caller, StepKind.CONFIRMED, decide(Standing.CONFIRMED))

    def dismiss(self, transaction: Transaction, request: pb.DismissLeadRequest, caller: Principal) -> Written:
        """Say that a lead means nothing."""
        return self._step(transaction, request, caller, StepKind.DISMISSED, decide(Standing.DISMISSED))

    def reopen(self, transaction: Transaction, request: pb.ReopenLeadRequest, caller: Principal) -> Written:
        """Take a decision back."""
        return self._step(transaction, request, caller, StepKind.REOPENED, reopen)

    def rebuild(self, transaction: Transaction, resource: str, _version: int) -> pb.FollowUp | None:
        """Answer a repeat with how the lead is followed up now."""
        shown = reading.find(transaction, NAME.parse(resource)["lead"])
        return None if shown is None else self._message(shown)

    def _step(self, transaction: Transaction, request: Any, caller: Principal, kind: StepKind, act: Act) -> Written:  # noqa: ANN401 (any of these requests)
        """Take a step: who tries what another was faster with learns who that was, before that the lead changed."""
        row, followed = self._find(transaction, request.name)
        if row.state not in LIVE:
            into = f"{self._agency}/leads/{row.merged_into}" if row.merged_into else ""
            raise FailedPrecondition(
                "LEAD_ENDED",
                "the lead ended, and there is nothing to follow up",
                metadata={"state": row.state.name, "merged_into": into},
            )
        try:
            after = act(followed.follow_up, caller.subject)
        except StepRefusedError as refused:
            raise _refusal(refused.why, followed.follow_up) from None
        if request.etag and request.etag != follow_up_etag(row, followed):
            raise Aborted("ETAG_MISMATCH", "the lead changed since it was read; read it again")
        sight = follow_up_rows.sight_of(transaction, row.id, state=row.state, evidence=evidence_count(row))
        step = NewStep(
            kind=kind,
            after=see(after, sight, act_us=transaction.now_us),
            actor=caller.subject,
            reason=request.reason,
        )
        followed = follow_up_rows.write_step(transaction, agency=self._agency, before=followed, step=step)
        return self._written(request.name, (row, followed))

    def _find(self, transaction: Transaction, name: str) -> Shown:
        ids = NAME.parse(name)
        shown = reading.find(transaction, ids["lead"]) if name.startswith(f"{self._agency}/") else None
        if shown is None:
            raise denied()
        return shown

    def _check_assignee(self, request: pb.AssignLeadRequest | pb.HandOverLeadRequest) -> None:
        named = request.assignee or request.unit
        if named and (not request.assignee or self._is_own_officer(request.assignee)):
            return
        raise InvalidArgument(
            "ASSIGNEE_INVALID",
            "a lead is given to an officer of this agency, or to a unit",
            violations=[FieldViolation(field="assignee", description="is no officer of this agency")],
        )

    def _is_own_officer(self, name: str) -> bool:
        return OFFICER.matches(name) and name.startswith(f"{self._agency}/")

    def _written(self, name: str, shown: Shown) -> Written:
        return Written(answer=self._message(shown), resource=name, version=shown[1].version)

    def _message(self, shown: Shown) -> pb.FollowUp:
        return read_followed(*shown, agency=self._agency, terms=self._terms)


def _refusal(why: Why, before: FollowUp) -> FailedPrecondition:
    if why is Why.HELD:
        return FailedPrecondition(
            "LEAD_HELD", "somebody holds the lead; only its holder goes on", metadata={"holder": before.holder}
        )
    return FailedPrecondition(
        "FOLLOW_UP_REFUSED",
        "the step cannot be taken from where the lead stands; read it again",
        metadata={"state": before.standing.name},
    )
