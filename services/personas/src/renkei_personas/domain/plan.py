"""What a plan must hold, who may have which duty in it, and what an approval approves."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import Allows, Crime

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN_TAG: Final = b"renkei-plan-v1\0"
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A registered legal basis, whose signature was verified."""

    allows: frozenset[Allows]
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a force has set for itself, and which legal bases are registered."""

    agency: str
    max_period_days: int = 90
    approval_valid: timedelta = timedelta(days=30)
    review_within: timedelta = timedelta(hours=72)
    log_within: timedelta = timedelta(hours=12)
    wind_down: timedelta = timedelta(days=14)
    longest_hold: timedelta = timedelta(days=366)
    bases: Mapping[str, Basis] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a plan says, as far as rules look at it."""

    crime: int
    necessity: bool
    """Whether it says anything; the words themselves are none of the rules' business. The next two likewise."""
    alternatives: bool
    unit: bool
    supervisor: str
    supervisor_rank: int
    custodian: str
    team: tuple[str, ...]
    period_start: datetime | None
    period_end: datetime | None
    document_count: int
    officers_consent: bool
    legal_basis: str = ""

    @property
    def end(self) -> datetime:
        """When the period ends. Only a draft has none."""
        return self.period_end or _NEVER

    @property
    def start(self) -> datetime:
        """When the period begins. Only a draft has none."""
        return self.period_start or _NEVER


def is_officer(name: str, *, agency: str) -> bool:
    """Tell whether a name is one that an officer of the agency can have. One officer has one spelling.

    Otherwise one person could stand for two: `suzuki` and `Suzuki`, or two names in one.
    """
    own = f"{agency}/officers/"
    return name.startswith(own) and _SLUG.fullmatch(name.removeprefix(own)) is not None


def plan_hash(plan: bytes) -> bytes:
    """Hash a plan as submitted: SHA-256(tag ‖ its bytes). What is approved is this hash, and nothing else."""
    return hashlib.sha256(PLAN_TAG + plan).digest()


def check_plan(plan: Plan, *, drafter: str, now: datetime, rules: Rules, extends: bool = False) -> None:
    """Refuse a plan that lacks a part, joins two duties in one person, has an impossible period or an unlisted crime.

    The longest period counts from the start, for an extension from now.
    """
    missing = [name for name, given in _parts(plan).items() if not given]
    if missing:
        raise Refused("PLAN_INCOMPLETE", fields=[f"plan.{name}" for name in missing])
    _check_officers(plan, drafter=drafter, agency=rules.agency)
    since = now if extends else plan.start
    if plan.end <= now or plan.end <= plan.start or plan.end - since > timedelta(days=rules.max_period_days):
        raise Refused("PERIOD_INVALID", fields=["plan.period_end"], max_days=str(rules.max_period_days))
    check_crime(plan, now=now, rules=rules)


def check_crime(plan: Plan, *, now: datetime, rules: Rules) -> None:
    """Refuse an offence beyond the closed list for which no registered legal basis is valid now."""
    if plan.crime != Crime.BY_LEGAL_BASIS:
        return
    if not plan.legal_basis:
        raise Refused("CRIME_NOT_LISTED", fields=["plan.crime_code"])
    if not is_allowed(plan, Allows.WIDER_CRIME_LIST, now=now, rules=rules):
        raise Refused("LEGAL_BASIS_MISSING", fields=["plan.legal_basis"])


def is_allowed(plan: Plan, what: Allows, *, now: datetime, rules: Rules) -> bool:
    """Tell whether the legal basis that the plan names is registered, valid now, and allows something."""
    basis = rules.bases.get(plan.legal_basis)
    return basis is not None and what in basis.allows and basis.valid_from <= now < basis.valid_until


def check_extension(plan: Plan, *, of: Plan, supervisor: str) -> None:
    """Refuse an extension that asks for nothing more, or changes anything else.

    It names the supervisor who is in the post now, whom the chief may have appointed since.
    """
    longer, more = plan.end > of.end, plan.document_count > of.document_count
    less = plan.end < of.end or plan.document_count < of.document_count
    same = replace(
        plan,
        period_end=of.period_end,
        document_count=of.document_count,
        necessity=of.necessity,
        alternatives=of.alternatives,
        officers_consent=of.officers_consent,
        supervisor=of.supervisor,
        supervisor_rank=of.supervisor_rank,
    )
    if less or not (longer or more) or same != of or plan.supervisor != supervisor:
        raise Refused("EXTENSION_INVALID", fields=["plan"])


def _check_officers(plan: Plan, *, drafter: str, agency: str) -> None:
    duties = {"plan.supervisor": (plan.supervisor,), "plan.custodian": (plan.custodian,), "plan.team": plan.team}
    strangers = [
        name for name, officers in duties.items() if not all(is_officer(one, agency=agency) for one in officers)
    ]
    if strangers:
        raise Refused("OFFICERS_NOT_DISTINCT", fields=strangers)
    kept_apart = {plan.supervisor, plan.custodian}
    if plan.supervisor == plan.custodian or kept_apart & {drafter, *plan.team}:
        raise Refused("OFFICERS_NOT_DISTINCT", fields=list(duties))


def _parts(plan: Plan) -> dict[str, object]:
    return {
        "crime_code": plan.crime,
        "necessity": plan.necessity,
        "alternatives": plan.alternatives,
        "unit": plan.unit,
        "supervisor": plan.supervisor,
        "supervisor_rank": plan.supervisor_rank,
        "custodian": plan.custodian,
        "team": plan.team,
        "period_start": plan.period_start,
        "period_end": plan.period_end,
        "officers_consent": plan.officers_consent,
    }
