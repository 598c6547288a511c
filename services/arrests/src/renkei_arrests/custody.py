"""The law of custody in plain functions: which clocks run by the recorded facts, how far they are, what law forbids.

No input, no output, and no time but what is passed in: days are Japan's, whatever the host's time zone is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from renkei_arrests.domain import JAPAN, JuvenileClass, juvenile_class

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

TO_PROSECUTOR: Final = timedelta(hours=48)
REQUEST_FROM_RECEIPT: Final = timedelta(hours=24)
REQUEST_FROM_RESTRAINT: Final = timedelta(hours=72)
DETENTION_DAYS: Final = 10
LONGEST_DAYS: Final = 23
LEVELS: Final = (50, 80, 100)
"""When a clock warns, in percent of its time."""
URGENT: Final = "URGENT"
WARRANT: Final = "WARRANT"


class ClockKind(Enum):
    """Which limit runs; the names are the contract's."""

    TO_PROSECUTOR = "TO_PROSECUTOR"
    """刑訴法203条."""
    DETENTION_REQUEST = "DETENTION_REQUEST"
    """刑訴法205条."""
    DETENTION = "DETENTION"
    """刑訴法208条1項."""
    DETENTION_EXTENSION = "DETENTION_EXTENSION"
    """刑訴法208条2項."""
    JUVENILE_MEASURE = "JUVENILE_MEASURE"
    """少年法44条3項."""
    URGENT_WARRANT = "URGENT_WARRANT"
    """刑訴法210条; the span is ours."""
    LONGEST = "LONGEST"
    """What the limits above come to at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an agency decides about its clocks; none of it moves a limit of law."""

    urgent_alarm: timedelta = timedelta(minutes=60)
    """After this an urgent arrest without warrant is at 100 %."""
    patience: timedelta = timedelta(minutes=30)
    """A warning that nobody acknowledged for so long is escalated."""
    desk: str = ""
    """To whom."""
    history: timedelta = timedelta(days=30)
    """A clock that was due longer ago when its facts were recorded is history: it never comes onto the board."""


