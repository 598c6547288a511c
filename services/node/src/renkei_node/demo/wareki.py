"""Dates as forces write them: wareki or slashes, half or full width. Only what the demo's exports use."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta, timezone
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")
# Only the eras in which somebody who is arrested today was born.
_ERAS: Final = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_LETTERS: Final = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_NEWEST_FIRST: Final = (("令和", date(2019, 5, 1)), ("平成", date(1989, 1, 8)), ("昭和", date(1926, 12, 25)))
_ERA: Final = re.compile(
    r"(?P<era>明治|大正|昭和|平成|令和|[MTSHR])(?P<year>元|[0-9]{1,2})[年.](?P<month>[0-9]{1,2})[月.](?P<day>[0-9]{1,2})日?"
    r"(?P<time>.*)"
)
_WESTERN: Final = re.compile(r"(?P<year>[0-9]{4})[/-](?P<month>[0-9]{1,2})[/-](?P<day>[0-9]{1,2})(?P<time>.*)")
_TIME: Final = re.compile(r"(?P<hour>[0-9]{1,2})(?::|時)(?P<minute>[0-9]{1,2})分?")


class NotADateError(ValueError):
    """The text is no date in a form that is known here. The text is not repeated: it may be personal data."""


def read_date(text: str) -> date:
    """Read a day: 令和7年6月3日, R7.6.3, 2025/06/03."""
    day, rest = _read_day(text)
    if rest:
        raise NotADateError("a day was expected, without a time")
    return day


def read_moment(text: str) -> datetime:
    """Read a time in Japan, to the minute: 令和7年6月3日 14時05分, R7.6.3 14:05, 2025/06/03 14:05."""
    day, rest = _read_day(text)
    time = _TIME.fullmatch(rest)
    if time is None:
        raise NotADateError("a day with a time to the minute was expected")
    try:
        return datetime(day.year, day.month, day.day, int(time["hour"]), int(time["minute"]), tzinfo=JAPAN)
    except ValueError:
        raise NotADateError("there is no such time of day") from None


def write_wareki(day: date) -> str:
    """Write a day in the era it lies in: 令和7年6月3日. Nothing before 1926 is written."""
    for era, start in _NEWEST_FIRST:
        if day >= start:
            year = day.year - _ERAS[era]
            return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    raise ValueError("no era of the demo holds this day")


def _read_day(text: str) -> tuple[date, str]:
    folded = unicodedata.normalize("NFKC", text).strip()
    found = _ERA.fullmatch(folded)
    if found is not None:
        era = _LETTERS.get(found["era"], found["era"])
        year = _ERAS[era] + (1 if found["year"] == "元" else int(found["year"]))
    else:
        found = _WESTERN.fullmatch(folded)
        if found is None:
            raise NotADateError("not a date such as 令和7年6月3日, R7.6.3 or 2025/06/03")
        year = int(found["year"])
    try:
        return date(year, int(found["month"]), int(found["day"])), found["time"].strip()
    except ValueError:
        raise NotADateError("there is no such day") from None
