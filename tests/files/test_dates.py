"""Days and times in the era: every spelling, its borders, and the way back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei_files import (
    NotADateError,
    read_day,
    read_moment,
    write_moment,
    write_packed,
    write_short,
    write_wareki,
)
from renkei_files.dates import JAPAN

_OLDEST = date(1873, 1, 1)
_SENTENCES = {
    "not a day such as 令和6年10月3日, R6.10.3, 5061003 or 2024/10/03",
    "a day was expected, without a time",
    "there is no such day",
    "no era has a year 0",
    "the day lies before its era",
    "the day lies before 1873",
    "the text is longer than any date",
}


@pytest.mark.parametrize(
    "text",
    [
        "令和6年10月3日", "令和６年１０月３日", "令和六年十月三日", "令和 6年 10月 3日", "令和6年10月3日(木)",
        "令和６年１０月３日（木）",
        "令6.10.3", "R6.10.3", "r6.10.3", "Ｒ６．１０．３", "R06/10/03", "R6-10-3", "R061003", "5061003",
        "５０６１００３",
        "㋿6年10月3日", "2024/10/3", "2024-10-03", "2024.10.3", "2024年10月3日", "西暦2024年10月3日", "20241003",
        " R6.10.3 ",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_spelling(text: str) -> None:
    assert read_day(text).day == date(2024, 10, 3)


@pytest.mark.parametrize(
    ("text", "day", "overrun"),
    [
        ("令和元年5月1日", date(2019, 5, 1), False),
        ("令和1年5月1日", date(2019, 5, 1), False),
        ("R1.5.1", date(2019, 5, 1), False),
        ("平成31年4月30日", date(2019, 4, 30), False),
        ("平成31年5月1日", date(2019, 5, 1), True),
        ("平成元年1月8日", date(1989, 1, 8), False),
        ("昭和64年1月7日", date(1989, 1, 7), False),
        ("昭和64年1月8日", date(1989, 1, 8), True),
        ("昭和元年12月25日", date(1926, 12, 25), False),
        ("大正15年12月25日", date(1926, 12, 25), False),
        ("大正15年12月26日", date(1926, 12, 26), True),
        ("大正元年7月30日", date(1912, 7, 30), False),
        ("明治45年7月30日", date(1912, 7, 30), False),
        ("明治6年1月1日", date(1873, 1, 1), False),
        ("S50.1.2", date(1975, 1, 2), False),
        ("3500102", date(1975, 1, 2), False),
        ("昭和二十三年五月十一日", date(1948, 5, 11), False),
        ("R6.2.29", date(2024, 2, 29), False),
    ],
)
def test_an_era_has_the_days_that_it_had(text: str, day: date, *, overrun: bool) -> None:
    """A day behind its era was written by a system that did not know yet; one before it by nobody."""
    found = read_day(text)

    assert (found.day, found.overrun) == (day, overrun)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "令和", "R6", "令和6年", "令和6年10月", "令和0年1月1日", "令和元年4月30日", "令和6年2月30日",
        "R5.2.29", "R6.13.1",
        "5061301", "45568", "6061003", "0061003", "506100", "50610031", "明治5年12月1日", "1872/12/31",
        "2024/10/3 14:05",
        "2024-10-03T14:05", "昨日", "慶応3年1月1日", "2024/10", "24/10/3", "R6.10.3.1", "令和6年10月3日頃かも",
        "1" * 100,
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotADateError) as refused:
        read_day(text)

    assert str(refused.value) in _SENTENCES


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("令和6年10月3日 14時05分", 14, 5),
        ("令和6年10月3日14時5分", 14, 5),
        ("令和6年10月3日 14時", 14, 0),
        ("令和6年10月3日14時頃", 14, 0),
        ("令和6年10月3日午後2時5分", 14, 5),
        ("令和6年10月3日 午前0時", 0, 0),
        ("令和6年10月3日 午後12時30分", 12, 30),
        ("R6.10.3 14:05", 14, 5),
        ("2024/10/03 3:15", 3, 15),
        ("2024-10-03 03:15:59", 3, 15),
        ("2024-10-03T03:15:00", 3, 15),
        ("20241003 0315", 3, 15),
        ("R6.10.3 2:05 PM", 14, 5),
        ("令和六年十月三日午後十一時五十九分", 23, 59),
        ("5061003 14:05", 14, 5),
    ],
)
def test_a_moment_is_read_in_japans_time(text: str, hour: int, minute: int) -> None:
    assert read_moment(text)[0] == datetime(2024, 10, 3, hour, minute, tzinfo=JAPAN)


def test_midnight_at_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    """Limits of law end at 24:00, so that is what is written."""
    assert read_moment("令和6年10月31日 24時00分")[0] == datetime(2024, 11, 1, tzinfo=JAPAN)


@pytest.mark.parametrize(
    "text",
    [
        "R6.10.3",
        "R6.10.3 25:00",
        "R6.10.3 24:01",
        "R6.10.3 14:60",
        "R6.10.3 午後13時",
        "R6.10.3 T",
        "R6.10.3 -1:00",
        "14:05",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(NotADateError):
        read_moment(text)


@given(st.dates(_OLDEST, date(2100, 1, 1)))
def test_every_day_comes_back_from_how_it_is_written(day: date) -> None:
    for write in (write_wareki, write_short, write_packed, date.isoformat):
        assert read_day(write(day)).day == day
        assert not read_day(write(day)).overrun


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 (made aware below)
def test_every_minute_comes_back_from_how_it_is_written(moment: datetime) -> None:
    minute = moment.replace(second=0, microsecond=0, tzinfo=UTC)

    assert read_moment(write_moment(minute))[0] == minute


@given(st.integers(0, 3650 * 4))
def test_a_day_that_another_day_is_counted_from_agrees_with_a_slow_count(days: int) -> None:
    """The oracle counts day by day, and changes the era where the law did."""
    day = date(2016, 1, 1) + timedelta(days=days)
    if day < date(2019, 5, 1):
        expected = f"平成{day.year - 1988}年{day.month}月{day.day}日"
    else:
        year = day.year - 2018
        expected = f"令和{'元' if year == 1 else year}年{day.month}月{day.day}日"

    assert write_wareki(day) == expected


@given(st.text(st.characters(), max_size=80))
def test_any_text_is_a_day_or_is_none(text: str) -> None:
    for read in (read_day, read_moment):
        try:
            read(text)
        except NotADateError:
            continue


def test_a_day_before_the_western_calendar_is_not_written() -> None:
    with pytest.raises(ValueError, match="no era"):
        write_wareki(date(1872, 12, 31))
