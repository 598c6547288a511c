"""Days and times as forces write them, in the era or not, in any width; and days written back in the era.

令和6年10月3日, 令和元年5月1日, 令和六年十月三日, 令6.10.3, R6.10.3, R06/10/03, R061003, 5061003, 2024/10/3, 20241003;
behind any of them 14:05, 14時5分, 午後2時05分 or 24:00.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

JAPAN: Final = timezone(timedelta(hours=9), "JST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """An era; its first year begins with its first day, and `code` is its digit in the files of authorities.

    大正 and 昭和 began on the last day of the era before, which therefore bears two names.
    """

    name: str
    letter: str
    code: str
    first: date
    last: date = date.max

    def year(self, number: int) -> int:
        """Return the western year of a year of the era."""
        return self.first.year + number - 1


# Japan has counted as the West does since the sixth year of 明治.
_OLDEST: Final = date(1873, 1, 1)
ERAS: Final = (
    Era(name="令和", letter="R", code="5", first=date(2019, 5, 1)),
    Era(name="平成", letter="H", code="4", first=date(1989, 1, 8), last=date(2019, 4, 30)),
    Era(name="昭和", letter="S", code="3", first=date(1926, 12, 25), last=date(1989, 1, 7)),
    Era(name="大正", letter="T", code="2", first=date(1912, 7, 30), last=date(1926, 12, 25)),
    Era(name="明治", letter="M", code="1", first=date(1868, 1, 25), last=date(1912, 7, 30)),
)
_BY_SIGN: Final = {sign: era for era in ERAS for sign in (era.name, era.name[0], era.letter, era.code)}
_DIGIT: Final = "〇零元一二三四五六七八九"
_NUMERALS: Final = str.maketrans(dict(zip(_DIGIT, "001123456789", strict=True)))
_KANJI: Final = re.compile(r"[〇零一二三四五六七八九十]+")
_SPACES: Final = re.compile(r"\s+")
_LOOSE: Final = re.compile(r"(?<=[年月和成正治]) | (?=[年月日])")

_ERA: Final = "明治|大正|昭和|平成|令和|[明大昭平令]|[MTSHR]"
_WRITTEN: Final = re.compile(
    rf"(?P<era>{_ERA})(?P<year>元|[0-9]{{1,2}})(?:年|[./-])(?P<month>[0-9]{{1,2}})(?:月|[./-])(?P<day>[0-9]{{1,2}})日?"
)
_PACKED: Final = re.compile(r"(?P<era>[MTSHR1-5])(?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?![0-9])")
_WESTERN: Final = re.compile(
    r"(?:西暦)?(?P<year>[0-9]{4})(?:年|[./-])(?P<month>[0-9]{1,2})(?:月|[./-])(?P<day>[0-9]{1,2})日?"
)
_WESTERN_PACKED: Final = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?![0-9])")
_WEEKDAY: Final = re.compile(r"\s?\([月火水木金土日]\)")
_TIME: Final = re.compile(
    r"[ T]?(?P<half>午前|午後|AM|PM)? ?(?P<hour>[0-9]{1,2})(?::|時)(?:(?P<minute>[0-9]{1,2})(?:分)?)?"
    r"(?::(?P<second>[0-9]{2})(?:\.0+)?)?(?: ?(?P<half_behind>AM|PM))?(?:頃|ころ|ごろ)?"
)
_TIME_PACKED: Final = re.compile(r" ?(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})")
_LONGEST: Final = 64


class NotADateError(ValueError):
    """The text is no day or time in a form that is known. The text is not repeated: it may be personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day, and whether it lies behind the end of the era in which it was written (平成31年6月1日)."""

    day: date
    overrun: bool = False


def read_day(text: str) -> Day:
    """Read a day without a time. What names no day that ever was, or begins before its era, is refused."""
    found, rest = _day(_folded(text))
    if rest:
        raise NotADateError("a day was expected, without a time")
    return found


def read_moment(text: str) -> tuple[datetime, bool]:
    """Read a day with a time of Japan to the minute, and whether the day lies behind its era.

    24:00 is the beginning of the next day. Seconds are dropped, for clocks of law count minutes.
    """
    found, rest = _day(_folded(text))
    time = _TIME.fullmatch(rest) or _TIME_PACKED.fullmatch(rest)
    if not time:
        raise NotADateError("a day with a time to the minute was expected")
    parts = time.groupdict()
    hour, minute = int(parts["hour"]), int(parts["minute"] or 0)
    half = parts.get("half") or parts.get("half_behind")
    if half:
        if hour > 12:  # noqa: PLR2004
            raise NotADateError("there is no such time of day")
        hour = hour % 12 + (12 if half in ("午後", "PM") else 0)
    if minute > 59 or hour > 24 or (hour == 24 and minute) or int(parts.get("second") or 0) > 59:  # noqa: PLR2004
        raise NotADateError("there is no such time of day")
    start = datetime(found.day.year, found.day.month, found.day.day, tzinfo=JAPAN)
    return start + timedelta(hours=hour, minutes=minute), found.overrun


def era_of(day: date) -> Era:
    """Return the era in which a day lies."""
    if day >= _OLDEST:
        for era in ERAS:
            if day >= era.first:
                return era
    raise ValueError("no era in western months holds this day")


def write_wareki(day: date) -> str:
    """Write a day in its era: 令和6年10月3日, 令和元年5月1日."""
    era = era_of(day)
    year = day.year - era.first.year + 1
    return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def write_short(day: date) -> str:
    """Write a day with its era's letter: R6.10.3."""
    era = era_of(day)
    return f"{era.letter}{day.year - era.first.year + 1}.{day.month}.{day.day}"


