"""`renkei clocks` against a running service: what stands on the board, and what follows."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from renkei_chassis.clock import WallClock
from tests.arrests.calls import RESTRAINT, Arrests, an_arrest
from tests.node.files.node import token_of

if TYPE_CHECKING:
    from tests.node.files.node import Node


async def test_the_board_is_shown_soonest_due_first_with_who_looks_after_it(arrests_node: Node) -> None:
    arrests = Arrests(arrests_node.agency.client())
    now = WallClock().now()
    late = await arrests.create(an_arrest(restraint=now - timedelta(hours=49), case_reference="演習R8-7"))
    half = await arrests.create(an_arrest(restraint=now - timedelta(hours=25)))
    await arrests.create(an_arrest(restraint=RESTRAINT))  # history
    async with asyncio.timeout(20):
        while len((await arrests.board(unacknowledged=True)).clocks) < 2:  # noqa: ASYNC110 (another task sets no event)
            await asyncio.sleep(0.01)
    await arrests.acknowledge(f"{half.name}/clocks/to-prosecutor", 50)

    told = await arrests_node.run("clocks", "--lang", "en")
    japanese = await arrests_node.run("clocks", "--overdue", "--lang", "ja")
    as_json = await arrests_node.run("clocks", "--unacknowledged", "--json")

    training, *lines = told.stdout.splitlines()
    assert training.startswith("training data")
    assert [line.rpartition("  ")[2] for line in lines] == [late.name, half.name, late.name, half.name]
    assert "OVERDUE  to the prosecutor (48 h)  unacknowledged  演習R8-7" in lines[0]
    assert " 50 %  to the prosecutor (48 h)  acknowledged by sato" in lines[1]
    assert "longest (23 days)" in lines[2]
    (shown,) = japanese.stdout.splitlines()[1:]
    assert "期限超過  送致(48時間)  未確認" in shown
    assert [clock["arrest"] for clock in json.loads(as_json.stdout)] == [late.name]


async def test_an_empty_board_says_so(arrests_node: Node) -> None:
    told = await arrests_node.run("clocks", "--lang", "ja")

    assert told.stdout.splitlines()[1:] == ["進行中の期限はありません"]


async def test_watching_goes_on_with_each_change(arrests_node: Node) -> None:
    arrests = Arrests(arrests_node.agency.client())
    watching = asyncio.create_task(arrests_node.run("clocks", "--watch", "--count", "1", "--json"))
    made = []
    async with asyncio.timeout(20):
        while not watching.done():
            made.append((await arrests.create(an_arrest(restraint=WallClock().now()))).name)
            await asyncio.sleep(0.05)
    plain = asyncio.create_task(arrests_node.run("clocks", "--watch", "--count", "1", "--lang", "en"))
    async with asyncio.timeout(20):
        while not plain.done():
            made.append((await arrests.create(an_arrest(restraint=WallClock().now()))).name)
            await asyncio.sleep(0.05)

    change = json.loads((await watching).stdout.splitlines()[-1])
    assert change["kind"] == "ArrestRecorded"
    assert change["arrest"] in made
    assert [clock["kind"] for clock in change["clocks"]] == ["KIND_TO_PROSECUTOR", "KIND_LONGEST"]
    *_, first, second = (await plain).stdout.splitlines()
    assert "to the prosecutor (48 h)" in first
    assert "longest (23 days)" in second


async def test_a_role_that_may_not_see_the_board_is_told_so(arrests_node: Node) -> None:
    refused = await arrests_node.run("clocks", token=token_of(arrests_node.agency, "AUDITOR"))

    assert refused.exit_code == 1
    assert "ROLE_MISSING" in refused.output
