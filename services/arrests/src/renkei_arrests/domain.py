"""The rules of arrest records: age as the law counts it, the order of times, and identifiers. The clocks: `custody`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from renkei_normalform import VERSION, IdentifierType, NotAnIdentifier, Reason, normalize, search_fragment, search_key

if TYPE_CHECKING:
    from collections.abc import Sequence

JAPAN: Final = timezone(timedelta(hours=9), "JST")

# Loads repeat identifiers, and reading one costs as much as storing its record.
_REMEMBERED: Final = 16_384


class JuvenileClass(Enum):
    """What the law of juveniles makes of an age; the names are the contract's."""

    ADULT = "ADULT"
    SPECIFIED_18_19 = "SPECIFIED_18_19"
    """特定少年."""
    AGE_14_17 = "14_17"
    UNDER_14 = "UNDER_14"
    """触法少年: cannot be prosecuted."""


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


@lru_cache(_REMEMBERED)
def normal_form(kind: str, original: str) -> tuple[str, int]:
    """Give the normal form and the version of the rules; "" where the text cannot be read as its kind."""
    try:
        form = normalize(IdentifierType(kind), original)
    except NotAnIdentifier:
        return "", VERSION
    return form.value, form.version


@lru_cache(_REMEMBERED)
def serves_all(kind: str, original: str) -> bool:
    """Tell whether what has no normal form is a public service's number, such as 110 or #9110."""
    try:
        normalize(IdentifierType(kind), original)
    except NotAnIdentifier as refused:
        return refused.reason is Reason.SPECIAL_NUMBER
    return False


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
