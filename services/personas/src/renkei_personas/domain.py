"""The rules of a plan: what it must hold, who may have which part in it, and what an approval approves."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

PLAN_TAG: Final = b"renkei-plan-v1\0"


class State(enum.IntEnum):
    """Where an investigation stands. Numbers as in the contract; what comes after approval is not built yet."""

    SUBMITTED = 2
    APPROVED = 5


class Refused(ValueError):  # noqa: N818 (it names what happened)
    """A rule says no: `reason` is a value of the contract's ErrorReason, `fields` name what is broken."""

    def __init__(self, reason: str, words: str, *, fields: Sequence[str] = (), **metadata: str) -> None:
        """Take the reason, a sentence, and what varies in it."""
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.fields = tuple(fields)
        self.metadata = metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a plan says, as far as rules look at it."""

    crime_code: int
    necessity: str
    alternatives: str
    unit: str
    supervisor: str
    custodian: str
    period_start: datetime | None
    period_end: datetime | None
    officers_consent: bool


def plan_hash(plan: bytes) -> bytes:
    """Hash a plan as submitted: SHA-256(tag ‖ its bytes). What is approved is this hash, and nothing else."""
    return hashlib.sha256(PLAN_TAG + plan).digest()


def check_submission(plan: Plan, *, drafter: str, agency: str, now: datetime, max_days: int) -> None:
    """Refuse a plan that lacks a part, has a period that cannot be, or joins two duties in one person.

    `max_days` is the longest period that the force has set for itself.
    """
    missing = [name for name, given in _parts(plan).items() if not given]
    if missing:
        raise Refused("PLAN_INCOMPLETE", "the plan lacks parts", fields=[f"plan.{name}" for name in missing])
    officers = {"plan.supervisor": plan.supervisor, "plan.custodian": plan.custodian}
    strangers = [field for field, officer in officers.items() if not officer.startswith(f"{agency}/officers/")]
    if strangers or len({drafter, *officers.values()}) != len(officers) + 1:
        raise Refused(
            "OFFICERS_NOT_DISTINCT",
            "drafter, supervisor and custodian must be three different officers of the agency",
            fields=strangers or list(officers),
        )
    start, end = plan.period_start, plan.period_end
    if start is None or end is None or not (now <= end and start < end) or (end - start).days > max_days:
        raise Refused(
            "PERIOD_INVALID",
            f"the period must end after it begins and after now, and last at most {max_days} days",
            fields=["plan.period_end"],
            max_days=str(max_days),
        )


def check_approval(
    *, state: int, approver: str, drafter: str, plan: Plan, submitted_hash: bytes, approved_hash: bytes
) -> None:
    """Refuse an approval by somebody involved, of another hash, or of a plan that does not wait for one."""
    if approver in {drafter, plan.supervisor, plan.custodian}:
        raise Refused("APPROVER_INVOLVED", "whoever drafts, supervises or keeps documents cannot approve")
    if state != State.SUBMITTED:
        raise Refused("NOT_SUBMITTED", "the plan does not wait for approval", state=State(state).name)
    if submitted_hash != approved_hash:
        raise Refused("PLAN_HASH_MISMATCH", "this is not the hash of the plan as it was submitted")


def may_read(*, reader: str, is_chief: bool, drafter: str, supervisor: str, custodian: str) -> bool:
    """Only those who have a part in a plan, and the chief."""
    return is_chief or reader in {drafter, supervisor, custodian}


def _parts(plan: Plan) -> dict[str, object]:
    return {
        "crime_code": plan.crime_code,
        "necessity": plan.necessity.strip(),
        "alternatives": plan.alternatives.strip(),
        "unit": plan.unit.strip(),
        "supervisor": plan.supervisor,
        "custodian": plan.custodian,
        "period_start": plan.period_start,
        "period_end": plan.period_end,
        "officers_consent": plan.officers_consent,
    }