class Notice(Enum):
    """What is shown beside the clocks; the names are the contract's."""

    RELEASE_WARRANT_REFUSED = "RELEASE_WARRANT_REFUSED"
    RELEASE_DETENTION_REFUSED = "RELEASE_DETENTION_REFUSED"
    WARRANT_NOT_REQUESTED = "WARRANT_NOT_REQUESTED"
    CHILD_GUIDANCE_CENTRE = "CHILD_GUIDANCE_CENTRE"
    FAMILY_COURT_FIRST = "FAMILY_COURT_FIRST"
    DETENTION_UNAVOIDABLE_ONLY = "DETENTION_UNAVOIDABLE_ONLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The recorded facts from which clocks are computed."""

    restraint: datetime
    kind: str = WARRANT
    birth: date | None = None
    prosecutor_receipt: datetime | None = None
    detention_request: datetime | None = None
    disposition: datetime | None = None
    indicted: bool = False
    warrant_requested: datetime | None = None
    warrant_issued: datetime | None = None
    warrant_refused: datetime | None = None
    juvenile_measure: bool = False
    detention_refused: datetime | None = None
    detention_granted: datetime | None = None
    extended: datetime | None = None
    extension_days: int = 0
    returned_to_prosecutor: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A limit that runs, or ran."""

    kind: ClockKind
    start: datetime
    due: datetime
    met: datetime | None
    overdue: bool
    running: bool


def clocks(facts: Facts, *, now: datetime, terms: Terms) -> Iterator[Clock]:
    """Compute the clocks from the recorded facts. They release and extend nobody.

    A clock ends where what it asks for was done, or where the arrest was disposed of before (a person
    who was released need not be referred). What ends at the very moment it is due is in time.
    Nobody under fourteen can be prosecuted, so none of the clocks of prosecution runs then.
    """
    if class_of(facts) is JuvenileClass.UNDER_14:
        return
    restraint, request = facts.restraint, facts.detention_request
    if facts.kind == URGENT:
        due = restraint + terms.urgent_alarm
        if facts.warrant_refused is not None:  # from then on nothing holds the person
            due = min(due, facts.warrant_refused)
        yield _clock(ClockKind.URGENT_WARRANT, restraint, due, facts.warrant_issued, facts, now)
    due = restraint + TO_PROSECUTOR
    yield _clock(ClockKind.TO_PROSECUTOR, restraint, due, facts.prosecutor_receipt, facts, now)
    receipt = facts.prosecutor_receipt
    if receipt is not None:
        due = min(receipt + REQUEST_FROM_RECEIPT, restraint + REQUEST_FROM_RESTRAINT)
        yield _clock(ClockKind.DETENTION_REQUEST, receipt, due, request, facts, now)
    if request is not None and facts.juvenile_measure:
        yield _clock(ClockKind.JUVENILE_MEASURE, request, end_of_days(request, DETENTION_DAYS), None, facts, now)
    elif request is not None:
        due = end_of_days(request, DETENTION_DAYS)
        yield _clock(ClockKind.DETENTION, request, due, facts.extended, facts, now)
        if facts.extended is not None:
            longer = end_of_days(request, DETENTION_DAYS + facts.extension_days)
            yield _clock(ClockKind.DETENTION_EXTENSION, due, longer, None, facts, now)
    yield _clock(ClockKind.LONGEST, restraint, end_of_days(restraint, LONGEST_DAYS), None, facts, now)


def end_of_days(first: datetime, days: int) -> datetime:
    """Give 24:00 Japan time of the last of so many days, the day of `first` being the first."""
    return datetime.combine(first.astimezone(JAPAN).date() + timedelta(days=days), time(), JAPAN)


def threshold_us(start_us: int, due_us: int, level: int) -> int:
    """Tell when a level of a clock is reached, in microseconds since 1970; the last one when it is due."""
    return start_us + (due_us - start_us) * level // 100


def level_at(start_us: int, due_us: int, now_us: int) -> int:
    """Give the highest level that is reached; 0 for none."""
    return max((level for level in LEVELS if threshold_us(start_us, due_us, level) <= now_us), default=0)


def next_look_us(start_us: int, due_us: int, level: int, escalation_us: int | None) -> int | None:
    """Tell when a clock of which `level` was warned needs a look: for its next level, or to be escalated."""
    levels = [threshold_us(start_us, due_us, each) for each in LEVELS if each > level]
    return min([*levels[:1], *([escalation_us] if escalation_us is not None else [])], default=None)


def class_of(facts: Facts, *, at: datetime | None = None) -> JuvenileClass | None:
    """Give the class by age at restraint, or at another moment; None where the day of birth is not known."""
    return None if facts.birth is None else juvenile_class(facts.birth, at=at or facts.restraint)


def notices(facts: Facts) -> Iterator[Notice]:
    """Say what the law says beside the clocks, as long as nothing became of the arrest."""
    if facts.disposition is not None:
        return
    age = class_of(facts)
    if facts.kind == URGENT and facts.warrant_refused is not None:
        yield Notice.RELEASE_WARRANT_REFUSED
    elif facts.kind == URGENT and facts.warrant_requested is None and facts.warrant_issued is None:
        yield Notice.WARRANT_NOT_REQUESTED
    if facts.detention_refused is not None:
        yield Notice.RELEASE_DETENTION_REFUSED
    if age is JuvenileClass.UNDER_14:
        yield Notice.CHILD_GUIDANCE_CENTRE
    elif age in {JuvenileClass.AGE_14_17, JuvenileClass.SPECIFIED_18_19}:
        if facts.returned_to_prosecutor is None:
            yield Notice.FAMILY_COURT_FIRST
        if facts.detention_request is not None and not facts.juvenile_measure:
            yield Notice.DETENTION_UNAVOIDABLE_ONLY


def forbidden(facts: Facts) -> str | None:
    """Give the reason for which law forbids what the facts say; None where it does not, or where we are not sure."""
    age = class_of(facts)
    if facts.juvenile_measure and facts.extended is not None:
        return "EXTENSION_FORBIDDEN"
    if facts.juvenile_measure and age is JuvenileClass.ADULT:
        return "MEASURE_FORBIDDEN"
    if facts.indicted and facts.disposition is not None:
        if age is JuvenileClass.UNDER_14:  # and so he was when it happened (刑法41条)
            return "INDICTMENT_FORBIDDEN"
        returned = facts.returned_to_prosecutor is not None
        # Who comes of age before the indictment is no juvenile any more (少年法19条2項, 20条).
        if class_of(facts, at=facts.disposition) not in {None, JuvenileClass.ADULT} and not returned:
            return "INDICTMENT_FORBIDDEN"
    return None


def contradiction(facts: Facts) -> tuple[str, str] | None:
    """Name the field of `custody` that cannot stand beside another fact, and why; None where all can."""
    if facts.warrant_issued is not None and facts.warrant_refused is not None:
        return "warrant.refuse_time", "stands beside a time of issue"
    decided = (facts.detention_granted, facts.detention_refused, facts.extended)
    if facts.detention_request is None and (facts.juvenile_measure or any(decided)):
        return "detention", "stands without a detention_request_time"
    if facts.detention_granted is not None and facts.detention_refused is not None:
        return "detention.refuse_time", "stands beside a time of grant"
    if (facts.extended is not None) != (facts.extension_days > 0):
        return "detention.extension_days", "must be set together with extension_grant_time"
    if facts.extended is not None and facts.detention_refused is not None:
        return "detention.extension_grant_time", "stands beside a refused detention"
    return None


def _clock(  # noqa: PLR0917 (a line of a table)
    kind: ClockKind, start: datetime, due: datetime, met: datetime | None, facts: Facts, now: datetime
) -> Clock:
    end = met if met is not None else facts.disposition
    return Clock(
        kind=kind, start=start, due=due, met=met, overdue=(now if end is None else end) > due, running=end is None
    )
