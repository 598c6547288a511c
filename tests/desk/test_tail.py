"""One follower a log for all tabs: many, slow ones, and whatever becomes of the service that writes the log."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import Minter
from renkei_chassis.rpc.client import Client
from renkei_desk.feed import Feed
from renkei_desk.tail import Place, Tail
from tests.desk.fakes import AGENCY
from tests.desk.invented import lead, lead_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.desk.house import House

    Stream = AsyncGenerator[tuple[str, str, dict[str, Any]]]

_TABS: Final = 200
_CONNECTIONS: Final = 4  # a browser's connection takes a hundred streams
_KEPT: Final = 4


@asynccontextmanager
async def tail_of(house: House, *, kept: int = _KEPT) -> AsyncIterator[Tail]:
    """Follow the log of the leads."""
    minter = Minter(house.service_key, issuer=f"{AGENCY}/services/leads", role="SERVICE", clock=WallClock())
    async with Client(house.addresses["leads"], token=lambda: minter.token(AGENCY)) as client, asyncio.timeout(40):
        tail = Tail(client, kept=kept)
        running = asyncio.create_task(tail.run())
        try:
            yield tail
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def stream_of(tail: Tail, last_id: str = "") -> Stream:
    """Give kind, id and facts of what a tab is sent; the first is `open`."""

    async def is_open() -> bool:
        return True

    async for sent in await Feed(tail, tells="lead").open(last_id, is_open=is_open):
        if sent.startswith(b": here"):
            yield "open", "", {}
        elif not sent.startswith(b":"):
            fields = dict(line.split(": ", 1) for line in sent.decode().strip().splitlines())
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


async def next_leads(stream: Stream, count: int) -> list[str]:
    return [(await anext(stream))[2]["lead"] for _ in range(count)]


def ids(*numbers: int) -> list[str]:
    return [lead_name(number)[-36:] for number in numbers]


async def find(house: House, *numbers: int) -> None:
    for number in numbers:
        await house.find_lead(lead(number))


async def test_two_hundred_tabs_hear_everything_once_and_in_order(house: House) -> None:
    """A stream a tab to the leads service ended at about ninety-five."""
    await house.enter()
    base, cookies = house.browser.base_url, house.browser.cookies
    trusted = await asyncio.to_thread(ssl.create_default_context, cafile=house.directory / "desk-certificate.pem")
    listening = asyncio.Barrier(_TABS + 1)

    async def follow(browser: httpx.AsyncClient) -> list[str]:
        heard: list[str] = []
        async with browser.stream("GET", "/feed", timeout=60) as answer:
            assert answer.status_code == 200
            async for line in answer.aiter_lines():
                if line.startswith("retry"):
                    await listening.wait()
                if line.startswith("data: "):
                    heard.append(json.loads(line[6:])["lead"])
                if len(heard) == 3:
                    break
        return heard

    async with AsyncExitStack() as stack, asyncio.timeout(50), asyncio.TaskGroup() as tasks:
        browsers = [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    base_url=base, cookies=cookies, http1=False, http2=True, verify=trusted, trust_env=False
                )
            )
            for _ in range(_CONNECTIONS)
        ]
        tabs = [tasks.create_task(follow(browsers[number % _CONNECTIONS])) for number in range(_TABS)]
        await listening.wait()
        await find(house, 1, 2, 3)
        heard = await asyncio.gather(*tabs)

    assert heard == [ids(1, 2, 3)] * _TABS


async def test_a_tab_that_takes_nothing_holds_nobody_up_and_misses_nothing(house: House) -> None:
    async with tail_of(house) as tail, aclosing(stream_of(tail)) as slow, aclosing(stream_of(tail)) as quick:
        await anext(slow)
        await anext(quick)
        for number in range(1, 4 * _KEPT):
            await find(house, number)
            assert await next_leads(quick, 1) == ids(number)
        never_behind = tail.read_behind

        caught_up = await next_leads(slow, 4 * _KEPT - 1)
        reads = tail.read_behind
        await find(house, 4 * _KEPT)
        joined = await next_leads(slow, 1)

        assert caught_up == ids(*range(1, 4 * _KEPT))
        assert joined == ids(4 * _KEPT)
        assert reads > never_behind
        assert tail.read_behind == reads, "whoever has caught up asks the log no more"


async def test_a_tab_comes_back_to_where_it_was_however_long_that_is_ago(house: House) -> None:
    await find(house, *range(1, 4 * _KEPT))
    async with tail_of(house) as tail:
        place = await tail.position()
        async with aclosing(stream_of(tail, str(Place(place.epoch, 2)))) as stream:
            await anext(stream)

            assert await next_leads(stream, 4 * _KEPT - 3) == ids(*range(3, 4 * _KEPT))


async def test_a_page_may_know_more_than_the_tail_has_heard(house: House) -> None:
    """The page asked the log itself; what comes after that is told, and nothing is asked for anew."""
    await find(house, 1)
    async with tail_of(house) as tail:
        place = await tail.position()  # the tail had no time to hear of anything yet
        async with aclosing(stream_of(tail, str(place))) as stream:
            await anext(stream)
            await find(house, 2)

            assert await anext(stream) == ("lead", f"{place.epoch}.2", {"kind": "LeadFound", "lead": ids(2)[0]})


async def test_nothing_is_missed_or_doubled_where_leads_ends_and_begins_again(house: House) -> None:
    """The tabs stay connected: it is not their connection that broke."""
    async with tail_of(house) as tail, aclosing(stream_of(tail)) as stream:
        await anext(stream)
        await find(house, 1)
        before = await next_leads(stream, 1)
        await house.restart_leads()
        await find(house, 2, 3)

        assert before + await next_leads(stream, 2) == ids(1, 2, 3)


async def test_another_log_is_told_at_once_and_then_followed(house: House) -> None:
    async with tail_of(house) as tail, aclosing(stream_of(tail)) as stream:
        await anext(stream)
        await find(house, 1, 2, 3)
        await next_leads(stream, 3)
        await house.restart_leads(anew=True)

        kind, number, _ = await anext(stream)
        await find(house, 4)
        told = await anext(stream)

    assert (kind, number) == ("again", str(Place(Place.of(number).epoch, 0)))
    assert (told[0], told[1], told[2]["lead"]) == ("lead", number.replace(".0", ".1"), ids(4)[0])


@pytest.mark.parametrize("place", ["{epoch}.9", "{epoch}.", "{epoch}.-1", "{epoch}.٣", "9", "x", ".1"])
async def test_what_is_no_place_of_the_log_asks_for_a_new_page(house: House, place: str) -> None:
    await find(house, 1)
    async with tail_of(house) as tail:
        epoch = (await tail.position()).epoch
        async with aclosing(stream_of(tail, place.format(epoch=epoch))) as stream:
            await anext(stream)

            assert (await anext(stream))[:2] == ("again", f"{epoch}.1")


async def test_a_tab_that_nothing_reaches_gets_a_beat_and_its_session_is_looked_at(house: House) -> None:
    asked: list[bool] = []

    async def is_open() -> bool:
        asked.append(True)
        return len(asked) < 3

    async with tail_of(house) as tail:
        sent = [each async for each in await Feed(tail, tells="lead", beat_seconds=0.01).open("", is_open=is_open)]

    assert sent[1:] == [b": beat\n\n", b": beat\n\n", b"event: locked\ndata: {}\n\n"]