def write_packed(day: date) -> str:
    """Write a day in the seven digits of files of authorities: 5061003."""
    era = era_of(day)
    return f"{era.code}{day.year - era.first.year + 1:02}{day.month:02}{day.day:02}"


def write_moment(moment: datetime) -> str:
    """Write a moment in Japan's time, the day in its era: 令和6年10月3日 14時05分."""
    local = moment.astimezone(JAPAN) if moment.tzinfo else moment.replace(tzinfo=UTC).astimezone(JAPAN)
    return f"{write_wareki(local.date())} {local.hour}時{local.minute:02}分"


def _folded(text: str) -> str:
    if len(text) > _LONGEST:
        raise NotADateError("the text is longer than any date")
    folded = unicodedata.normalize("NFKC", text)
    folded = _SPACES.sub(" ", folded).strip()
    return _KANJI.sub(_number, _LOOSE.sub("", folded))


def _number(found: re.Match[str]) -> str:
    """Write a kanji number up to 99 in digits."""
    tens, ten, ones = found[0].partition("十")
    if not ten:
        return tens.translate(_NUMERALS)
    return (tens.translate(_NUMERALS) or "1") + (ones.translate(_NUMERALS) or "0")


def _day(text: str) -> tuple[Day, str]:
    upper = text.upper()
    for pattern in (_WRITTEN, _PACKED):
        if found := pattern.match(upper):
            return _in_era(found), _rest(upper, found.end())
    for pattern in (_WESTERN, _WESTERN_PACKED):
        if found := pattern.match(upper):
            day = _made(int(found["year"]), found)
            if day < _OLDEST:
                raise NotADateError("the day lies before 1873")
            return Day(day=day), _rest(upper, found.end())
    raise NotADateError("not a day such as 令和6年10月3日, R6.10.3, 5061003 or 2024/10/03")


def _rest(text: str, at: int) -> str:
    if weekday := _WEEKDAY.match(text, at):
        at = weekday.end()
    return text[at:]


def _in_era(found: re.Match[str]) -> Day:
    era = _BY_SIGN[found["era"]]
    number = 1 if found["year"] == "元" else int(found["year"])
    if not number:
        raise NotADateError("no era has a year 0")
    day = _made(era.year(number), found)
    if day < max(era.first, _OLDEST):
        raise NotADateError("the day lies before its era")
    return Day(day=day, overrun=day > era.last)


def _made(year: int, found: re.Match[str]) -> date:
    try:
        return date(year, int(found["month"]), int(found["day"]))
    except ValueError:
        raise NotADateError("there is no such day") from None
