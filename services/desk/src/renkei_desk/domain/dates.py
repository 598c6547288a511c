"""Points in time in words: Japan time, in wareki and Western form."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")
_ERAS: Final = (
    (date(2019, 5, 1), "令和"),
    (date(1989, 1, 8), "平成"),
    (date(1926, 12, 25), "昭和"),
    (date(1912, 7, 30), "大正"),
)
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR


def wareki(day: date) -> str:
    """Write a day in the Japanese era, `令和8年11月24日`; before Taisho in the Western way."""
    for begin, era in _ERAS:
        if day >= begin:
            year = day.year - begin.year + 1
            return f"{era}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return f"{day.year}年{day.month}月{day.day}日"


def in_words(moment: datetime, language: str) -> str:
    """Write a moment to the minute, in Japan time, in both calendars where the reader is Japanese."""
    there = moment.astimezone(JAPAN)
    western = f"{there:%Y-%m-%d %H:%M}"
    return f"{wareki(there.date())}（{there:%Y-%m-%d}）{there:%H:%M}" if language == "ja" else f"{western} JST"


def day_in_words(day: date, language: str) -> str:
    """Write a day, in both calendars where the reader is Japanese."""
    return f"{wareki(day)}（{day:%Y-%m-%d}）" if language == "ja" else f"{day:%Y-%m-%d}"


def ago(seconds: float, language: str) -> str:
    """Say how long something is, roughly: `12分`, `3時間`, `5日`."""
    minutes = max(int(seconds // 60), 0)
    if minutes < _HOUR:
        return f"{minutes}分" if language == "ja" else f"{minutes} min"
    if minutes < 2 * _DAY:
        return f"{minutes // _HOUR}時間" if language == "ja" else f"{minutes // _HOUR} h"
    return f"{minutes // _DAY}日" if language == "ja" else f"{minutes // _DAY} days"
