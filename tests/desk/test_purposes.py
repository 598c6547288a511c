"""Why an officer asks: said once for a case, sent with every question, and found again by its id alone."""

from __future__ import annotations

import asyncio
import io
import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from renkei_chassis.ids import uuid7
from renkei_chassis.telemetry import logging as telemetry
from tests.desk.invented import tip, tip_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desk.house import House

SEARCH: Final = "/search?q=1234"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give what the services write to their log."""
    stream = io.StringIO()
    writer = telemetry.configure(stream=stream)
    yield stream
    writer.close()


def searches(log: io.StringIO) -> list[str]:
    """Give the purpose of each search that a service logged."""
    calls = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line["purpose"] for line in calls if line["message"] == "call" and "Search" in line["method"]]


async def test_nobody_searches_without_saying_why(house: House) -> None:
    house.world.records[tip_name(10)] = tip(10, title="見つかるはずの題")
    await house.enter()

    before = (await house.browser.get(SEARCH)).text
    asked = list(house.world.callers)
    said = await house.say_purpose()
    after = (await house.browser.get(SEARCH)).text

    assert "見つかるはずの題" not in before
    assert asked == []
    assert said.headers["location"] == SEARCH
    assert "見つかるはずの題" in after
    assert "演習1号 ・ 演習の照会" in after


async def test_the_id_and_never_the_words_stand_in_the_services_logs(house: House, log: io.StringIO) -> None:
    await house.enter()
    form = str(uuid7())
    await house.say_purpose("秘密事件", "秘密目的", form=form)

    await house.browser.get(SEARCH)
    async with asyncio.timeout(10):
        while len(searches(log)) < 4:  # noqa: ASYNC110 (the log is written by a thread)
            await asyncio.sleep(0.005)

    assert searches(log) == [form] * 4
    assert "秘密" not in log.getvalue()


async def test_an_earlier_purpose_is_taken_up_again_by_its_own_officer_alone(house: House) -> None:
    await house.enter()
    await house.say_purpose("演習1号")
    await house.say_purpose("演習2号")
    first = re.findall(r'name="again" value="([^"]+)"', (await house.browser.get(SEARCH)).text)

    await house.say_purpose(again=first[0])
    own = (await house.browser.get(SEARCH)).text
    await house.enter(officer="suzuki")
    await house.say_purpose(again=first[0])
    other = (await house.browser.get(SEARCH)).text

    assert '<p class="purpose"><strong>照会目的</strong> 演習1号' in own
    assert "演習1号" not in other
    assert 'class="purpose"' not in other


async def test_what_is_no_purpose_is_not_taken(house: House) -> None:
    await house.enter()
    bad = (
        {"case": ""},
        {"reason": " "},
        {"case": "長" * 65},
        {"reason": "長" * 201},
        {"reason": "a\u202eb"},
        {"form": "x"},
    )

    answers = [await house.say_purpose(**each) for each in bad]

    assert {answer.headers["location"] for answer in answers} == {"/search?bad"}
    assert 'class="purpose"' not in (await house.browser.get(SEARCH)).text
    assert "入力してください。" in (await house.browser.get("/search?bad")).text


async def test_a_purpose_outlives_its_session_and_a_form_that_is_sent_twice_says_it_once(house: House) -> None:
    await house.enter()
    form = str(uuid7())
    for _ in range(2):
        await house.say_purpose(form=form)
    await house.enter()

    text = (await house.browser.get(SEARCH)).text

    assert text.count('name="again"') == 1
