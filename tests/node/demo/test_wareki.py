from __future__ import annotations

from datetime import date, datetime

import pytest

from renkei_node.demo.wareki import JAPAN, NotADateError, read_date, read_moment, write_wareki


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("令和7年6月3日", date(2025, 6, 3)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R6.10.3", date(2024, 10, 3)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("S64.1.7", date(1989, 1, 7)),
        ("2025/06/03", date(2025, 6, 3)),
        ("2025-6-3", date(2025, 6, 3)),
    ],
)
def test_a_day_is_read_in_every_form_that_forces_write(text: str, day: date) -> None:
    assert read_date(text) == day


@pytest.mark.parametrize("text", ["令和7年6月3日 14時5分", "R7.6.3 14:05", "2025/06/03 14:05"])
def test_a_moment_is_of_japan_and_to_the_minute(text: str) -> None:
    assert read_moment(text) == datetime(2025, 6, 3, 14, 5, tzinfo=JAPAN)


@pytest.mark.parametrize("text", ["", "昨日", "令和7年2月30日", "2025/13/01", "令和7年6月3日 25時0分", "6/3"])
def test_what_is_no_date_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NotADateError) as refused:
        read_moment(f"{text} 10:00" if "時" not in text else text)

    assert not text or text not in str(refused.value)


@pytest.mark.parametrize(
    "day", [date(1926, 12, 25), date(1989, 1, 7), date(1989, 1, 8), date(2019, 4, 30), date(2019, 5, 1)]
)
def test_a_day_at_the_edge_of_an_era_is_read_as_it_was_written(day: date) -> None:
    assert read_date(write_wareki(day)) == day
