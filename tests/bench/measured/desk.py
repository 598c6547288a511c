"""The coordination desk: how soon what happened elsewhere is in the page, and what a page costs."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from tests.bench.figures import Bar, Figure, Line
from tests.bench.tabs import tab
from tests.bench.tips_service import create_message
from tests.system.desk_trial import CHIBA, TOKYO, browser, link, pair, visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.async_api import Page

    from renkei_chassis.rpc.client import Client
    from tests.bench.figures import Bench
    from tests.system.federation import Federation, Member

_RECORDS: Final = 100_000
_LEADS: Final = 300
_EVENTS: Final = 30
_DESKS: Final = 50
_LOOKS: Final = 30
_ROWS: Final = 200
_SECONDS: Final = 600.0
_BETWEEN_SECONDS: Final = 0.4
_OBSERVER: Final = """
window.seen = {};
const look = () => document.querySelectorAll("[id^=lead-]").forEach((row) => {
  window.seen[row.id.slice(5)] = window.seen[row.id.slice(5)] || Date.now();
});
new MutationObserver(look).observe(document, { childList: true, subtree: true });
"""


def _tip(number: int, *audience: str) -> tips_pb2.Tip:
    """Make a tip with a telephone number of its own."""
    tip = tips_pb2.CreateTipRequest.FromString(create_message()).tip
    del tip.identifiers[:]
    found = tip.identifiers.add(provenance="PROVENANCE_TIP", relation="RELATION_MENTIONED")
    found.identifier.type = identifiers_pb2.IDENTIFIER_TYPE_PHONE
    found.identifier.original = f"090-{1000 + number // 10_000}-{number % 10_000:04d}"
    tip.handling.releasable_to.extend(audience)
    return tip


async def _create(client: Client, agency: str, tip: tips_pb2.Tip) -> None:
    request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=agency, tip=tip)
    await client.call(client.stub(TipsServiceStub).CreateTip, request)


async def _load(member: Member, numbers: Sequence[int]) -> None:
    """Record a tip for each number over the bulk path."""
    client, load_id = await member.client("tips"), str(uuid.uuid4())

    def messages() -> Iterator[tips_pb2.LoadTipsRequest]:
        for first in range(0, len(numbers), _ROWS):
            rows = [
                tips_pb2.TipRow(row=first + place + 1, tip=_tip(number))
                for place, number in enumerate(numbers[first : first + _ROWS])
            ]
            yield tips_pb2.LoadTipsRequest(load_id=load_id, parent=member.name, rows=rows)

    answered = 0
    async for answer in client.duplex(client.stub(TipsServiceStub).LoadTips, messages(), seconds=_SECONDS):
        answered += sum(result.WhichOneof("result") == "name" for result in answer.results)
    if answered != len(numbers):
        raise RuntimeError(f"{answered} of {len(numbers)} rows were recorded")


async def event(bench: Bench, *, events: int = _EVENTS) -> None:
    """Record at Chiba what completes a lead in Tokyo, and watch Tokyo's page in a real browser."""
    async with pair(bench.directory / "event") as federation, browser() as running:
        page = await (await visitor(running)).new_page()
        await page.add_init_script(_OBSERVER)
        await page.goto(await link(federation[TOKYO]))
        await page.keyboard.press("Enter")
        await page.locator("#live:not(:empty)").wait_for()
        took = [await _until_in_page(federation, page, number) for number in range(events)]
    bench.record("desk-event-p95", value=statistics.quantiles(took, n=20)[18])


