"""The live feed: nothing missed, nothing doubled, over disconnections and restarts."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx

from tests.desk.invented import lead, lead_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.desk.house import House


async def events(house: House, last: str = "", of: str = "leads") -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    """Give kind, id and facts of each event of one stream; the first is `open`."""
    headers = {"last-event-id": last} if last else {}
    async with house.browser.stream("GET", f"/feed?of={of}", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line.startswith("retry"):
                yield "open", "", {}
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
                fields = {}


@asynccontextmanager
async def listening(
    house: House, last: str = "", of: str = "leads"
) -> AsyncIterator[AsyncIterator[tuple[str, str, dict[str, Any]]]]:
    """Open a stream, and wait until it is there."""
    async with asyncio.timeout(30), aclosing(events(house, last, of)) as stream:  # type: ignore[type-var]
        assert (await anext(stream))[0] == "open"
        yield stream


async def test_a_tab_hears_of_a_lead_as_soon_as_it_is_found(house: House) -> None:
    await house.enter()

    async with listening(house) as stream:
        await house.find_lead(lead(1))
        kind, _, facts = await anext(stream)

    assert (kind, facts) == ("lead", {"kind": "LeadFound", "lead": lead_name(1)[-36:]})


async def test_nothing_is_missed_or_doubled_over_a_restart(house: House) -> None:
    await house.enter()
    heard: list[str] = []
    last = ""
    async with listening(house) as stream:
        for number in (1, 2):
            await house.find_lead(lead(number))
            _, last, facts = await anext(stream)
            heard.append(facts["lead"])
    await house.find_lead(lead(3))
    await house.stop("desk")
    await house.find_lead(lead(4))
    await house.start("desk")
    with suppress(httpx.RemoteProtocolError):  # the connection ended with the desk
        await house.browser.get("/locked")
    async with listening(house, last) as stream:
        async for kind, _, facts in stream:
            if kind == "lead":
                heard.append(facts["lead"])
            if len(heard) == 4:
                await house.find_lead(lead(5))
            if len(heard) == 5:
                break

    assert heard == [lead_name(number)[-36:] for number in (1, 2, 3, 4, 5)]


async def test_the_place_of_another_log_asks_for_a_new_page(house: House) -> None:
    await house.enter()
    await house.find_lead(lead(1))

    async with listening(house, "00000000-0000-0000-0000-000000000000.7") as stream:
        kind, number, _ = await anext(stream)

    assert kind == "again"
    assert number.endswith(".1")


async def test_a_page_is_made_from_before_its_content(house: House) -> None:
    """What comes between the page and its feed is told by the feed."""
    await house.enter()
    await house.find_lead(lead(1))
    text = (await house.browser.get("/")).text
    position = text.partition('data-after="')[2].partition('"')[0]
    await house.find_lead(lead(2))

    async with listening(house, position) as stream:
        told = [each async for each in _until(stream, 1)]

    assert [facts["lead"] for _, _, facts in told] == [lead_name(2)[-36:]]


async def test_a_tab_whose_session_was_locked_is_told_so_and_hears_no_more(house: House) -> None:
    await house.enter()

    async with listening(house) as stream:
        house.clock.advance(15 * 60)
        await house.find_lead(lead(1))
        told = [each async for each in stream]

    assert [kind for kind, _, _ in told] == ["locked"]


async def _until(
    stream: AsyncIterator[tuple[str, str, dict[str, Any]]], count: int
) -> AsyncIterator[tuple[str, str, dict[str, Any]]]:
    seen = 0
    async for each in stream:
        if each[0] == "lead":
            yield each
            seen += 1
        if seen == count:
            return
