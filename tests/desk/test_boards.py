"""The clocks of custody: what waits, what is left, and who answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from renkei_chassis.ids import uuid7
from tests.desk.invented import arrest_name, clock
from tests.desk.test_feed import listening

if TYPE_CHECKING:
    from tests.desk.house import House


def words(text: str) -> str:
    """Give what a reader sees."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


async def test_each_clock_says_what_is_left_and_who_answers(house: House) -> None:
    now = int(house.clock.now().timestamp())
    house.world.clocks = [
        clock(1, now=now, left=-600, warned=100, escalate_time=Timestamp(seconds=now), escalation_desk="当直管理官"),
        clock(
            2,
            now=now,
            left=3 * 3600,
            warned=80,
            acknowledge_time=Timestamp(seconds=now),
            acknowledger="agencies/jp-12/officers/abe",
        ),
        clock(3, now=now, left=36 * 3600),
    ]
    await house.enter()

    text = words((await house.browser.get("/clocks")).text)

    assert "未確認の警告 1" in text
    assert re.search(r"送致（48時間） ▲ 超過 10分 100% 100% .* ▲ 100% 上申先 当直管理官", text)
    assert re.search(r"送致（48時間） 3時間 93% 93% .* 80% ・ 確認済み abe", text)
    assert re.search(r"送致（48時間） 36時間 25% 25% .* なし", text)


async def test_a_warning_is_acknowledged_once_and_as_it_was_seen(house: House) -> None:
    now = int(house.clock.now().timestamp())
    house.world.clocks = [clock(1, now=now, warned=50)]
    await house.enter()
    key = {"form_key": await house.form_key()}
    form = {"form": str(uuid7()), "clock": house.world.clocks[0].name, "level": "50", "note": "送致準備中"}

    answers = [
        await house.browser.post("/clocks", data={**key, **form}),
        await house.browser.post("/clocks", data={**key, **form, "level": "80"}),  # another warning came meanwhile
        await house.browser.post("/clocks", data=form),
    ]

    assert [answer.status_code for answer in answers] == [303, 303, 403]
    assert house.world.acknowledged == [(form["form"], form["clock"], "送致準備中")]


async def test_a_warning_is_heard_on_the_board_and_not_in_the_inbox(house: House) -> None:
    await house.enter()
    warned = clock(1, now=int(house.clock.now().timestamp()), warned=50)

    async with listening(house, of="arrests") as stream:
        await house.warn_of(warned)
        kind, _, facts = await anext(stream)

    assert (kind, facts) == ("arrest", {"kind": "ClockWarned", "arrest": arrest_name(1)[-36:]})
    assert (await house.browser.get("/feed?of=personas")).status_code == 404
