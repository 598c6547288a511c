"""A tab of the desk without a browser: its session, its feed, and the page that it asks for again at every event."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx

from renkei_node.desk_link import make_link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.system.federation import Member

# As desk.js has it: what comes alone is looked at at once, many events of one moment together.
_BETWEEN_SECONDS: Final = 0.3
_LEAD: Final = re.compile(r'data-lead="([^"]+)"')
_FILES: Final = re.compile(r'(?:href|src)="(/static/[^"]+|/print\.css)"')


@dataclass(slots=True, kw_only=True)
class Tab:
    """An open inbox."""

    browser: httpx.AsyncClient
    seen: dict[str, float] = field(default_factory=dict)
    """When each lead first stood in the page, by the loop's clock."""

    async def open(self) -> str:
        """Load the page; give where its feed begins."""
        answer = await self.page()
        return answer.text.partition('data-after="')[2].partition('"')[0]

    async def page(self) -> httpx.Response:
        """Ask for the page, and note what stands in it."""
        answer = await self.browser.get("/", headers={"hx-request": "true"})
        answer.raise_for_status()
        now = asyncio.get_running_loop().time()
        for lead in _LEAD.findall(answer.text):
            self.seen.setdefault(lead, now)
        return answer

    async def weight(self) -> int:
        """Give the bytes of the page with everything that it refers to, as a browser loads it the first time."""
        text = (await self.browser.get("/")).text
        files = [await self.browser.get(path) for path in set(_FILES.findall(text))]
        return len(text.encode()) + sum(len(each.content) for each in files)

    async def follow(self, after: str, listens: asyncio.Event) -> None:
        """Follow the feed, and look again whenever it tells of something. Runs until it is cancelled."""
        told = asyncio.Event()

        async def look() -> None:
            clock = asyncio.get_running_loop().time
            looked = 0.0
            while True:
                await told.wait()
                await asyncio.sleep(max(0.0, looked + _BETWEEN_SECONDS - clock()))
                told.clear()
                looked = clock()
                await self.page()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look())
            async with self.browser.stream("GET", f"/feed?after={after}", timeout=None) as answer:
                answer.raise_for_status()
                listens.set()
                async for line in answer.aiter_lines():
                    if line == "event: lead":
                        told.set()
            raise RuntimeError("the feed ended")


@asynccontextmanager
async def tab(member: Member, officer: str) -> AsyncIterator[Tab]:
    """Sign an officer in."""
    link = await asyncio.to_thread(
        partial(make_link, member.directory, member.name, member.ports.web, officer=officer, roles=("OFFICER",))
    )
    trusted = await asyncio.to_thread(
        partial(ssl.create_default_context, cafile=member.directory.data / "desk-certificate.pem")
    )
    base = f"https://127.0.0.1:{member.ports.web}"
    async with httpx.AsyncClient(base_url=base, http1=False, http2=True, verify=trusted, timeout=30) as browser:
        answer = await browser.post("/enter", data={"code": link.url.partition("=")[2]})
        if answer.headers.get("location") != "/":
            raise RuntimeError("the link opened no session")
        yield Tab(browser=browser)
