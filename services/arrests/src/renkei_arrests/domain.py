"""The rules of arrest records: the clocks that run, age as the law counts it, the order of times, and identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from renkei_normalform import VERSION, IdentifierType, NotAnIdentifier, normalize, search_fragment, search_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JAPAN: Final = timezone(timedelta(hours=9), "JST")
TO_PROSECUTOR: Final = timedelta(hours=48)
REQUEST_FROM_RECEIPT: Final = timedelta(hours=24)
REQUEST_FROM_RESTRAINT: Final = timedelta(hours=72)

# Loads repeat identifiers, and reading one costs as much as storing its record.
_REMEMBERED: Final = 16_384


class ClockKind(Enum):
    """Which limit runs; the names are the contract's."""

    TO_PROSECUTOR = "TO_PROSECUTOR"
    """刑訴法203条."""
    DETENTION_REQUEST = "DETENTION_REQUEST"
    """刑訴法205条."""


class JuvenileClass(Enum):
    """What the law of juveniles makes of an age; the names are the contract's."""

    ADULT = "ADULT"
    SPECIFIED_18_19 = "SPECIFIED_18_19"
    """特定少年."""
    AGE_14_17 = "14_17"
    UNDER_14 = "UNDER_14"
    """触法少年: cannot be prosecuted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The recorded times from which clocks are computed."""

    restraint: datetime
    prosecutor_receipt: datetime | None = None
    detention_request: datetime | None = None
    disposition: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A limit that runs, or ran."""

    kind: ClockKind
    start: datetime
    due: datetime
    met: datetime | None
    overdue: bool


def clocks(facts: Facts, *, now: datetime) -> Iterator[Clock]:
    """Compute the clocks from the recorded facts. They release and extend nobody.

    A clock ends where what it asks for was done, or where the arrest was disposed of before (a person
    who was released need not be referred). What ends at the very moment it is due is in time.
    """
    yield _clock(
        ClockKind.TO_PROSECUTOR,
        start=facts.restraint,
        due=facts.restraint + TO_PROSECUTOR,
        met=facts.prosecutor_receipt,
        disposition=facts.disposition,
        now=now,
    )
    if facts.prosecutor_receipt is not None:
        yield _clock(
            ClockKind.DETENTION_REQUEST,
            start=facts.prosecutor_receipt,
            due=min(facts.prosecutor_receipt + REQUEST_FROM_RECEIPT, facts.restraint + REQUEST_FROM_RESTRAINT),
            met=facts.detention_request,
            disposition=facts.disposition,
            now=now,
        )


def age_reached(birth: date, years: int) -> datetime:
    """Tell when an age is reached: at the end of the day before the birthday (年齢計算ニ関スル法律).

    That is the first moment of the birthday in Japan. Who was born on 29 February reaches it at the end
    of 28 February, in every year.
    """
    try:
        birthday = birth.replace(year=birth.year + years)
    except ValueError:  # no 29 February in that year
        birthday = date(birth.year + years, 3, 1)
    return datetime.combine(birthday, time(), JAPAN)


def juvenile_class(birth: date, *, at: datetime) -> JuvenileClass:
    """Tell the class by the age at a moment."""
    if at >= age_reached(birth, 20):
        return JuvenileClass.ADULT
    if at >= age_reached(birth, 18):
        return JuvenileClass.SPECIFIED_18_19
    if at >= age_reached(birth, 14):
        return JuvenileClass.AGE_14_17
    return JuvenileClass.UNDER_14


def read_birth_date(text: str, *, restraint: datetime) -> date:
    """Read YYYY-MM-DD. Raises ValueError where that is no day, or one after the restraint."""
    birth = date.fromisoformat(text)
    if birth > restraint.astimezone(JAPAN).date():
        raise ValueError("born after the restraint")
    return birth


def first_too_early(times: Sequence[tuple[str, datetime | None]]) -> str | None:
    """Name the first of the times that lies before one that has to come first; those not known are passed over."""
    latest: datetime | None = None
    for name, moment in times:
        if moment is None:
            continue
        if latest is not None and moment < latest:
            return name
        latest = moment
    return None


def _clock(
    kind: ClockKind,
    *,
    start: datetime,
    due: datetime,
    met: datetime | None,
    disposition: datetime | None,
    now: datetime,
) -> Clock:
    end = met if met is not None else disposition
    return Clock(kind=kind, start=start, due=due, met=met, overdue=(now if end is None else end) > due)


@lru_cache(_REMEMBERED)
def normal_form(kind: str, original: str) -> tuple[str, int]:
    """Give the normal form and the version of the rules; "" where the text cannot be read as its kind."""
    try:
        form = normalize(IdentifierType(kind), original)
    except NotAnIdentifier:
        return "", VERSION
    return form.value, form.version


@lru_cache(_REMEMBERED)
def searchable(value: str, original: str) -> str:
    """Give what a search for a part looks into: the normal form or, for want of one, the original.

    "" where the original holds nothing that could be looked for.
    """
    if value:
        return search_key(value)
    try:
        return search_fragment(original)
    except NotAnIdentifier:
        return ""
