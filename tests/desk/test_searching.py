"""The search box: words as identifiers and in texts, an agency, a day in either calendar."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from renkei_desk.domain.question import Question, parse
from tests.desk.invented import tip, tip_name

if TYPE_CHECKING:
    from tests.desk.house import House


@pytest.mark.parametrize(
    "written",
    ["令和6年10月3日", "令和６年１０月３日", "R6.10.3", "2024年10月3日", "2024-10-03", "2024/10/3"],
)
def test_a_day_is_understood_in_either_calendar(written: str) -> None:
    assert parse(written).day == date(2024, 10, 3)
    assert parse("令和元年5月1日").day == date(2019, 5, 1)


def test_what_is_no_day_and_no_agency_is_a_word_as_it_was_written() -> None:
    text = "髙橋　２０２４-13-01 agency:x 令和6年13月1日 agency:JP-12"

    assert parse(text) == Question(words="髙橋 ２０２４-13-01 agency:x 令和6年13月1日", agency="jp-12", day=None)


async def test_words_are_looked_for_as_identifiers_and_in_texts_and_found_once(house: House) -> None:
    house.world.records[tip_name(10)] = tip(10, title="一度だけの題")
    await house.enter()
    await house.say_purpose()

    text = (await house.browser.get("/search?q=9012 機関:jp-13 R6.10.3")).text

    asked = house.world.searches
    assert sorted((each.identifier, each.text) for each in asked) == [
        ("", "9012"),
        ("", "9012"),
        ("9012", ""),
        ("9012", ""),
    ]
    assert {each.parent for each in asked} == {"agencies/jp-13"}
    assert {each.min_create_time.ToJsonString() for each in asked} == {"2024-10-02T15:00:00Z"}
    assert {each.max_create_time.ToJsonString() for each in asked} == {"2024-10-03T15:00:00Z"}
    assert text.count("一度だけの題") == 1


async def test_a_name_of_two_letters_is_looked_for_in_texts_alone(house: House) -> None:
    house.world.records[tip_name(10)] = tip(10, title="見つかる題")
    await house.enter()
    await house.say_purpose()

    name = (await house.browser.get("/search?q=高橋")).text
    letter = (await house.browser.get("/search?q=高")).text

    assert "見つかる題" in name
    assert "2文字以上" in letter
    assert "見つかる題" not in letter
