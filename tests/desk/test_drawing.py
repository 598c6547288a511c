"""Dates in words, and every picture: the link chart, the timeline, the map, the bars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from renkei_desk.domain import bars, region
from renkei_desk.domain.chart import MOST, Row, draw
from renkei_desk.domain.dates import ago, in_words, wareki
from renkei_desk.domain.timeline import Moment, lay_out
from renkei_desk.outlines import PREFECTURES, jis_of


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2026, 11, 24), "令和8年11月24日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1912, 7, 29), "1912年7月29日"),
    ],
)
def test_a_day_is_written_in_the_era_it_lies_in(day: date, words: str) -> None:
    assert wareki(day) == words


def test_a_moment_is_told_in_japan_time() -> None:
    moment = datetime(2024, 9, 30, 18, 15, tzinfo=UTC)

    assert in_words(moment, "ja") == "令和6年10月1日（2024-10-01）03:15"
    assert in_words(moment, "en") == "2024-10-01 03:15 JST"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0分"), (59, "0分"), (720, "12分"), (7200, "2時間"), (172_799, "47時間"), (172_800, "2日")],
)
def test_how_long_something_is_is_told_roughly(seconds: float, words: str) -> None:
    assert ago(seconds, "ja") == words


def test_every_row_has_one_line_and_its_number() -> None:
    rows = [Row(number=n + 1, identifier=n % 3, record=f"r{n // 3}", is_weak=n == 4) for n in range(12)]

    chart = draw(rows)

    assert [edge.number for edge in chart.edges] == list(range(1, 13))
    assert [edge.number for edge in chart.edges if edge.is_weak] == [5]
    assert len({(edge.x // 8, edge.y // 8) for edge in chart.edges}) == 12, "no number lies on another"


def test_what_does_not_fit_is_counted() -> None:
    rows = [Row(number=n + 1, identifier=0, record=f"r{n}", is_weak=False) for n in range(MOST + 5)]

    chart = draw(rows)

    assert (len(chart.edges), chart.omitted) == (MOST, 5)


def test_a_chart_of_nothing_is_empty() -> None:
    assert draw([]).edges == ()


def test_each_record_has_both_its_times_in_the_lane_of_its_agency() -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    moments = [
        Moment(number=1, agency="jp-09", record="a", happened=begin, learned=begin + timedelta(days=37)),
        Moment(number=2, agency="jp-13", record="b", happened=None, learned=begin + timedelta(days=1)),
    ]

    timeline = lay_out(moments)

    assert timeline is not None
    assert [lane.agency for lane in timeline.lanes] == ["jp-09", "jp-13"]
    assert [(mark.number, mark.is_learned) for mark in timeline.marks] == [(1, False), (1, True), (2, True)]
    happened, learned, other = timeline.marks
    assert happened.x < other.x < learned.x
    assert (timeline.first, timeline.last) == (begin, begin + timedelta(days=37))


def test_marks_of_one_moment_do_not_lie_on_one_another() -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    moments = [Moment(number=n, agency="jp-09", record="a", happened=begin, learned=begin) for n in range(1, 5)]

    timeline = lay_out(moments)

    assert timeline is not None
    assert len({(mark.x, mark.y) for mark in timeline.marks}) == 8


def test_no_records_make_no_timeline() -> None:
    assert lay_out([]) is None


def test_neighbours_are_drawn_together_and_hokkaido_in_a_frame_of_its_own() -> None:
    drawn = region.draw(PREFECTURES.values(), {"01", "09", "11", "12", "13", "14"})

    assert drawn is not None
    near, far = drawn.panels
    assert {"09", "11", "12", "13", "14"} <= {shape.jis for shape in near.shapes}
    assert "01" in {shape.jis for shape in far.shapes}
    assert far.x >= near.x + near.width
    assert drawn.width <= region.WIDTH
    assert drawn.height <= region.HEIGHT


def test_numbers_of_neighbours_do_not_lie_on_one_another() -> None:
    drawn = region.draw(PREFECTURES.values(), {"11", "13", "14"}, width=300, height=300)

    assert drawn is not None
    places = [(shape.x, shape.y) for shape in drawn.panels[0].shapes if shape.jis in {"11", "13", "14"}]
    apart = [abs(x1 - x2) + abs(y1 - y2) for i, (x1, y1) in enumerate(places) for x2, y2 in places[i + 1 :]]
    assert min(apart) >= 26, "as wide as a number's disc"


def test_a_map_of_nothing_is_none() -> None:
    assert region.draw(PREFECTURES.values(), set()) is None
    assert jis_of("jp-npa") == ""


def test_the_largest_bar_fills_the_width_and_nothing_has_no_length() -> None:
    drawn = bars.draw([("多い", 40), ("少ない", 10), ("ない", 0)])

    assert [bar.length for bar in drawn.bars] == [330, 82, 0]
    assert bars.draw([]).bars == []