async def _until_in_page(federation: Federation, page: Page, number: int) -> float:
    """Give the milliseconds from the answer at Chiba to the lead in Tokyo's page."""
    await _create(await federation[TOKYO].client("tips"), federation[TOKYO].name, _tip(number))
    client = await federation[CHIBA].client("tips")
    await asyncio.sleep(_BETWEEN_SECONDS)  # the page is at rest
    await _create(client, federation[CHIBA].name, _tip(number, federation[TOKYO].name))
    answered = time.time() * 1000
    async with asyncio.timeout(30):
        while len(seen := await page.evaluate("Object.values(window.seen)")) <= number:  # noqa: ASYNC110 (a browser's)
            await asyncio.sleep(0.01)  # the page notes the time itself
    newest: float = max(seen)
    return max(1.0, newest - answered)


async def first_page(bench: Bench, *, records: int = _RECORDS, leads: int = _LEADS) -> None:
    """Ask for the inbox of a node that holds so many records, and weigh it."""
    async with pair(bench.directory / "first") as federation:
        member = federation[TOKYO]
        await _load(member, range(records))
        await _load(member, range(leads))
        async with tab(member, "sato") as one:
            while len((await one.page()).text.split("data-lead=")) < min(leads, 50):  # noqa: ASYNC110 (still being found)
                await asyncio.sleep(0.5)
            took = [_server_time((await one.page()).headers["server-timing"]) for _ in range(_LOOKS)]
            bench.record("desk-first-page", value=statistics.quantiles(took, n=20)[18])
            bench.record("desk-page-weight", value=await one.weight() / 1000)


def _server_time(header: str) -> float:
    return float(header.rpartition("=")[2])


async def many(bench: Bench, *, desks: int = _DESKS, events: int = _EVENTS) -> None:
    """Keep so many desks open, and let leads be found."""
    loop = asyncio.get_running_loop()
    async with pair(bench.directory / "many") as federation, AsyncExitStack() as stack:
        member = federation[TOKYO]
        client = await member.client("tips")
        tabs = [await stack.enter_async_context(tab(member, f"officer-{number}")) for number in range(desks)]
        listening = [asyncio.Event() for _ in tabs]
        followers = [
            asyncio.create_task(each.follow(await each.open(), listens))
            for each, listens in zip(tabs, listening, strict=True)
        ]
        try:
            await asyncio.gather(*(listens.wait() for listens in listening))
            took: list[float] = []
            for number in range(events):
                await _create(client, member.name, _tip(number))
                known = set(tabs[0].seen)
                await _create(client, member.name, _tip(number))
                answered = loop.time()
                async with asyncio.timeout(60):
                    while any(len(each.seen) <= number for each in tabs):
                        ended = next((each for each in followers if each.done()), None)
                        if ended is not None:
                            ended.result()  # raises why
                        await asyncio.sleep(0.01)
                took += [at - answered for each in tabs for lead, at in each.seen.items() if lead not in known]
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
    bench.record("desk-fifty-p95", value=max(1.0, statistics.quantiles(took, n=20)[18] * 1000))


def _at_most(name: str, what: str, unit: str, limit: float) -> Line:
    return Line(name=name, what=what, unit=unit, bar=Bar(limit=limit, of="value", at_least=False))


FIGURES: Final = [
    Figure(
        name="desk-event",
        lines=[
            _at_most(
                "desk-event-p95",
                "commit at one agency to the lead in the page of another's desk, in Chromium, 95th percentile",
                "ms",
                300,
            )
        ],
        measure=event,
    ),
    Figure(
        name="desk-page",
        lines=[
            _at_most(
                "desk-first-page",
                f"server time of the inbox with {_RECORDS:,} records and {_LEADS} leads, 95th percentile",
                "ms",
                200,
            ),
            _at_most("desk-page-weight", "the inbox with 50 leads and all that it loads, uncompressed", "KB", 300),
        ],
        measure=first_page,
    ),
    Figure(
        name="desk-fifty",
        lines=[
            _at_most(
                "desk-fifty-p95",
                f"a lead's commit to the page of each of {_DESKS} open desks, which ask again all at once, "
                "95th percentile; desks and their readers share the cores",
                "ms",
                1000,
            )
        ],
        measure=many,
    ),
]
